// Stand-in until core/match/read.ts is here.
import ipaddr from 'ipaddr.js';
import type { Expr, Test } from '../../../core/match/expr.ts';
import { anyText, fieldTest, type Predicate, textOf, type ValueTest } from '../../../core/match/fields.ts';
import { regexTest } from '../../../core/match/regex.ts';
import { textTest } from '../../../core/match/text.ts';

export function predicateOf(expr: Expr): Predicate {
  if (expr.kind === 'always') return () => expr.value;
  if (expr.kind === 'not') {
    const p = predicateOf(expr.part);
    return (e) => !p(e);
  }
  if ('parts' in expr) {
    const ps = expr.parts.map(predicateOf);
    return expr.kind === 'all' ? (e) => ps.every((p) => p(e)) : (e) => ps.some((p) => p(e));
  }
  if (expr.kind === 'anywhere') {
    const t = valueTestOf(expr.test);
    return (e) => anyText(e, t);
  }
  return fieldTest(expr.field, valueTestOf(expr.test));
}

export function valueTestOf(test: Test): ValueTest {
  if (test.kind === 'text') {
    const t = textTest(test.pattern, test.cased);
    return (v) => {
      const s = textOf(v);
      return s !== undefined && t(s);
    };
  }
  if (test.kind === 'null') return (v) => v === undefined || v === null;
  if (test.kind === 'exists') return (v) => (v !== undefined) === test.wanted;
  if (test.kind === 'regex') {
    const t = regexTest(test.source, test.flags);
    return (v) => {
      const s = textOf(v);
      return s !== undefined && t(s);
    };
  }
  if (test.kind === 'cidr') {
    const [network, bits] = ipaddr.parseCIDR(test.range);
    return (value) => {
      if (typeof value !== 'string' || !ipaddr.isValid(value)) return false;
      const address = ipaddr.process(value);
      return address.kind() === network.kind() && address.match(network, bits);
    };
  }
  if (test.kind === 'number') {
    const { comparison, value: w } = test;
    if (comparison === 'gt') return (v) => typeof v === 'number' && v > w;
    if (comparison === 'gte') return (v) => typeof v === 'number' && v >= w;
    if (comparison === 'lt') return (v) => typeof v === 'number' && v < w;
    return (v) => typeof v === 'number' && v <= w;
  }
  return () => false;
}
