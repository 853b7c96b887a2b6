// What an identity is known to use: bounded, with the day of its last use; what was long ago is forgotten.

/** Item to the day of its last use. A JSON value. */
export type Known = Record<string, number>;

export interface KnownBound {
  /** Items. Past it the one not used for longest goes. */
  itemsMax: number;
  /** An item not used for so many days is as if it had never been there. */
  days: number;
}

export const isKnown = (known: Known, item: string): boolean => Object.hasOwn(known, item);

/** Item used on `day`; whether anything changed, and how many items gave way. */
export function use(
  known: Known,
  item: string,
  day: number,
  bound: KnownBound,
): { dropped: number } | undefined {
  if (known[item] === day && isKnown(known, item)) return undefined;
  known[item] = day;
  const items = Object.keys(known);
  if (items.length <= bound.itemsMax) return { dropped: 0 };
  // Of those of one day the first by name, so that the order in which they came does not matter.
  const [oldest] = items.sort((a, b) => daysOf(known, a) - daysOf(known, b) || (a < b ? -1 : 1));
  delete known[oldest as string];
  return { dropped: 1 };
}

/** Forgets what was not used for long. */
export function forget(known: Known, day: number, bound: KnownBound): void {
  for (const [item, last] of Object.entries(known)) if (day - last > bound.days) delete known[item];
}

const daysOf = (known: Known, item: string): number => known[item] ?? 0;
