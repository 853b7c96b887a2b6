// Sigma's extended conditions over rules (`a and (b or c) and not d`): the alternatives, each of rules that must and must not match.

import type { Correlation, Presence } from '../rule-set.ts';

/** One way in which a temporal correlation can hold. */
export interface Alternative {
  /** Rules that must have matched, in the order that the correlation lists them. */
  present: string[];
  absent: string[];
}

/** Alternatives of a condition that are looked at: more would be a condition that nobody can read. */
const ALTERNATIVES_MAX = 256;

/** All alternatives of a temporal correlation; without a condition all its rules must match. Throws when there are too many. */
export function alternativesOf({ presence, rules }: Pick<Correlation, 'presence' | 'rules'>): Alternative[] {
  const all: Presence = { kind: 'all', parts: rules.map((id) => ({ kind: 'rule', id })) };
  const found = expand(presence ?? all, true);
  const ordered = found.map(({ present, absent }) => ({
    present: rules.filter((rule, i) => present.includes(rule) && rules.indexOf(rule) === i),
    absent: rules.filter((rule, i) => absent.includes(rule) && rules.indexOf(rule) === i),
  }));
  // Where nothing must match, or the same rule must and must not, there is nothing to find.
  return ordered.filter(
    ({ present, absent }) => present.length > 0 && !present.some((rule) => absent.includes(rule)),
  );
}

function expand(presence: Presence, wanted: boolean): Alternative[] {
  if (presence.kind === 'not') return expand(presence.part, !wanted);
  if (presence.kind === 'rule') {
    const ids = [presence.id];
    return [wanted ? { present: ids, absent: [] } : { present: [], absent: ids }];
  }
  const parts = presence.parts.map((part) => expand(part, wanted));
  const isAll = (presence.kind === 'all') === wanted;
  const found = isAll ? parts.reduce(product, [{ present: [], absent: [] }]) : parts.flat();
  if (found.length > ALTERNATIVES_MAX) throw new Error('the condition has too many alternatives');
  return found;
}

const product = (left: Alternative[], right: Alternative[]): Alternative[] => {
  const both = left.flatMap((a) =>
    right.map((b) => ({ present: [...a.present, ...b.present], absent: [...a.absent, ...b.absent] })),
  );
  if (both.length > ALTERNATIVES_MAX) throw new Error('the condition has too many alternatives');
  return both;
};
