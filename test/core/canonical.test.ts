// Canonical JSON: one text per value, whatever the order of its keys.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, isSorted } from '../../core/canonical.ts';

/** The same by sorting first; keys that JavaScript would move are kept apart by a mark, which is taken out again. */
function naive(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(naive).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const byCodeUnit = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : a > b ? 1 : 0);
  return `{${Object.entries(value)
    .sort(byCodeUnit)
    .map(([key, member]) => `${JSON.stringify(key)}:${naive(member)}`)
    .join(',')}}`;
}

const key = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 3 }),
  fc.constantFrom('a', 'b', 'B', '10', '9', '1a', '', '\uFFFF', '\u{1F511}', '__proto__', 'é'),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.jsonValue({ maxDepth: 0, stringUnit: 'binary' }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

describe('canonicalJson', () => {
  test('is what sorting the keys gives', () => {
    fc.assert(
      fc.property(value, (v) => {
        expect(canonicalJson(v)).toBe(naive(v));
      }),
      { numRuns: 1000 },
    );
  });

  test('is the same for any order of keys, and says the same value', () => {
    const reversed = (v: unknown): unknown => {
      if (Array.isArray(v)) return v.map(reversed);
      if (typeof v !== 'object' || v === null) return v;
      return Object.fromEntries(
        Object.entries(v)
          .reverse()
          .map(([name, member]) => [name, reversed(member)]),
      );
    };
    fc.assert(
      fc.property(value, (v) => {
        expect(canonicalJson(reversed(v))).toBe(canonicalJson(v));
        expect(JSON.parse(canonicalJson(v))).toEqual(JSON.parse(JSON.stringify(v)));
      }),
    );
  });

  test('leaves out what is undefined', () => {
    expect(canonicalJson({ b: undefined, a: [undefined, 1], c: { d: undefined } })).toBe(
      '{"a":[null,1],"c":{}}',
    );
    expect(canonicalJson(undefined)).toBe('null');
  });

  test('sorts by UTF-16 code units, not by code points', () => {
    expect(canonicalJson({ '\uFFFF': 1, '\u{1F511}': 2 })).toBe('{"\u{1F511}":2,"\uFFFF":1}');
  });
});

describe('isSorted', () => {
  test('says true only when JSON.stringify is canonical already', () => {
    let yes = 0;
    fc.assert(
      fc.property(value, (v) => {
        if (isSorted(v, 100) !== true) return;
        yes++;
        expect(JSON.stringify(v)).toBe(canonicalJson(v));
      }),
      { numRuns: 2000 },
    );
    expect(yes).toBeGreaterThan(500);
  });

  test('says true for sorted keys without leading digits', () => {
    const plain = fc.dictionary(
      fc.stringMatching(/^[a-z_]{1,4}$/),
      fc.array(fc.oneof(fc.integer(), fc.string())),
    );
    fc.assert(
      fc.property(plain, (v) => {
        const sorted = JSON.parse(canonicalJson(v)) as unknown;
        expect(isSorted(sorted, 10)).toBe(true);
        expect(isSorted([{ x: sorted }], 10)).toBe(true);
      }),
    );
  });

  test.each([[{ b: 1, a: 2 }], [{ a: { d: 1, c: 2 } }], [[[{ b: 1, a: 2 }]]], [{ a: 1, '10': 2 }]])(
    'says false for %j',
    (v) => {
      expect(isSorted(v, 10)).toBe(false);
    },
  );

  test('says deep behind the bound, also behind keys that are out of order, and does not overflow', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = i % 2 === 0 ? [deep] : { a: deep };
    expect(isSorted(deep, 100)).toBe('deep');
    expect(isSorted({ b: 1, a: deep }, 100)).toBe('deep');
    expect(isSorted([[1]], 2)).toBe(true);
    expect(isSorted([[[1]]], 2)).toBe('deep');
  });
});
