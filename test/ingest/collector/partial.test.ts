// The memory of unfinished lines: one peer cannot take that of the others.

import { describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { Framer } from '../../../ingest/collector/framer.ts';
import { type Holder, PartialBudget, THIS_HOST } from '../../../ingest/collector/partial.ts';

const MiB = 1024 * 1024;

/** Stands for an unfinished line without its memory. */
class FakeLine implements Holder {
  held = 0;
  isGivenUp = false;
  private readonly budget: PartialBudget;
  private readonly peer: string;

  constructor(budget: PartialBudget, peer: string) {
    this.budget = budget;
    this.peer = peer;
  }

  grow(bytes: number): this {
    this.held += bytes;
    this.budget.of(this.peer).take(this, bytes);
    return this;
  }

  giveUp(): void {
    this.isGivenUp = true;
    this.budget.of(this.peer).give(this, this.held);
    this.held = 0;
  }
}

const full = limits.partialBytesPerPeerMax;

describe('one peer', () => {
  test('past its own share loses its longest line, and no other peer loses one', () => {
    const budget = new PartialBudget();
    const honest = new FakeLine(budget, '10.0.0.1').grow(60 * MiB);
    const greedy = Array.from({ length: 3 }, (_, i) => new FakeLine(budget, '10.0.0.9').grow((40 + i) * MiB));
    expect(greedy.map(({ isGivenUp }) => isGivenUp)).toEqual([false, false, false]);
    const last = new FakeLine(budget, '10.0.0.9').grow(10 * MiB);
    expect(greedy.map(({ isGivenUp }) => isGivenUp)).toEqual([false, false, true]);
    expect([honest.isGivenUp, last.isGivenUp]).toEqual([false, false]);
    expect(budget.used).toBe((60 + 40 + 41 + 10) * MiB);
  });

  test('of many small lines is bounded too', () => {
    const budget = new PartialBudget();
    for (let i = 0; i < 1000; i++) new FakeLine(budget, '10.0.0.9').grow(MiB);
    expect(budget.used).toBe(full);
  });

  test('this host is held by the bound of all only', () => {
    const budget = new PartialBudget();
    for (let i = 0; i < 1000; i++) new FakeLine(budget, THIS_HOST).grow(MiB);
    expect(budget.used).toBe(limits.partialBytesMax);
  });
});

test('many peers together: the one that holds most loses, not the one that holds the longest line', () => {
  const budget = new PartialBudget();
  const honest = new FakeLine(budget, '10.0.0.1').grow(64 * MiB);
  const others = ['10.0.1.1', '10.0.1.2'].flatMap((peer) =>
    Array.from({ length: 12 }, () => new FakeLine(budget, peer).grow(10 * MiB)),
  );
  expect(honest.isGivenUp).toBe(false);
  expect(others.some(({ isGivenUp }) => isGivenUp)).toBe(true);
  expect(budget.used).toBeLessThanOrEqual(limits.partialBytesMax);
});

test('a line that comes byte by byte takes as much memory as is counted, and not a piece for each byte', () => {
  const budget = new PartialBudget();
  let line = '';
  const sink = {
    line: (bytes: Buffer, from: number, to: number) => {
      line = bytes.toString('latin1', from, to);
    },
    lost: () => {},
  };
  const framer = new Framer(sink, budget.of('10.0.0.1'));
  const byte = Buffer.from('x');
  for (let i = 0; i < 100_000; i++) framer.push(byte);
  expect(framer.held).toBeGreaterThanOrEqual(100_000);
  expect(framer.held).toBeLessThanOrEqual(200_000);
  expect(budget.used).toBe(framer.held);
  framer.push(Buffer.from('\n'));
  expect([line.length, framer.held, budget.used]).toEqual([100_000, 0, 0]);
});
