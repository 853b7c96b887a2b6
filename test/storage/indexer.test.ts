// The indexer over a real embedded store: each record once, through failed writes and restarts; watermarks; idle cost.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EvidenceBatch, EvidenceReader, EvidenceWriter } from '../../core/ports.ts';
import { LEDGER_PARTITION, topics } from '../../core/records.ts';
import { openEvidenceReader } from '../../storage/evidence/embedded/reader.ts';
import { openEvidenceWriter } from '../../storage/evidence/embedded/writer.ts';
import { createIndexer, type Indexer } from '../../storage/indexer.ts';
import { aCoverageRow, aLease, anAlert, anEvent, at } from '../builders.ts';
import { FakeStream } from './fake-stream.ts';

let folder: string;
let stream: FakeStream;
let writer: EvidenceWriter;
let reader: EvidenceReader;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealwatch-indexer-'));
  stream = new FakeStream(2);
  writer = openEvidenceWriter(join(folder, 'evidence.db'));
  reader = openEvidenceReader(join(folder, 'evidence.db'));
});
afterEach(async () => {
  await reader[Symbol.asyncDispose]();
  await writer[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function drain(indexer: Indexer): Promise<number> {
  let total = 0;
  for (;;) {
    const count = await indexer.step();
    if (count === 0) return total;
    total += count;
  }
}

function appendSomeOfEach(): void {
  for (let i = 0; i < 8; i++)
    stream.append(topics.events, i % 2, [{ kind: 'event', value: anEvent({ id: `e${i}`, time: at(i) }) }]);
  stream.append(topics.leases, 0, [{ kind: 'lease', value: { revision: 1, body: aLease({ id: 'l' }) } }]);
  stream.append(topics.alerts, 1, [{ kind: 'alert', value: { revision: 1, body: anAlert({ id: 'x' }) } }]);
  for (const partition of [0, 1])
    stream.append(topics.coverage, partition, [
      { kind: 'coverage', value: aCoverageRow({ partition, hour: at(0), counts: { received: 4 } }) },
      { kind: 'reject', value: { id: `r${partition}`, bytes: 1, device: 'file', reason: 'not_json' } },
    ]);
}

const counts = async () => ({
  events: await reader.count('events', { where: [] }),
  leases: await reader.count('leases', { where: [] }),
  alerts: await reader.count('alerts', { where: [] }),
  received: (await reader.coverage(at(0), at(3600))).map((row) => row.counts.received),
});
const all = { events: 8, leases: 1, alerts: 1, received: [4, 4] };

const watermark = (partition: number, source: number, second: number) =>
  stream.append(topics.events, partition, [{ kind: 'watermark', value: { source, time: at(second) } }]);
/** How far the ledger has come. */
const ledgerMark = (second: number) =>
  stream.append(topics.leases, LEDGER_PARTITION, [
    { kind: 'watermark', value: { source: LEDGER_PARTITION, time: at(second) } },
  ]);

test('reads every topic and partition, and then has nothing to do', async () => {
  appendSomeOfEach();
  const indexer = createIndexer({ stream, writer });
  expect(await drain(indexer)).toBe(14);
  expect(await counts()).toEqual(all);
  expect(await indexer.step()).toBe(0);
});

test('counts once when a write fails, and when the process starts again', async () => {
  appendSomeOfEach();
  let failures = 2;
  const flaky: EvidenceWriter = {
    offsets: () => writer.offsets(),
    write: async (batch: EvidenceBatch) => {
      if (failures-- > 0) throw new Error('disk full');
      return writer.write(batch);
    },
    retain: (before) => writer.retain(before),
    [Symbol.asyncDispose]: async () => {},
  };
  const indexer = createIndexer({ stream, writer: flaky });
  await expect(indexer.step()).rejects.toThrow('disk full');
  await expect(indexer.step()).rejects.toThrow('disk full');
  await indexer.step();
  await drain(createIndexer({ stream, writer }));
  expect(await counts()).toEqual(all);
});

test('the watermark is the lowest of all partitions and sources, once each was heard of', async () => {
  const indexer = createIndexer({ stream, writer });
  for (const [partition, source, second] of [
    [0, 0, 9],
    [0, 1, 8],
    [1, 0, 7],
  ] as const)
    watermark(partition, source, second);
  await drain(indexer);
  await indexer.flush();
  expect((await reader.extent()).watermark).toBeUndefined();
  watermark(1, 1, 20);
  await drain(indexer);
  await indexer.flush();
  expect((await reader.extent()).watermark).toBeUndefined();
  ledgerMark(30);
  await drain(indexer);
  await indexer.flush();
  expect((await reader.extent()).watermark).toBe(at(7));
});

test('the watermark waits for the ledger: before it every lease is there, too', async () => {
  const indexer = createIndexer({ stream, writer });
  for (const partition of [0, 1]) for (const source of [0, 1]) watermark(partition, source, 20);
  ledgerMark(12);
  await drain(indexer);
  await indexer.flush();
  expect((await reader.extent()).watermark).toBe(at(12));
});

test('the watermark goes on after a restart that heard only of some sources', async () => {
  for (const partition of [0, 1]) for (const source of [0, 1]) watermark(partition, source, 5);
  ledgerMark(30);
  const before = createIndexer({ stream, writer });
  await drain(before);
  await before.flush();
  watermark(1, 0, 9);
  watermark(1, 1, 9);
  watermark(0, 0, 9);
  watermark(0, 1, 6);
  const after = createIndexer({ stream, writer });
  await drain(after);
  await after.flush();
  expect((await reader.extent()).watermark).toBe(at(6));
});

test('steps with nothing but watermarks are written only now and then', async () => {
  let writes = 0;
  const counting: EvidenceWriter = {
    offsets: () => writer.offsets(),
    write: async (batch) => {
      writes++;
      return writer.write(batch);
    },
    retain: (before) => writer.retain(before),
    [Symbol.asyncDispose]: async () => {},
  };
  const indexer = createIndexer({ stream, writer: counting });
  ledgerMark(30);
  for (let second = 0; second < 20; second++) {
    for (const partition of [0, 1]) for (const source of [0, 1]) watermark(partition, source, second);
    await drain(indexer);
  }
  expect(writes).toBe(4);
  expect((await reader.extent()).watermark).toBe(at(19));
});

test('a stream that was made anew under the store is told of: its first records would never be indexed', async () => {
  appendSomeOfEach();
  await drain(createIndexer({ stream, writer }));
  stream = new FakeStream(2);
  stream.append(topics.events, 0, [{ kind: 'event', value: anEvent({ id: 'new', time: at(9) }) }]);
  await expect(createIndexer({ stream, writer }).step()).rejects.toMatchObject({
    code: 'STREAM_BEHIND_STORE',
    message: expect.stringMatching(/vault\.audit\.\w+\/\d up to \d, the stream ends at 0/),
  });
  // Of partitions that others have nothing is said here.
  expect(await createIndexer({ stream, writer, partitions: [] }).step()).toBe(0);
});
