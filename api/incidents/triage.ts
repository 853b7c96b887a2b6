// What people said of alerts, joined on read: the last word on each holds. An incident is what all of its alerts are.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Alert } from '../../core/alert.ts';
import { canonicalJson } from '../../core/canonical.ts';
import type { Incident } from '../../core/incident.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Triage } from '../../core/records.ts';
import { documented } from '../schemas.ts';

export const statuses = ['open', 'acknowledged', 'closed'] as const;
export type Status = (typeof statuses)[number];

export const statusQuery = z.enum(statuses).optional().meta({
  description: '`open`: nobody has said anything of it yet, or it was reopened',
});

/** A token in a note would be a secret on disk. Source: vault-audit.md 4, the prefixes of tokens. */
const TOKEN = /\b(?:hv[sbr]|[sbr])\.[A-Za-z0-9_-]{20,}/;
/** Control characters but for new line and tab, and those that turn the direction of a text. */
const UNSHOWABLE = /[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/u;

export const saidSchema = z.strictObject({
  status: z.enum(['acknowledged', 'closed', 'reopened']),
  verdict: z.enum(['true_positive', 'false_positive', 'benign', 'undecided']).optional(),
  note: z
    .string()
    .min(1)
    .max(limits.triageNoteCharsMax)
    .refine((note) => !TOKEN.test(note), 'holds what looks like a token: leave it out')
    .refine((note) => !UNSHOWABLE.test(note), 'holds characters that cannot be shown')
    .optional()
    .meta({ description: 'plain text; shown as it stands, never as markup' }),
});
export type Said = z.infer<typeof saidSchema>;

export const triageSchema = documented<Triage>(
  z.looseObject({
    id: z.string(),
    at: z.string().meta({ description: "time of sealwatch's clock" }),
    alert_id: z.string(),
    incident_id: z.string(),
    by: z.string().meta({ description: 'name of the API key' }),
    status: z.string(),
    verdict: z.string().optional(),
    note: z.string().optional(),
  }),
  'What a person said of an alert',
);

/** What `by` says of `alert`, ready to be appended. The same said again in the same millisecond is one record. */
export function triageOf(alert: Alert, said: Said, by: string, at: string): Triage {
  const { verdict, note } = said;
  const record = {
    at,
    alert_id: alert.alert.id,
    incident_id: alert.incident.id,
    by,
    status: said.status,
    ...(verdict !== undefined && { verdict }),
    ...(note !== undefined && { note }),
  };
  const id = createHash('sha256').update(canonicalJson(record)).digest('hex').slice(0, 32);
  return { id, ...record };
}

/** Of a record, or of none. */
export const statusOf = (triage: Pick<Triage, 'status'> | undefined): Status =>
  triage === undefined || triage.status === 'reopened' ? 'open' : triage.status;

/** The last record of each alert that has one, by the alert's id. */
export async function lastTriage(
  reader: EvidenceReader,
  alerts: readonly Alert[],
): Promise<Map<string, Triage>> {
  const last = new Map<string, Triage>();
  if (alerts.length === 0) return last;
  const { groups } = await reader.group({
    kind: 'triage',
    where: [{ field: 'alert_id', op: 'in', value: alerts.map(({ alert }) => alert.id) }],
    by: ['alert_id'],
    collect: [],
    limit: alerts.length,
  });
  for (const { last_id } of groups) {
    const record = await reader.get('triage', last_id);
    if (record !== undefined) last.set(record.alert_id, record);
  }
  return last;
}

/** The alerts with the last that was said of each. */
export async function withTriage<A extends Alert>(
  reader: EvidenceReader,
  alerts: readonly A[],
): Promise<(A & { triage: Triage | null })[]> {
  const last = await lastTriage(reader, alerts);
  return alerts.map((alert) => ({ ...alert, triage: last.get(alert.alert.id) ?? null }));
}

/** Everything that was said of one alert, the last first, to `limits.triageHistoryMax`. */
export async function historyOf(reader: EvidenceReader, alertId: string): Promise<Triage[]> {
  const { items } = await reader.find({
    kind: 'triage',
    where: [{ field: 'alert_id', op: 'eq', value: alertId }],
    order: 'desc',
    limit: limits.triageHistoryMax,
  });
  return items;
}

/** Alerts of an incident by what was said last of them. */
export interface IncidentTriage {
  /** `closed` when all of its alerts are, `acknowledged` when none is open. */
  status: Status;
  open: number;
  acknowledged: number;
  closed: number;
}

/** By the incident's id. One question to the store, whatever the number of incidents. */
export async function incidentTriage(
  reader: EvidenceReader,
  incidents: readonly Incident[],
): Promise<Map<string, IncidentTriage>> {
  const ids = incidents.map(({ id }) => id);
  const last = ids.length === 0 ? new Map<string, Last>() : await lastStatuses(reader, ids);
  const counts = new Map(ids.map((id) => [id, { acknowledged: 0, closed: 0 }]));
  for (const { incident, status } of last.values()) {
    const count = counts.get(incident);
    if (count !== undefined && status !== 'open') count[status]++;
  }
  return new Map(
    incidents.map(({ id, alerts }) => {
      const { acknowledged = 0, closed = 0 } = counts.get(id) ?? {};
      const open = Math.max(0, alerts - acknowledged - closed);
      const status = open > 0 ? 'open' : acknowledged > 0 ? 'acknowledged' : 'closed';
      return [id, { status, open, acknowledged, closed }];
    }),
  );
}

interface Last {
  incident: string;
  /** Time and id of the record. */
  place: string;
  status: Status;
}

async function lastStatuses(reader: EvidenceReader, ids: string[]): Promise<Map<string, Last>> {
  const { groups } = await reader.group({
    kind: 'triage',
    where: [{ field: 'incident_id', op: 'in', value: ids }],
    by: ['alert_id', 'incident_id', 'status'],
    collect: [],
    limit: limits.evidenceRowsMax,
  });
  const last = new Map<string, Last>();
  for (const { by, last: at, last_id } of groups) {
    const [alert = '', incident = '', status = ''] = by;
    const place = at + last_id;
    if (place > (last.get(alert)?.place ?? ''))
      last.set(alert, { incident, place, status: statusOf({ status: status as Triage['status'] }) });
  }
  return last;
}
