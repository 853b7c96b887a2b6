// Exact groups over rows in one pass and bounded memory: SQLite counts the fine groups, in order; here they are merged.

import { limits } from '../../../core/limits.ts';
import type { EvidenceReader } from '../../../core/ports.ts';
import type { Clause, Field, Group, QueryKind } from '../../../core/query.ts';
import type { Database } from '../../sqlite.ts';
import { columnName } from '../columns.ts';
import { whereOf } from './where.ts';

interface Options {
  kind?: QueryKind;
  from?: string;
  to?: string;
  where: readonly Clause[];
  by: readonly Field<QueryKind>[];
  collect: readonly Field<QueryKind>[];
  limit: number;
}
type Answer = Awaited<ReturnType<EvidenceReader['group']>>;

/** Length of a canonical time. */
const TIME_CHARS = 30;

/** `limit` is cut to `limits.evidenceRowsMax`; more groups than that give `complete: false`. */
export function groupRows(database: Database, options: Options): Answer {
  const { kind = 'events' } = options;
  const by = options.by.map((field) => columnName(kind, field));
  const collect = options.collect.map((field) => columnName(kind, field));
  const { sql, values } = whereOf(kind, options);
  const keys = [...by, ...collect].join(', ');
  // Times have one length, so the greatest text of time and id belongs to the last event in the order (time, id).
  const statement = database.prepare(
    `select ${keys === '' ? '' : `${keys}, `}count(*) as n, min(ts) as first, max(ts || id) as last
      from ${kind}${sql} ${keys === '' ? 'having n > 0' : `group by ${keys} order by ${keys}`}`,
  );
  const limit = Math.min(options.limit, limits.evidenceRowsMax);
  const groups: Group[] = [];
  let open: Group | undefined;
  for (const row of statement.iterate(...values) as IterableIterator<FineGroup>) {
    const key = by.map((column) => textOf(row[column]));
    if (open === undefined || !key.every((value, i) => value === open?.by[i])) {
      if (groups.length === limit) return { groups, complete: false };
      open = { by: key, n: 0, first: '~', last: '', last_id: '', collected: collect.map(() => []) };
      groups.push(open);
    }
    merge(open, row, collect);
  }
  return { groups, complete: true };
}

type FineGroup = Record<string, string | number | null>;

const textOf = (value: string | number | null | undefined) => (value === null ? undefined : String(value));

function merge(group: Group, row: FineGroup, collect: string[]): void {
  group.n += row['n'] as number;
  const first = row['first'] as string;
  if (first < group.first) group.first = first;
  const last = row['last'] as string;
  if (last > group.last + group.last_id) {
    group.last = last.slice(0, TIME_CHARS);
    group.last_id = last.slice(TIME_CHARS);
  }
  collect.forEach((column, i) => {
    const value = textOf(row[column]);
    if (value !== undefined) keepSmallest(group.collected[i] as string[], value);
  });
}

/** Adds `value` to the sorted, distinct `values`; past the bound the greatest falls out, so that the order of rows is all one. */
function keepSmallest(values: string[], value: string): void {
  const at = values.findIndex((other) => other >= value);
  if (at !== -1 && values[at] === value) return;
  if (at === -1) values.push(value);
  else values.splice(at, 0, value);
  if (values.length > limits.collectedValuesMax) values.pop();
}
