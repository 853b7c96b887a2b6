// The stage `index`: partition p of every topic into the evidence store, by whoever has p, who then also deletes what is old of it.

import { setTimeout } from 'node:timers/promises';
import type { Place } from '../../../core/ports.ts';
import { topics } from '../../../core/records.ts';
import type { Metrics } from '../../../core/telemetry.ts';
import { createIndexer, type Indexer } from '../../../storage/indexer.ts';
import { readers } from './readers.ts';
import { Retention, type RetentionOptions } from './retention.ts';
import type { Stage } from './stage.ts';

/** Under load rows gather for as long: a transaction costs as much for ten rows as for a thousand. */
const GATHER_MS = 500;

export interface IndexOptions extends RetentionOptions {
  /** How long the stages beside it wait for a store that may stall; without it until it has answered. */
  holdMs?: number | undefined;
}

type Done = { rows: number } | { error: unknown };

export class IndexStage implements Stage {
  readonly name = 'index';
  private readonly options: IndexOptions;
  private readonly retention: Retention;
  private partitions: readonly number[] = [];
  private indexer: Indexer | undefined;
  private nextMs = 0;
  /** Sum of the ends of all that is indexed here, when it was last looked at. */
  private ends = 0;

  /** A step that the others no longer wait for. */
  private running: Promise<Done> | undefined;
  /** Of the last step, when it failed: it still fails while the next is under way. */
  private failed: { error: unknown } | undefined;

  constructor(options: IndexOptions) {
    this.options = options;
    this.retention = new Retention(options);
  }

  async assign(partitions: readonly number[]): Promise<void> {
    const { stream, writer } = this.options;
    this.partitions = partitions;
    this.indexer = partitions.length === 0 ? undefined : createIndexer({ stream, writer, partitions });
    this.nextMs = 0;
  }

  /** Rejects when the store cannot be written: what waits is on the stream. */
  async step(): Promise<number> {
    if (this.running === undefined) {
      if (this.indexer === undefined || !this.isDue()) return 0;
      this.running = this.write(this.indexer).then(
        (rows) => ({ rows }),
        (error: unknown) => ({ error }),
      );
    }
    const done = await this.held(this.running);
    if (done === undefined) {
      if (this.failed !== undefined) throw this.failed.error;
      // Not 0: nobody is to idle when it ends.
      return 1;
    }
    this.running = undefined;
    this.failed = 'error' in done ? done : undefined;
    if ('error' in done) throw done.error;
    return done.rows;
  }

  /** Undefined when it takes longer than the others wait. */
  private async held(running: Promise<Done>): Promise<Done | undefined> {
    const { holdMs } = this.options;
    if (holdMs === undefined) return running;
    const over = new AbortController();
    const { signal } = over;
    const late = setTimeout(holdMs, undefined, { signal }).catch(() => undefined);
    const done = await Promise.race([running, late]);
    over.abort();
    return done;
  }

  private async write(indexer: Indexer): Promise<number> {
    const untilMs = this.options.now() + GATHER_MS;
    let rows = 0;
    let last: number;
    do {
      last = await indexer.step();
      rows += last;
    } while (last > 0 && this.options.now() < untilMs);
    // What it has not come to is taken in the next turn.
    this.nextMs = last > 0 ? 0 : untilMs;
    await this.retention.step(this.partitions);
    return rows;
  }

  /** Once rows have gathered, or when none came since the last look. */
  private isDue(): boolean {
    const ends = this.sumOfEnds();
    const isQuiet = ends === this.ends;
    this.ends = ends;
    return isQuiet || this.options.now() >= this.nextMs;
  }

  private sumOfEnds(): number {
    const { stream } = this.options;
    let sum = 0;
    for (const topic of Object.values(topics))
      for (const partition of this.partitions) sum += stream.end(topic, partition);
    return sum;
  }

  async commit(): Promise<void> {}

  async save(): Promise<void> {
    if (this.running === undefined) await this.indexer?.flush();
  }

  needs(): Map<string, Place[]> {
    const needs = new Map<string, Place[]>();
    for (const { topic, partition, next: offset } of this.indexer?.written() ?? []) {
      const reader = readers.index(partition);
      needs.set(reader, [...(needs.get(reader) ?? []), { topic, partition, offset }]);
    }
    return needs;
  }

  metrics(): Metrics {
    const { stream } = this.options;
    const lag = (this.indexer?.written() ?? []).reduce(
      (total, { topic, partition, next }) => total + stream.end(topic, partition) - next,
      0,
    );
    return { sealwatch_index_lag_records: lag };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.indexer = undefined;
    await this.running;
  }
}
