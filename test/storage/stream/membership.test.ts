// What a process believes to have of a group's partitions: never longer than the group does.

import { expect, test } from 'vitest';
import type { Joined, Link } from '../../../storage/stream/kafka/link.ts';
import { joinStage } from '../../../storage/stream/kafka/membership.ts';

test('an assignment ends when the group says so, when the clock does, and at the end; the same partitions again are another one', async () => {
  let tell: (partitions: readonly number[] | undefined) => void = () => {};
  let isSilent = false;
  const joined: Joined = {
    check: () => {
      if (isSilent) tell(undefined);
    },
    async [Symbol.asyncDispose]() {},
  };
  const link = {
    join: async (_group: string, _topic: string, onAssigned: typeof tell) => {
      tell = onAssigned;
      onAssigned(undefined);
      return joined;
    },
  } as unknown as Link;
  const membership = await joinStage(link, 'g', 't');
  const changes: (readonly number[] | undefined)[] = [];
  membership.onChange(() => changes.push(membership.current?.partitions));
  expect(membership.current).toBeUndefined();
  tell([0, 2]);
  const first = membership.current;
  expect(first?.partitions).toEqual([0, 2]);
  tell(undefined);
  expect(membership.current).toBeUndefined();
  tell([0, 2]);
  expect(membership.current).toEqual(first);
  expect(membership.current).not.toBe(first);
  isSilent = true;
  expect(membership.current).toBeUndefined();
  isSilent = false;
  tell([1]);
  await membership[Symbol.asyncDispose]();
  expect(membership.current).toBeUndefined();
  expect(changes).toEqual([[0, 2], undefined, [0, 2], undefined, [1], undefined]);
});
