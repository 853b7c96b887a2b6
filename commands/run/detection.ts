// All detectors of `run`, in turn: of each partition of events and of groups, of leases, and of lines that were lost.

import type { Lists } from '../../core/lists.ts';
import type { DetectorMemory, Stream } from '../../core/ports.ts';
import { LEDGER_PARTITION, type Topic, topics } from '../../core/records.ts';
import { labelled, type Metrics } from '../../core/telemetry.ts';
import { noRules, type RuleSet } from '../../detectors/engine/rule-set.ts';
import { RunningRules } from '../../detectors/engine/running.ts';
import { DetectTask } from './detect-task.ts';
import type { DetectorTaskOptions } from './detector-task.ts';
import { GroupsTask } from './groups-task.ts';
import { LeaseWatchTask } from './lease-watch-task.ts';
import { type LossState, LossTask } from './loss-task.ts';
import { Restarting } from './restarting.ts';
import { OFF_METRIC } from './shown-rules.ts';

const GROUP = 'detect';

/** What judges; everything else of the options stays as long as sealwatch runs. */
export interface Judges {
  rules: RuleSet;
  lists: Lists;
}

export interface DetectionOptions
  extends Omit<DetectorTaskOptions, 'partition' | 'memory' | 'rules'>,
    Judges {
  /** Opens the memory of one detector by its name: `events-0`; again after its disk has refused something. */
  openMemory: (name: string) => DetectorMemory;
}

interface RunningJudges {
  rules: RunningRules;
  /** No rule is on leases: behaviours watch them. */
  ofLeases: RunningRules;
}

const runningJudges = ({ rules, lists }: Judges): RunningJudges => ({
  rules: new RunningRules(rules, lists),
  ofLeases: new RunningRules(noRules, lists),
});

export class Detection implements Disposable {
  readonly events: Restarting<DetectorMemory, DetectTask>[];
  readonly groups: Restarting<DetectorMemory, GroupsTask>[];
  readonly leases: Restarting<DetectorMemory, LeaseWatchTask>;
  readonly losses: LossTask;
  readonly stream: Stream;
  private readonly judges: RunningJudges;

  private constructor(
    parts: Pick<Detection, 'events' | 'groups' | 'leases' | 'losses' | 'stream'>,
    judges: RunningJudges,
  ) {
    this.judges = judges;
    this.stream = parts.stream;
    this.events = parts.events;
    this.groups = parts.groups;
    this.leases = parts.leases;
    this.losses = parts.losses;
  }

  static async load({ openMemory, rules, lists, ...options }: DetectionOptions): Promise<Detection> {
    const { stream, cluster } = options;
    const judges = runningJudges({ rules, lists });
    const events: Restarting<DetectorMemory, DetectTask>[] = [];
    const groups: Restarting<DetectorMemory, GroupsTask>[] = [];
    for (let partition = 0; partition < stream.partitions; partition++) {
      events.push(
        await Restarting.load({
          stream,
          open: () => openMemory(`events-${partition}`),
          load: (memory) => DetectTask.load({ ...options, rules: judges.rules, partition, memory }),
        }),
      );
      groups.push(
        await Restarting.load({
          stream,
          open: () => openMemory(`groups-${partition}`),
          load: (memory) => GroupsTask.load({ ...options, rules: judges.rules, partition, memory }),
        }),
      );
    }
    const leases = await Restarting.load({
      stream,
      open: () => openMemory('leases'),
      load: (memory) => LeaseWatchTask.load({ ...options, rules: judges.ofLeases, memory }),
    });
    const state = (await stream.loadSnapshot(GROUP, 'all'))?.state as LossState | undefined;
    const losses = new LossTask(stream, cluster, state);
    return new Detection({ events, groups, leases, losses, stream }, judges);
  }

  /** Only after a flush: from here on these judge. What was counted stays, but for rules that are gone or count otherwise. */
  async reload(judges: Judges): Promise<void> {
    Object.assign(this.judges, runningJudges(judges));
    await this.each((task) => task.reload());
  }

  private get withMemory() {
    return [...this.events, ...this.groups, this.leases];
  }

  /** One batch of each; returns the number of records. The caller flushes. One that its disk refuses holds up no other. */
  async step(): Promise<number> {
    let count = await this.losses.step();
    await this.each(async (task) => {
      count += await task.step();
    });
    return count;
  }

  /** Only after a flush: what they know becomes lasting. */
  async save(): Promise<void> {
    const losses = this.losses.state();
    await this.stream.saveSnapshot(GROUP, 'all', { inputs: {}, outputs: this.ends(losses), state: losses });
    this.losses.kept(losses);
    await this.each((task) => task.commit());
  }

  /** So that the stream gives out no offset again that a memory stands for, whatever a disk loses. */
  private ends({ next }: LossState): Record<string, number> {
    const ends = Object.fromEntries(this.withMemory.map(({ task }) => task.read));
    for (const [partition, offset] of Object.entries(next)) ends[`${topics.coverage}/${partition}`] = offset;
    for (let to = 0; to < this.stream.partitions; to++)
      ends[`${topics.groups}/${to}`] = this.stream.end(topics.groups, to);
    return ends;
  }

  private async each(work: (task: (typeof this.withMemory)[number]) => Promise<void>) {
    let failure: { error: unknown } | undefined;
    for (const task of this.withMemory) {
      try {
        await work(task);
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }

  /** Event time of all partitions; empty before it is known. */
  get watermark(): string {
    const times = this.events.map(({ task }) => task.detector.watermark);
    return times.reduce((low, time) => (time < low ? time : low));
  }

  /** What lies before this offset is no longer needed here. */
  keep(topic: Topic, partition: number): number {
    const at = (tasks: readonly { task: { keep: number } }[]) => tasks[partition]?.task.keep ?? 0;
    if (topic === topics.events) return at(this.events);
    if (topic === topics.groups) return at(this.groups);
    if (topic === topics.coverage) return this.losses.keep(partition);
    if (topic === topics.leases && partition === LEDGER_PARTITION)
      return Math.min(this.leases.task.keep, ...this.events.map(({ task }) => task.keepLedger));
    return Number.POSITIVE_INFINITY;
  }

  /** Sums over all detectors. */
  metrics(): Metrics {
    const of = this.withMemory.map(({ task }) => task.detector.counters);
    const sum = (name: 'evaluated' | 'evicted' | 'late' | 'matched') =>
      of.reduce((total, counters) => total + counters[name], 0);
    const metrics: Metrics = {
      sealwatch_detect_evaluated_total: sum('evaluated'),
      sealwatch_detect_matched_total: sum('matched'),
      sealwatch_detect_late_total: sum('late'),
      sealwatch_detect_evicted_total: sum('evicted'),
      sealwatch_detect_lag_records: this.events.reduce((total, { task }) => total + task.lag, 0),
      sealwatch_detect_groups_lag_records: this.groups.reduce((total, { task }) => total + task.lag, 0),
    };
    for (const { silenced } of of)
      for (const [entry, count] of Object.entries(silenced)) {
        const name = labelled('sealwatch_detect_silenced_total', { entry });
        metrics[name] = (metrics[name] ?? 0) + count;
      }
    for (const { task } of this.withMemory)
      for (const rule of task.detector.switchedOff) metrics[labelled(OFF_METRIC, { rule })] = 1;
    return metrics;
  }

  [Symbol.dispose](): void {
    for (const task of this.withMemory) task[Symbol.dispose]();
  }
}
