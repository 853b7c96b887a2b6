// Which column holds which field of `core/query`, and where a row's value comes from, for both stores. A new field fails to compile here.

import { limits } from '../../core/limits.ts';
import { type Field, type QueryKind, type Rows, timeOf } from '../../core/query.ts';
import { spanOf } from './spans.ts';

interface Column<K extends QueryKind> {
  column: string;
  /** `text` when it is not given. */
  type?: 'integer';
  value: (row: Rows[K]) => string | number | undefined;
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
    'vault.secret.engine': { column: 'engine', value: (row) => row.vault.secret?.engine },
    'vault.secret.version': {
      column: 'version',
      type: 'integer',
      value: (row) => row.vault.secret?.version,
    },
    'vault.caller.kind': { column: 'caller_kind', value: (row) => row.vault.caller.kind },
    'vault.caller.auth_method': { column: 'auth_method', value: (row) => row.vault.caller.auth_method },
    'vault.caller.role': { column: 'caller_role', value: (row) => row.vault.caller.role },
    'vault.cluster': { column: 'cluster', value: (row) => row.vault.cluster },
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
    holder: { column: 'holder', value: (row) => row.holder },
    holder_token: { column: 'holder_token', value: (row) => row.holder_token },
    role: { column: 'role', value: (row) => row.role },
    end_reason: { column: 'end_reason', value: (row) => row.end_reason },
    end_confirmed: { column: 'end_confirmed', value: (row) => String(row.end_confirmed) },
    ended_at: { column: 'ended_at', value: (row) => row.ended_at },
    expires_at: { column: 'expires_at', value: (row) => row.expires_at },
    ttl_s: { column: 'ttl_s', type: 'integer', value: (row) => row.ttl_s },
    'token.accessor': { column: 'accessor', value: (row) => row.token?.accessor },
    'token.entity_id': { column: 'entity_id', value: (row) => row.token?.entity_id },
    'token.login': { column: 'login', value: (row) => row.token?.login },
    'token.auth_method': { column: 'auth_method', value: (row) => row.token?.auth_method },
    'token.type': { column: 'token_type', value: (row) => row.token?.type },
    'token.periodic': { column: 'periodic', value: (row) => row.token?.periodic },
    'token.policies': { column: 'policies', value: (row) => listText(row.token?.policies) },
    namespace: { column: 'namespace', value: (row) => row.namespace },
    cluster: { column: 'cluster', value: (row) => row.cluster },
  },
  facts: {
    what: { column: 'what', value: (row) => row.what },
    key: { column: 'key', value: (row) => row.key },
    name: { column: 'name', value: (row) => row.name },
    source: { column: 'source', value: (row) => row.source },
  },
  incidents: {
    'subject.id': { column: 'user_id', value: (row) => row.subject.id },
    level: { column: 'level', value: (row) => row.level },
    risk: { column: 'risk', type: 'integer', value: (row) => row.risk },
  },
  triage: {
    alert_id: { column: 'alert_id', value: (row) => row.alert_id },
    incident_id: { column: 'incident_id', value: (row) => row.incident_id },
    status: { column: 'status', value: (row) => row.status },
    by: { column: 'by_key', value: (row) => row.by },
  },
  changes: {
    what: { column: 'what', value: (row) => row.what },
    key: { column: 'key', value: (row) => row.key },
    who: { column: 'who', value: (row) => row.who },
  },
  baselines: {
    subject: { column: 'subject', value: (row) => row.subject },
    behaviour: { column: 'behaviour', value: (row) => row.behaviour },
  },
};

/** A list of texts as one value, so that rows can be grouped by it: sorted, as JSON. */
const listText = (texts: string[] | undefined): string | undefined =>
  texts && JSON.stringify([...texts].sort());

/** The columns of each kind, in a fixed order. */
export const columnLists: { [K in QueryKind]: Column<K>[] } = {
  events: Object.values(columns.events),
  alerts: Object.values(columns.alerts),
  leases: Object.values(columns.leases),
  facts: Object.values(columns.facts),
  incidents: Object.values(columns.incidents),
  triage: Object.values(columns.triage),
  changes: Object.values(columns.changes),
  baselines: Object.values(columns.baselines),
};

/** The column of a field of `kind`. Throws on a field that is not in `core/query`: its name becomes part of the question. */
export const columnName = (kind: QueryKind, field: string): string => columnOf(kind, field).column;

/** Whether the column of a field holds numbers. Throws as `columnName` does. */
export const isInteger = (kind: QueryKind, field: string): boolean =>
  columnOf(kind, field).type === 'integer';

function columnOf(kind: QueryKind, field: string): { column: string; type?: 'integer' } {
  const column = (columns[kind] as Record<string, { column: string; type?: 'integer' }>)[field];
  if (column === undefined) throw new Error(`${kind} have no field ${field}`);
  return column;
}

/** Numbers are asked for by their text. Any other text (`1.0`, `01`, `x`) equals none. */
export const isNumberText = (text: string): boolean =>
  Number.isFinite(Number(text)) && String(Number(text)) === text;

/**
 * A text as SQLite keeps and gives it back: it reads one only up to a NUL, and half a surrogate pair has no UTF-8. Both become
 * U+FFFD, in ids and columns; not in bodies.
 */
export const plainText = (text: string): string => text.replace(/[\0\p{Cs}]/gu, '\uFFFD');

/** A value as it stands in a column, and as it is asked for: cut to `limits.columnCharsMax`. */
export const columnText = (value: string): string =>
  plainText(value.length > limits.columnCharsMax ? value.slice(0, limits.columnCharsMax) : value);

/** Values of the columns of `row`, in the order of `columnLists`. */
export const columnValues = <K extends QueryKind>(kind: K, row: Rows[K]): (string | number | undefined)[] =>
  columnLists[kind].map(({ value }) => {
    const found = value(row);
    return typeof found === 'string' ? columnText(found) : found;
  });

/** What a document says of its row beside the row itself: all that is asked, ordered and grouped by. */
export interface RowColumns {
  /** The time that orders rows of the kind. */
  ts: string;
  /** The same time as numbers. */
  span: number;
  nanos: number;
  id: string;
  revision: number;
  [column: string]: string | number | undefined;
}

/** The columns of `row` by their names, with its time, id and revision. */
export function rowColumns<K extends QueryKind>(
  kind: K,
  row: Rows[K],
  { id, revision }: { id: string; revision: number },
): RowColumns {
  const ts = timeOf(kind, row);
  const result: RowColumns = { ts, ...spanOf(ts), id: columnText(id), revision };
  const values = columnValues(kind, row);
  columnLists[kind].forEach(({ column }, i) => {
    const value = values[i];
    if (value !== undefined) result[column] = value;
  });
  return result;
}
