// A memory on SQLite: small values on disk, those used last in memory, all of it lasting at a commit only, together with the
// place in the stream that it stands for.

import type { Json } from '../core/event.ts';
import { limits } from '../core/limits.ts';
import type { DetectorMemory } from '../core/ports.ts';
import { Notes } from './notes.ts';
import type { Writes } from './recent.ts';
import type { Database, Statement } from './sqlite.ts';

export const notesTables = `
create table notes (space text not null, key text not null, value text not null, primary key (space, key)) without rowid;
create table place (one integer primary key check (one = 1), value text not null);
`;

export class NotesMemory implements DetectorMemory {
  protected readonly writes: Writes = { begin: () => this.begin(), waitingMax: limits.ledgerUnwrittenMax };
  private readonly database: Database;
  private readonly notes: Notes;
  private readonly putPlace: Statement;
  private isOpen = false;
  private isClosed = false;

  constructor(database: Database) {
    this.database = database;
    this.notes = new Notes(database, this.writes);
    this.putPlace = database.prepare(
      'insert into place values (1, ?) on conflict do update set value = excluded.value',
    );
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
    this.keep(place);
  }

  /** The commit of this file alone. */
  keep(place: Json): void {
    this.notes.write();
    this.begin();
    this.putPlace.run(JSON.stringify(place));
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
