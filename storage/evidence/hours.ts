// Coverage of hours out of the rows that a store keeps of them, for both stores.

import type { Origin } from '../../core/devices.ts';
import type { CoverageHour } from '../../core/ports.ts';
import { type CoverageCounter, coverageCounters } from '../../core/records.ts';
import { addSeconds } from '../../core/time.ts';

/** As a store keeps it: `hour` is empty before event time is known. */
export interface HourRow {
  device: string;
  hour: string;
  part: number;
  origin: Origin;
  counts: Partial<Record<CoverageCounter, number>>;
}

const noCounts = Object.fromEntries(
  coverageCounters.map((counter) => [counter, 0]),
) as CoverageHour['counts'];

/** Rows of one device, hour and partition come one after the other, and add up. */
export function addToHours(hours: CoverageHour[], { device, hour, part, origin, counts }: HourRow): void {
  let last = hours.at(-1);
  if (last?.device !== device || (last.hour ?? '') !== hour || last.partition !== part) {
    last = { device, hour: hour === '' ? undefined : hour, partition: part, origin, counts: { ...noCounts } };
    hours.push(last);
  }
  for (const [counter, count] of Object.entries(counts)) {
    if (counter in last.counts) last.counts[counter as CoverageCounter] += count;
  }
}

/** A text at or below every hour that ends after `from`: hours are compared as text, `2026-11-23T01...`. */
export const firstHour = (from: string): string => from.slice(0, 13);

/** A text above every hour that begins before `to` and below the next. */
export function afterLastHour(to: string): string {
  const wholeHour = to.slice(13) === ':00:00.000000000Z';
  return `${(wholeHour ? addSeconds(to, -1) : to).slice(0, 13)}~`;
}
