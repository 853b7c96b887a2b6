// A list: filters as clauses, pages by a cursor that only the same query takes back.

import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/canonical.ts';
import type { EvidenceReader } from '../core/ports.ts';
import type { Clause, Field, Query, QueryKind, Rows } from '../core/query.ts';
import { ProblemError } from './problem.ts';

/** Query parameter -> field it filters by. */
export type Filters<K extends QueryKind> = Record<string, { field: Field<K>; op: 'eq' | 'prefix' | 'over' }>;

export interface ListQuery {
  from?: string | undefined;
  to?: string | undefined;
  order: 'asc' | 'desc';
  limit: number;
  cursor?: string | undefined;
}

/** One page of `kind`: by the filters, and further bounds that are no filters. Throws the problem `invalid-cursor`. */
export async function listPage<K extends QueryKind>(
  reader: EvidenceReader,
  kind: K,
  query: ListQuery & Record<string, unknown>,
  filters: Filters<K>,
  further: { where?: Clause<K>[]; to?: string | undefined } = {},
): Promise<{ items: Rows[K][]; next_cursor: string | null }> {
  const { limit, cursor, ...asked } = query;
  const { from, order } = query;
  const to = further.to ?? query.to;
  const where = [...clausesOf(filters, query), ...(further.where ?? [])];
  // What was asked, not what it means now: `now` moves on from page to page.
  const identity = queryHash({ kind, ...asked });
  const page = await reader.find({
    kind,
    where,
    order,
    limit,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(cursor !== undefined && { after: decodeCursor(cursor, identity) }),
  } as Query<K>);
  return { items: page.items, next_cursor: page.next ? encodeCursor(page.next, identity) : null };
}

/** The clauses of the filters that `query` has values for. */
export function clausesOf<K extends QueryKind>(
  filters: Filters<K>,
  query: Record<string, unknown>,
): Clause<K>[] {
  return Object.entries(filters).flatMap<Clause<K>>(([name, { field, op }]) => {
    const value = query[name];
    if (op === 'over') return typeof value === 'number' ? [{ field, op, value }] : [];
    return typeof value === 'string' ? [{ field, op, value }] : [];
  });
}

/** One page of `items`, which stand in the order of `keyOf` (UTF-16 units). Throws the problem `invalid-cursor`. */
export function pageByKey<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  identity: string,
): { items: T[]; next_cursor: string | null } {
  const after = cursor === undefined ? undefined : decodeCursor(cursor, identity).id;
  const start = after === undefined ? 0 : items.findIndex((item) => keyOf(item) > after);
  const page = start === -1 ? [] : items.slice(start, start + limit);
  const last = page.at(-1);
  const isEnd = last === undefined || start + limit >= items.length;
  return { items: page, next_cursor: isEnd ? null : encodeCursor({ time: '', id: keyOf(last) }, identity) };
}

/** Names a query, so that a cursor of another one is refused. */
export const queryHash = (query: unknown) =>
  createHash('sha256').update(canonicalJson(query)).digest('base64url').slice(0, 16);

/** The place behind a row: its time and id, and the query it belongs to. */
export const encodeCursor = ({ time, id }: { time: string; id: string }, identity: string) =>
  Buffer.from(JSON.stringify([time, id, identity])).toString('base64url');

/** Throws the problem `invalid-cursor` when it is none of the query named `identity`. */
export function decodeCursor(cursor: string, identity: string): { time: string; id: string } {
  const parts = parse(Buffer.from(cursor, 'base64url').toString());
  if (Array.isArray(parts) && parts.length === 3) {
    const [time, id, of] = parts as unknown[];
    if (typeof time === 'string' && typeof id === 'string' && of === identity) return { time, id };
  }
  throw new ProblemError('invalid-cursor', 'Keep every other parameter as it was on the page before.', [
    { parameter: 'cursor', detail: 'not a cursor of this query' },
  ]);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
