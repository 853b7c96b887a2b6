// What cannot be read is told, however much of it there is.

import { expect, test } from 'vitest';
import { Losses } from '../../../../storage/stream/kafka/losses.ts';

test('each stretch is told once, the last of many as well', () => {
  let told = 0;
  const losses = new Losses(() => told++);
  for (let to = 1; to <= 20_000; to++) {
    losses.of('t', 0, to - 1, to);
    losses.of('t', 0, to - 1, to);
  }
  expect([told, losses.records]).toEqual([20_000, 20_000]);
});
