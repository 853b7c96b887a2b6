// The part of the spool that an input may take: a socket's lines are dropped past it, a file waits, and both go on when
// retention has deleted.

import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { topics } from '../../../core/records.ts';
import { Intake } from '../../../ingest/collector/intake.ts';
import { deletedOf } from '../../../ingest/collector/quota.ts';
import { recover } from '../../../ingest/collector/recover.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { FileTail } from '../../../ingest/collector/tail.ts';
import { EmbeddedStream } from '../../../storage/stream/embedded/stream.ts';
import { until } from './inputs.ts';
import { MemorySpool } from './spool.ts';

const nowMs = Date.parse('2026-11-23T03:00:00Z');
const redactor = new Redactor(Buffer.alloc(32, 1));
const MiB = 1024 * 1024;
let folder: string;
beforeAll(() => {
  Object.assign(limits, { segmentBytesMax: 64 * 1024 });
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-quota-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const lineOf = (bytes: number, id = 0) => {
  const head = `{"time":"2026-11-23T03:00:00Z","type":"request","request":{"id":"${id}"},"n":"`;
  return Buffer.from(`${head}${'x'.repeat(bytes - head.length - 2)}"}`);
};

test('a socket past its quota is dropped and counted, the other inputs are not', () => {
  const spool = new MemorySpool(1);
  const intake = new Intake(spool, redactor);
  const bounded = intake.source({ device: 'tcp', node: undefined, quotaMiB: 1 });
  const free = intake.source({ device: 'unix', node: undefined });
  const line = lineOf(300_000);
  const taken = [1, 2, 3, 4, 5, 6].map(() => intake.line(bounded, line, 0, line.length, nowMs));
  expect(taken).toEqual([true, true, true, true, false, false]);
  expect(intake.line(free, line, 0, line.length, nowMs)).toBe(true);
  intake.tick(nowMs);
  expect(spool.losses()).toEqual([{ device: 'tcp', reason: 'quota', count: 2, bytes: 2 * line.length }]);
  intake.free({ tcp: 300_000, unix: 1 });
  expect(intake.line(bounded, line, 0, line.length, nowMs)).toBe(true);
  // What was deleted does not come back.
  intake.free({ tcp: 10 });
  expect(intake.line(bounded, line, 0, line.length, nowMs)).toBe(false);
});

test('a socket that floods fills its part of the queue: the others go on', () => {
  const spool = new MemorySpool(1);
  const intake = new Intake(spool, redactor);
  const flood = intake.source({ device: 'flood', node: undefined });
  const quiet = intake.source({ device: 'quiet', node: undefined });
  const line = lineOf(8 * MiB);
  let taken = 0;
  while (intake.line(flood, line, 0, line.length, nowMs)) taken++;
  expect(taken * line.length).toBeGreaterThan(limits.spoolQueuePerInputBytesMax - line.length);
  expect(taken * line.length).toBeLessThan(limits.spoolQueueBytesMax - limits.spoolQueuePerInputBytesMax / 2);
  expect(intake.line(quiet, line, 0, line.length, nowMs)).toBe(true);
  // What came while the disk was writing is still waiting.
  const mark = intake.mark();
  expect(intake.line(quiet, line, 0, line.length, nowMs)).toBe(true);
  intake.settle(mark);
  expect(intake.queued).toBeGreaterThan(line.length);
  expect(intake.queued).toBeLessThan(2 * line.length);
  expect(intake.line(flood, line, 0, line.length, nowMs)).toBe(true);
});

test('a file waits for its quota, and event time does not wait for it', async () => {
  const path = join(folder, 'audit.log');
  const spool = new MemorySpool(1);
  const intake = new Intake(spool, redactor);
  const source = intake.source({ device: 'file', node: undefined, quotaMiB: 1 });
  for (let i = 0; i < 20; i++) appendFileSync(path, `${lineOf(100_000, i)}\n`);
  const tail = new FileTail({ source, path, intake, now: Date.now });
  await tail.start(() => {});
  await until(() => expect(intake.isOverQuota(source.feed)).toBe(true));
  await until(() => expect(tail.isBehind).toBe(false));
  const read = spool.lines().length;
  expect(read).toBe(Math.ceil(MiB / 100_128));
  intake.free({ file: source.feed.spooled });
  await until(() => expect(spool.lines()).toHaveLength(20));
  await tail.stop();
  intake.tick(nowMs);
  expect(spool.losses()).toEqual([]);
});

describe('what retention has deleted', () => {
  const open = () =>
    EmbeddedStream.open({ dir: join(folder, 'stream'), partitions: 2, writes: [topics.raw] });

  test('is known from the oldest tick that is left; over a restart the count goes on', async () => {
    const spooled: number[] = [];
    {
      await using stream = await open();
      const intake = new Intake(stream, redactor);
      const source = intake.source({ device: 'tcp', node: undefined });
      for (let i = 0; i < 40; i++) {
        const line = lineOf(limits.segmentBytesMax / 3, i);
        intake.line(source, line, 0, line.length, nowMs);
        intake.tick(nowMs + i * 1000);
        await stream.flush();
        spooled.push(source.feed.spooled);
        intake.settle(intake.mark());
      }
      expect(await deletedOf(stream)).toEqual({});
      for (const partition of [0, 1])
        await stream.retain(topics.raw, partition, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
      const starts = [0, 1].map((partition) => stream.start(topics.raw, partition));
      expect(Math.max(...starts)).toBeGreaterThan(0);
    }
    await using stream = await open();
    const { spooled: recovered } = await recover(stream, new Set(['tcp']));
    expect(recovered.get('tcp')).toBe(spooled.at(-1));
    const { tcp = 0 } = await deletedOf(stream);
    expect(spooled.slice(0, -1)).toContain(tcp);
  });

  test('counts as little as the partition that begins first says', async () => {
    const starts = [3, 2];
    const totals = [{ tcp: 70, unix: 5 }, { tcp: 40 }];
    const tick = (partition: number) => ({
      kind: 'tick',
      value: { devices: {}, spooled: totals[partition] },
    });
    const stream = new MemorySpool(2);
    Object.assign(stream, {
      start: (_: string, partition: number) => starts[partition],
      end: () => 9,
      read: async (_: string, partition: number, offset: number) =>
        offset < 5 ? [{ kind: 'line', offset }] : [{ ...tick(partition), offset }],
    });
    expect(await deletedOf(stream)).toEqual({ tcp: 40, unix: 0 });
  });
});
