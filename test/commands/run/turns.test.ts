// One stage in its turns: what happens when its partitions go to another process while it loads what it knows of them.

import { expect, it } from 'vitest';
import { Failing } from '../../../commands/run/failing.ts';
import type { Stage } from '../../../commands/run/stages/stage.ts';
import { Turns } from '../../../commands/run/stages/turns.ts';
import type { Assignment, Membership, Stream } from '../../../core/ports.ts';
import { TakenOver } from '../../../storage/replica/log.ts';

const quiet = { info() {}, error() {} } as never;

/** Turns of a stage that is given a partition and whose first `assign` ends in `fails`. */
function losing(
  fails: (membership: { current: Assignment | undefined }) => void,
  onStep: (membership: { current: Assignment | undefined }) => void = () => {},
) {
  const committed: unknown[] = [];
  const membership = { current: { partitions: [0] } as Assignment | undefined };
  const assigned: (readonly number[])[] = [];
  let nowMs = 0;
  const stage = {
    name: 'detect',
    assign: async (partitions: readonly number[]) => {
      assigned.push(partitions);
      if (assigned.length === 1) fails(membership);
    },
    step: async () => {
      onStep(membership);
      return 1;
    },
    commit: async () => {
      committed.push(membership.current);
    },
    save: async () => {},
    needs: () => [],
  } as unknown as Stage;
  const turns = new Turns({
    stage,
    membership: membership as Membership,
    stream: { sync: async () => {} } as unknown as Stream,
    failing: new Failing(quiet),
    now: () => nowMs,
    flush: async () => true,
  });
  return { turns, membership, assigned, committed, pass: (ms: number) => (nowMs += ms) };
}

it('a partition that goes to another while it is loaded ends nothing, and the next is loaded', async () => {
  const { turns, membership, assigned, pass } = losing((member) => {
    member.current = undefined;
    throw new Error('not ours to open');
  });
  await turns.look();
  expect(turns.isOurs).toBe(false);
  membership.current = { partitions: [1] };
  pass(1_000);
  await turns.turn();
  expect([turns.isOurs, assigned]).toEqual([true, [[0], [1]]]);
});

it('one that another has claimed before the group said so is looked at again', async () => {
  const { turns, assigned, pass } = losing(() => {
    throw new TakenOver('another process has taken the memory over');
  });
  await turns.look();
  expect(turns.isOurs).toBe(false);
  pass(1_000);
  await turns.turn();
  expect([turns.isOurs, assigned]).toEqual([true, [[0], [0]]]);
});

it('what cannot be loaded though it is ours is wrong with the start', async () => {
  const { turns } = losing(() => {
    throw new Error('broken');
  });
  await expect(turns.look()).rejects.toThrow('broken');
});

it('a step that lasted longer than its place in the group is committed: the memory knows who may', async () => {
  const { turns, committed } = losing(
    () => {},
    (member) => {
      member.current = undefined;
    },
  );
  await turns.look();
  await turns.turn();
  expect(committed).toEqual([undefined]);
});
