// SQLite by the API of node:sqlite: the built-in one where Node has it (22.13 on), else the package of the same API.

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
