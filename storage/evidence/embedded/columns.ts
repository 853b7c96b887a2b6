// Which column holds which field of `core/query`, and where a row's value comes from. A new field fails to compile here.

import type { Field, QueryKind, Rows } from '../../../core/query.ts';

interface Column<K extends QueryKind> {
  column: string;
  value: (row: Rows[K]) => string | undefined;
}
type Columns = { [K in QueryKind]: Record<Field<K>, Column<K>> };

const columns: Columns = {
  events: {
    'user.id': { column: 'user_id', value: (row) => row.user.id },
    'user.name': { column: 'user_name', value: (row) => row.user.name },
    'event.action': { column: 'action', value: (row) => row.event.action },
    'event.outcome': { column: 'outcome', value: (row) => row.event.outcome },
    'event.reason': { column: 'reason', value: (row) => row.event.reason },
    'source.ip': { column: 'ip', value: (row) => row.source?.ip },
    'vault.request.path': { column: 'path', value: (row) => row.vault.request.path },
    'vault.request.mount_type': { column: 'mount_type', value: (row) => row.vault.request.mount_type },
    'vault.secret.path': { column: 'secret_path', value: (row) => row.vault.secret?.path },
    'vault.caller.kind': { column: 'caller_kind', value: (row) => row.vault.caller.kind },
    'vault.caller.auth_method': { column: 'auth_method', value: (row) => row.vault.caller.auth_method },
    'vault.pair': { column: 'pair', value: (row) => row.vault.pair },
  },
  alerts: {
    'user.id': { column: 'user_id', value: (row) => row.user.id },
    'rule.id': { column: 'rule_id', value: (row) => row.rule.id },
    'rule.level': { column: 'level', value: (row) => row.rule.level },
    'incident.id': { column: 'incident_id', value: (row) => row.incident.id },
  },
  leases: {
    holder_id: { column: 'holder_id', value: (row) => row.holder_id },
    requested_by: { column: 'requested_by', value: (row) => row.requested_by },
    path: { column: 'path', value: (row) => row.path },
    state: { column: 'state', value: (row) => row.state },
    kind: { column: 'kind', value: (row) => row.kind },
    ttl_source: { column: 'ttl_source', value: (row) => row.ttl_source },
  },
};

/** The columns of each kind, in a fixed order. */
export const columnLists: { [K in QueryKind]: Column<K>[] } = {
  events: Object.values(columns.events),
  alerts: Object.values(columns.alerts),
  leases: Object.values(columns.leases),
};

/** The column of a field of `kind`. Throws on a field that is not in `core/query`: its name becomes part of the SQL. */
export function columnName(kind: QueryKind, field: string): string {
  const column = (columns[kind] as Record<string, { column: string }>)[field]?.column;
  if (column === undefined) throw new Error(`${kind} have no field ${field}`);
  return column;
}

/** A value as it stands in a column: SQLite gives text back only up to a NUL, so a NUL becomes U+FFFD (not in the body). */
export const columnText = (value: string): string =>
  value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value;
