// The loop: never two steps at a time, no step lost that was asked for, none after the stop.

import { expect, it } from 'vitest';
import { Loop } from '../../vault/loop.ts';

/** Steps that end when they are told to. */
function manual() {
  const ends: ((wait: number) => void)[] = [];
  let running = 0;
  let most = 0;
  const loop = new Loop(() => {
    most = Math.max(most, ++running);
    return new Promise<number>((resolve) => {
      ends.push((wait) => {
        running--;
        resolve(wait);
      });
    });
  });
  const end = async (wait: number) => {
    ends.at(-1)?.(wait);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { loop, end, begun: () => ends.length, most: () => most };
}

it('works one step at a time, and again when it was woken meanwhile', async () => {
  const { loop, end, begun, most } = manual();
  loop.wake();
  loop.wake();
  loop.wake();
  expect(begun()).toBe(1);
  loop.wake();
  await end(Number.POSITIVE_INFINITY);
  expect(begun()).toBe(2);
  await end(Number.POSITIVE_INFINITY);
  expect([begun(), most()]).toEqual([2, 1]);
});

it('goes on at once when there is more to do, and by itself after a wait', async () => {
  const { loop, end, begun } = manual();
  loop.wake();
  await end(0);
  expect(begun()).toBe(2);
  await end(1);
  while (begun() < 3) await new Promise((resolve) => setImmediate(resolve));
  const stopped = loop.stop();
  await end(0);
  await stopped;
});

it('a stop waits for the step under way, and there is none after it', async () => {
  const { loop, end, begun } = manual();
  loop.wake();
  let isStopped = false;
  const stopped = loop.stop().then(() => {
    isStopped = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isStopped).toBe(false);
  await end(0);
  await stopped;
  loop.wake();
  expect(begun()).toBe(1);
});
