// Typed test objects: a plain event, alert and lease, each changed by the few fields a test is about.

import type { Alert, Level } from '../core/alert.ts';
import { severityOf } from '../core/alert.ts';
import { type AuditEvent, ECS_VERSION, EVENT_SCHEMA } from '../core/event.ts';
import type { Lease } from '../core/lease.ts';
import type { IndexOffset } from '../core/ports.ts';
import { type CoverageRow, LEDGER_PARTITION, topics } from '../core/records.ts';
import { addSeconds } from '../core/time.ts';

/** `second` seconds after the start of 2026-09-01, as a canonical time. */
export const at = (second: number): string => addSeconds('2026-09-01T00:00:00.000000000Z', second);

/** Offsets of an indexer of one partition, with event time come to `time`. */
export const reached = (time: string): IndexOffset[] => [
  { topic: topics.events, partition: 0, next: 1, sources: { 0: time } },
  { topic: topics.leases, partition: LEDGER_PARTITION, next: 1, sources: { [LEDGER_PARTITION]: time } },
];

export interface EventParts {
  id: string;
  time?: string;
  revision?: 1 | 2;
  user?: string;
  name?: string | undefined;
  action?: string;
  outcome?: AuditEvent['event']['outcome'];
  reason?: string;
  ip?: string | undefined;
  path?: string;
  secret?: string | undefined;
  engine?: string;
  version?: number | undefined;
  kind?: AuditEvent['vault']['caller']['kind'];
  method?: string;
  pair?: AuditEvent['vault']['pair'];
  /** Nanoseconds. */
  duration?: number;
}

/** A read of a KV secret by a workload, unless `parts` say otherwise. */
export function anEvent(parts: EventParts): AuditEvent {
  const { id, user = 'entity-1', action = 'secret-read', pair = 'both', outcome = 'success' } = parts;
  const secret = 'secret' in parts ? parts.secret : 'secret/app';
  const name = 'name' in parts ? parts.name : 'app';
  const ip = 'ip' in parts ? parts.ip : '10.0.0.1';
  return {
    '@timestamp': parts.time ?? at(0),
    ecs: { version: ECS_VERSION },
    event: {
      action,
      category: ['database'],
      dataset: 'vault.audit',
      ...(parts.duration !== undefined && { duration: parts.duration }),
      hash: '0'.repeat(64),
      id,
      kind: 'event',
      outcome,
      ...(parts.reason !== undefined && { reason: parts.reason }),
      type: ['access'],
    },
    related: {},
    ...(ip !== undefined && { source: { ip } }),
    user: { id: user, ...(name !== undefined && { name }) },
    vault: {
      caller: {
        auth_method: parts.method ?? 'approle',
        credential: 'service',
        kind: parts.kind ?? 'workload',
        policies: ['app', 'default'],
        role: 'app',
      },
      cluster: 'test',
      devices: ['file'],
      pair,
      request: { mount_type: 'kv', operation: 'read', path: parts.path ?? 'secret/data/app' },
      revision: parts.revision ?? 2,
      schema: EVENT_SCHEMA,
      ...(secret !== undefined && {
        secret: {
          engine: parts.engine ?? 'kv-v2',
          path: secret,
          ...(parts.version !== undefined && { version: parts.version }),
        },
      }),
    },
  };
}

let rows = 0;

/** Counts of a device and hour, as a row of its own. */
export const aCoverageRow = (parts: Partial<CoverageRow> & Pick<CoverageRow, 'counts'>): CoverageRow => ({
  id: `row-${rows++}`,
  device: 'file',
  partition: 0,
  origin: 'local',
  revision: 1,
  ...parts,
});

export function anAlert(parts: {
  id: string;
  time?: string;
  user?: string;
  rule?: string;
  level?: Level;
}): Alert {
  const { id, time = at(0), user = 'entity-1', rule = 'rule-1', level = 'high' } = parts;
  return {
    '@timestamp': time,
    alert: { count: 1, first_seen: time, id, last_seen: time, late: false },
    ecs: { version: ECS_VERSION },
    event: {
      action: 'secret-read',
      category: ['intrusion_detection'],
      dataset: 'vault.alert',
      kind: 'alert',
      severity: severityOf[level],
      type: ['indicator'],
    },
    evidence: { event_ids: ['e1'], facts: {} },
    incident: { id: `incident-${user}` },
    message: `${user} did something unusual`,
    related: {},
    rule: { id: rule, level, name: 'A rule', version: '1' },
    user: { id: user },
    vault: { caller: { kind: 'workload' }, cluster: 'test', request: { path: 'secret/data/app' } },
  };
}

/** A lease of an hour, unless `parts` say otherwise; `with` are members as they stand in the row. */
export function aLease(parts: {
  id: string;
  time?: string;
  holder?: string;
  state?: Lease['state'];
  with?: Partial<Lease>;
}): Lease {
  const { id, time = at(0), holder = 'entity-1', state = 'active' } = parts;
  return {
    cluster: 'test',
    end_confirmed: false,
    holder_id: holder,
    id,
    issued_at: time,
    kind: 'lease',
    path: 'database/creds/app',
    proof: { issued: 'e1' },
    renewals: 0,
    requested_by: holder,
    state,
    terms: [{ at: time, ttl_s: 3600 }],
    ttl_s: 3600,
    ttl_source: 'own_lookup',
    ...parts.with,
  };
}

/** A token that a login of AppRole gave out, unless `parts` say otherwise. */
export const aToken = (
  parts: Parameters<typeof aLease>[0] & { token?: Partial<NonNullable<Lease['token']>> },
): Lease =>
  aLease({
    ...parts,
    id: `token:${parts.id}`,
    with: {
      kind: 'token',
      path: 'auth/approle/login',
      role: 'app',
      ttl_source: 'audit',
      token: {
        accessor: parts.id,
        auth_method: 'approle',
        auth_mount: 'auth/approle/',
        login: 'e1',
        ...parts.token,
      },
      ...parts.with,
    },
  });
