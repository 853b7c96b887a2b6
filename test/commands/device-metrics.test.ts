// Metrics of single devices: named and labelled as Prometheus reads them, summed over partitions.

import { expect, test } from 'vitest';
import { coverageMetrics, inputMetrics } from '../../commands/run/device-metrics.ts';
import { labelled, nameAndLabels } from '../../core/telemetry.ts';
import { Intake } from '../../ingest/collector/intake.ts';
import { Redactor } from '../../ingest/collector/redact.ts';
import { noOutputs, normaliserInto } from '../ingest/normalise/arrivals.ts';
import { fixtureLines } from '../ingest/normalise/lines.ts';

test('a name with labels, and back', () => {
  const metric = labelled('sealwatch_device_lost_total', { device: 'file-1.a', reason: 'quota' });
  expect(metric).toBe('sealwatch_device_lost_total{device="file-1.a",reason="quota"}');
  expect(nameAndLabels(metric)).toEqual({
    name: 'sealwatch_device_lost_total',
    labels: { device: 'file-1.a', reason: 'quota' },
  });
  expect(nameAndLabels('up')).toEqual({ name: 'up', labels: {} });
});

test('what inputs have brought and lost, and how far they are behind', () => {
  const intake = new Intake({ partitions: 1, append: () => {} }, new Redactor(Buffer.alloc(32)));
  const source = intake.source({ device: 'file', node: 'n1' });
  intake.source({ device: 'tcp' });
  const line = Buffer.from(fixtureLines('kv-v2')[0] as string);
  const lineMs = Date.parse((JSON.parse(line.toString()) as { time: string }).time);
  intake.line(source, line, 0, line.length, lineMs + 2_000);
  intake.lost(source.feed, 'quota', 10);
  intake.tick(lineMs + 3_000);
  intake.lost(source.feed, 'quota', 10);
  const metrics = inputMetrics(intake, lineMs + 7_000);
  expect(metrics).toMatchObject({
    'sealwatch_input_lines_total{input="file@n1"}': 1,
    'sealwatch_input_lines_total{input="tcp"}': 0,
    'sealwatch_input_last_line_age_seconds{input="file@n1"}': 5,
    'sealwatch_device_lost_total{device="file",reason="quota"}': 2,
  });
  expect(metrics['sealwatch_input_behind_seconds{input="file@n1"}']).toBeCloseTo(2, 2);
  expect(metrics).not.toHaveProperty('sealwatch_input_last_line_age_seconds{input="tcp"}');
});

test('what the normalisers count, over all partitions; the newest look-up of a device', () => {
  const normalisers = [0, 1].map((partition) => normaliserInto(noOutputs(), undefined, partition));
  for (const [i, { coverage, heartbeats }] of normalisers.entries()) {
    coverage.count('file', '2026-09-14T10:00:00.000000000Z', 'late', 2);
    coverage.count('file', '2026-09-14T11:00:00.000000000Z', 'late');
    coverage.count('file', undefined, 'rejected');
    coverage.count('file', undefined, 'rejected_jsonx');
    coverage.count('file', undefined, 'unpaired');
    coverage.drain('2026-12-01T00:00:00.000000000Z', () => {});
    heartbeats.verdicts.set('file', { at: `2026-09-14T10:0${i}`, isSeen: i === 1 });
    heartbeats.verdicts.set('tcp', { at: `2026-09-14T10:0${i}`, isSeen: i === 0 });
  }
  expect(coverageMetrics(normalisers)).toEqual({
    'sealwatch_device_late_total{device="file"}': 6,
    'sealwatch_device_rejected_total{device="file",reason="jsonx"}': 2,
    'sealwatch_device_heartbeat_seen{device="file"}': 1,
    'sealwatch_device_heartbeat_seen{device="tcp"}': 0,
  });
});
