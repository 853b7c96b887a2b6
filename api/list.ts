// A list: filters as clauses, pages by a cursor that only the same query takes back.

import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/canonical.ts';
import type { EvidenceReader } from '../core/ports.ts';
import type { Clause, Field, Query, QueryKind, Rows } from '../core/query.ts';
import { ProblemError } from './problem.ts';

/** Query parameter -> field it filters by. */
export type Filters<K extends QueryKind> = Record<string, { field: Field<K>; op: 'eq' | 'prefix' }>;

export interface ListQuery {
  from?: string | undefined;
  to?: string | undefined;
  order: 'asc' | 'desc';
  limit: number;
  cursor?: string | undefined;
}

/** One page of `kind`. Throws the problem `invalid-cursor`. */
export async function listPage<K extends QueryKind>(
  reader: EvidenceReader,
  kind: K,
  query: ListQuery & Record<string, unknown>,
  filters: Filters<K>,
): Promise<{ items: Rows[K][]; next_cursor: string | null }> {
  const { from, to, order, limit, cursor } = query;
  const where = clausesOf(filters, query);
  const identity = queryHash({ kind, from, to, where, order });
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

function clausesOf<K extends QueryKind>(filters: Filters<K>, query: Record<string, unknown>): Clause<K>[] {
  return Object.entries(filters).flatMap(([name, { field, op }]) => {
    const value = query[name];
    return typeof value === 'string' ? [{ field, op, value }] : [];
  });
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
