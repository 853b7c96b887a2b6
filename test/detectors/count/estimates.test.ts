// What is too much to keep is estimated: within the error that is promised, and so said.

import { describe, expect, it } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { RootCounter } from '../../../detectors/engine/count/counter.ts';
import { HyperLogLog, hashed } from '../../../detectors/engine/count/hyperloglog.ts';
import { Numbers } from '../../../detectors/engine/count/numbers.ts';
import { alternativesOf } from '../../../detectors/engine/count/presence.ts';
import { binOf, Quantiles } from '../../../detectors/engine/count/quantiles.ts';
import type { Correlation } from '../../../detectors/engine/rule-set.ts';
import { aMatch, correlation, leaf, treeOf } from './tree.ts';

const off = (found: number, right: number) => Math.abs(found / right - 1);

describe('HyperLogLog', () => {
  it.each([1, 10, 1000, 3000, 10_000, 200_000])('tells %i distinct values within 5 %', (count) => {
    const log = new HyperLogLog();
    for (let i = 0; i < count; i++) log.add(hashed(`value ${i}`));
    for (let i = 0; i < count; i += 3) log.add(hashed(`value ${i}`));
    expect(off(log.estimate(), count)).toBeLessThan(0.05);
    expect(new HyperLogLog(log.snapshot()).estimate()).toBe(log.estimate());
  });

  it('is the same whatever the order, and together with another', () => {
    const [forth, back, evens, odds] = [0, 1, 2, 3].map(() => new HyperLogLog()) as [
      HyperLogLog,
      HyperLogLog,
      HyperLogLog,
      HyperLogLog,
    ];
    for (let i = 0; i < 5000; i++) {
      forth.add(hashed(`${i}`));
      back.add(hashed(`${4999 - i}`));
      (i % 2 === 0 ? evens : odds).add(hashed(`${i}`));
    }
    evens.merge(odds);
    expect([back.estimate(), evens.estimate()]).toEqual([forth.estimate(), forth.estimate()]);
  });
});

describe('percentiles of more numbers than are kept', () => {
  const numbers = Array.from({ length: 5001 }, (_, i) => (i - 1000) ** 3 / 7);
  const quantiles = new Quantiles();
  for (const number of numbers) quantiles.add(binOf(number), 1);

  it.each([0, 1, 10, 50, 90, 99, 100])('are right to 2 %: %i', (percent) => {
    const right = new Numbers(numbers, true).percentile(percent);
    expect(off(quantiles.at(percent), right)).toBeLessThan(0.02);
  });

  it('take out what they took in, whatever its size', () => {
    for (const extreme of [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 0]) {
      quantiles.add(binOf(extreme), 1);
      quantiles.add(binOf(extreme), -1);
    }
    expect(off(quantiles.at(50), new Numbers(numbers, true).percentile(50))).toBeLessThan(0.02);
  });
});

describe('a sum', () => {
  it('keeps no rounding of what has left', () => {
    const numbers = new Numbers([1e300, 0.1, 0.2], false);
    numbers.shift();
    expect(numbers.sum).toBe(0.1 + 0.2);
    const whole = new Numbers([2 ** 53 - 1, 5, 7], false);
    whole.shift();
    expect(whole.sum).toBe(12);
  });
});

describe('a window with more than it keeps', () => {
  const counter = (parts: Partial<Correlation>) =>
    new RootCounter(treeOf(correlation('top', ['a'], { timespanSeconds: 1600, ...parts }), leaf('a')), {
      threshold: () => undefined,
    });
  /** Brings one number after the other, one a second, restored halfway; gives the second at which the alert came. */
  const firedAt = (parts: Partial<Correlation>, value: (second: number) => string, seconds = 20_000) => {
    let one = counter(parts);
    for (let second = 0; second < seconds; second++) {
      if (second === 1500)
        one = new RootCounter(
          one.root,
          { threshold: () => undefined },
          JSON.parse(JSON.stringify(one.snapshot())),
        );
      const [alert] = one.count(aMatch({ second, leaf: 'a', values: { n: value(second) } }));
      if (alert !== undefined) return { second, facts: alert.facts };
    }
    return undefined;
  };
  const bounds: Correlation['bounds'] = [{ op: 'gte', value: 1500 }];

  it('counts on; what has left is given back with its bucket', () => {
    const found = firedAt({ bounds: [{ op: 'gte', value: 1500 }] }, () => '1');
    expect(found).toMatchObject({ second: 1499, facts: { count_how: 'estimated' } });
    // 1,601 are ever in the window; a bucket is a sixteenth of it.
    expect(
      firedAt({ bounds: [{ op: 'gte', value: 1602 + 1600 / limits.windowBuckets }] }, () => '1'),
    ).toBeUndefined();
  });

  it('sums, averages and ranks on', () => {
    const fields = ['n'];
    expect(firedAt({ type: 'value_sum', fields, bounds }, () => '1')).toMatchObject({ second: 1499 });
    const rising = (second: number) => `${second}`;
    // The average of all to now is half of it, then that of the last 1,600.
    const average = firedAt({ type: 'value_avg', fields, bounds }, rising);
    expect(average?.facts?.['value_how']).toBe('estimated');
    expect(off(average?.second ?? 0, 2300)).toBeLessThan(0.03);
    const ranked = firedAt({ type: 'value_percentile', percentile: 50, fields, bounds }, rising);
    expect(ranked?.facts?.['value_how']).toBe('estimated');
    expect(off(ranked?.second ?? 0, 2300)).toBeLessThan(0.04);
  });

  it('estimates distinct values, and is exact again when they have left', () => {
    const parts: Partial<Correlation> = { type: 'value_count', fields: ['n'], bounds };
    const found = firedAt(parts, (second) => `${second}`);
    expect(found?.facts?.['distinct_how']).toBe('estimated');
    expect(off(found?.second ?? 0, 1500)).toBeLessThan(0.05);
    // A burst of many, then few for long: nothing of the burst may be left.
    const one = counter(parts);
    for (let i = 0; i < 1300; i++)
      one.count(aMatch({ second: 0, id: `${i}`, leaf: 'a', values: { n: `${i}` } }));
    expect(one.size).toBeGreaterThan(limits.distinctExactMax);
    one.count(aMatch({ second: 1600, leaf: 'a', values: { n: 'x' } }));
    one.count(aMatch({ second: 1601, leaf: 'a', values: { n: 'y' } }));
    expect(one.size).toBe(2);
  });
});

describe('alternatives of an ordered correlation', () => {
  it('are bounded', () => {
    const rules = Array.from({ length: 30 }, (_, i) => `r${i}`);
    const pairs = Array.from({ length: 15 }, (_, i) => ({
      kind: 'any' as const,
      parts: [
        { kind: 'rule' as const, id: `r${2 * i}` },
        { kind: 'rule' as const, id: `r${2 * i + 1}` },
      ],
    }));
    expect(alternativesOf({ rules, presence: { kind: 'all', parts: pairs.slice(0, 9) } })).toHaveLength(512);
    expect(() => alternativesOf({ rules, presence: { kind: 'all', parts: pairs } })).toThrow(
      '1000 alternatives',
    );
  });
});
