// What a Kafka can do to the stream: go away in the middle, be silent, delete, lose, and hold what is not ours.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kafkaSettings } from '../../core/config-scale.ts';
import type { NewRecord, StreamRecord } from '../../core/ports.ts';
import { topics } from '../../core/records.ts';
import { openLink } from '../../storage/stream/kafka/kafkajs.ts';
import type { Link, Message } from '../../storage/stream/kafka/link.ts';
import { KafkaStream } from '../../storage/stream/kafka/stream.ts';
import { SNAPSHOTS, topicPlans } from '../../storage/stream/kafka/topics.ts';
import { readAll } from '../contract/stream.ts';
import { OwnServer } from './chaos/servers.ts';
import { quiet } from './quiet.ts';

const MiB = 1024 * 1024;
/** For what comes as soon as a slow machine lets it. */
const LONG_MS = 180_000;
let broker: OwnServer;
let link: Link;
let stream: KafkaStream;
let prefix = '';
let count = 0;

beforeAll(async () => {
  broker = await OwnServer.kafka();
});
afterAll(async () => {
  await broker?.[Symbol.asyncDispose]();
});

/** Topics of their own for each test. A broker that was just stopped or frozen may need longer than a process waits for it. */
async function begin(partitions = 2): Promise<void> {
  for (const untilMs = Date.now() + LONG_MS; ; ) {
    try {
      return await open(partitions);
    } catch (error) {
      if (Date.now() > untilMs) throw error;
    }
  }
}

async function open(partitions: number): Promise<void> {
  prefix = `f${count++}-`;
  link = await openLink(kafkaSettings.parse({ brokers: broker.address, prefix }), quiet);
  try {
    await link.create(topicPlans(prefix, partitions), 1);
    stream = await KafkaStream.open({ link, prefix, partitions });
  } catch (error) {
    await link[Symbol.asyncDispose]();
    throw error;
  }
}

async function end(): Promise<void> {
  await stream[Symbol.asyncDispose]();
  await link[Symbol.asyncDispose]();
}

const event = (index: number): NewRecord => ({
  kind: 'event',
  value: { index },
  cause: { partition: 0, offset: index, index: 0 },
});

/** What a reader keeps that drops what is at or below the highest cause it has seen. */
function taken(records: readonly StreamRecord[]): number[] {
  const kept: number[] = [];
  for (const { cause } of records)
    if ((cause?.offset ?? -1) > (kept.at(-1) ?? -1)) kept.push(cause?.offset ?? -1);
  return kept;
}

const upTo = (to: number): number[] => Array.from({ length: to }, (_, i) => i);

test('a broker that is killed and comes again while records are written: every record is there, in order', async () => {
  await begin();
  let written = 0;
  let isOver = false;
  const writing = (async () => {
    while (!isOver) {
      for (let i = 0; i < 50; i++) stream.append(topics.events, 0, [event(written++)]);
      // It stays when Kafka is away for too long; the next one sends the same again.
      await stream.flush().catch(() => {});
      await sleep(10);
    }
    await stream.flush();
  })();
  const more = (count: number, from = written) =>
    expect.poll(() => written - from, { timeout: LONG_MS }).toBeGreaterThan(count);
  for (let round = 0; round < 2; round++) {
    await more(100);
    await broker.kill();
    await broker.start();
  }
  await more(100);
  isOver = true;
  await writing;
  await stream.sync();
  const records = await readAll(stream, topics.events, 0, 0, MiB);
  expect(taken(records)).toEqual(upTo(written));
  await end();
});

test('who gives up sends the same again: twice perhaps, with the same causes, and never with a hole', async () => {
  await begin();
  for (let i = 0; i < 10; i++) stream.append(topics.events, 0, [event(i)]);
  await stream.flush();
  await broker.stop();
  for (let i = 10; i < 20; i++) stream.append(topics.events, 0, [event(i)]);
  await expect(stream.flush()).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE' });
  for (let i = 20; i < 30; i++) stream.append(topics.events, 0, [event(i)]);
  await broker.start();
  await stream.flush();
  await stream.sync();
  expect(taken(await readAll(stream, topics.events, 0, 0, MiB))).toEqual(upTo(30));
  await end();
});

test('a member of a group gives its partitions up when the broker is silent for a session, and has them again after', async () => {
  await begin();
  const told: (readonly number[] | undefined)[] = [];
  await using member = await link.join(`${prefix}members`, prefix + topics.raw, (partitions) =>
    told.push(partitions),
  );
  await expect.poll(() => told.at(-1), { timeout: LONG_MS }).toEqual([0, 1]);
  member.check();
  expect(told.at(-1)).toEqual([0, 1]);
  const pid = Number(readFileSync(broker.pidFile, 'utf8'));
  process.kill(pid, 'SIGSTOP');
  try {
    await expect.poll(() => told.at(-1), { timeout: LONG_MS }).toBeUndefined();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await expect.poll(() => told.at(-1), { timeout: LONG_MS }).toEqual([0, 1]);
  await end();
});

test('a process that stood still for a session finds out before anything else', async () => {
  await begin();
  const told: (readonly number[] | undefined)[] = [];
  await using member = await link.join(`${prefix}members`, prefix + topics.raw, (partitions) =>
    told.push(partitions),
  );
  await expect.poll(() => told.at(-1), { timeout: LONG_MS }).toEqual([0, 1]);
  const before = told.length;
  // No timer and no answer gets its turn meanwhile, as in a process that is stopped.
  for (const until = Date.now() + 11_000; Date.now() < until; );
  expect(told.length).toBe(before);
  member.check();
  expect(told.at(-1)).toBeUndefined();
  await expect.poll(() => told.at(-1), { timeout: LONG_MS }).toEqual([0, 1]);
  await end();
});

test('two members share the partitions, and the one that is left has all', async () => {
  await begin(4);
  const told: Record<string, readonly number[] | undefined> = {};
  const join = (name: string) =>
    link.join(`${prefix}members`, prefix + topics.raw, (partitions) => {
      told[name] = partitions;
    });
  const a = await join('a');
  await expect.poll(() => told['a'], { timeout: LONG_MS }).toEqual([0, 1, 2, 3]);
  await using _b = await join('b');
  await expect.poll(() => [told['a']?.length, told['b']?.length], { timeout: LONG_MS }).toEqual([2, 2]);
  expect([...(told['a'] ?? []), ...(told['b'] ?? [])].sort()).toEqual([0, 1, 2, 3]);
  await a[Symbol.asyncDispose]();
  expect(told['a']).toBeUndefined();
  await expect.poll(() => told['b'], { timeout: LONG_MS }).toEqual([0, 1, 2, 3]);
  await end();
});

test('retention deletes what is old and needed by nobody; who was to read it goes on behind it', async () => {
  await begin();
  for (let i = 0; i < 30; i++) {
    stream.append(topics.events, 1, [event(i)]);
    if (i % 10 === 9) await stream.flush();
  }
  const place = (offset: number) => [{ topic: topics.events, partition: 1, offset }];
  expect(await stream.needed(topics.events, 1, ['slow', 'fast'])).toBe(0);
  await stream.commit('fast', place(30));
  expect(await stream.needed(topics.events, 1, ['slow', 'fast'])).toBe(0);
  await stream.commit('slow', place(12));
  const needed = await stream.needed(topics.events, 1, ['slow', 'fast']);
  expect(needed).toBe(12);
  expect(await stream.retain(topics.events, 1, 0, needed)).toBe(0);
  const reader = await KafkaStream.open({ link, prefix, partitions: 2 });
  expect(await stream.retain(topics.events, 1, Date.now() + 60_000, needed)).toBe(12);
  expect(stream.start(topics.events, 1)).toBe(12);
  // It does not know yet that they are gone.
  expect(reader.start(topics.events, 1)).toBe(0);
  expect((await reader.read(topics.events, 1, 3, MiB)).map(({ offset }) => offset)[0]).toBe(12);
  expect(reader.start(topics.events, 1)).toBe(12);
  expect(reader.brokenRecords).toBe(0);
  await reader[Symbol.asyncDispose]();
  await end();
});

test('a snapshot that was torn leaves the one before, also when its place is forgotten', async () => {
  await begin();
  const snapshot = (n: number) => ({
    inputs: { 0: n },
    outputs: {},
    state: randomBytes(800_000).toString('hex'),
  });
  const [first, second, third] = [snapshot(1), snapshot(2), snapshot(3)];
  await stream.saveSnapshot('g', 'all', first);
  await stream.saveSnapshot('g', 'all', second);
  // Its closing message does not come any more.
  const torn: Link = {
    ...bound(link),
    produce: async (batches) => {
      if (batches.some(({ messages }) => messages.some(({ key }) => key?.toString().split('/').length === 2)))
        throw new Error('torn');
      return link.produce(batches);
    },
  };
  const other = await KafkaStream.open({ link: torn, prefix, partitions: 2 });
  expect((await other.loadSnapshot('g', 'all'))?.inputs).toEqual({ 0: 2 });
  await expect(other.saveSnapshot('g', 'all', third)).rejects.toThrow('torn');
  expect(await stream.loadSnapshot('g', 'all')).toEqual(second);
  const forgetful: Link = { ...bound(link), committed: async () => undefined };
  const searching = await KafkaStream.open({ link: forgetful, prefix, partitions: 2 });
  expect(await searching.loadSnapshot('g', 'all')).toEqual(second);
  await searching.saveSnapshot('g', 'all', third);
  expect(await stream.loadSnapshot('g', 'all')).toEqual(third);
  expect(await stream.loadSnapshot('g', 'other')).toBeUndefined();
  expect((await link.describe([prefix + SNAPSHOTS])).get(prefix + SNAPSHOTS)?.config['cleanup.policy']).toBe(
    'compact',
  );
  for (const one of [other, searching]) await one[Symbol.asyncDispose]();
  await end();
});

test('what is not ours is one loss, counted once, and what follows is read', async () => {
  await begin();
  const topic = prefix + topics.events;
  const foreign: Message = { key: null, value: Buffer.from('hello'), headers: {} };
  const broken: Message = { key: null, value: Buffer.from('{"a":'), headers: { k: Buffer.from('event') } };
  stream.append(topics.events, 0, [event(0)]);
  await stream.flush();
  await link.produce([{ topic, partition: 0, messages: [foreign, broken] }]);
  stream.append(topics.events, 0, [event(1)]);
  await stream.flush();
  for (let again = 0; again < 2; again++) {
    const records = await readAll(stream, topics.events, 0, 0, MiB);
    expect(records.map(({ kind, offset }) => [kind, offset])).toEqual([
      ['event', 0],
      ['loss', 1],
      ['loss', 2],
      ['event', 3],
    ]);
    expect(records[1]?.value).toMatchObject({ reason: 'unreadable', count: 1 });
  }
  expect(stream.brokenRecords).toBe(2);
  await end();
});

test('a line of the greatest length goes through, though its bytes cannot be packed', async () => {
  await begin();
  const bytes = randomBytes(64 * MiB);
  stream.append(topics.raw, 0, [{ kind: 'line', head: Buffer.from('head'), bytes }, event(1)]);
  await stream.flush();
  const [line] = await stream.read(topics.raw, 0, 0, MiB);
  expect(line?.bytes.subarray(4).equals(bytes)).toBe(true);
  expect((await stream.read(topics.raw, 0, 1, MiB))[0]?.value).toEqual({ index: 1 });
  await end();
});

test('a topic that ends before what was read of it is an error, not silence', async () => {
  await begin();
  stream.append(topics.events, 0, [event(0)]);
  await stream.flush();
  stream.append(topics.events, 1, [event(0)]);
  await stream.flush();
  // As after the topic was deleted and made anew.
  const shorter: Link = {
    ...bound(link),
    offsets: async (topic, partitions, at) =>
      at === 'end'
        ? new Map(partitions.map((partition) => [partition, 5]))
        : link.offsets(topic, partitions, at),
  };
  const reader = await KafkaStream.open({ link: shorter, prefix, partitions: 2 });
  await expect(reader.read(topics.events, 0, 3, MiB)).rejects.toMatchObject({ code: 'KAFKA_TOPICS_WRONG' });
  await reader[Symbol.asyncDispose]();
  await end();
});

/** The methods of a link, so that some of them can be others. */
const bound = (of: Link): Link => ({
  produce: (batches) => of.produce(batches),
  fetch: (places, waitMs) => of.fetch(places, waitMs),
  offsets: (topic, partitions, at) => of.offsets(topic, partitions, at),
  deleteBefore: (topic, partition, offset) => of.deleteBefore(topic, partition, offset),
  commit: (group, places) => of.commit(group, places),
  committed: (group, topic, partition) => of.committed(group, topic, partition),
  describe: (names) => of.describe(names),
  create: (plans, factor) => of.create(plans, factor),
  join: (group, topic, onAssigned) => of.join(group, topic, onAssigned),
  [Symbol.asyncDispose]: () => of[Symbol.asyncDispose](),
});
