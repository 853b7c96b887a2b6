// A memory's tables as its log sees them: rows by key, each with one value that says everything.

import type { Database } from '../sqlite.ts';

export interface Table {
  /** Short and never another one: it stands in the log. */
  name: string;
  /** One or two columns of text; none for a table of a single row. */
  key: readonly string[];
  /** The column whose text all others come from. */
  value: string;
  /** Puts a row as its value says. */
  writer(database: Database): (key: { a: string; b: string }, value: string) => void;
}

/** What a memory's file has beside its tables when it has a log. */
export const replicaTables = `
-- What the log does not have yet. \`named\`: \`a\` is the name of a row in the log. \`bytes\`: of the value that the log has.
create table changed (
  tbl text not null, named integer not null, a text not null, b text not null, bytes integer, parts integer not null,
  primary key (tbl, named, a, b)) without rowid;
-- Keys of rows whose name in the log is a hash.
create table long_names (tbl text not null, name text not null, a text not null, b text not null, primary key (tbl, name)) without rowid;
-- The commit of the log that the file stands for.
create table stands_for (one integer primary key check (one = 1), value text not null);
`;

const keyColumn = ({ key }: Table, of: 'new' | 'old', at: number): string =>
  key[at] === undefined ? "''" : `${of}.${key[at]}`;

/** From here on every change is noted in \`changed\`, in the transaction that makes it. Gone with the connection. */
export function noteChanges(database: Database, tables: readonly Table[]): void {
  for (const table of tables) {
    const note = (event: string, of: 'new' | 'old', bytes: string) => `
create temp trigger ${table.name}_${event} after ${event} on main.${table.name} begin
  insert into changed values
    ('${table.name}', 0, ${keyColumn(table, of, 0)}, ${keyColumn(table, of, 1)}, ${bytes}, 0) 
    on conflict do update set bytes = excluded.bytes where parts > 0 and changed.bytes is null;
end;`;
    const before = `length(cast(old.${table.value} as blob))`;
    database.exec(
      note('insert', 'new', 'null') + note('update', 'old', before) + note('delete', 'old', before),
    );
  }
}
