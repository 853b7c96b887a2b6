// Exact groups over rows in one pass: SQLite counts the fine groups, in order, and `Groups` merges them.

import type { Database } from '../../sqlite.ts';
import { columnName } from '../columns.ts';
import { type FineGroup, type GroupAnswer, type GroupOptions, Groups } from '../groups.ts';
import { whereOf } from './where.ts';

/** Length of a canonical time. */
const TIME_CHARS = 30;

/** `limit` is cut to `limits.evidenceRowsMax`; more groups than that give `complete: false`. */
export function groupRows(database: Database, options: GroupOptions): GroupAnswer {
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
  const groups = new Groups(options.limit);
  for (const row of statement.iterate(...values) as IterableIterator<Row>)
    if (!groups.add(fineGroup(row, by, collect))) return { groups: groups.groups, complete: false };
  return { groups: groups.groups, complete: true };
}

type Row = Record<string, string | number | null>;

function fineGroup(row: Row, by: string[], collect: string[]): FineGroup {
  const last = row['last'] as string;
  const textOf = (column: string) => (row[column] === null ? undefined : String(row[column]));
  return {
    by: by.map(textOf),
    collect: collect.map(textOf),
    n: row['n'] as number,
    first: row['first'] as string,
    last: last.slice(0, TIME_CHARS),
    last_id: last.slice(TIME_CHARS),
  };
}
