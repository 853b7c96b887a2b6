// Pages of rows, for both stores.

import { idOf, type Page, type QueryKind, type Rows, timeOf } from '../../core/query.ts';

/** Where the page behind `items` begins. By the row itself: a column may hold less of its id. */
export function placeOf<K extends QueryKind>(
  kind: K,
  items: readonly Rows[K][],
): NonNullable<Page<K>['next']> {
  const last = items.at(-1);
  if (last === undefined) throw new Error('a page without rows has nothing behind it');
  return { time: timeOf(kind, last), id: idOf(kind, last) };
}
