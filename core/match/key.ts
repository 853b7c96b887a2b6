// One text for expressions that mean the same, so that a program runs them once.

import { canonicalJson } from '../canonical.ts';
import type { Expr, Test } from './expr.ts';

/** Equal for expressions that hold for the same events by their form: order and repeats of parts do not matter. */
export function keyOf(expr: Expr): string {
  switch (expr.kind) {
    case 'all':
    case 'any':
      return `${expr.kind}(${[...new Set(expr.parts.map(keyOf))].sort().join(' ')})`;
    case 'not':
      return `not(${keyOf(expr.part)})`;
    case 'always':
      return String(expr.value);
    case 'anywhere':
      return `*${testKey(expr.test)}`;
    default:
      return `${JSON.stringify(expr.field)}${testKey(expr.test)}`;
  }
}

/** Whatever the order of the test's members. Letters' case is left out where it does not matter. */
function testKey(test: Test): string {
  if (test.kind !== 'text') return canonicalJson(test);
  const pieces = test.pattern.map(({ any, text }) => [
    test.cased ? text : text.toLowerCase(),
    Object.keys(any ?? []),
  ]);
  return JSON.stringify([test.kind, test.cased, pieces]);
}
