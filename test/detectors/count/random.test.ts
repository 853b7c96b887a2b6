// Random streams: counters find what the plain model finds, and the same when they are stopped and restored anywhere.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AlertState } from '../../../detectors/engine/alert.ts';
import type { Match } from '../../../detectors/engine/match.ts';
import type { Bound, Correlation, Presence, Root } from '../../../detectors/engine/rule-set.ts';
import { at } from '../../builders.ts';
import { type Asked, type Expected, expected, type Seen, type Way } from './model.ts';
import { aMatch, correlation, countAll, leaf, treeOf } from './tree.ts';

const call = fc.record({
  group: fc.constantFrom('g', 'h'),
  leaves: fc.constantFrom(['a'], ['b'], ['c'], ['a', 'b'], ['b', 'c']),
  // Few distinct times, so that edges of windows are met.
  second: fc.nat(120).map((step) => step * 20),
  value: fc.option(fc.constantFrom('1', '2', '3', '7.5', 'x'), { freq: 8, nil: undefined }),
});
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;
const calls = fc.array(call, { maxLength: 60, minLength: 1 });
const places = fc.array(fc.nat(120), { maxLength: 10 });

const idOf = (i: number) => `e${String(i).padStart(3, '0')}`;

function matchesOf(list: Call[]): Match[] {
  return list.flatMap(({ group, leaves, second, value }, i) =>
    leaves.map((name) => {
      const values = { 'user.id': group, ...(value !== undefined && { n: value }) };
      return aMatch({ second, id: idOf(i), leaf: name, group, values });
    }),
  );
}

/** The units of one group, as the model sees them. */
function seenOf(
  list: Call[],
  group: string,
  leaves: string[],
  valued: (value?: string) => string | undefined,
) {
  const seen = list.flatMap((one, i): Seen[] =>
    one.leaves
      .filter((rule) => one.group === group && leaves.includes(rule))
      .map((rule) => {
        const value = valued(one.value);
        return { rule, second: one.second, event: idOf(i), group, ...(value !== undefined && { value }) };
      }),
  );
  return seen.sort((a, b) => a.second - b.second || (a.event + a.rule < b.event + b.rule ? -1 : 1));
}

const shown = (alerts: AlertState[]) =>
  alerts.map(({ count, first, lastSeen }) => ({ count, first: first.id, last: lastSeen })).sort(byText);
const wanted = (alerts: Expected[]) =>
  alerts.map(({ count, first, last }) => ({ count, first, last: at(last) })).sort(byText);
const byText = (a: object, b: object) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

/** Without the last time, which of an inner alert is that of its last event. */
const begun = (alerts: { count: number; first: string }[]) =>
  alerts.map(({ count, first }) => ({ count, first })).sort(byText);

const numeric = (value?: string) => (value === undefined || value === 'x' ? undefined : value);
const valuedBy: Record<Correlation['type'], (value?: string) => string | undefined> = {
  event_count: () => '1',
  value_count: (value) => value,
  value_sum: numeric,
  value_avg: numeric,
  value_percentile: numeric,
  temporal: () => undefined,
  temporal_ordered: () => undefined,
};

const rules = (ids: string[]): Presence[] => ids.map((id) => ({ kind: 'rule', id }));
const ways: [presence: Presence | undefined, ways: Way[]][] = [
  [undefined, [{ present: ['a', 'b', 'c'], absent: [] }]],
  [
    {
      kind: 'all',
      parts: [
        { kind: 'rule', id: 'a' },
        { kind: 'any', parts: rules(['b', 'c']) },
      ],
    },
    [
      { present: ['a', 'b'], absent: [] },
      { present: ['a', 'c'], absent: [] },
    ],
  ],
  [
    {
      kind: 'not',
      part: {
        kind: 'any',
        parts: [{ kind: 'not', part: { kind: 'all', parts: rules(['a', 'b']) } }, ...rules(['c'])],
      },
    },
    [{ present: ['a', 'b'], absent: ['c'] }],
  ],
];

const bound = (ops: Bound['op'][], highest: number) =>
  fc.record({ op: fc.constantFrom(...ops), value: fc.integer({ min: 1, max: highest }) });
const bounds = fc.oneof(
  bound(['gt', 'gte'], 5).map((one) => [one]),
  bound(['lt', 'lte', 'eq'], 5).map((one) => [one]),
  fc.tuple(bound(['gt', 'gte'], 3), bound(['lt', 'lte'], 6)),
);
const timespanSeconds = fc.constantFrom(60, 100, 1200);

interface Case {
  asked: Asked;
  presence?: Presence;
}

const counting = fc
  .record({
    type: fc.constantFrom('event_count', 'value_count', 'value_sum', 'value_avg', 'value_percentile'),
    bounds,
    timespanSeconds,
    percentile: fc.constantFrom(0, 50, 90, 100),
  })
  .map((asked): Case => ({ asked: { ...asked, ways: [] } as Asked }));
const temporal = fc
  .record({
    type: fc.constantFrom('temporal', 'temporal_ordered'),
    timespanSeconds,
    way: fc.constantFrom(...ways),
  })
  .map(
    ({ type, timespanSeconds, way: [presence, all] }): Case => ({
      asked: { type: type as Asked['type'], timespanSeconds, bounds: [], ways: all },
      ...(presence && { presence }),
    }),
  );

const partsOf = ({ asked, presence }: Case): Partial<Correlation> => {
  const { ways: _, ...parts } = asked;
  return { ...parts, fields: parts.type.startsWith('value') ? ['n'] : [], ...(presence && { presence }) };
};
const leaves = ['a', 'b', 'c'].map(leaf);

/** That the counter finds `want`, however it is stopped; returns how many alerts there were. */
function check(root: Root, list: Call[], want: Expected[], restarts: number[], steps: number[]): number {
  const matches = matchesOf(list);
  const straight = countAll(root, matches);
  expect(shown(straight)).toEqual(wanted(want));
  expect(countAll(root, matches, { restarts, steps })).toEqual(straight);
  return want.length;
}

describe('a correlation', () => {
  it.each([
    ['that counts', counting],
    ['of rules near each other', temporal],
  ])('%s finds what the model finds, and so it does when it is restored anywhere', (_, cases) => {
    const alerts = new Map<string, number>();
    fc.assert(
      fc.property(cases, calls, places, places, (one, list, restarts, steps) => {
        const root = treeOf(correlation('top', ['a', 'b', 'c'], partsOf(one)), ...leaves);
        const { type } = one.asked;
        const want = ['g', 'h'].flatMap((group) =>
          expected(one.asked, seenOf(list, group, ['a', 'b', 'c'], valuedBy[type])),
        );
        alerts.set(type, (alerts.get(type) ?? 0) + check(root, list, want, restarts, steps));
      }),
      { numRuns: 600 },
    );
    expect(alerts.size).toBeGreaterThan(1);
    expect(Math.min(...alerts.values())).toBeGreaterThan(50);
  });

  it('of another one finds what the model finds, and so it does when it is restored anywhere', () => {
    let alerts = 0;
    const outers = fc.constantFrom<Asked>(
      { type: 'event_count', timespanSeconds: 1500, bounds: [{ op: 'gte', value: 2 }], ways: [] },
      { type: 'event_count', timespanSeconds: 1500, bounds: [{ op: 'eq', value: 1 }], ways: [] },
      { type: 'temporal', timespanSeconds: 100, bounds: [], ways: [{ present: ['inner', 'c'], absent: [] }] },
      {
        type: 'temporal_ordered',
        timespanSeconds: 100,
        bounds: [],
        ways: [{ present: ['inner', 'c'], absent: [] }],
      },
    );
    fc.assert(
      fc.property(counting, outers, calls, places, places, (inner, outer, list, restarts, steps) => {
        const above = outer.ways[0]?.present ?? ['inner'];
        const { ways: _, ...parts } = outer;
        const root = treeOf(
          correlation('top', above, parts),
          correlation('inner', ['a', 'b'], partsOf(inner)),
          ...leaves,
        );
        const want = ['g', 'h'].flatMap((group) => nested(inner.asked, outer, list, group, above));
        const straight = countAll(root, matchesOf(list));
        expect(begun(shown(straight))).toEqual(begun(wanted(want)));
        expect(countAll(root, matchesOf(list), { restarts, steps })).toEqual(straight);
        alerts += want.length;
      }),
      { numRuns: 600 },
    );
    expect(alerts).toBeGreaterThan(100);
  });
});

/** The outer's alerts: it counts the inner's as they open, go on and are judged, in order of time. */
function nested(inner: Asked, outer: Asked, list: Call[], group: string, above: string[]): Expected[] {
  const emitted: Seen[] = [];
  const units = seenOf(list, group, ['a', 'b'], valuedBy[inner.type]);
  expected(inner, units, (seen) => emitted.push({ ...seen, rule: 'inner', value: '1' }));
  const rest = above.includes('c') ? seenOf(list, group, ['c'], () => '1') : [];
  const order = ({ closed, event, rule }: Seen) =>
    `${closed ? 1 : 0}${closed ? '' : event}${rule === 'c' ? 1 : 0}`;
  const all = [...emitted, ...rest].sort((a, b) => a.second - b.second || (order(a) < order(b) ? -1 : 1));
  return expected(outer, all);
}
