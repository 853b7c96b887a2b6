// The ledger's memory on SQLite: rows and notes on disk, what was used last in memory, all of it lasting at a commit only.

import type { Json } from '../../core/event.ts';
import type { Held, LedgerMemory } from '../../core/ports.ts';
import { openLasting, openPassing } from '../lasting.ts';
import { type CommitLog, NotesMemory, notesAndPlace } from '../memory.ts';
import { openReplica, type ReplicaOptions } from '../replica/open.ts';
import type { Database } from '../sqlite.ts';
import { ledgerLayout } from './open.ts';
import { Rows, rowsTable } from './rows.ts';

/** Opens or makes the ledger at `path` (a file). Throws SealwatchError DATA_DIR_UNUSABLE or DATA_DIR_OTHER_LAYOUT. */
export const openLedgerMemory = (path: string): SqliteMemory =>
  new SqliteMemory(openLasting(path, ledgerLayout));

/** A memory that nothing is left of; until then it lies at `path`. */
export const temporaryLedgerMemory = (path: string): SqliteMemory =>
  new SqliteMemory(openPassing(path, ledgerLayout));

/** The same with a log on Kafka. Throws as `openReplica` does. */
export async function openReplicatedLedger(options: ReplicaOptions): Promise<SqliteMemory> {
  const { database, log } = await openReplica(options, ledgerLayout, [rowsTable, ...notesAndPlace]);
  return new SqliteMemory(database, log);
}

class SqliteMemory extends NotesMemory implements LedgerMemory {
  private readonly rows: Rows;

  constructor(database: Database, log?: CommitLog) {
    super(database, log);
    this.rows = new Rows(database, this.writes);
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

  protected override write(place: Json): void {
    this.rows.write();
    super.write(place);
  }
}
