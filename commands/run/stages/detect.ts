// The stage `detect`: a detector for each partition of events and of groups that this process has; whoever has the first partition
// also watches leases and lines that were lost, and records what rules are in force.

import type { Lists } from '../../../core/lists.ts';
import type { DetectorMemory, Place, Stream } from '../../../core/ports.ts';
import { LEDGER_PARTITION, topics } from '../../../core/records.ts';
import { labelled, type Metrics } from '../../../core/telemetry.ts';
import { noRules, type RuleSet } from '../../../detectors/engine/rule-set.ts';
import { RunningRules } from '../../../detectors/engine/running.ts';
import { ChangeRecord } from '../changes.ts';
import { DetectTask } from '../detect-task.ts';
import type { DetectorTaskOptions } from '../detector-task.ts';
import { GroupsTask } from '../groups-task.ts';
import { LeaseWatchTask } from '../lease-watch-task.ts';
import { type LossState, LossTask } from '../loss-task.ts';
import { Restarting } from '../restarting.ts';
import { OFF_METRIC } from '../shown-rules.ts';
import { readers } from './readers.ts';
import type { Stage } from './stage.ts';

const GROUP = 'detect';
/** Whoever has it also has what is there once only. */
const FIRST = 0;

/** What judges; everything else of the options stays as long as sealwatch runs. */
export interface Judges {
  rules: RuleSet;
  lists: Lists;
}

export interface DetectOptions extends Omit<DetectorTaskOptions, 'partition' | 'memory' | 'rules'>, Judges {
  /** Opens the memory of one detector by its name: `events-0`; again after its disk has refused something. */
  openDetector: (name: string, isOurs?: () => boolean) => Promise<DetectorMemory>;
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

type Detectors<T extends DetectTask | GroupsTask | LeaseWatchTask> = Map<
  number,
  Restarting<DetectorMemory, T>
>;

export class DetectStage implements Stage {
  readonly name = 'detect';
  /** By partition. */
  readonly events: Detectors<DetectTask> = new Map();
  readonly groups: Detectors<GroupsTask> = new Map();
  /** With the first partition. */
  readonly leases: Detectors<LeaseWatchTask> = new Map();
  private losses: LossTask | undefined;
  private changeRecord: ChangeRecord | undefined;
  private readonly options: Omit<DetectOptions, 'rules' | 'lists'>;
  private readonly stream: Stream;
  private readonly judges: RunningJudges;

  constructor({ rules, lists, ...options }: DetectOptions) {
    this.options = options;
    this.stream = options.stream;
    this.judges = runningJudges({ rules, lists });
  }

  async assign(partitions: readonly number[], isOurs?: () => boolean): Promise<void> {
    this.drop();
    try {
      for (const partition of partitions) await this.load(partition, isOurs);
      if (partitions.includes(FIRST)) await this.loadFirst(isOurs);
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  private async load(partition: number, isOurs?: () => boolean): Promise<void> {
    const { options, judges } = this;
    const begin = <T extends DetectTask | GroupsTask>(
      name: string,
      task: { load: (options: DetectorTaskOptions) => Promise<T> },
    ) =>
      Restarting.load({
        stream: this.stream,
        open: () => options.openDetector(`${name}-${partition}`, isOurs),
        load: (memory) => task.load({ ...options, rules: judges.rules, partition, memory }),
      });
    this.events.set(partition, await begin('events', DetectTask));
    this.groups.set(partition, await begin('groups', GroupsTask));
  }

  private async loadFirst(isOurs?: () => boolean): Promise<void> {
    const { options, stream, judges } = this;
    const leases = await Restarting.load({
      stream,
      open: () => options.openDetector('leases', isOurs),
      load: (memory) => LeaseWatchTask.load({ ...options, rules: judges.ofLeases, memory }),
    });
    this.leases.set(LEDGER_PARTITION, leases);
    const state = (await stream.loadSnapshot(GROUP, 'all'))?.state as LossState | undefined;
    this.losses = new LossTask(stream, options.cluster, state);
    this.changeRecord = await ChangeRecord.load(stream);
  }

  private drop(): void {
    for (const task of this.withMemory) task[Symbol.dispose]();
    for (const tasks of [this.events, this.groups, this.leases]) tasks.clear();
    this.losses = this.changeRecord = undefined;
  }

  /** Only after a flush: from here on these judge. What was counted stays, but for rules that are gone or count otherwise. */
  async reload(judges: Judges): Promise<void> {
    Object.assign(this.judges, runningJudges(judges));
    await this.each((task) => task.reload());
  }

  /** Where changes of rules are recorded, when that is done here. */
  get changes(): ChangeRecord | undefined {
    return this.changeRecord;
  }

  private get withMemory() {
    return [...this.events.values(), ...this.groups.values(), ...this.leases.values()];
  }

  /** One that its disk refuses holds up no other. */
  async step(): Promise<number> {
    let count = (await this.losses?.step()) ?? 0;
    await this.each(async (task) => {
      count += await task.step();
    });
    return count;
  }

  async commit(): Promise<void> {}

  async save(): Promise<void> {
    const { losses } = this;
    if (losses !== undefined) {
      const state = losses.state();
      await this.stream.saveSnapshot(GROUP, 'all', { inputs: {}, outputs: this.ends(state), state });
      losses.kept(state);
    }
    await this.each((task) => task.commit());
  }

  /** So that an embedded stream gives out no offset again that a memory stands for, whatever a disk loses. */
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

  needs(): Map<string, Place[]> {
    const needs = new Map<string, Place[]>();
    const ofLeases = (offset: number) => [{ topic: topics.leases, partition: LEDGER_PARTITION, offset }];
    for (const [partition, { task }] of this.events) {
      needs.set(readers.detectEvents(partition), [{ topic: topics.events, partition, offset: task.keep }]);
      needs.set(readers.detectOwn(partition), ofLeases(task.keepLedger));
    }
    for (const [partition, { task }] of this.groups)
      needs.set(readers.detectGroups(partition), [{ topic: topics.groups, partition, offset: task.keep }]);
    for (const { task } of this.leases.values()) needs.set(readers.detectLeases, ofLeases(task.keep));
    const { losses } = this;
    if (losses === undefined) return needs;
    const all = Array.from({ length: this.stream.partitions }, (_, partition) => partition);
    const keep = (partition: number) => losses.keep(partition);
    return needs.set(
      readers.detectLosses,
      all.map((partition) => ({ topic: topics.coverage, partition, offset: keep(partition) })),
    );
  }

  /** Event time of all partitions that are here; empty before it is known. */
  get watermark(): string {
    const times = [...this.events.values()].map(({ task }) => task.detector.watermark);
    return times.sort()[0] ?? '';
  }

  /** Sums over all detectors. */
  metrics(): Metrics {
    const of = this.withMemory.map(({ task }) => task.detector.counters);
    const sum = (name: 'evaluated' | 'evicted' | 'late' | 'matched') =>
      of.reduce((total, counters) => total + counters[name], 0);
    const lag = (tasks: Detectors<DetectTask | GroupsTask>) =>
      [...tasks.values()].reduce((total, { task }) => total + task.lag, 0);
    const { watermark } = this;
    const metrics: Metrics = {
      sealwatch_detect_evaluated_total: sum('evaluated'),
      sealwatch_detect_matched_total: sum('matched'),
      sealwatch_detect_late_total: sum('late'),
      sealwatch_detect_evicted_total: sum('evicted'),
      sealwatch_detect_lag_records: lag(this.events),
      sealwatch_detect_groups_lag_records: lag(this.groups),
      sealwatch_watermark_seconds: watermark === '' ? 0 : Date.parse(`${watermark.slice(0, 19)}Z`) / 1000,
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
  }
}
