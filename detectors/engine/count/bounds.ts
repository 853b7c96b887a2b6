// Bounds of a correlation: whether a number keeps them, and whether more events could undo that.

import type { Bound, Correlation, Presence } from '../rule-set.ts';

const tests: Record<Bound['op'], (a: number, b: number) => boolean> = {
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
  eq: (a, b) => a === b,
};

export const within = (value: number, bounds: readonly Bound[]): boolean =>
  bounds.every(({ op, value: bound }) => tests[op](value, bound));

/** Whether it is known only at the end of a window: what is few now may be many then, what is absent may come. */
export const isJudgedAtEnd = ({ bounds, presence }: Pick<Correlation, 'bounds' | 'presence'>): boolean =>
  bounds.some(({ op }) => op !== 'gt' && op !== 'gte') || (presence !== undefined && hasNot(presence));

function hasNot(presence: Presence): boolean {
  if (presence.kind === 'rule') return false;
  return presence.kind === 'not' || presence.parts.some(hasNot);
}

/** The bounds with the threshold that a class has of its own: in place of the lower bound, else of the only one. */
export function withThreshold(bounds: readonly Bound[], threshold: number | undefined): readonly Bound[] {
  if (threshold === undefined) return bounds;
  const lower = bounds.findIndex(({ op }) => op === 'gt' || op === 'gte');
  if (lower < 0) return bounds.map(({ op }) => ({ op, value: threshold }));
  return bounds.map((bound, i) => (i === lower ? { op: 'gte', value: threshold } : bound));
}

/** The number that an alert names as its threshold: of counts the smallest that is enough. */
export function namedThreshold(bounds: readonly Bound[], isCount: boolean): number | undefined {
  const named = bounds.find(({ op }) => op === 'gt' || op === 'gte') ?? bounds[0];
  if (named === undefined) return undefined;
  return named.op === 'gt' && isCount ? Math.floor(named.value) + 1 : named.value;
}
