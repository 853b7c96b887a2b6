// Writing one row of any kind: its columns, and its body as text.

import { type QueryKind, type Rows, timeOf } from '../../../core/query.ts';
import type { Database, Statement } from '../../sqlite.ts';
import { columnLists, columnValues, plainText } from '../columns.ts';

/** The highest revision stays; the same revision again has the same content, or is told later. */
export function upsertStatement(database: Database, kind: QueryKind): Statement {
  const names = ['id', 'revision', 'ts', ...columnLists[kind].map(({ column }) => column), 'body'];
  const updates = names.slice(1).map((name) => `${name} = excluded.${name}`);
  return database.prepare(`insert into ${kind} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})
    on conflict (id) do update set ${updates.join(', ')} where excluded.revision >= ${kind}.revision`);
}

/** Runs an `upsertStatement` of `kind`. */
export function putRow<K extends QueryKind>(
  statement: Statement,
  kind: K,
  row: Rows[K],
  { id, revision, text }: { id: string; revision: number; text: string },
): void {
  const values = columnValues(kind, row).map((value) => value ?? null);
  statement.run(plainText(id), revision, timeOf(kind, row), ...values, text);
}
