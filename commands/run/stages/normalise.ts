// The stage `normalise`: one task for each partition of raw that this process has.

import type { Place } from '../../../core/ports.ts';
import { topics } from '../../../core/records.ts';
import type { Metrics } from '../../../core/telemetry.ts';
import { coverageMetrics } from '../device-metrics.ts';
import { NormaliseTask, type NormaliseTaskOptions } from '../normalise-task.ts';
import { readers } from './readers.ts';
import type { Stage } from './stage.ts';

export type NormaliseOptions = Omit<NormaliseTaskOptions, 'partition' | 'isOurs'>;

export class NormaliseStage implements Stage {
  readonly name = 'normalise';
  /** By partition. */
  readonly tasks = new Map<number, NormaliseTask>();
  private readonly options: NormaliseOptions;

  constructor(options: NormaliseOptions) {
    this.options = options;
  }

  async assign(partitions: readonly number[], isOurs?: () => boolean): Promise<void> {
    this.tasks.clear();
    const loaded = new Map<number, NormaliseTask>();
    const options = { ...this.options, ...(isOurs !== undefined && { isOurs }) };
    for (const partition of partitions)
      loaded.set(partition, await NormaliseTask.load({ ...options, partition }));
    for (const [partition, task] of loaded) this.tasks.set(partition, task);
  }

  async step(): Promise<number> {
    let count = 0;
    for (const task of this.tasks.values()) count += await task.step();
    return count;
  }

  async commit(): Promise<void> {}

  async save(): Promise<void> {
    for (const task of this.tasks.values()) await task.save();
  }

  needs(): Map<string, Place[]> {
    const needs = new Map<string, Place[]>();
    for (const [partition, { keep }] of this.tasks)
      needs.set(readers.normalise(partition), [{ topic: topics.raw, partition, offset: keep }]);
    return needs;
  }

  metrics(): Metrics {
    const tasks = [...this.tasks];
    const sum = (key: keyof NormaliseTask['normaliser']['counters']) =>
      tasks.reduce((total, [, { normaliser }]) => total + normaliser.counters[key], 0);
    const { stream } = this.options;
    return {
      sealwatch_normalise_lines_total: sum('lines'),
      sealwatch_normalise_events_total: sum('events'),
      sealwatch_normalise_rejects_total: sum('rejects'),
      sealwatch_normalise_late_total: sum('late'),
      sealwatch_normalise_duplicates_total: sum('duplicates'),
      sealwatch_normalise_evicted_total: sum('evicted'),
      sealwatch_normalise_lag_records: tasks.reduce(
        (total, [partition, { next }]) => total + stream.end(topics.raw, partition) - next,
        0,
      ),
      ...coverageMetrics(tasks.map(([, { normaliser }]) => normaliser)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.tasks.clear();
  }
}
