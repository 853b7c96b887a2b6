// Which texts an event must hold for a condition to be true at all: a rule is looked at only when one of its keys is there.

import type { Expr, Test } from '../../../core/match/expr.ts';
import type { Pattern } from '../../../core/match/text.ts';
import { ANYWHERE } from './fields.ts';
import { regexKey } from './regex-key.ts';
import type { Standing } from './texts.ts';

/** A text in lower case that a value of `field` must have. */
export interface Key {
  field: string;
  standing: Standing;
  text: string;
}

/** How many of the events are likely to have the key, 0 to 1. */
export type Likelihood = (key: Key) => number;

/**
 * Keys of which at least one is in every event for which `expr` is true; none for an expression that is never true,
 * undefined when nothing can be told. Where several parts must hold, the part with the least likely keys.
 */
export function keysOf(expr: Expr, likelihood: Likelihood): Key[] | undefined {
  if (expr.kind === 'always') return expr.value ? undefined : [];
  if (expr.kind === 'not') return undefined;
  if ('parts' in expr) {
    return (expr.kind === 'any' ? keysOfAny : leastLikely)(expr.parts, likelihood);
  }
  const key = keyOf(expr.kind === 'anywhere' ? ANYWHERE : expr.field, expr.test);
  return key === undefined ? undefined : [key];
}

function keysOfAny(parts: Expr[], likelihood: Likelihood): Key[] | undefined {
  const keys: Key[] = [];
  for (const part of parts) {
    const some = keysOf(part, likelihood);
    if (some === undefined) return undefined;
    for (const key of some) keys.push(key);
  }
  return keys;
}

function leastLikely(parts: Expr[], likelihood: Likelihood): Key[] | undefined {
  let least: Key[] | undefined;
  let share = Number.POSITIVE_INFINITY;
  for (const part of parts) {
    const keys = keysOf(part, likelihood);
    if (keys === undefined) continue;
    const sum = keys.reduce((total, key) => total + likelihood(key), 0);
    if (sum < share) [least, share] = [keys, sum];
  }
  return least;
}

function keyOf(field: string, test: Test): Key | undefined {
  if (test.kind === 'regex') {
    const key = regexKey(test.source, test.flags);
    return key && { field, ...key };
  }
  if (test.kind !== 'text') return undefined;
  const key = keyOfPattern(field, test.pattern);
  return key !== undefined && test.cased && !isAscii(key.text) ? undefined : key;
}

function keyOfPattern(field: string, pattern: Pattern): Key | undefined {
  const texts = pattern.map(plainStart);
  const [first = ''] = texts;
  const key = (standing: Standing, text: string): Key => ({ field, standing, text: text.toLowerCase() });
  if (pattern.length === 1 && pattern[0]?.any === undefined) return key('whole', first);
  const longest = texts.reduce((best, text) => (text.length > best.length ? text : best), '');
  if (first !== '' && first.length * 2 >= longest.length) return key('start', first);
  return longest === '' ? undefined : key('within', longest);
}

/** What stands before the first `?`. Beyond ASCII a part in lower case need not be a part of the whole in lower case. */
const plainStart = ({ any, text }: Pattern[number]): string =>
  any === undefined ? text : isAscii(text) ? text.slice(0, any.indexOf(true)) : '';

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

/** Every key that could be chosen for `expr`. */
export function possibleKeys(expr: Expr, keys: Key[]): void {
  if ('parts' in expr) for (const part of expr.parts) possibleKeys(part, keys);
  else if (expr.kind === 'field' || expr.kind === 'anywhere') {
    const key = keyOf(expr.kind === 'anywhere' ? ANYWHERE : expr.field, expr.test);
    if (key !== undefined) keys.push(key);
  }
}

/** Fields with so few values that one of them tells little. */
const coarse: Record<string, number> = {
  // Most calls are reads of secrets and logins.
  'event.action': 0.5,
  'event.category': 0.5,
  'event.kind': 1,
  'event.outcome': 0.5,
  'event.type': 0.3,
  'vault.authorization.allowed': 0.5,
  'vault.caller.credential': 0.3,
  'vault.caller.kind': 0.3,
  'vault.pair': 0.9,
  'vault.request.mount_type': 0.2,
  'vault.request.operation': 0.25,
};

/**
 * An estimate from the rules alone: a text that many others of its field begin with is common, and a field for which rules
 * name many texts tells events well apart. It decides speed only.
 */
export function likelihoodFrom(keys: Key[]): Likelihood {
  const byField = new Map<string, string[]>();
  for (const { field, text } of keys) {
    const texts = byField.get(field);
    if (texts === undefined) byField.set(field, [text]);
    else texts.push(text);
  }
  for (const [field, texts] of byField) byField.set(field, [...new Set(texts)].sort());
  return ({ field, standing, text }) => {
    const texts = byField.get(field) ?? [];
    const under = standing === 'start' ? countFrom(texts, text) : 1;
    const share = (coarse[field] ?? 0.1) * (0.1 + (0.9 * under) / Math.max(1, texts.length));
    // Of texts anywhere in a value the short ones are found often.
    return standing === 'within' ? 0.01 + 0.5 * 0.6 ** text.length : share + 0.02 / (1 + text.length);
  };
}

/** How many of the sorted texts begin with `start`. */
function countFrom(texts: string[], start: string): number {
  const from = lowerBound(texts, start);
  return lowerBound(texts, `${start}\uffff`) - from;
}

function lowerBound(texts: string[], text: string): number {
  let [low, high] = [0, texts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((texts[middle] as string) < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
