// A group that one may not join: it is said, at the start and later.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { limits } from '../../../../core/limits.ts';
import type { Logger } from '../../../../core/telemetry.ts';
import type { Member, MemberEvent } from '../../../../storage/stream/kafka/client/inside.ts';
import { GroupMember, type MemberOptions } from '../../../../storage/stream/kafka/client/member.ts';

const refused = Object.assign(new Error('Not authorized to access group'), {
  type: 'GROUP_AUTHORIZATION_FAILED',
});

/** Crashes inside of `run` as kafkajs does when joining fails: `run` resolves nevertheless. */
class FakeCrashingMember {
  readonly events = {
    REQUEST: 'r',
    HEARTBEAT: 'h',
    GROUP_JOIN: 'j',
    REBALANCING: 'b',
    DISCONNECT: 'd',
    CRASH: 'c',
  };
  private readonly listeners = new Map<string, (event: { payload: MemberEvent }) => void>();
  private readonly error: Error | undefined;

  constructor(error: Error | undefined) {
    this.error = error;
  }

  on(event: string, listener: (event: { payload: MemberEvent }) => void): void {
    this.listeners.set(event, listener);
  }
  async connect() {}
  disconnected = 0;
  async disconnect() {
    this.disconnected++;
  }
  async subscribe() {}
  pause() {}
  async run() {
    if (this.error !== undefined) this.emit('c', { error: this.error, restart: false } as MemberEvent);
  }
  emit(event: string, payload: MemberEvent): void {
    this.listeners.get(event)?.({ payload });
  }
}

function optionsOf(errors: (Error | undefined)[]) {
  const said: string[] = [];
  const members: FakeCrashingMember[] = [];
  const options: MemberOptions = {
    ...{ brokers: ['b:1'], group: 'g', topic: 't', onAssigned: () => {} },
    logger: {
      error: ({ error }: { error: string }) => said.push(error),
      info: () => {},
    } as unknown as Logger,
    create: () => {
      const member = new FakeCrashingMember(errors[members.length]);
      members.push(member);
      return member as unknown as Member;
    },
  };
  return { options, said, members };
}

test('at the start it is refused', async () => {
  const { options } = optionsOf([refused]);
  await expect(GroupMember.join(options)).rejects.toBe(refused);
});

test('a Kafka that is not ready yet is waited for', async () => {
  const { options, said, members } = optionsOf([new Error('no coordinator'), undefined]);
  await using _member = await GroupMember.join(options);
  await expect.poll(() => members.length).toBe(2);
  expect(said).toEqual([expect.stringContaining('no coordinator')]);
});

test('what is refused later is said once, with advice, and tried again', async () => {
  const { options, said, members } = optionsOf([undefined, refused, refused, undefined]);
  await using _member = await GroupMember.join(options);
  members[0]?.emit('c', { error: refused, restart: false } as MemberEvent);
  await expect.poll(() => members.length, { timeout: 10_000 }).toBe(4);
  expect(said).toEqual([expect.stringMatching(/KAFKA_REFUSED.*ACLs/)]);
});

test('who ends while it is let in does not stay in the group', async () => {
  const { options, members } = optionsOf([undefined, undefined]);
  const joined = await GroupMember.join(options);
  let letIn = () => {};
  let isAsking = false;
  const create = options.create;
  options.create = (onJoin) => {
    const member = create(onJoin);
    member.run = () =>
      new Promise((resolve) => {
        isAsking = true;
        letIn = resolve;
      });
    return member;
  };
  members[0]?.emit('c', { error: new Error('away'), restart: false } as MemberEvent);
  await expect.poll(() => members.length).toBe(2);
  await expect.poll(() => isAsking).toBe(true);
  const ending = joined[Symbol.asyncDispose]();
  await new Promise((resolve) => setImmediate(resolve));
  expect(members[1]?.disconnected).toBe(0);
  letIn();
  await ending;
  expect(members[1]?.disconnected).toBe(1);
});

/** Begins a second client that is not let in, and a third in its place; the second is let in, or fails, when the caller says so. */
async function withOneGivenUp() {
  const { options, said, members } = optionsOf([undefined, undefined, undefined]);
  const joined = await GroupMember.join(options);
  let [letIn, fail, asksAgain] = [() => {}, () => {}, () => {}];
  const create = options.create;
  options.create = (onJoin) => {
    const member = create(onJoin);
    if (members.length === 2) {
      asksAgain = onJoin;
      member.run = () =>
        new Promise((resolve, reject) => {
          letIn = resolve;
          fail = () => reject(new Error('late'));
        });
    }
    return member;
  };
  await vi.advanceTimersByTimeAsync(limits.kafkaOutsideMs + limits.kafkaSessionMs);
  expect([members.length, said]).toEqual([2, [expect.stringContaining('lets nobody in')]]);
  asksAgain();
  await vi.advanceTimersByTimeAsync(limits.kafkaOutsideMs + limits.kafkaSessionMs);
  expect(members.length).toBe(3);
  const [, second, third] = members as [unknown, FakeCrashingMember, FakeCrashingMember];
  return { joined, members, second, third, letIn, fail, asksAgain };
}

describe('a client that neither joins nor ends is begun anew', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('it is not told to end while it asks: kafkajs would forget it, and let it in', async () => {
    const { second, letIn, joined } = await withOneGivenUp();
    expect(second.disconnected).toBe(0);
    letIn();
    await vi.advanceTimersByTimeAsync(1);
    expect(second.disconnected).toBe(1);
    await joined[Symbol.asyncDispose]();
  });

  test.each(['j', 'h'])('in the group after all, as its %s says, it leaves', async (event) => {
    const { second, third, joined } = await withOneGivenUp();
    second.emit(event, { memberAssignment: { t: [0] } } as unknown as MemberEvent);
    await vi.advanceTimersByTimeAsync(1);
    expect(second.disconnected).toBe(1);
    expect(third.disconnected).toBe(0);
    await joined[Symbol.asyncDispose]();
  });

  test('it may not ask again', async () => {
    const { asksAgain, joined } = await withOneGivenUp();
    expect(asksAgain).toThrow('another has begun');
    await joined[Symbol.asyncDispose]();
  });

  test('its late failure concerns nobody', async () => {
    const { members, second, third, fail, joined } = await withOneGivenUp();
    fail();
    await vi.advanceTimersByTimeAsync(1);
    expect(second.disconnected).toBeGreaterThan(0);
    third.emit('j', { memberAssignment: { t: [0] } } as unknown as MemberEvent);
    await vi.advanceTimersByTimeAsync(limits.kafkaSessionMs);
    expect(members.length).toBe(3);
    await joined[Symbol.asyncDispose]();
  });

  test('one that is let in while the next try waits is kept', async () => {
    const { members, third, joined } = await withOneGivenUp();
    third.emit('c', { error: new Error('away'), restart: false } as MemberEvent);
    third.emit('j', { memberAssignment: { t: [0] } } as unknown as MemberEvent);
    await vi.advanceTimersByTimeAsync(limits.kafkaSessionMs / 4);
    expect(members.length).toBe(3);
    await joined[Symbol.asyncDispose]();
  });
});
