// What is asked of the ledger's rows, each by an index of its own.

import type { Database, Statement } from '../sqlite.ts';

const columns = [
  'id',
  'is_open',
  'is_lease',
  'namespace',
  'given_by',
  'holder_token',
  'holder_id',
  'issued_at',
  'expires_at',
  'ended_at',
  'body',
];

/** Later than every text that a prefix begins. */
const under = (column: string) => `${column} >= ?2 and ${column} < ?2 || char(1114111)`;

/** By name: the SQL. Numbered values, so that one may stand twice. */
export const rowSql = {
  put: `insert into rows (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})
    on conflict (id) do update set ${columns
      .slice(1)
      .map((column) => `${column} = excluded.${column}`)
      .join(', ')}`,
  get: 'select body from rows where id = ?1',
  forget: 'delete from rows where id = ?1',
  openOf:
    'select id, body from rows indexed by rows_of_token where is_open and holder_token = ?1 and id > ?2 order by id limit ?3',
  endedOf:
    'select id, body from rows indexed by rows_ended_of where not is_open and holder_token = ?1 and ended_at >= ?4 and id > ?2 order by id limit ?3',
  leasesUnder: `select id, body from rows indexed by rows_leases
    where is_open and is_lease and namespace = ?1 and ${under('id')} and id > ?3 order by id limit ?4`,
  hasTokensUnder: `select 1 from rows indexed by rows_tokens_by
    where is_open and not is_lease and namespace = ?1 and ${under('given_by')} limit 1`,
  tokensUnder: `select id, body from rows indexed by rows_tokens
    where is_open and not is_lease and namespace = ?1 and ${under('given_by')} and id > ?3 order by id limit ?4`,
  endedUnder: `select id, body from rows indexed by rows_ended
    where not is_open and ended_at >= ?5 and namespace = ?1 and ${under('given_by')} and id > ?3 order by id limit ?4`,
  expired:
    'select id, body from rows indexed by rows_expiring where is_open and expires_at <= ?1 order by expires_at, id limit ?2',
  nextExpiry:
    'select expires_at as next from rows indexed by rows_expiring where is_open and expires_at is not null order by expires_at limit 1',
  ended:
    'select id, body from rows indexed by rows_ended where not is_open and ended_at <= ?1 order by ended_at, id limit ?2',
  nextEnded:
    'select ended_at as next from rows indexed by rows_ended where not is_open order by ended_at limit 1',
  newestOf:
    'select id, body from rows indexed by rows_newest_of where is_open and is_lease and holder_id = ?1 order by issued_at desc, id desc limit ?2',
  newest:
    'select id, body from rows indexed by rows_newest where is_open and is_lease order by issued_at desc, id desc limit ?1',
  countOpen: `select (select count(*) from rows indexed by rows_newest where is_open and is_lease) as leases,
    (select count(*) from rows indexed by rows_tokens_by where is_open and not is_lease) as tokens`,
} as const;

export type RowStatements = Record<keyof typeof rowSql, Statement>;

/** Throws when an index cannot be used as it is named. */
export const prepareRows = (database: Database): RowStatements =>
  Object.fromEntries(
    Object.entries(rowSql).map(([name, sql]) => [name, database.prepare(sql)]),
  ) as RowStatements;
