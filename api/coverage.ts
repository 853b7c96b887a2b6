// How complete the record is: what each device brought per hour, what is known to be missing, said in words as well.

import { z } from 'zod';
import type { EvidenceReader } from '../core/ports.ts';
import { type CoverageCounter, coverageCounters } from '../core/records.ts';

const countsSchema = z.object(
  Object.fromEntries(coverageCounters.map((counter) => [counter, z.int()])) as Record<
    CoverageCounter,
    z.ZodInt
  >,
);
type Counts = z.infer<typeof countsSchema>;

const hourRow = z.object({
  device: z.string(),
  hour: z.string().nullable().meta({ description: 'UTC; null for what came before event time was known' }),
  partition: z.int(),
  origin: z.enum(['local', 'verified', 'unverified', 'unprovable', 'recorded']),
  ...countsSchema.shape,
});

export const coverageSchema = z.object({
  devices: z.array(z.object({ device: z.string(), ...countsSchema.shape })),
  totals: countsSchema.meta({
    description: 'over all devices; a call seen on two devices was received twice',
  }),
  untimed: countsSchema.meta({
    description: 'the part of totals that has no usable time; it is in every period',
  }),
  gap_hours: z.array(hourRow).meta({ description: 'hours with gaps or dropped lines' }),
  witness: z.literal('unwitnessed'),
  statement: z.string(),
});
export type Coverage = z.infer<typeof coverageSchema>;

export const coveragePageSchema = z.object({
  ...coverageSchema.shape,
  items: z.array(hourRow),
  next_cursor: z.null(),
  extent: z.object({
    first: z.string().optional(),
    last: z.string().optional(),
    watermark: z.string().optional().meta({ description: 'how far event time has come' }),
  }),
});

type HourRow = z.infer<typeof hourRow>;

/** Rows per device and hour that the period touches: hours count as a whole. */
export async function hourRows(reader: EvidenceReader, from: string, to: string): Promise<HourRow[]> {
  const rows = await reader.coverage(from, to);
  return rows.map(({ device, hour, partition, origin, counts }) => ({
    device,
    hour: hour ?? null,
    partition,
    origin,
    ...counts,
  }));
}

export function coverageOf(rows: HourRow[]): Coverage {
  const names = [...new Set(rows.map((row) => row.device))].sort();
  const devices = names.map((device) => ({ device, ...sum(rows.filter((row) => row.device === device)) }));
  const totals = sum(rows);
  const untimed = sum(rows.filter((row) => row.hour === null));
  return {
    devices,
    totals,
    untimed,
    gap_hours: rows.filter((row) => row.gaps > 0 || row.dropped > 0),
    witness: 'unwitnessed',
    statement: statementOf(names, totals, untimed),
  };
}

const sum = (rows: Counts[]) =>
  Object.fromEntries(
    coverageCounters.map((counter) => [counter, rows.reduce((total, row) => total + row[counter], 0)]),
  ) as Counts;

function statementOf(devices: string[], totals: Counts, untimed: Counts): string {
  const { received, paired, unpaired, duplicate, late, rejected, dropped, scrubbed, gaps } = totals;
  const missingUntimed = untimed.rejected + untimed.dropped;
  return [
    devices.length === 0
      ? 'No line was received in the hours of this period.'
      : `In the hours of this period ${received} lines were received from ${devices.length} audit device(s) (${devices.join(', ')}).`,
    `Counted as paired: ${paired}, as unpaired: ${unpaired}, as copies from another device: ${duplicate}, as late: ${late}. A secret was found and taken out before storage ${scrubbed} time(s).`,
    rejected + dropped === 0
      ? 'No line is known to be missing.'
      : `Known to be missing: ${rejected} line(s) that could not be read and ${dropped} that could not be kept.`,
    ...(missingUntimed === 0
      ? []
      : [`${missingUntimed} of these have no usable time and can belong to any period.`]),
    ...(gaps > dropped
      ? [`${gaps - dropped} time(s) a device that was alive did not show a call that another showed.`]
      : []),
    'Unwitnessed: nothing outside of sealwatch proves that this record was not changed.',
  ].join(' ');
}
