// Sigma's extended conditions over rules (`a and (b or c) and not d`): which rules they want to match, and in which alternatives.

import type { Correlation, Presence } from '../rule-set.ts';

/** One way in which an ordered correlation can hold. */
export interface Alternative {
  /** Rules that must have matched, in the order that the correlation lists them. */
  present: string[];
  absent: string[];
}

/** `gte: 6` of twelve rules has 924; more would be a condition that nobody can read. */
const ALTERNATIVES_MAX = 1000;

type Asked = Pick<Correlation, 'presence' | 'rules'>;

/** Without a condition all rules must match. */
export const presenceOf = ({ presence, rules }: Asked): Presence =>
  presence ?? { kind: 'all', parts: rules.map((id) => ({ kind: 'rule', id })) };

/** Rules that some part of the condition wants to match; the others it only wants absent. */
export function wantedRules(presence: Presence, wanted = true): Set<string> {
  if (presence.kind === 'rule') return new Set(wanted ? [presence.id] : []);
  if (presence.kind === 'not') return wantedRules(presence.part, !wanted);
  return new Set(presence.parts.flatMap((part) => [...wantedRules(part, wanted)]));
}

/** All alternatives of an ordered correlation. Throws when there are too many. */
export function alternativesOf(asked: Asked): Alternative[] {
  const { rules } = asked;
  const found = expand(presenceOf(asked), true);
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
  refuseMany(found.length);
  return found;
}

function product(left: Alternative[], right: Alternative[]): Alternative[] {
  refuseMany(left.length * right.length);
  return left.flatMap((a) =>
    right.map((b) => ({ present: [...a.present, ...b.present], absent: [...a.absent, ...b.absent] })),
  );
}

function refuseMany(count: number): void {
  if (count > ALTERNATIVES_MAX)
    throw new Error(`the condition has more than ${ALTERNATIVES_MAX} alternatives`);
}
