// The file of a memory that has a log: its rows by their names in the log, what changed, and which commit it stands for.

import { limits } from '../../core/limits.ts';
import type { Database, Statement } from '../sqlite.ts';
import { noteChanges, type Table } from './tables.ts';
import { keyOf, type Manifest, nameOf, partsOf, payloadOf, type RowKey, readPayload } from './wire.ts';

/** A commit of the log. */
export interface Commit {
  writer: string;
  /** Offset of its manifest. */
  offset: number;
  manifest: Manifest;
}

export interface StandsFor extends Commit {
  /** Wall time of the commit. */
  savedMs: number;
}

/** A row of the log that is to be written. */
export interface ChangedRow {
  table: string;
  name: string;
  /** Undefined: it is not there. */
  payload: Buffer | undefined;
  /** Parts that may lie in the log. */
  before: number;
  existed: boolean;
}

interface Noted {
  tbl: string;
  named: number;
  a: string;
  b: string;
  bytes: number | null;
  parts: number;
}

interface TableStatements {
  get: Statement;
  delete: Statement;
  put: (key: { a: string; b: string }, value: string) => void;
  keys: number;
}

export class ReplicaFile {
  readonly database: Database;
  private readonly tables: readonly Table[];
  private readonly byName: ReadonlyMap<string, TableStatements>;
  private readonly statements: Record<
    'noted' | 'unnote' | 'touch' | 'named' | 'unname' | 'findName' | 'missing' | 'place',
    Statement
  >;

  constructor(database: Database, tables: readonly Table[]) {
    this.database = database;
    this.tables = tables;
    this.byName = new Map(tables.map((table) => [table.name, statementsOf(database, table)]));
    this.statements = {
      noted: database.prepare('select * from changed limit ?'),
      unnote: database.prepare('delete from changed where tbl = ? and named = ? and a = ? and b = ?'),
      touch: database.prepare(
        'insert into changed values (?, ?, ?, ?, ?, ?) on conflict do update set parts = max(parts, excluded.parts), bytes = coalesce(bytes, excluded.bytes)',
      ),
      named: database.prepare('insert into long_names values (?, ?, ?, ?) on conflict do nothing'),
      unname: database.prepare('delete from long_names where tbl = ? and name = ?'),
      findName: database.prepare('select a, b from long_names where tbl = ? and name = ?'),
      missing: database.prepare('select * from changed where bytes is not null'),
      place: database.prepare(
        'insert into stands_for values (1, ?) on conflict do update set value = excluded.value',
      ),
    };
  }

  /** Undefined: the file was not built to its end. */
  get standsFor(): StandsFor | undefined {
    const row = this.database.prepare('select value from stands_for').get() as { value: string } | undefined;
    return row === undefined ? undefined : (JSON.parse(row.value) as StandsFor);
  }

  setStandsFor(commit: StandsFor): void {
    this.statements.place.run(JSON.stringify(commit));
  }

  noteChanges(): void {
    noteChanges(this.database, this.tables);
  }

  knows(table: string): boolean {
    return this.byName.has(table);
  }

  /** A row as the log has it; undefined: it went away. */
  take(table: string, name: string, payload: Buffer | undefined): void {
    if (payload !== undefined) {
      const { key, value } = readPayload(table, name, payload);
      this.byName.get(table)?.put(key, value);
      if (keyOf(table, name) === undefined) this.statements.named.run(table, name, key.a, key.b);
      return;
    }
    const key = this.keyOf(table, name);
    if (key === undefined) return;
    const { delete: statement, keys } = this.byName.get(table) as TableStatements;
    statement.run(...[key.a, key.b].slice(0, keys));
    this.statements.unname.run(table, name);
  }

  /**
   * Somebody has written a part of a row that does not count: the log is to get the row as it is here.
   * @param existed who wrote it says that the row was there before
   */
  touch(table: string, name: string, part: number, existed: boolean): void {
    const key = this.keyOf(table, name);
    const at = key === undefined ? [1, name, ''] : [0, key.a, key.b];
    this.statements.touch.run(table, ...(at as [number, string, string]), existed ? 0 : null, part + 1);
  }

  /** Whether a row whose value must have been there is not: the log has forgotten what was committed. */
  get isMissingRows(): boolean {
    for (const noted of this.statements.missing.iterate() as Iterable<unknown>)
      if (this.rowOf(noted as Noted).payload === undefined) return true;
    return false;
  }

  /** Rows that changed, about `limits.memoryRowsMax`; they count as written from here on. */
  takeChanged(): ChangedRow[] {
    const noted = this.statements.noted.all(limits.memoryRowsMax) as unknown as Noted[];
    return noted.map((row) => {
      this.statements.unnote.run(row.tbl, row.named, row.a, row.b);
      const changed = this.rowOf(row);
      if (keyOf(row.tbl, changed.name) === undefined && row.named === 0)
        if (changed.payload === undefined) this.statements.unname.run(row.tbl, changed.name);
        else this.statements.named.run(row.tbl, changed.name, row.a, row.b);
      return changed;
    });
  }

  private rowOf({ tbl, named, a, b, bytes, parts }: Noted): ChangedRow {
    if (named === 1) return { table: tbl, name: a, payload: undefined, before: parts, existed: false };
    const key = { table: tbl, a, b };
    const value = this.valueOf(key);
    const payload = value === undefined ? undefined : payloadOf(key, value);
    return {
      table: tbl,
      name: nameOf(key).name,
      payload,
      before: Math.max(parts, bytes === null ? 0 : partsOf(key, bytes)),
      // What was only touched is as it was committed.
      existed: bytes !== null || (parts > 0 && payload !== undefined),
    };
  }

  private valueOf({ table, a, b }: RowKey): string | undefined {
    const { get, keys } = this.byName.get(table) as TableStatements;
    return (get.get(...[a, b].slice(0, keys)) as { value: string } | undefined)?.value;
  }

  private keyOf(table: string, name: string): { a: string; b: string } | undefined {
    return (
      keyOf(table, name) ??
      (this.statements.findName.get(table, name) as { a: string; b: string } | undefined)
    );
  }
}

function statementsOf(database: Database, table: Table): TableStatements {
  const where = table.key.length === 0 ? '' : `where ${table.key.map((name) => `${name} = ?`).join(' and ')}`;
  return {
    get: database.prepare(`select ${table.value} as value from ${table.name} ${where}`),
    delete: database.prepare(`delete from ${table.name} ${where}`),
    put: table.writer(database),
    keys: table.key.length,
  };
}
