// The turns of one stage: it works while its assignment holds, what it makes is flushed before anything follows it, and what fails
// is tried again. Between two assignments it does nothing.

import { SealwatchError } from '../../../core/errors.ts';
import { limits } from '../../../core/limits.ts';
import type { Assignment, Membership, Stream } from '../../../core/ports.ts';
import type { StageName } from '../../../core/records.ts';
import { TakenOver } from '../../../storage/replica/log.ts';
import type { Failing } from '../failing.ts';
import type { Stage } from './stage.ts';

/** A stage, and what says which partitions it works on. */
export interface Member {
  stage: Stage;
  membership: Membership;
}

export interface TurnsOptions extends Member {
  stream: Stream;
  failing: Failing;
  now: () => number;
  /** Everything appended becomes durable; false when it is time to stop first. */
  flush: () => Promise<boolean>;
}

/** A snapshot may cost this share of the time at most. */
const SNAPSHOT_SHARE = 20;
const RETRY_MS = 1_000;
const LATER_MS = 10_000;
/** Stages that may fail and hold up no other: what waits for them is on the stream. What any other throws is a fault of ours. */
const mayFail: Partial<Record<StageName, string>> = {
  ledger: 'the ledger cannot be written',
  detect: 'what a detector knows cannot be written',
  index: 'the evidence store cannot be written',
};

/** What passes, whichever stage it meets: nothing is lost by waiting. A login that was changed is refused until its file is. */
const ofKafka: Record<string, string> = {
  KAFKA_UNREACHABLE: 'Kafka is away',
  KAFKA_REFUSED: 'Kafka refuses',
};

export class Turns {
  readonly stage: Stage;
  private readonly options: TurnsOptions;
  /** What the stage is loaded for. */
  private assignment: Assignment | undefined;
  private nextMs = 0;
  private nextSaveMs = 0;
  /** Since its last snapshot. */
  private hasWorked = false;

  constructor(options: TurnsOptions) {
    this.options = options;
    this.stage = options.stage;
  }

  /** Whether what it is loaded for still holds. */
  get isOurs(): boolean {
    return this.assignment !== undefined && this.assignment === this.options.membership.current;
  }

  get partitions(): number {
    return this.isOurs ? (this.assignment?.partitions.length ?? 0) : 0;
  }

  /** Another assignment, or none: what it had is dropped without a commit, and what it has now is loaded. */
  async look(): Promise<void> {
    const { membership, now, stage, stream } = this.options;
    const { current } = membership;
    if (current === this.assignment) return;
    if (this.assignment !== undefined) {
      this.assignment = undefined;
      await stage.assign([]);
    }
    if (current === undefined) return;
    await stream.sync();
    const isOurs = membership.isAlone === true ? undefined : () => membership.current === current;
    try {
      await stage.assign(current.partitions, isOurs);
    } catch (error) {
      if (isOurs?.() !== false && !(error instanceof TakenOver)) throw error;
      // Another process has it by now: what is ours then is loaded at a later look.
      this.nextMs = now() + RETRY_MS;
      return;
    }
    this.assignment = current;
    this.hasWorked = true;
  }

  /** One step and what follows it; returns the number of records. */
  async turn(): Promise<number> {
    if (!(await this.looked()) || !this.isOurs || this.options.now() < this.nextMs) return 0;
    let count = 0;
    const hasStepped = await this.failable(async () => {
      count = await this.stage.step();
    });
    if (count > 0 || !hasStepped) {
      this.hasWorked = true;
      if (!(await this.options.flush())) return count;
    }
    // Also when a long step has cost it its place in the group: a memory knows its owner, and the same step is not taken for ever.
    const isDone = hasStepped && (count === 0 || (await this.failable(() => this.stage.commit())));
    if (isDone) this.options.failing.mended(this.stage.name);
    await this.saveWhenDue();
    return count;
  }

  /** Between two turns. */
  async between(work: () => Promise<void>): Promise<void> {
    await this.looked();
    await this.failable(work);
  }

  private async looked(): Promise<boolean> {
    const { failing, now, stage } = this.options;
    const part = `assignment of ${stage.name}`;
    // What is gone is dropped at once.
    if (this.assignment === undefined && now() < this.nextMs) return false;
    try {
      await this.look();
      failing.mended(part);
      return true;
    } catch (error) {
      failing.fails(part, `what ${stage.name} knows cannot be loaded`, error);
      this.nextMs = now() + RETRY_MS;
      return false;
    }
  }

  /** False when it fails in a way that it is to live with. */
  private async failable(work: () => Promise<void>): Promise<boolean> {
    const { failing, now, stage } = this.options;
    try {
      await work();
      return true;
    } catch (error) {
      const words = ofKafka[codeOf(error) ?? ''] ?? mayFail[stage.name];
      if (words === undefined || codeOf(error) === 'KAFKA_TOPICS_WRONG') throw error;
      // What another process has by now does not fail: it goes on there.
      if (!(error instanceof TakenOver)) failing.fails(stage.name, words, error);
      this.nextMs = now() + RETRY_MS;
      return false;
    }
  }

  /** What cannot be saved now is saved later: the state stays. */
  private async saveWhenDue(): Promise<void> {
    const { failing, now, stage } = this.options;
    const startMs = now();
    if (!this.hasWorked || startMs < this.nextSaveMs || !this.isOurs) return;
    const part = `snapshots of ${stage.name}`;
    try {
      await this.save();
      failing.mended(part);
      const endMs = now();
      this.nextSaveMs = endMs + Math.max(limits.snapshotMs, (endMs - startMs) * SNAPSHOT_SHARE);
    } catch (error) {
      failing.fails(part, 'a snapshot cannot be written', error);
      this.nextSaveMs = now() + LATER_MS;
    }
  }

  private async save(): Promise<void> {
    const { stage, stream } = this.options;
    await stage.save();
    const needs = [...stage.needs()];
    await Promise.all(needs.map(([reader, places]) => stream.commit(reader, places)));
    this.hasWorked = false;
  }

  /** The end: what is known becomes lasting, so that whoever goes on has less to do again. */
  async finish(): Promise<void> {
    if (!this.isOurs) return;
    await this.options.stream.flush();
    await this.stage.commit();
    await this.save();
  }
}

const codeOf = (error: unknown) => (error instanceof SealwatchError ? error.code : undefined);
