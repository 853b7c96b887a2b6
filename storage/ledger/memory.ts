// The ledger's memory on SQLite: rows and notes on disk, what was used last in memory, all of it lasting at a commit only.

import type { Json } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { Held, LedgerMemory } from '../../core/ports.ts';
import type { Database, Statement } from '../sqlite.ts';
import { Notes } from './notes.ts';
import { openLedgerFile, openTemporaryLedger } from './open.ts';
import { Rows } from './rows.ts';

/** Opens or makes the ledger at `path` (a file). Throws SealwatchError DATA_DIR_UNUSABLE or DATA_DIR_OTHER_LAYOUT. */
export const openLedgerMemory = (path: string): SqliteMemory => new SqliteMemory(openLedgerFile(path));

/** A memory that nothing is left of; until then it lies at `path`. */
export const temporaryLedgerMemory = (path: string): SqliteMemory =>
  new SqliteMemory(openTemporaryLedger(path));

class SqliteMemory implements LedgerMemory {
  private readonly database: Database;
  private readonly rows: Rows;
  private readonly notes: Notes;
  private readonly putPlace: Statement;
  private isOpen = false;
  private isClosed = false;

  constructor(database: Database) {
    this.database = database;
    const writes = { begin: () => this.begin(), waitingMax: limits.ledgerUnwrittenMax };
    this.rows = new Rows(database, writes);
    this.notes = new Notes(database, writes);
    this.putPlace = database.prepare(
      'insert into place values (1, ?) on conflict do update set value = excluded.value',
    );
  }

  held(id: string): Held | undefined {
    return this.rows.get(id);
  }
  put(held: Held): void {
    this.rows.put(held);
  }
  forget(id: string): void {
    this.rows.forget(id);
  }
  aliveOf(token: string, at: string, after: string, limit: number): Held[] {
    return this.rows.aliveOf(token, at, after, limit);
  }
  aliveUnder(namespace: string, prefix: string, at: string, after: string, limit: number): Held[] {
    return this.rows.aliveUnder(namespace, prefix, at, after, limit);
  }
  expired(time: string, limit: number): Held[] {
    return this.rows.expired(time, limit);
  }
  ended(time: string, limit: number): Held[] {
    return this.rows.ended(time, limit);
  }
  newestOpen(holderId: string | undefined, limit: number): Held[] {
    return this.rows.newestOpen(holderId, limit);
  }
  /** How many rows have not ended. */
  openRows(): number {
    return this.rows.countOpen();
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

  commit(place: Json): void {
    this.rows.write();
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
