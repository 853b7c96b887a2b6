// What people said of alerts, joined on read: the last word on each holds. An incident is what all of its alerts are.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Alert } from '../../core/alert.ts';
import { canonicalJson } from '../../core/canonical.ts';
import type { Incident } from '../../core/incident.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Page } from '../../core/query.ts';
import type { Triage } from '../../core/records.ts';
import { takeTurns } from '../access/turns.ts';
import { withRows } from '../rows-by-id.ts';
import { documented } from '../schemas.ts';

export const statuses = ['open', 'acknowledged', 'closed'] as const;
export type Status = (typeof statuses)[number];

export const statusQuery = z.enum(statuses).optional().meta({
  description: '`open`: nobody has said anything of it yet, or it was reopened',
});

/** A token in a note would be a secret on disk. Source: vault-audit.md 4, the prefixes of tokens. */
const TOKEN = /(?:hv[sbr]|(?<![A-Za-z0-9])[sbr])\.[A-Za-z0-9_-]{20,}/;
/** Control characters but for new line and tab, halves of characters, and those that turn the direction of a text. */
const UNSHOWABLE = /[^\P{Cc}\n\t]|\p{Cs}|[\u202A-\u202E\u2066-\u2069]/u;

export const saidSchema = z.strictObject({
  status: z.enum(['acknowledged', 'closed', 'reopened']),
  verdict: z.enum(['true_positive', 'false_positive', 'benign', 'undecided']).optional(),
  note: z
    .string()
    .trim()
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
  const records = withRows(reader, 'triage', groups, ({ last_id }) => last_id);
  for await (const [, record] of records) if (record !== undefined) last.set(record.alert_id, record);
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

/** By the incident's id. One question to the store, unless very much was said. */
export async function incidentTriage(
  reader: EvidenceReader,
  incidents: readonly Incident[],
): Promise<Map<string, IncidentTriage>> {
  const ids = incidents.map(({ id }) => id);
  const last = await lastStatuses(reader, ids);
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
  const last = new Map<string, Last>();
  if (ids.length === 0) return last;
  const { groups, complete } = await reader.group({
    kind: 'triage',
    where: [{ field: 'incident_id', op: 'in', value: ids }],
    by: ['alert_id', 'incident_id', 'status'],
    collect: [],
    limit: limits.evidenceRowsMax,
  });
  if (!complete && ids.length > 1) {
    const half = Math.ceil(ids.length / 2);
    const parts = [ids.slice(0, half), ids.slice(half)];
    for (const part of parts)
      for (const [alert, said] of await lastStatuses(reader, part)) keepLater(last, alert, said);
    return last;
  }
  for (const { by, last: at, last_id } of groups) {
    const [alert = '', incident = '', status = ''] = by;
    const said = statusOf({ status: status as Triage['status'] });
    keepLater(last, alert, { incident, place: at + last_id, status: said });
  }
  return last;
}

function keepLater(last: Map<string, Last>, alert: string, said: Last): void {
  if (said.place > (last.get(alert)?.place ?? '')) last.set(alert, said);
}

/** The first `limits.pageRowsMax` alerts of the incident, in order of time, of which `said` is not the last word yet. */
export async function unsaid(
  reader: EvidenceReader,
  incident: string,
  said: Said,
): Promise<{ alerts: Alert[]; complete: boolean }> {
  const alerts: Alert[] = [];
  let after: { time: string; id: string } | undefined;
  do {
    const page: Page<'alerts'> = await reader.find({
      kind: 'alerts',
      where: [{ field: 'incident.id', op: 'eq', value: incident }],
      order: 'asc',
      limit: limits.pageRowsMax,
      ...(after !== undefined && { after }),
    });
    const last = await lastTriage(reader, page.items);
    const open = page.items.filter(({ alert }) => !isSame(said, last.get(alert.id)));
    const room = limits.pageRowsMax - alerts.length;
    alerts.push(...open.slice(0, room));
    if (open.length > room) return { alerts, complete: false };
    after = page.next;
    await takeTurns();
  } while (after !== undefined);
  return { alerts, complete: true };
}

const isSame = ({ status, verdict, note }: Said, last: Triage | undefined): boolean =>
  last !== undefined && status === last.status && verdict === last.verdict && note === last.note;
