// The program of all rules says of each event just what the predicate of each expression says.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expr } from '../../../core/match/expr.ts';
import { predicateOf } from '../../../core/match/predicate.ts';
import { literal, placed } from '../../../core/match/text.ts';
import { Conditions } from '../../../detectors/engine/program/conditions.ts';
import { Fields } from '../../../detectors/engine/program/fields.ts';
import { compileProgram } from '../../../detectors/engine/program/program.ts';
import { anyExpr, valuesOf } from './expressions.ts';

const goldens = 'test/fixtures/golden';

const real: object[] = ['default', 'auth'].flatMap((device) =>
  readdirSync(join(goldens, device)).flatMap((file) =>
    readFileSync(join(goldens, device, file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ),
);
/** Shapes that events can take by what a caller sends, but the fixtures do not have. */
const odd: object[] = [
  {},
  { tags: [] },
  { tags: [{ name: ['a', []] }, { name: 'İstanbul' }, 'straße', null, 7] },
  { tags: 'ΣΟΦΟΣ', nothing: null, vault: [[{ request: { path: 'SYS/Seal' } }], []] },
  { event: 'text', user: [], source: { ip: ['127.0.0.1', '::ffff:127.0.0.9'] }, vault: { revision: '2' } },
  { event: { action: { none: 'K' } }, tags: ['a*b?c', ''], vault: true },
];
const events = [...real, ...odd];

const throwing = (number: number, error: unknown) => {
  throw new Error(`expression ${number}`, { cause: error });
};

function hitsOf(exprs: Expr[]): (event: object) => number[] {
  const program = compileProgram(exprs, throwing);
  const hits: number[] = [];
  return (event) => hits.slice(0, program.run(event, hits));
}

const whole = (field: string, text: string): Expr => ({
  kind: 'field',
  field,
  test: { kind: 'text', pattern: [{ text }], cased: false },
});

describe('the program', () => {
  it('agrees with the predicates on real and odd events', () => {
    const some = fc.array(anyExpr(valuesOf(events)), { minLength: 1, maxLength: 70, size: 'max' });
    let held = 0;
    fc.assert(
      fc.property(
        some,
        fc.array(fc.nat(events.length - 1), { maxLength: 60, size: 'max' }),
        (exprs, these) => {
          const run = hitsOf(exprs);
          const predicates = exprs.map(predicateOf);
          for (const index of these) {
            const event = events[index] as object;
            const hits = run(event);
            held += hits.length;
            expect(hits).toEqual([...predicates.keys()].filter((number) => predicates[number]?.(event)));
          }
        },
      ),
      { numRuns: 200 },
    );
    expect(held).toBeGreaterThan(10_000);
  });

  it('agrees on a program of a thousand rules, beyond one word of bits', () => {
    const [exprs] = fc.sample(fc.array(anyExpr(valuesOf(events)), { minLength: 1000, maxLength: 1000 }), {
      numRuns: 1,
      seed: 7,
    });
    const run = hitsOf(exprs as Expr[]);
    const predicates = (exprs as Expr[]).map(predicateOf);
    for (const event of events) {
      expect(run(event)).toEqual([...predicates.keys()].filter((number) => predicates[number]?.(event)));
    }
  });

  it('compares case beyond ASCII as the predicates do', () => {
    const text = (place: 'startswith' | 'contains', value: string, cased: boolean): Expr => ({
      kind: 'field',
      field: 'name',
      test: { kind: 'text', pattern: placed(literal(value), place), cased },
    });
    const values = ['\u0391\u03a3', '\u03a3', '\u0130', 'k', '\u212a', '\u03c3', '\u00df'];
    const exprs = values.flatMap((value) =>
      [true, false].flatMap((cased) => [text('startswith', value, cased), text('contains', value, cased)]),
    );
    const run = hitsOf(exprs);
    const predicates = exprs.map(predicateOf);
    for (const name of values.flatMap((one) => [one, `${one}\u0391`, `a${one}`, `a${one} `])) {
      const event = { name };
      expect(run(event)).toEqual([...predicates.keys()].filter((number) => predicates[number]?.(event)));
    }
  });

  it('lets no expression that throws take others down, and says which it was', () => {
    const event = {
      ...real[0],
      get broken() {
        throw new Error('cannot be read');
      },
    };
    const thrown: number[] = [];
    const exprs = [
      whole('event.kind', 'event'),
      whole('broken', 'x'),
      whole('event.kind', 'EVENT'),
      { kind: 'not', part: whole('broken', 'x') } as const,
    ];
    const program = compileProgram(exprs, (number, error) => {
      expect(error).toEqual(new Error('cannot be read'));
      thrown.push(number);
    });
    const hits: number[] = [];
    expect(program.run(event, hits)).toBe(2);
    expect(hits).toEqual([0, 2]);
    expect(thrown).toEqual([1, 3]);
    program.switchOff(1);
    program.switchOff(0);
    expect(program.run(event, hits)).toBe(1);
    expect(hits[0]).toBe(2);
    expect(thrown).toEqual([1, 3, 3]);
    expect(program.run(real[1] as object, hits)).toBe(2);
    expect(hits.slice(0, 2)).toEqual([2, 3]);
  });
});

it('forgets what it remembered by turn when turns begin anew', () => {
  const fields = new Fields();
  const conditions = new Conditions(fields);
  const shared = conditions.of(whole('a', 'x'));
  conditions.of({ kind: 'not', part: whole('a', 'x') });
  conditions.begin({ a: 'x' });
  expect(conditions.holds(shared)).toBe(true);
  fields.turn = 2 ** 30 - 1;
  conditions.begin({ a: 'y' });
  expect(fields.turn).toBe(1);
  expect(conditions.holds(shared)).toBe(false);
});
