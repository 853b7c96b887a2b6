// The file of the ledger's memory: its tables.

import { limits } from '../../core/limits.ts';
import type { Layout } from '../lasting.ts';
import { notesTables } from '../memory.ts';

// Rows are appended; an index of what is open does not grow with the past. `given_by`: where a revoke of a prefix finds it.
export const ledgerLayout: Layout = {
  name: 'the ledger',
  version: 1,
  cacheBytes: limits.ledgerPageCacheBytes,
  tables: `
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
${notesTables}`,
};
