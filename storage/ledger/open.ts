// The file of the ledger's memory: its tables, and opening it in a layout that this version knows.

import { SealwatchError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { type Database, openDatabase, openTemporary } from '../sqlite.ts';

/** `user_version` of the file: count up with each change of the tables. */
const LAYOUT = 1;

// Rows are appended; an index of what is open does not grow with the past. `given_by`: where a revoke of a prefix finds it.
const tables = `
create table rows (
  seq integer primary key, id text not null unique, is_open integer not null, is_lease integer not null,
  namespace text not null, given_by text not null, holder_token text, holder_id text, issued_at text not null,
  expires_at text, ended_at text, body text not null);
create index rows_of_token on rows (holder_token, id) where is_open and holder_token is not null;
create index rows_leases on rows (namespace, id) where is_open and is_lease;
create index rows_tokens on rows (namespace, id, given_by) where is_open and not is_lease;
create index rows_tokens_by on rows (namespace, given_by) where is_open and not is_lease;
create index rows_expiring on rows (expires_at, id) where is_open and expires_at is not null;
create index rows_newest_of on rows (holder_id, issued_at, id) where is_open and is_lease and holder_id is not null;
create index rows_newest on rows (issued_at, id) where is_open and is_lease;
create index rows_ended on rows (ended_at, id) where not is_open;
create index rows_ended_of on rows (holder_token, ended_at) where not is_open and holder_token is not null;
create table notes (space text not null, key text not null, value text not null, primary key (space, key)) without rowid;
create table place (one integer primary key check (one = 1), value text not null);
pragma user_version = ${LAYOUT};`;

/**
 * Opens or makes the file of a ledger that lasts.
 * Throws SealwatchError DATA_DIR_UNUSABLE or DATA_DIR_OTHER_LAYOUT.
 */
export function openLedgerFile(path: string): Database {
  const database = open(path);
  const found = versionOf(database);
  if (found === LAYOUT) return database;
  database.close();
  throw new SealwatchError(
    'DATA_DIR_OTHER_LAYOUT',
    `the ledger ${path} has layout ${found}, this version knows ${LAYOUT}`,
    'Run the version that wrote it, or move the file away: it is built again from what the stream still holds.',
  );
}

/** A ledger for one run, whose file is gone with the process. */
export function openTemporaryLedger(path: string): Database {
  const database = openTemporary(path, limits.ledgerPageCacheBytes);
  database.exec(tables);
  return database;
}

function open(path: string): Database {
  let database: Database | undefined;
  try {
    database = openDatabase(path, { readOnly: false });
    // synchronous=normal: a power cut may roll back the last commits; their places go with them, so they are made again.
    database.exec(
      `pragma page_size=8192; pragma journal_mode=wal; pragma synchronous=normal; pragma cache_size=-${limits.ledgerPageCacheBytes / 1024}; pragma wal_autocheckpoint=2000`,
    );
    const isEmpty = database.prepare('select name from sqlite_schema').get() === undefined;
    if (versionOf(database) === 0 && isEmpty) database.exec(`begin immediate; ${tables} commit`);
    return database;
  } catch (error) {
    database?.close();
    throw new SealwatchError(
      'DATA_DIR_UNUSABLE',
      `cannot open the ledger ${path} (${error instanceof Error ? error.message : error})`,
      'Check free space, rights and that no backup holds it. A damaged file: put a copy back, or move it away with its -wal and -shm; it is built again from what the stream still holds.',
      { cause: error },
    );
  }
}

const versionOf = (database: Database) =>
  (database.prepare('pragma user_version').get() as { user_version: number }).user_version;
