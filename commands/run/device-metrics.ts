// Metrics of single devices: names of devices are the only labels of ours that a user chooses, so there are few.

import type { CoverageCounter } from '../../core/records.ts';
import { labelled, type Metrics } from '../../core/telemetry.ts';
import { msOf } from '../../core/time.ts';
import type { Intake } from '../../ingest/collector/intake.ts';
import type { Normaliser } from '../../ingest/normalise/normaliser.ts';

/** What each input has brought since the start, and how far it is behind. */
export function inputMetrics(intake: Intake, nowMs: number): Metrics {
  const metrics: Metrics = {};
  const times = intake.devices(nowMs);
  for (const { id, lines, lastLineMs, spooled } of intake.inputs()) {
    const put = (name: string, value: number) => {
      metrics[labelled(`sealwatch_input_${name}`, { input: id })] = value;
    };
    put('lines_total', lines);
    put('spooled_bytes_total', spooled);
    if (lastLineMs > 0) put('last_line_age_seconds', (nowMs - lastLineMs) / 1000);
    const time = timeOf(times, id);
    if (time !== undefined) put('behind_seconds', Math.max(0, nowMs - msOf(time)) / 1000);
  }
  for (const { device, reason, count } of intake.lostSinceStart.values())
    metrics[labelled('sealwatch_device_lost_total', { device, reason })] = count;
  return metrics;
}

/** Of an input whose senders have clocks of their own, the one that is furthest behind. */
const timeOf = (times: Record<string, string>, id: string): string | undefined =>
  times[id] ??
  Object.entries(times)
    .filter(([clock]) => clock.startsWith(`${id}@`))
    .map(([, time]) => time)
    .sort()[0];

/** Counters that are taken back when a late half comes are no counters in the sense of Prometheus. */
const takenBack: readonly CoverageCounter[] = ['unpaired', 'no_response', 'no_request'];

/** What the normalisers of all partitions have counted since the start, and how the last look-up went on each device. */
export function coverageMetrics(normalisers: readonly Normaliser[]): Metrics {
  const metrics: Metrics = {};
  for (const { coverage } of normalisers)
    for (const [device, counts] of coverage.totals)
      for (const [counter, count] of Object.entries(counts)) {
        if (takenBack.includes(counter as CoverageCounter) || counter === 'rejected') continue;
        const name = nameOf(device, counter);
        metrics[name] = (metrics[name] ?? 0) + count;
      }
  for (const [device, isSeen] of lastVerdicts(normalisers))
    metrics[labelled('sealwatch_device_heartbeat_seen', { device })] = isSeen ? 1 : 0;
  return metrics;
}

function nameOf(device: string, counter: string): string {
  const prefix = 'rejected_';
  if (!counter.startsWith(prefix)) return labelled(`sealwatch_device_${counter}_total`, { device });
  const reason = counter.slice(prefix.length);
  return labelled('sealwatch_device_rejected_total', { device, reason });
}

function lastVerdicts(normalisers: readonly Normaliser[]): Map<string, boolean> {
  const last = new Map<string, { at: string; isSeen: boolean }>();
  for (const { heartbeats } of normalisers)
    for (const [device, verdict] of heartbeats.verdicts)
      if (verdict.at >= (last.get(device)?.at ?? '')) last.set(device, verdict);
  return new Map([...last].map(([device, { isSeen }]) => [device, isSeen]));
}
