// A list whose rows are judged one by one: what the store cannot answer by its fields. Looks at a bounded number of rows a call.

import { limits } from '../core/limits.ts';
import type { EvidenceReader } from '../core/ports.ts';
import { type Clause, idOf, type Query, type Rows, timeOf } from '../core/query.ts';
import { takeTurns } from './access/turns.ts';
import { clausesOf, decodeCursor, encodeCursor, type Filters, type ListQuery, queryHash } from './list.ts';

type Searched = 'events' | 'alerts' | 'incidents';

/** For each row whether it belongs into the answer. */
export type Keep<K extends Searched> = (rows: Rows[K][]) => Promise<boolean[]> | boolean[];

export interface Found<K extends Searched> {
  items: Rows[K][];
  next_cursor: string | null;
  /** Rows that were looked at. A cursor without items means: nothing yet, go on. */
  scanned: number;
}

/** One page of the rows that `keep` keeps. Throws the problem `invalid-cursor`. */
export async function searchPage<K extends Searched>(
  reader: EvidenceReader,
  kind: K,
  query: ListQuery & Record<string, unknown>,
  how: { filters: Filters<K>; where?: Clause<K>[]; keep: Keep<K> },
): Promise<Found<K>> {
  const { limit, cursor, ...asked } = query;
  const { from, to, order } = query;
  const identity = queryHash({ kind, ...asked });
  const where = [...clausesOf(how.filters, query), ...(how.where ?? [])];
  const period = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  const items: Rows[K][] = [];
  let after = cursor === undefined ? undefined : decodeCursor(cursor, identity);
  let scanned = 0;
  for (;;) {
    const page = await reader.find({
      ...{ kind, where, order, ...period, limit: limits.searchPageRows },
      ...(after !== undefined && { after }),
    } as Query<K>);
    const kept = await how.keep(page.items);
    for (const [i, row] of page.items.entries()) {
      scanned++;
      if (kept[i] !== true) continue;
      items.push(row);
      if (items.length < limit) continue;
      const isEnd = page.next === undefined && i === page.items.length - 1;
      const place = { time: timeOf(kind, row), id: idOf(kind, row as Rows[Searched]) };
      return { items, next_cursor: isEnd ? null : encodeCursor(place, identity), scanned };
    }
    after = page.next;
    if (after === undefined) return { items, next_cursor: null, scanned };
    if (scanned >= limits.searchRowsMax)
      return { items, next_cursor: encodeCursor(after, identity), scanned };
    await takeTurns();
  }
}
