// SQLite files that stages keep their memory in: opened in a layout that this version knows, or refused by name.

import { SealwatchError } from '../core/errors.ts';
import { type Database, openDatabase, openTemporary } from './sqlite.ts';

export interface Layout {
  /** What people call it: `the ledger`. */
  name: string;
  /** `user_version` of the file: count up with each change of the tables. */
  version: number;
  tables: string;
  /** Pages that are kept in memory. */
  cacheBytes: number;
}

/**
 * Opens or makes a file that lasts.
 * Throws SealwatchError DATA_DIR_UNUSABLE or DATA_DIR_OTHER_LAYOUT.
 */
export function openLasting(path: string, layout: Layout): Database {
  const { name, version } = layout;
  const database = open(path, layout);
  const found = versionOf(database);
  if (found === version) return database;
  database.close();
  throw new SealwatchError(
    'DATA_DIR_OTHER_LAYOUT',
    `${name} ${path} has layout ${found}, this version knows ${version}`,
    'Run the version that wrote it, or move the file away: it is built again from what the stream still holds.',
  );
}

/** The same for one run: the file is gone with the process. */
export function openPassing(path: string, { tables, cacheBytes }: Layout): Database {
  const database = openTemporary(path, cacheBytes);
  database.exec(tables);
  return database;
}

function open(path: string, { name, tables, version, cacheBytes }: Layout): Database {
  let database: Database | undefined;
  try {
    database = openDatabase(path, { readOnly: false });
    // synchronous=normal: a power cut may roll back the last commits; their places go with them, so they are made again.
    database.exec(
      `pragma page_size=8192; pragma journal_mode=wal; pragma synchronous=normal; pragma cache_size=-${cacheBytes / 1024}; pragma wal_autocheckpoint=2000`,
    );
    const isEmpty = database.prepare('select name from sqlite_schema').get() === undefined;
    if (versionOf(database) === 0 && isEmpty)
      database.exec(`begin immediate; ${tables} pragma user_version = ${version}; commit`);
    return database;
  } catch (error) {
    database?.close();
    throw new SealwatchError(
      'DATA_DIR_UNUSABLE',
      `cannot open ${name} ${path} (${error instanceof Error ? error.message : error})`,
      'Check free space, rights and that no backup holds it. A damaged file: put a copy back, or move it away with its -wal and -shm; it is built again from what the stream still holds.',
      { cause: error },
    );
  }
}

const versionOf = (database: Database) =>
  (database.prepare('pragma user_version').get() as { user_version: number }).user_version;
