// From an expression to a closure over events: the plain way to run one condition. Many rules together are run by
// detectors/engine/program, which asks the same tests.

import ipaddr from 'ipaddr.js';
import type { Comparison, Expr, Test } from './expr.ts';
import { anyText, fieldTest, type Predicate, textOf, type ValueTest, valuesAt } from './fields.ts';
import { regexTest } from './regex.ts';
import { literal, placed, textTest } from './text.ts';
import { timePart } from './time-part.ts';

export type { Predicate, ValueTest } from './fields.ts';

/** Whether `expr` holds for an event. Throws an Error for an expression that could not have been read. */
export function predicateOf(expr: Expr): Predicate {
  switch (expr.kind) {
    case 'always':
      return () => expr.value;
    case 'all':
      return allOf(expr.parts.map(predicateOf));
    case 'any':
      return anyOf(expr.parts.map(predicateOf));
    case 'not': {
      const inner = predicateOf(expr.part);
      return (event) => !inner(event);
    }
    case 'anywhere': {
      const test = textTestOf(expr.test);
      return (event) => anyText(event, test);
    }
    default:
      return expr.test.kind === 'field'
        ? comparedWithField(expr.field, expr.test)
        : fieldTest(expr.field, valueTestOf(expr.test));
  }
}

/** What `test` asks of one value (undefined: absent). Not for `kind: 'field'`, which needs the event. */
export function valueTestOf(test: Test): ValueTest {
  switch (test.kind) {
    case 'text':
      return onText(textTest(test.pattern, test.cased));
    case 'null':
      return (value) => value === undefined || value === null;
    case 'exists':
      return (value) => (value !== undefined) === test.wanted;
    case 'number': {
      const compare = comparing(test.comparison, test.value);
      return (value) => compare(numberOf(value));
    }
    case 'regex':
      return onText(regexTest(test.source, test.flags));
    case 'cidr':
      return cidrTest(test.range);
    case 'time': {
      const compare = comparing(test.comparison, test.value);
      return (value) => typeof value === 'string' && compare(timePart(value, test.part));
    }
    default:
      throw new Error('a test against another field needs the event');
  }
}

/** The test of a keyword, for any text of the event. */
export function textTestOf(test: Test): (text: string) => boolean {
  if (test.kind === 'text') return textTest(test.pattern, test.cased);
  return valueTestOf(test);
}

const onText =
  (test: (text: string) => boolean): ValueTest =>
  (value) => {
    if (typeof value === 'string') return test(value);
    const text = textOf(value);
    return text !== undefined && test(text);
  };

const decimal = /^-?\d{1,15}(?:\.\d{1,15})?$/;

/** A number, or text that is written as one: what a client sent as `"7200"` is a number to people. NaN for others. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && decimal.test(value) ? Number(value) : Number.NaN;
}

/** NaN compares false with everything. */
function comparing(comparison: Comparison | 'eq', wanted: number): (value: number) => boolean {
  if (comparison === 'gt') return (value) => value > wanted;
  if (comparison === 'gte') return (value) => value >= wanted;
  if (comparison === 'lt') return (value) => value < wanted;
  return comparison === 'lte' ? (value) => value <= wanted : (value) => value === wanted;
}

/** Addresses inside `range`. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) counts as IPv4. */
function cidrTest(range: string): ValueTest {
  const [network, bits] = ipaddr.parseCIDR(range);
  return (value) => {
    if (typeof value !== 'string' || !ipaddr.isValid(value)) return false;
    const address = ipaddr.process(value);
    return address.kind() === network.kind() && address.match(network, bits);
  };
}

/** `fieldref`: holds when any value of the one field fits any value of the other; what is absent fits nothing. */
function comparedWithField(field: string, test: Extract<Test, { kind: 'field' }>): Predicate {
  const read = valuesAt(test.field);
  return (event) => {
    const wanted = read(event)
      .map(textOf)
      .filter((text) => text !== undefined)
      .map((text) => textTest(placed(literal(text), test.place), test.cased));
    return (
      wanted.length > 0 &&
      fieldTest(
        field,
        onText((text) => wanted.some((fits) => fits(text))),
      )(event)
    );
  };
}

function allOf(predicates: Predicate[]): Predicate {
  const [only] = predicates;
  if (predicates.length === 1 && only !== undefined) return only;
  return (event) => {
    for (let i = 0; i < predicates.length; i++) if (!(predicates[i] as Predicate)(event)) return false;
    return true;
  };
}

function anyOf(predicates: Predicate[]): Predicate {
  const [only] = predicates;
  if (predicates.length === 1 && only !== undefined) return only;
  return (event) => {
    for (let i = 0; i < predicates.length; i++) if ((predicates[i] as Predicate)(event)) return true;
    return false;
  };
}
