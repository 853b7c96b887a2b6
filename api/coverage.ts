// How complete the record is: what each device brought per hour, what is known to be missing, said in words as well.

import { z } from 'zod';
import type { Device } from '../core/devices.ts';
import type { EvidenceReader } from '../core/ports.ts';
import { type CoverageCounter, coverageCounters, type LineFault, lineFaults } from '../core/records.ts';
import { nodeSchema, nodesOf } from './coverage-nodes.ts';
import { statementOf } from './coverage-sentences.ts';
import { listOf } from './schemas.ts';

type Reasoned = `rejected_${LineFault}`;
type Flat = Exclude<CoverageCounter, Reasoned>;
const reasoned: readonly string[] = lineFaults.map((fault) => `rejected_${fault}`);
const flat = coverageCounters.filter((counter): counter is Flat => !reasoned.includes(counter));

const countsSchema = z.object({
  ...(Object.fromEntries(flat.map((counter) => [counter, z.int()])) as Record<Flat, z.ZodInt>),
  gaps_between_devices: z.int().meta({
    description:
      'calls that another device of the cluster showed and this one did not: gaps less dropped and unread',
  }),
  rejected_by_reason: z.record(z.string(), z.int()).meta({ description: 'reasons that occurred' }),
});
export type Counts = z.infer<typeof countsSchema>;

const origin = z.enum(['local', 'verified', 'unverified', 'unprovable', 'recorded']).meta({
  description:
    'how sure it is that Vault wrote the lines: this host alone can send, mutual TLS, plain from listed addresses, UDP, a recorded log',
});

const hourRow = z.object({
  device: z.string(),
  hour: z.string().nullable().meta({ description: 'UTC; null for what came before event time was known' }),
  partition: z.int(),
  origin,
  ...countsSchema.shape,
});
export type HourRow = z.infer<typeof hourRow>;

const deviceRow = z.object({
  device: z.string(),
  cluster: z.string().nullable().meta({ description: 'null for a device that is not configured any more' }),
  origin: origin.nullable(),
  silent: z.boolean().meta({ description: 'configured, and no line came in the period' }),
  ...countsSchema.shape,
});
export type DeviceRow = z.infer<typeof deviceRow>;

export const coverageSchema = z.object({
  devices: z.array(deviceRow),
  totals: countsSchema.meta({
    description: 'over all devices; a call seen on two devices was received twice',
  }),
  untimed: countsSchema.meta({
    description: 'the part of totals that has no usable time; it is in every period',
  }),
  gap_hours: z.array(hourRow).meta({ description: 'hours with gaps or dropped lines' }),
  blind_hours: z.array(hourRow).meta({
    description: 'hours in which a device did not show a look-up of ours that Vault had answered',
  }),
  all_blind_hours: z.array(z.string()).meta({ description: 'hours in which every device missed one' }),
  nodes: z.array(nodeSchema),
  witness: z.literal('unwitnessed'),
  statement: z.string(),
});
export type Coverage = z.infer<typeof coverageSchema>;

export const coveragePageSchema = z.object({
  ...coverageSchema.shape,
  sentences: z.array(z.string()).meta({ description: 'the statement, sentence by sentence' }),
  ...listOf(hourRow).shape,
  extent: z.object({
    first: z.string().optional(),
    last: z.string().optional(),
    watermark: z.string().optional().meta({ description: 'how far event time has come' }),
  }),
});

/** What the coverage is held against. */
export interface Expected {
  reader: EvidenceReader;
  /** Configured devices in order of rank. */
  devices: readonly Device[];
  /** Names of Vault nodes by their address. */
  nodes: Readonly<Record<string, string>>;
}

/** Coverage of the hours that the period touches, and its rows by (hour, device, partition): hours count as a whole. */
export async function coverageOf(
  { reader, devices, nodes }: Expected,
  from: string,
  to: string,
): Promise<{ coverage: Coverage; rows: HourRow[]; sentences: string[] }> {
  const rows = (await reader.coverage(from, to)).map((row): HourRow => {
    const { device, hour, partition, origin } = row;
    return { device, hour: hour ?? null, partition, origin, ...countsOf(row.counts) };
  });
  rows.sort((a, b) => compare(a.hour ?? '', b.hour ?? '') || compare(rowId(a), rowId(b)));
  const facts = {
    devices: deviceRows(rows, devices),
    totals: sum(rows),
    untimed: sum(rows.filter((row) => row.hour === null)),
    gap_hours: rows.filter((row) => row.gaps > 0 || row.dropped > 0),
    blind_hours: rows.filter((row) => row.heartbeat_missed > 0),
    all_blind_hours: allBlindHours(rows),
    nodes: nodesOf(await reader.nodes(from, to), nodes),
    witness: 'unwitnessed' as const,
  };
  const sentences = statementOf(facts);
  return { coverage: { ...facts, statement: sentences.join(' ') }, rows, sentences };
}

/** Orders the rows of one hour, and names one of them in a cursor. */
export const rowId = ({ device, partition }: Pick<HourRow, 'device' | 'partition'>): string =>
  `${device}/${partition}`;

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

function countsOf(counts: Record<CoverageCounter, number>): Counts {
  const reasons = lineFaults.flatMap((reason) => {
    const count = counts[`rejected_${reason}`];
    return count > 0 ? [[reason, count] as const] : [];
  });
  const plain = Object.fromEntries(flat.map((counter) => [counter, counts[counter]])) as Record<Flat, number>;
  const between = Math.max(0, plain.gaps - plain.dropped - plain.unread);
  return { ...plain, gaps_between_devices: between, rejected_by_reason: Object.fromEntries(reasons) };
}

const numbers = [...flat, 'gaps_between_devices'] as const;

function sum(rows: readonly Counts[]): Counts {
  const totals = Object.fromEntries(
    numbers.map((counter) => [counter, rows.reduce((total, row) => total + row[counter], 0)]),
  ) as Record<(typeof numbers)[number], number>;
  const reasons: Record<string, number> = {};
  for (const row of rows)
    for (const [reason, count] of Object.entries(row.rejected_by_reason))
      reasons[reason] = (reasons[reason] ?? 0) + count;
  return { ...totals, rejected_by_reason: reasons };
}

/** Every device that is configured or was seen, by name. */
function deviceRows(rows: readonly HourRow[], devices: readonly Device[]): DeviceRow[] {
  const names = [
    ...new Set([...rows, ...devices.map(({ name }) => ({ device: name }))].map(({ device }) => device)),
  ];
  return names.sort().map((device) => {
    const own = rows.filter((row) => row.device === device);
    const configured = devices.find(({ name }) => name === device);
    const counts = sum(own);
    return {
      device,
      cluster: configured?.cluster ?? null,
      origin: weakest(own) ?? configured?.origin ?? null,
      silent: configured !== undefined && counts.received === 0,
      ...counts,
    };
  });
}

/** A device that was unverified for one hour is not verified for the period. */
function weakest(rows: readonly HourRow[]): HourRow['origin'] | undefined {
  const order = origin.options;
  return rows.map((row) => row.origin).sort((a, b) => strength(b) - strength(a))[0];
  function strength(value: HourRow['origin']): number {
    return value === 'recorded' ? -1 : order.indexOf(value);
  }
}

function allBlindHours(rows: readonly HourRow[]): string[] {
  const hours = new Map<string, Map<string, boolean>>();
  for (const { hour, device, heartbeat_seen: seen, heartbeat_missed: missed } of rows) {
    if (hour === null || seen + missed === 0) continue;
    const devices = hours.get(hour) ?? new Map<string, boolean>();
    devices.set(device, (devices.get(device) ?? false) || missed > 0);
    hours.set(hour, devices);
  }
  return [...hours].flatMap(([hour, devices]) => ([...devices.values()].every(Boolean) ? [hour] : []));
}
