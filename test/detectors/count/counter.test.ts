// Every type of correlation at its edges.

import { describe, expect, it } from 'vitest';
import type { Correlation } from '../../../detectors/engine/rule-set.ts';
import { at } from '../../builders.ts';
import { aMatch, correlation, countAll, leaf, type MatchParts, type RunOptions, treeOf } from './tree.ts';

const over = (rules: string[], parts: Partial<Correlation>) =>
  treeOf(correlation('top', rules, parts), ...rules.map(leaf));

/** Count, first second and last second of every alert. */
const found = (root: ReturnType<typeof treeOf>, matches: MatchParts[], options?: RunOptions) =>
  countAll(root, matches.map(aMatch), options).map(({ count, first, lastSeen, eventIds }) => ({
    count,
    first: first.time,
    last: lastSeen,
    ids: eventIds.length,
  }));
const plain = (seconds: number[]) => seconds.map((second) => ({ second, leaf: 'a' }));
const one = (count: number, first: number, last: number, ids = count) => ({
  count,
  first: at(first),
  last: at(last),
  ids,
});

describe('event_count', () => {
  const three = over(['a'], { bounds: [{ op: 'gte', value: 3 }] });

  it('fires with the first event at which there are enough, and takes in what follows', () => {
    expect(found(three, plain([0, 30, 61]))).toEqual([]);
    expect(found(three, plain([0, 30, 60]))).toEqual([one(3, 0, 60)]);
    expect(found(three, plain([0, 30, 60, 900, 901]))).toEqual([one(4, 0, 900)]);
  });

  it('counts a call that matches two rules once', () => {
    const two = over(['a', 'b'], { bounds: [{ op: 'gte', value: 3 }] });
    const call = (second: number) => [
      { second, leaf: 'a' },
      { second, leaf: 'b' },
    ];
    expect(found(two, [...call(0), ...call(1)])).toEqual([]);
    expect(found(two, [...call(0), ...call(1), ...call(2), ...call(3)])).toEqual([one(4, 0, 3)]);
  });

  it('judges an upper bound at the end of the window that the first event begins', () => {
    const few = over(['a'], { bounds: [{ op: 'lt', value: 3 }] });
    expect(found(few, plain([0, 60]))).toEqual([one(2, 0, 60)]);
    expect(found(few, plain([0, 30, 60]))).toEqual([]);
    expect(found(few, plain([0, 30, 60, 61]))).toEqual([one(1, 61, 61)]);
    const exactly = over(['a'], { bounds: [{ op: 'eq', value: 2 }] });
    expect(found(exactly, plain([0, 1, 100, 101, 102, 200]))).toEqual([one(2, 0, 1)]);
    const range = over(['a'], {
      bounds: [
        { op: 'gt', value: 1 },
        { op: 'lte', value: 2 },
      ],
    });
    expect(found(range, plain([0, 100, 101, 200, 201, 202]))).toEqual([one(2, 100, 101)]);
  });

  it('is one alert when the same holds again within a quarter of an hour', () => {
    const few = over(['a'], { bounds: [{ op: 'lt', value: 3 }] });
    expect(found(few, plain([0, 100, 900, 1000]))).toEqual([one(3, 0, 900), one(1, 1000, 1000)]);
  });

  it('has the threshold of the class of its first event', () => {
    const threshold = (rule: string, className: string) =>
      rule === 'top' && className === 'batch' ? 4 : undefined;
    const batch = plain([0, 1, 2]).map((match) => ({ ...match, className: 'batch' }));
    expect(found(three, batch, { threshold })).toEqual([]);
    expect(found(three, [...batch, ...plain([3])], { threshold })).toEqual([one(4, 0, 3)]);
    expect(found(three, batch)).toEqual([one(3, 0, 2)]);
  });
});

describe('value_count', () => {
  const three = over(['a'], { type: 'value_count', fields: ['path'], bounds: [{ op: 'gte', value: 3 }] });
  const reads = (...paths: [second: number, path: string | undefined][]) =>
    paths.map(([second, path]) => ({ second, leaf: 'a', ...(path !== undefined && { values: { path } }) }));

  it('counts distinct values, each by its last event', () => {
    expect(found(three, reads([0, 'x'], [1, 'x'], [2, 'y'], [3, 'y']))).toEqual([]);
    expect(found(three, reads([0, 'x'], [1, 'x'], [2, 'y'], [3, 'z']))).toEqual([one(3, 1, 3)]);
    expect(found(three, reads([0, 'x'], [50, 'y'], [61, 'z'], [62, 'x']))).toEqual([one(3, 50, 62)]);
    expect(found(three, reads([0, 'x'], [1, undefined], [2, 'y']))).toEqual([]);
  });

  it('counts tuples of several fields', () => {
    const pairs = over(['a'], {
      type: 'value_count',
      fields: ['path', 'ip'],
      bounds: [{ op: 'gte', value: 3 }],
    });
    const calls = (...values: [string, string][]) =>
      values.map(([path, ip], second) => ({ second, leaf: 'a', values: { path, ip } }));
    expect(found(pairs, calls(['x', '1'], ['y', '1'], ['x', '1']))).toEqual([]);
    expect(found(pairs, calls(['x', '1'], ['y', '1'], ['x', '2']))).toEqual([one(3, 0, 2)]);
  });

  it('says how many there are while the alert is open, exactly and then estimated', () => {
    const many = Array.from({ length: 3000 }, (_, i) => ({
      second: Math.floor(i / 10),
      id: `e${10_000 + i}`,
      leaf: 'a',
      values: { path: `p${i}` },
    }));
    const [few] = countAll(three, many.slice(0, 1000).map(aMatch));
    expect(few?.facts).toEqual({
      distinct: 1000,
      distinct_how: 'exact',
      threshold: 3,
      timespan_s: 60,
      type: 'value_count',
    });
    const [all] = countAll(three, many.map(aMatch));
    expect(all?.facts?.['distinct_how']).toBe('estimated');
    expect(Math.abs(Number(all?.facts?.['distinct']) / 3000 - 1)).toBeLessThan(0.05);
  });
});

describe('value_sum, value_avg and value_percentile', () => {
  const over10 = (type: Correlation['type'], percentile?: number) =>
    over(['a'], {
      type,
      fields: ['ttl'],
      bounds: [{ op: 'gt', value: 10 }],
      ...(percentile && { percentile }),
    });
  const ttls = (...values: (string | undefined)[]) =>
    values.map((ttl, i) => ({ second: i * 30, leaf: 'a', ...(ttl !== undefined && { values: { ttl } }) }));

  it('work on what is in the window', () => {
    expect(found(over10('value_sum'), ttls('5', '5', '5'))).toEqual([one(3, 0, 60)]);
    expect(found(over10('value_sum'), ttls('5', '4', '1', '1'))).toEqual([]);
    expect(found(over10('value_avg'), ttls('9', '9', '13'))).toEqual([one(3, 0, 60)]);
    expect(found(over10('value_avg'), ttls('1', '9', '13'))).toEqual([]);
    expect(found(over10('value_avg'), ttls('1', '9', '10', '20'))).toEqual([one(3, 30, 90)]);
    expect(found(over10('value_percentile', 50), ttls('20', '9', '9').slice(1))).toEqual([]);
    expect(found(over10('value_percentile', 50), ttls('9', '20', '21'))).toEqual([one(3, 0, 60)]);
    expect(found(over10('value_percentile', 90), ttls('9', '20'))).toEqual([one(2, 0, 30)]);
  });

  it('leave out what is no number', () => {
    expect(found(over10('value_sum'), ttls('5', undefined, '', 'many', '1e999'))).toEqual([]);
  });

  it('say what crossed the bound', () => {
    const [alert] = countAll(over10('value_sum'), ttls('5', '5.5').map(aMatch));
    expect(alert?.facts).toEqual({
      threshold: 10,
      timespan_s: 60,
      type: 'value_sum',
      value: 10.5,
      value_how: 'exact',
    });
  });
});

describe('temporal', () => {
  const ab = over(['a', 'b'], { type: 'temporal' });
  const seq = (...matches: [second: number, leaf: string][]) =>
    matches.map(([second, leaf]) => ({ second, leaf }));

  it('wants all rules within the timespan, in any order', () => {
    expect(found(ab, seq([0, 'a'], [1, 'a'], [62, 'b']))).toEqual([]);
    expect(found(ab, seq([0, 'a'], [1, 'a'], [61, 'b']))).toEqual([one(2, 1, 61)]);
    expect(found(ab, seq([0, 'b'], [1, 'b'], [2, 'a'], [3, 'a']))).toEqual([one(3, 1, 3)]);
    expect(found(ab, seq([0, 'a'], [0, 'b']))).toEqual([one(1, 0, 0)]);
  });

  it('names an event of each rule, however many an inner alert has', () => {
    const inner = correlation('many', ['a'], { bounds: [{ op: 'gte', value: 60 }] });
    const root = treeOf(correlation('top', ['many', 'b'], { type: 'temporal' }), inner, leaf('a'), leaf('b'));
    const matches = [...plain(Array.from({ length: 60 }, (_, i) => i)), { second: 100, leaf: 'b' }].map(
      (one) => ({ ...one, values: { 'user.id': 'u' } }),
    );
    const [alert] = countAll(root, matches.map(aMatch));
    expect(alert?.eventIds).toContain('e000100');
    expect(alert?.eventIds).toContain('e000000');
    expect(alert?.first.id).toBe('e000000');
  });

  it('judges what must be absent when the window has ended, and looks back for it', () => {
    const not = over(['a', 'b'], {
      type: 'temporal',
      presence: {
        kind: 'all',
        parts: [
          { kind: 'rule', id: 'a' },
          { kind: 'not', part: { kind: 'rule', id: 'b' } },
        ],
      },
    });
    expect(found(not, seq([0, 'a']))).toEqual([one(1, 0, 0)]);
    expect(found(not, seq([0, 'a'], [60, 'b']))).toEqual([]);
    expect(found(not, seq([0, 'a'], [61, 'b']))).toEqual([one(1, 0, 0)]);
    expect(found(not, seq([0, 'b'], [60, 'a']))).toEqual([]);
    expect(found(not, seq([0, 'b'], [61, 'a']))).toEqual([one(1, 61, 61)]);
  });
});

describe('temporal_ordered', () => {
  const abc = over(['a', 'b', 'c'], { type: 'temporal_ordered' });
  const seq = (text: string, step = 10) => [...text].map((leaf, i) => ({ second: i * step, leaf }));

  it('wants the rules in their order', () => {
    expect(found(abc, seq('cba'))).toEqual([]);
    expect(found(abc, seq('acbac'))).toEqual([one(3, 0, 40)]);
    expect(found(abc, seq('abc', 30))).toEqual([one(3, 0, 60)]);
    expect(found(abc, seq('abc', 31))).toEqual([]);
    expect(found(abc, seq('aabbc', 20))).toEqual([one(3, 20, 80)]);
  });

  it('does not take one call for two steps', () => {
    const call = (second: number, ...leaves: string[]) => leaves.map((leaf) => ({ second, leaf }));
    expect(found(abc, call(0, 'a', 'b', 'c'))).toEqual([]);
    expect(found(abc, [...call(0, 'a', 'b'), ...call(1, 'a', 'b'), ...call(2, 'b', 'c')])).toEqual([
      one(3, 0, 2),
    ]);
  });
});

describe('a correlation of correlations', () => {
  const values = (address: string) => ({ values: { 'user.id': 'u', 'source.ip': address } });
  const spray = correlation('spray', ['a'], {
    bounds: [{ op: 'gte', value: 2 }],
    groupBy: ['user.id', 'source.ip'],
  });

  it('counts the alerts of the inner one, by its own group', () => {
    const root = treeOf(
      correlation('top', ['spray'], { bounds: [{ op: 'gte', value: 2 }] }),
      spray,
      leaf('a'),
    );
    const calls = (...addresses: string[]) =>
      addresses.map((address, second) => ({ second, leaf: 'a', ...values(address) }));
    expect(found(root, calls('x', 'y', 'z', 'x', 'x'))).toEqual([]);
    expect(found(root, calls('x', 'y', 'z', 'x', 'x', 'y'))).toEqual([one(2, 0, 5, 4)]);
  });

  it('counts values that the inner one groups by', () => {
    const root = treeOf(
      correlation('top', ['spray'], {
        type: 'value_count',
        fields: ['address'],
        aliases: { address: { spray: 'source.ip' } },
        bounds: [{ op: 'gte', value: 2 }],
      }),
      spray,
      leaf('a'),
    );
    const calls = [0, 0, 1, 1].map((n, second) => ({ second, leaf: 'a', ...values(`10.0.0.${n}`) }));
    expect(found(root, calls)).toEqual([one(2, 0, 3, 4)]);
  });

  it('goes on, for what happens near it, until its last event', () => {
    const root = treeOf(
      correlation('top', ['spray', 'b'], { type: 'temporal_ordered', timespanSeconds: 10 }),
      spray,
      leaf('a'),
      leaf('b'),
    );
    const calls = [0, 1, 200].map((second) => ({ second, leaf: 'a', ...values('x') }));
    const login = (second: number) => ({ second, leaf: 'b', ...values('x') });
    expect(found(root, [...calls, login(205)])).toEqual([one(2, 0, 205, 4)]);
    expect(found(root, [...calls, login(211)])).toEqual([]);
  });

  it('does not count an event that lacks what the inner one groups by', () => {
    const root = treeOf(
      correlation('top', ['spray'], { bounds: [{ op: 'gte', value: 1 }] }),
      spray,
      leaf('a'),
    );
    const calls = plain([0, 1]).map((match) => ({ ...match, values: { 'user.id': 'u' } }));
    expect(found(root, calls)).toEqual([]);
  });
});
