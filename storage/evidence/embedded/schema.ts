// The tables of the embedded evidence store, and opening the file in a layout that this version knows.

import { SealwatchError } from '../../../core/errors.ts';
import type { QueryKind } from '../../../core/query.ts';
import { type Database, openDatabase } from '../../sqlite.ts';
import { columnLists } from '../columns.ts';
import { IncidentRows, incidentIndex } from './incidents.ts';

/** `user_version` of the file: count up with each change of the tables. */
const LAYOUT = 4;

/** The layout before had none of what `addedTables` makes; the rest is the same. */
const LAYOUT_BEFORE = 3;

/** `seq` keeps rows in the order they came, so that inserts append; `ts` is the time that orders rows of the kind. */
const rowTable = (kind: QueryKind) => `create table ${kind} (
  seq integer primary key, id text not null unique, revision integer not null, ts text not null,
  ${columnLists[kind].map(({ column, type = 'text' }) => `${column} ${type}`).join(', ')},
  body text not null);`;

/** What people say and change, what was learned, and incidents. */
const addedTables = `
${incidentIndex}
${rowTable('incidents')}
create index incidents_ts on incidents (ts, id);
create index incidents_user on incidents (user_id, ts, id);
${rowTable('triage')}
create index triage_ts on triage (ts, id);
create index triage_alert on triage (alert_id, ts, id);
create index triage_incident on triage (incident_id, ts, id);
${rowTable('changes')}
create index changes_ts on changes (ts, id);
${rowTable('baselines')}
create index baselines_ts on baselines (ts, id);
create index baselines_subject on baselines (subject, ts, id);`;

// Each further index on events costs a sixth of the write rate; these serve time, a person and a secret. The last holds all that the
// inventory of secrets asks, so that it is answered without reading rows.
const tables = `
${rowTable('events')}
create index events_ts on events (ts, id);
create index events_user on events (user_id, ts, id);
create index events_secret on events (secret_path, ts, id, action, outcome, reason, pair, user_id, engine, version)
  where secret_path is not null;
${rowTable('alerts')}
create index alerts_ts on alerts (ts, id);
create index alerts_user on alerts (user_id, ts, id);
${rowTable('leases')}
create index leases_ts on leases (ts, id);
create index leases_holder on leases (holder_id, ts, id);
create index leases_requested_by on leases (requested_by, ts, id);
create index leases_token on leases (holder_token) where holder_token is not null;
create index leases_accessor on leases (accessor) where accessor is not null;
create index leases_live on leases (kind, ifnull(ended_at, '~'));
create index leases_entity on leases (entity_id) where entity_id is not null;
${rowTable('facts')}
create index facts_ts on facts (ts, id);
create index facts_what on facts (what, ts, id);
create index facts_key on facts (what, key, ts, id);
create table rejects (
  id text primary key, ts text not null, device text not null, reason text not null, bytes integer not null, hash text
) without rowid;
create index rejects_ts on rejects (ts);
create table coverage (
  id text primary key, device text not null, hour text not null, part integer not null, origin text not null,
  revision integer not null, counts text not null) without rowid;
create index coverage_hour on coverage (hour);
create table nodes (
  id text primary key, node text not null, cluster text not null, how text not null, hour text not null) without rowid;
create index nodes_hour on nodes (hour);
create table hashes (hash text not null, other text not null, primary key (hash, other)) without rowid;
create table offsets (
  topic text not null, part integer not null, next integer not null, sources text,
  primary key (topic, part)) without rowid;
create table meta (name text primary key, value text not null) without rowid;
${addedTables}
pragma user_version = ${LAYOUT};`;

/**
 * Opens the file for the one writer, with its tables made.
 * Throws SealwatchError DATA_DIR_UNUSABLE or DATA_DIR_OTHER_LAYOUT.
 */
export function openForWriting(path: string): Database {
  const database = open(path, false);
  try {
    // synchronous=normal: a power cut may roll back the last transactions; their offsets go with them, so they are read again.
    database.exec(
      'pragma page_size=16384; pragma journal_mode=wal; pragma synchronous=normal; pragma cache_size=-131072; pragma wal_autocheckpoint=2000',
    );
    if (isEmpty(database)) database.exec(`begin immediate; ${tables} commit`);
    else if (version(database) === LAYOUT_BEFORE) migrate(database);
  } catch (error) {
    database.close();
    throw unusable(path, error);
  }
  checkLayout(database, path);
  return database;
}

/** Its alerts become incidents; what is new on the stream is read from its start. */
function migrate(database: Database): void {
  database.exec(`begin immediate; ${addedTables}`);
  const incidents = new IncidentRows(database);
  const ids = database.prepare('select distinct incident_id as id from alerts').all() as { id: string }[];
  for (const { id } of ids) incidents.refresh(id);
  database.exec(`pragma user_version = ${LAYOUT}; commit`);
}

/** Opens the file for reading only, while the writer goes on. Throws as `openForWriting` does. */
export function openForReading(path: string): Database {
  const database = open(path, true);
  checkLayout(database, path);
  return database;
}

function open(path: string, readOnly: boolean): Database {
  try {
    const database = openDatabase(path, { readOnly });
    database.prepare('select count(*) from sqlite_schema').get();
    return database;
  } catch (error) {
    throw unusable(path, error);
  }
}

const unusable = (path: string, cause: unknown) =>
  new SealwatchError(
    'DATA_DIR_UNUSABLE',
    `cannot open the evidence store ${path} (${cause instanceof Error ? cause.message : cause})`,
    'Check free space, rights and that no backup holds it. A damaged file: put a copy back, or move it away with its -wal and -shm; it is built again from what the stream still holds.',
    { cause },
  );

const isEmpty = (database: Database) =>
  version(database) === 0 && database.prepare('select name from sqlite_schema').get() === undefined;

const version = (database: Database) =>
  (database.prepare('pragma user_version').get() as { user_version: number }).user_version;

function checkLayout(database: Database, path: string): void {
  const found = version(database);
  if (found === LAYOUT) return;
  database.close();
  throw new SealwatchError(
    'DATA_DIR_OTHER_LAYOUT',
    `the evidence store ${path} has layout ${found}, this version knows ${LAYOUT}`,
    'Run the version that wrote it, or move the file away: it is built again from what the stream still holds.',
  );
}
