// A memory on SQLite: small values on disk, those used last in memory, all of it lasting at a commit only, together with the
// place in the stream that it stands for.

import type { Json } from '../core/event.ts';
import { limits } from '../core/limits.ts';
import type { DetectorMemory } from '../core/ports.ts';
import { Notes } from './notes.ts';
import type { Writes } from './recent.ts';
import type { Table } from './replica/tables.ts';
import type { Database, Statement } from './sqlite.ts';

export const notesTables = `
create table notes (space text not null, key text not null, value text not null, primary key (space, key)) without rowid;
create table place (one integer primary key check (one = 1), value text not null);
`;

const PUT_PLACE = 'insert into place values (1, ?) on conflict do update set value = excluded.value';

/** As a log of changes sees them. */
export const notesAndPlace: readonly Table[] = [
  {
    name: 'notes',
    key: ['space', 'key'],
    value: 'value',
    writer(database) {
      const put = database.prepare(
        'insert into notes values (?, ?, ?) on conflict do update set value = excluded.value',
      );
      return ({ a, b }, value) => put.run(a, b, value);
    },
  },
  {
    name: 'place',
    key: [],
    value: 'value',
    writer(database) {
      const put = database.prepare(PUT_PLACE);
      return (_, value) => put.run(value);
    },
  },
];

/** Where a commit goes before it lasts in the file. */
export interface CommitLog {
  /** Inside the transaction; after a rejection it is rolled back. */
  send(): Promise<void>;
}

export class NotesMemory implements DetectorMemory {
  protected readonly writes: Writes = { begin: () => this.begin(), waitingMax: limits.ledgerUnwrittenMax };
  private readonly database: Database;
  private readonly notes: Notes;
  private readonly putPlace: Statement;
  private readonly log: CommitLog | undefined;
  private isOpen = false;
  private isClosed = false;

  /** @param log without one the file is all there is */
  constructor(database: Database, log?: CommitLog) {
    this.database = database;
    this.log = log;
    this.notes = new Notes(database, this.writes);
    this.putPlace = database.prepare(PUT_PLACE);
  }

  get(space: string, key: string): Json | undefined {
    return this.notes.get(space, key);
  }
  set(space: string, key: string, value: Json): void {
    this.notes.set(space, key, value);
  }
  delete(space: string, key: string): void {
    this.notes.delete(space, key);
  }
  list(space: string, prefix: string, limit: number): { key: string; value: Json }[] {
    return this.notes.list(space, prefix, limit);
  }

  async commit(place: Json): Promise<void> {
    this.write(place);
    await this.log?.send();
    this.end();
  }

  /** The commit of a file that has no log. */
  keep(place: Json): void {
    this.write(place);
    this.end();
  }

  /** What waits in memory, into the transaction. */
  protected write(place: Json): void {
    this.notes.write();
    this.begin();
    this.putPlace.run(JSON.stringify(place));
  }

  private end(): void {
    this.database.exec('commit');
    this.isOpen = false;
  }

  place(): Json | undefined {
    const row = this.database.prepare('select value from place').get() as { value: string } | undefined;
    return row === undefined ? undefined : (JSON.parse(row.value) as Json);
  }

  /** The first write since the last commit opens the transaction. */
  private begin(): void {
    if (this.isOpen) return;
    this.database.exec('begin immediate');
    this.isOpen = true;
  }

  /** What was not committed is gone. A connection with prepared statements lives on a while, and its transaction with it. */
  [Symbol.dispose](): void {
    if (this.isClosed) return;
    this.isClosed = true;
    try {
      if (this.isOpen) this.database.exec('rollback');
    } catch {
      // On a full disk SQLite has rolled back by itself.
    }
    this.database.close();
  }
}
