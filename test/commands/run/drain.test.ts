// The drain: every record of the spool comes onto the stream in its order, with the cause that it is known by, whatever fails and
// whoever is killed in between.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Drain } from '../../../commands/run/drain.ts';
import { limits } from '../../../core/limits.ts';
import type { NewRecord, Snapshot, StreamRecord } from '../../../core/ports.ts';
import { decodeLine, encodeHead, encodeSource, noSpans } from '../../../core/raw.ts';
import { type Tick, type Topic, topics } from '../../../core/records.ts';
import { EmbeddedStream } from '../../../storage/stream/embedded/stream.ts';
import { MemorySpool } from '../../ingest/collector/spool.ts';

const PARTITIONS = 3;
let dir: string;
/** What the collector writes, and what the drain follows of it. */
let written: EmbeddedStream;
let spool: EmbeddedStream;
let nowMs: number;

const open = (writes: Topic[]) => EmbeddedStream.open({ dir, partitions: PARTITIONS, writes });

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sealwatch-drain-'));
  written = await open([topics.raw]);
  spool = await open([]);
  nowMs = Date.UTC(2026, 10, 23);
});
afterEach(async () => {
  await spool[Symbol.asyncDispose]();
  await written[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

/** A Kafka that may be away: what it refuses it keeps, and may have written it all the same. */
class AwayStream extends MemorySpool {
  isAway = false;
  readonly snapshots = new Map<string, Snapshot>();

  override async flush(): Promise<void> {
    if (this.isAway) throw new Error('no broker answers');
    await super.flush();
  }

  override async saveSnapshot(group: string, member: string, snapshot: Snapshot): Promise<void> {
    this.snapshots.set(`${group}-${member}`, snapshot);
  }

  override async loadSnapshot(group = '', member = ''): Promise<undefined> {
    return this.snapshots.get(`${group}-${member}`) as undefined;
  }
}

const head = encodeHead({ source: encodeSource('file'), spans: noSpans(), scrub: undefined });
const line = (text: string): NewRecord => ({ kind: 'line', head, bytes: Buffer.from(text) });
const tickOf = (spooled: number): NewRecord => ({
  kind: 'tick',
  value: { devices: {}, spooled: { file: spooled } } satisfies Tick,
});

async function collect(partition: number, records: readonly NewRecord[]): Promise<void> {
  written.append(topics.raw, partition, records);
  await written.flush();
  for (let number = 0; number < PARTITIONS; number++)
    spool.follow(topics.raw, number, written.end(topics.raw, number));
}

let renewed = 0;
const load = (): Promise<Drain> =>
  Drain.load({ spool, spoolId: 'spool-1', renewId: () => `renewed-${++renewed}`, now: () => nowMs });

async function drainAll(drain: Drain, stream: AwayStream): Promise<void> {
  while ((await drain.step(stream)) > 0);
}

const textOf = ({ kind, bytes, value }: StreamRecord) =>
  kind === 'line' ? bytes.subarray(decodeLine(bytes).at).toString() : value;

test('lines, ticks and answers come in order, byte by byte, each with its cause', async () => {
  const answer = { at: 'now', method: 'GET', path: 'x', status: 0 };
  await collect(1, [line('one'), line('two'), { kind: 'answer', value: answer }, tickOf(7)]);
  const stream = new AwayStream(PARTITIONS);
  const drain = await load();
  expect(drain.lag).toBe(4);
  expect(await drain.step(stream)).toBe(4);
  expect(drain.lag).toBe(0);
  const records = stream.all(1);
  expect(records.map(textOf)).toEqual([
    'one',
    'two',
    answer,
    { devices: {}, spooled: { file: 7 }, sent: nowMs },
  ]);
  expect(records.map(({ cause }) => cause)).toEqual(
    [0, 1, 2, 3].map((offset) => ({ spool: 'spool-1', partition: 1, offset, index: 0 })),
  );
  expect(decodeLine(records[0]?.bytes as Buffer).head.device).toBe('file');
});

test('while the stream is away nothing more is handed over; then nothing is missing and nothing is twice', async () => {
  const stream = new AwayStream(PARTITIONS);
  const drain = await load();
  const texts = Array.from({ length: 50 }, (_, n) => `line ${n}`);
  stream.isAway = true;
  for (const [n, text] of texts.entries()) {
    await collect(n % PARTITIONS, [line(text)]);
    await expect(drain.step(stream)).rejects.toThrow('no broker');
    // One batch waits in memory, the rest in the spool.
    expect(stream.lengths().reduce((sum, length) => sum + length)).toBe(1);
  }
  expect(drain.lag).toBe(50);
  stream.isAway = false;
  await drainAll(drain, stream);
  for (let partition = 0; partition < PARTITIONS; partition++)
    expect(stream.all(partition).map(textOf)).toEqual(texts.filter((_, n) => n % PARTITIONS === partition));
});

test('killed before it kept its place it sends again, with the same causes; killed after, it goes on', async () => {
  const stream = new AwayStream(PARTITIONS);
  await collect(0, [line('a'), line('b')]);
  await drainAll(await load(), stream);
  const killed = await load();
  await collect(0, [line('c')]);
  await killed.step(stream);
  // The step before has kept its place; this one is killed right behind its next.
  await collect(0, [line('d')]);
  nowMs += limits.snapshotMs - 1;
  await killed.step(stream);
  const again = await Drain.load({
    spool: await reopened(),
    spoolId: 'spool-1',
    renewId: () => '',
    now: () => nowMs,
  });
  await collect(0, [line('e')]);
  await drainAll(again, stream);
  expect(stream.all(0).map(textOf)).toEqual(['a', 'b', 'c', 'd', 'd', 'e']);
  expect(stream.all(0).map(({ cause }) => cause?.offset)).toEqual([0, 1, 2, 3, 3, 4]);
});

async function reopened(): Promise<EmbeddedStream> {
  const end = written.end(topics.raw, 0);
  await spool[Symbol.asyncDispose]();
  spool = await open([]);
  for (let number = 0; number < PARTITIONS; number++)
    spool.follow(topics.raw, number, number === 0 ? end : written.end(topics.raw, number));
  return spool;
}

test('what was drained no longer counts, as far as every partition has told', async () => {
  const stream = new AwayStream(PARTITIONS);
  const drain = await load();
  await collect(0, [tickOf(10)]);
  await drainAll(drain, stream);
  expect(drain.freed).toBeUndefined();
  await collect(1, [tickOf(10)]);
  await collect(2, [tickOf(10)]);
  await drainAll(drain, stream);
  expect(drain.freed).toEqual({ file: 10 });
  stream.isAway = true;
  for (const partition of [0, 1, 2]) await collect(partition, [tickOf(30)]);
  await drain.step(stream).catch(() => {});
  expect(drain.freed).toEqual({ file: 10 });
});

test('a spool that was put back to an earlier state gets another id: its new lines are not those that were drained', async () => {
  const stream = new AwayStream(PARTITIONS);
  await collect(0, [line('a'), line('b'), line('c')]);
  await drainAll(await load(), stream);
  // Another disk, from a backup: it knows of less.
  const older = new MemorySpool(PARTITIONS);
  older.append(topics.raw, 0, [line('a'), line('new')]);
  await older.flush();
  const drain = await Drain.load({
    spool: older,
    spoolId: 'spool-1',
    renewId: () => 'other',
    now: () => nowMs,
  });
  await drainAll(drain, stream);
  expect(
    stream
      .all(0)
      .slice(3)
      .map(({ cause }) => cause?.spool),
  ).toEqual(['other', 'other']);
});

test('so does one that has grown past its mark while the stream was away', async () => {
  const stream = new AwayStream(PARTITIONS);
  await collect(0, [line('a'), line('b'), line('c')]);
  await drainAll(await load(), stream);
  const older = new MemorySpool(PARTITIONS);
  older.append(topics.raw, 0, [line('a')]);
  await older.flush();
  const renewId = () => 'another';
  const drain = await Drain.load({ spool: older, spoolId: 'spool-1', renewId, now: () => nowMs });
  older.append(topics.raw, 0, [line('new'), line('newer'), line('newest')]);
  await older.flush();
  await drainAll(drain, stream);
  const spools = stream.all(0).map(({ cause }) => cause?.spool);
  expect(spools).toEqual([...Array(3).fill('spool-1'), ...Array(4).fill('another')]);
});
