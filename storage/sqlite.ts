// SQLite by the API of node:sqlite: the built-in one where Node has it (22.13 on), else the package of the same API.

import { rmSync } from 'node:fs';
import type { DatabaseSyncInstance, DatabaseSyncOptions } from '@photostructure/sqlite';

export type Database = DatabaseSyncInstance;
export type Statement = ReturnType<Database['prepare']>;

interface Sqlite {
  DatabaseSync: new (path: string, options?: DatabaseSyncOptions) => Database;
}

// Node 20.0 to 20.15 have no getBuiltinModule; those with node:sqlite all have it.
const builtin = process.getBuiltinModule?.('node:sqlite') as Sqlite | undefined;
const sqlite: Sqlite = builtin ?? (await import('@photostructure/sqlite'));

/**
 * Opens the database file at `path`. A reader waits up to 5 s for another connection's lock; a writer shortly, since its thread
 * has other work, and tries again.
 */
export const openDatabase = (path: string, { readOnly }: { readOnly: boolean }): Database =>
  new sqlite.DatabaseSync(path, { readOnly, timeout: readOnly ? 5000 : 250 });

/** A database that nothing is left of, whoever ends the process; until then it lies at `path`. */
export function openTemporary(path: string, cacheBytes: number): Database {
  rmSync(path, { force: true });
  const database = openDatabase(path, { readOnly: false });
  database.exec(
    `pragma page_size=8192; pragma journal_mode=memory; pragma synchronous=off; pragma locking_mode=exclusive; pragma cache_size=-${cacheBytes / 1024}; create table made (x); drop table made`,
  );
  rmSync(path, { force: true });
  return database;
}
