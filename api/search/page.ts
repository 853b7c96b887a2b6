// A list whose rows are judged one by one: what the store cannot answer by its fields. A call looks at a bounded number of rows, for
// a bounded time, and lets others have their turn.

import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import { type Clause, idOf, type Page, type Query, type Rows, timeOf } from '../../core/query.ts';
import { takeTurns } from '../access/turns.ts';
import { clausesOf, decodeCursor, encodeCursor, type Filters, type ListQuery, queryHash } from '../list.ts';

type Searched = 'events' | 'alerts' | 'incidents';

export interface Judge<K extends Searched> {
  /** Clauses beside the filters that hold for every row that is kept. */
  where?: Clause<K>[];
  /** Whether the row belongs into the answer, by itself. */
  test?: (row: Rows[K]) => boolean;
  /** The same of many at a time, by what the store knows beside them; asked of those that passed `test`. */
  keep?: (rows: Rows[K][]) => Promise<boolean[]>;
}

interface Found<K extends Searched> {
  items: Rows[K][];
  next_cursor: string | null;
  /** Rows that were looked at. A cursor without items means: nothing yet, go on. */
  scanned: number;
}

/** One page of the rows that the judge keeps. Throws the problem `invalid-cursor`. */
export async function searchPage<K extends Searched>(
  reader: EvidenceReader,
  kind: K,
  query: ListQuery & Record<string, unknown>,
  filters: Filters<K>,
  judge: Judge<K>,
): Promise<Found<K>> {
  const { limit, cursor, ...asked } = query;
  const { from, to, order } = query;
  const identity = queryHash({ kind, ...asked });
  const where = [...clausesOf(filters, query), ...(judge.where ?? [])];
  const period = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  const untilMs = performance.now() + limits.searchMs;
  const found: Found<K> = { items: [], next_cursor: null, scanned: 0 };
  let after = cursor === undefined ? undefined : decodeCursor(cursor, identity);
  do {
    const page: Page<K> = await reader.find({
      ...{ kind, where, order, ...period, limit: limits.searchPageRows },
      ...(after !== undefined && { after }),
    } as Query<K>);
    after = await look(page, { kind, judge, limit, untilMs }, found);
    await takeTurns();
  } while (
    after !== undefined &&
    found.items.length < limit &&
    found.scanned < limits.searchRowsMax &&
    performance.now() < untilMs
  );
  if (after !== undefined) found.next_cursor = encodeCursor(after, identity);
  return found;
}

/** Takes what is kept of the page; returns the place to go on from, undefined at the end of all rows. */
async function look<K extends Searched>(
  page: Page<K>,
  { kind, judge, limit, untilMs }: { kind: K; judge: Judge<K>; limit: number; untilMs: number },
  found: Found<K>,
): Promise<Page<K>['next']> {
  const passed: boolean[] = [];
  let turnMs = performance.now();
  for (const row of page.items) {
    if (performance.now() - turnMs > limits.searchTurnMs) {
      await takeTurns();
      turnMs = performance.now();
    }
    // At least one, so that a search comes to its end.
    if (passed.length > 0 && performance.now() > untilMs) break;
    passed.push(judge.test?.(row) ?? true);
  }
  const rows = page.items.filter((_, i) => passed[i] === true);
  const kept = new Set(rows);
  const answers = await judge.keep?.(rows);
  if (answers !== undefined) for (const [i, row] of rows.entries()) if (answers[i] !== true) kept.delete(row);
  for (const row of page.items.slice(0, passed.length)) {
    found.scanned++;
    if (!kept.has(row)) continue;
    found.items.push(row);
    if (found.items.length === limit) break;
  }
  const looked =
    found.items.length === limit ? page.items.indexOf(found.items.at(-1) as Rows[K]) + 1 : passed.length;
  const last = page.items[looked - 1];
  if (looked === page.items.length || last === undefined) return page.next;
  return { time: timeOf(kind, last), id: idOf(kind, last as Rows[Searched]) };
}
