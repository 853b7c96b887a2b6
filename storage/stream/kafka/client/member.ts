// A member of a group that shares partitions: the heartbeat of a kafkajs consumer that fetches nothing, and a watch over it.

import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../../../../core/limits.ts';
import type { Logger } from '../../../../core/telemetry.ts';
import type { Joined } from '../link.ts';
import { kafkaError, remedyOf } from './faults.ts';
import type { Member, MemberEvent } from './inside.ts';

export interface MemberOptions {
  brokers: readonly string[];
  group: string;
  topic: string;
  logger: Logger;
  /** A consumer of the group; `onJoin` is called each time before it asks to be let in, when what it had is no longer its. What it throws ends the consumer. */
  create(onJoin: () => void): Member;
  onAssigned(partitions: readonly number[] | undefined): void;
}

/**
 * Ends a client in whose place another has begun, once it is in the group: it would hold partitions that nobody works on. Not before:
 * kafkajs forgets whom it is just letting in when it is told to end, and lets it in nevertheless (consumer/index.js, `stop`).
 */
const endGivenUp = (member: Member): void => {
  // It says that it is in the group a moment before it can be stopped.
  setImmediate(() => member.disconnect().catch(() => {}));
};

/** The group thinks a member dead that is silent for `limits.kafkaSessionMs`: it must know that before the group does. */
const SESSION_MARGIN = 0.8;

export class GroupMember implements Joined {
  private readonly options: MemberOptions;
  private member: Member | undefined;
  /** What the group gave in its present generation; undefined while it is being decided. */
  private given: readonly number[] | undefined;
  /** What `onAssigned` was told last. */
  private told: readonly number[] | undefined;
  /** When the last answered sign of life was sent, by two clocks: one may be set, the other may stand still. */
  private alive = { wall: 0, steady: 0 };
  private sent = { wall: 0, steady: 0 };
  private readonly watch: NodeJS.Timeout;
  private restart: NodeJS.Timeout | undefined;
  /** What ended the client's work before it was let in; kafkajs resolves nevertheless. */
  private crash: unknown;
  private isBeginning = false;
  /** Over when it was let in, or not. */
  private running: Promise<void> | undefined;
  /** What was said last of why it is not in the group. */
  private said = '';
  private isClosed = false;
  /** When it was in the group last, or began anew to get into it. */
  private inside = performance.now();

  private constructor(options: MemberOptions) {
    this.options = options;
    this.watch = setInterval(() => this.look(), limits.kafkaSessionMs / 20);
    this.watch.unref();
  }

  /** Resolves when the group is known; partitions come with `onAssigned`. Rejects when no broker answers, or refuses. */
  static async join(options: MemberOptions): Promise<GroupMember> {
    const joined = new GroupMember(options);
    try {
      await joined.begin();
      return joined;
    } catch (error) {
      if (joined.crash !== undefined && remedyOf(error) !== 'mend') {
        joined.fails(error, limits.kafkaRetryMsMin);
        return joined;
      }
      await joined[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Whoever works on a partition asks before it goes on: a process that stood still has no timer that ran. */
  check(): void {
    const { wall, steady } = this.alive;
    const silent = Math.max(Date.now() - wall, performance.now() - steady);
    if (this.told !== undefined && silent > limits.kafkaSessionMs * SESSION_MARGIN)
      this.lose('silent for a session');
  }

  private look(): void {
    this.check();
    if (this.told !== undefined) this.inside = performance.now();
    // Seen once after a broker that stood still: the client neither joins nor ends, and says nothing.
    if (performance.now() - this.inside > limits.kafkaOutsideMs)
      this.fails(new Error('the group lets nobody in'), limits.kafkaRetryMsMin);
  }

  private async begin(): Promise<void> {
    const { topic } = this.options;
    const member = this.options.create(() => {
      if (this.member !== member) throw new Error('another has begun in its place');
      this.leave('a rebalance begins');
    });
    this.member = member;
    this.listen(member);
    this.crash = undefined;
    this.isBeginning = true;
    try {
      await member.connect();
      await member.subscribe({ topic, fromBeginning: false });
      if (this.isClosed) return;
      if (this.member === member) {
        this.running = member.run({ autoCommit: false, eachBatch: async () => {} });
        await this.running;
      }
    } catch (error) {
      member.disconnect().catch(() => {});
      // What becomes of one that was given up concerns nobody: another has begun.
      if (this.member === member) throw error;
    } finally {
      if (this.member === member) this.isBeginning = false;
    }
    // Let in after it had been given up: nobody would work on what it is given.
    if (this.member !== member) await member.disconnect().catch(() => {});
    else if (this.crash !== undefined) throw this.crash;
  }

  private listen(member: Member): void {
    const { events } = member;
    const on = (event: string, listener: (payload: MemberEvent) => void) =>
      member.on(event, ({ payload }) => {
        if (member === this.member) listener(payload);
        else if (event === events.GROUP_JOIN || event === events.HEARTBEAT) endGivenUp(member);
      });
    on(events.REQUEST, ({ apiName, sentAt }) => {
      if (apiName === 'Heartbeat' || apiName === 'SyncGroup') this.noteSent(sentAt ?? 0);
    });
    on(events.HEARTBEAT, () => {
      this.alive = this.sent;
      // It had been silent for too long, and the group has waited nevertheless.
      if (this.told === undefined && this.given !== undefined) this.tell(this.given);
    });
    on(events.GROUP_JOIN, ({ memberAssignment = {} }) => {
      this.said = '';
      member.pause([{ topic: this.options.topic }]);
      this.alive = this.sent;
      this.leave('another generation');
      this.given = [...(memberAssignment[this.options.topic] ?? [])].sort((a, b) => a - b);
      this.tell(this.given);
    });
    on(events.REBALANCING, () => this.leave('a rebalance begins'));
    on(events.DISCONNECT, () => this.leave('disconnected'));
    on(events.CRASH, (payload) => this.onCrash(payload));
  }

  private noteSent(sentAt: number): void {
    this.sent = { wall: sentAt, steady: performance.now() - Math.max(0, Date.now() - sentAt) };
  }

  private onCrash({ restart, error }: MemberEvent): void {
    this.leave('the group cannot be reached');
    if (restart === true || this.isClosed) return;
    if (this.isBeginning) this.crash = error ?? new Error('the member ended');
    else this.fails(error, limits.kafkaRetryMsMin);
  }

  /** Says so once, and tries again: without the group this process has no work. */
  private fails(error: unknown, wait: number): void {
    const { logger, group, brokers } = this.options;
    const told = kafkaError(error, brokers).line;
    if (told !== this.said)
      logger.error({ group, error: told }, 'is not in its Kafka group: has no work; tries again');
    this.said = told;
    this.inside = performance.now();
    clearTimeout(this.restart);
    this.restart = setTimeout(() => {
      // It was let in meanwhile.
      if (this.isClosed || this.given !== undefined) return;
      this.begin().catch((failed: unknown) => {
        if (!this.isClosed) this.fails(failed, Math.min(2 * wait, limits.kafkaRetryMsMax));
      });
    }, wait);
  }

  /** What the group gave is no longer this member's. */
  private leave(why: string): void {
    this.given = undefined;
    this.lose(why);
  }

  private lose(why: string): void {
    if (this.told === undefined) return;
    this.options.logger.info({ group: this.options.group, why }, 'gave up its partitions');
    this.tell(undefined);
  }

  private tell(partitions: readonly number[] | undefined): void {
    if (this.isClosed && partitions !== undefined) return;
    this.told = partitions;
    this.options.onAssigned(partitions);
  }

  /** Leaves the group, so that others need not wait until its session has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.isClosed = true;
    clearInterval(this.watch);
    clearTimeout(this.restart);
    this.leave('stopped');
    // kafkajs ends only what runs: who is just being let in would stay in the group, with partitions that nobody works on.
    // Not for ever: a client that hangs is ended with the process.
    const late = sleep(limits.kafkaSessionMs, undefined, { ref: false });
    await Promise.race([this.running?.catch(() => {}), late]);
    await Promise.race([this.member?.disconnect().catch(() => {}), late]);
  }
}
