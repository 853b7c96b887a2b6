// Questions to the evidence store, as values: exact fields, exact values, order always (time, id).

import type { Alert } from './alert.ts';
import type { Fact } from './directory.ts';
import type { AuditEvent } from './event.ts';
import type { Incident } from './incident.ts';
import type { Lease } from './lease.ts';
import type { Baseline, Change, Triage } from './records.ts';

export interface Rows {
  events: AuditEvent;
  alerts: Alert;
  leases: Lease;
  facts: Fact;
  /** The store's own: made from alerts in the transaction that writes them. */
  incidents: Incident;
  triage: Triage;
  changes: Change;
  baselines: Baseline;
}
export type QueryKind = keyof Rows;

/** Fields that can be asked for, by the names they have in the row. Both stores index exactly these. */
export const fields = {
  events: [
    'user.id',
    'user.name',
    'event.action',
    'event.outcome',
    'event.reason',
    'source.ip',
    'vault.request.path',
    'vault.request.mount_type',
    'vault.secret.path',
    'vault.secret.engine',
    'vault.secret.version',
    'vault.caller.kind',
    'vault.caller.auth_method',
    'vault.caller.role',
    'vault.cluster',
    'vault.pair',
  ],
  alerts: ['user.id', 'rule.id', 'rule.level', 'incident.id'],
  leases: [
    'holder_id',
    'holder',
    'holder_token',
    'requested_by',
    'path',
    'role',
    'state',
    'kind',
    'ttl_source',
    'end_reason',
    'end_confirmed',
    'ended_at',
    'expires_at',
    'ttl_s',
    'token.accessor',
    'token.entity_id',
    'token.login',
    'token.auth_method',
    'token.type',
    'token.periodic',
    'token.policies',
    'namespace',
    'cluster',
  ],
  facts: ['what', 'key', 'name', 'source'],
  incidents: ['subject.id', 'level', 'risk'],
  triage: ['alert_id', 'incident_id', 'status', 'by'],
  changes: ['what', 'key', 'who'],
  baselines: ['subject', 'behaviour'],
} as const satisfies Record<QueryKind, readonly string[]>;

export type Field<K extends QueryKind = 'events'> = (typeof fields)[K][number];

export type Clause<K extends QueryKind = QueryKind> =
  | { field: Field<K>; op: 'eq' | 'prefix'; value: string }
  | { field: Field<K>; op: 'in'; value: string[] }
  /** Greater than `value` as text; absent is not. */
  | { field: Field<K>; op: 'after'; value: string }
  /** Later than the time `value`, or absent: of `ended_at`, what was alive then. */
  | { field: Field<K>; op: 'after_or_absent'; value: string }
  /** A number greater than `value`; absent is not. */
  | { field: Field<K>; op: 'over'; value: number }
  | { field: Field<K>; op: 'exists'; value: boolean };

export interface Query<K extends QueryKind = QueryKind> {
  kind: K;
  /** Event time, inclusive. */
  from?: string;
  /** Event time, exclusive. */
  to?: string;
  where: Clause<K>[];
  order: 'asc' | 'desc';
  limit: number;
  /** The last row of the page before. */
  after?: { time: string; id: string };
}

export interface Page<K extends QueryKind> {
  /** As many as asked for, or fewer where a store gives no more at once. */
  items: Rows[K][];
  /** Where the next page begins; absent on the last. */
  next?: { time: string; id: string };
}

/** One group of events: the values it is grouped by, how many, when, and up to a bound the distinct values of other fields. */
export interface Group {
  by: (string | undefined)[];
  n: number;
  first: string;
  last: string;
  /** An id to look at: of the last event. */
  last_id: string;
  /** Per field of `collect`, sorted: the lowest `limits.collectedValuesMax` distinct values. */
  collected: string[][];
}

/** The time that orders rows of a kind. */
export function timeOf(kind: QueryKind, row: Rows[QueryKind]): string {
  if (kind === 'leases') return (row as Lease).issued_at;
  if (kind === 'events' || kind === 'alerts' || kind === 'incidents')
    return (row as AuditEvent | Alert | Incident)['@timestamp'];
  return (row as Fact | Triage | Change | Baseline).at;
}

/** What names a row. */
export function idOf(kind: QueryKind, row: Rows[QueryKind]): string {
  if (kind === 'events') return (row as AuditEvent).event.id;
  return kind === 'alerts' ? (row as Alert).alert.id : (row as Exclude<typeof row, AuditEvent | Alert>).id;
}
