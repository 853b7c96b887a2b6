// Conditions: operators, their binding, quantities, and what is refused.

import { describe, expect, it } from 'vitest';
import { conditionExpr, readCondition } from '../../../core/match/condition.ts';
import { predicateOf } from '../../../core/match/predicate.ts';
import { readSelection } from '../../../core/match/read.ts';

/** Compiles over selections a, b, sel_x, sel_y, _hidden; each holds when the event lists its name. */
function holds(condition: string, on: string[], names = ['a', 'b', 'sel_x', 'sel_y', '_hidden']): boolean {
  const selections = new Map(names.map((name) => [name, readSelection({ on: name })]));
  return predicateOf(conditionExpr(readCondition([condition], names), selections))({ on });
}

describe('a condition', () => {
  it.each<[condition: string, names: string[], on: string[], expected: boolean]>([
    ['a', ['a'], ['a'], true],
    ['not a', ['a'], [], true],
    ['not not a', ['a'], ['a'], true],
    ['a and b', ['a', 'b'], ['a'], false],
    ['a AND NOT b', ['a', 'b'], ['a'], true],
    ['a or b and c', ['a', 'b', 'c'], ['a'], true],
    ['(a or b) and c', ['a', 'b', 'c'], ['a'], false],
    ['not a or b', ['a', 'b'], ['a', 'b'], true],
    ['not (a or b)', ['a', 'b'], ['b'], false],
    ['1 of sel_*', ['sel_x', 'sel_y'], ['sel_y'], true],
    ['any of sel_*', ['sel_x', 'sel_y'], ['sel_y'], true],
    ['all of sel_*', ['sel_x', 'sel_y'], ['sel_y'], false],
    ['all of sel_*', ['sel_x', 'sel_y'], ['sel_x', 'sel_y'], true],
    ['1 of *_x', ['sel_x'], ['sel_x'], true],
    ['1 of them', ['a', 'b', '_hidden'], ['_hidden'], false],
    ['all of them', ['a', 'b', '_hidden'], ['a', 'b'], true],
    ['a and not 1 of filter_*', ['a', 'filter_1', 'filter_2'], ['a', 'filter_2'], false],
  ])('%s over %j with %j is %s', (condition, names, on, expected) => {
    expect(holds(condition, on, names)).toBe(expected);
  });

  it.each<[condition: string, message: string]>([
    ['', 'a selection is expected at the end'],
    ['a and', 'a selection is expected at the end'],
    ['a b', '"b" is not expected here'],
    ['(a', 'a ( is not closed'],
    ['a)', '")" is not expected here'],
    ['or a', 'a selection is expected before "or"'],
    ['c', 'there is no selection c; did you mean a?'],
    ['2 of a*', '"2 of" is not Sigma'],
    ['1 of', '"1 of" needs a name'],
    ['1 of x*', 'no selection is called x*'],
    ['a', 'selection b is never used'],
    ['a | count() > 5', 'write a correlation of type event_count'],
    [`${'('.repeat(200)}a${')'.repeat(200)}`, 'nested deeper than 100'],
    [`${'not '.repeat(5000)}a`, 'nested deeper than 100'],
  ])('%s is refused', (condition, message) => {
    expect(() => holds(condition, [], ['a', 'b'])).toThrow(message);
  });
});
