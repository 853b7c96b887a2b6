// Memories with a log, and the groups that share partitions, on a real Kafka: contracts, a successor and who was before it,
// compaction while they write.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import { openReplicatedDetector } from '../../storage/detectors/memory.ts';
import { openReplicatedLedger } from '../../storage/ledger/memory.ts';
import { memoryPlans, memoryTopic } from '../../storage/replica/topic.ts';
import { openLink } from '../../storage/stream/kafka/kafkajs.ts';
import type { Link } from '../../storage/stream/kafka/link.ts';
import { joinStage } from '../../storage/stream/kafka/membership.ts';
import { detectorMemoryContract } from '../contract/detector-memory.ts';
import { ledgerMemoryContract } from '../contract/ledger-memory.ts';
import { kafka, type TestKafka } from './kafka.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const dir = mkdtempSync(join(tmpdir(), 'sealwatch-memory-'));
const links: Link[] = [];
let files = 0;
let link: Link;
let server: TestKafka;
let prefix: string;

const newLink = async (): Promise<Link> => {
  const opened = await openLink(server.settings, quiet);
  links.push(opened);
  return opened;
};

beforeAll(async () => {
  server = await kafka();
  prefix = server.prefix;
  link = await newLink();
  await link.create(memoryPlans(prefix, 1), 1);
});
afterAll(async () => {
  for (const one of links) await one[Symbol.asyncDispose]();
  await server.remove();
  rmSync(dir, { recursive: true, force: true });
});

const optionsOf = (topic: string, through: Link, file = `${++files}.db`) => ({
  ...{ link: through, topic, path: join(dir, file), isOurs: () => true, now: Date.now, logger: quiet },
});

describe('contracts', () => {
  // Each test has a topic of its own: a memory is empty in the begin.
  let topics = 0;
  const create = async () => {
    const topic = memoryTopic(prefix, `contract-${++topics}`);
    await link.create([{ topic, partitions: 1, config: { 'cleanup.policy': 'compact' } }], 1);
    return topic;
  };
  const remove = () => {};
  detectorMemoryContract('on Kafka', () => ({
    open: async () => openReplicatedDetector(optionsOf(await create(), link)),
    remove,
  }));
  ledgerMemoryContract('on Kafka', () => ({
    open: async () => openReplicatedLedger(optionsOf(await create(), link)),
    remove,
  }));
});

test('a successor has what was committed, and who had it before cannot commit any more', async () => {
  const topic = memoryTopic(prefix, 'detect-events-0');
  const first = await openReplicatedDetector(optionsOf(topic, link, 'first.db'));
  const big = '\u{1F511}'.repeat(limits.memoryPartBytesMax);
  first.set('s', 'k', 1);
  first.set('', '', big);
  for (let n = 0; n < 20_000; n++) first.set('many', `k${n}`, { n, text: 'x'.repeat(50) });
  await first.commit(1);
  const second = await openReplicatedDetector(optionsOf(topic, await newLink(), 'second.db'));
  first.set('s', 'k', 2);
  await expect(first.commit(2)).rejects.toThrow('taken the memory over');
  first[Symbol.dispose]();
  expect([second.place(), second.get('s', 'k'), second.get('', '')]).toEqual([1, 1, big]);
  expect(second.list('many', '', 30_000)).toHaveLength(20_000);
  second.set('s', 'k', 3);
  await second.commit(3);
  second[Symbol.dispose]();
  for (const file of ['first.db', 'second.db', 'third.db']) {
    using next = await openReplicatedDetector(optionsOf(topic, link, file));
    expect([next.place(), next.get('s', 'k'), next.get('', '')]).toEqual([3, 3, big]);
    expect(next.list('many', '', 30_000)).toHaveLength(20_000);
  }
});

test('compaction at any moment takes nothing that counts', async () => {
  const topic = memoryTopic(prefix, 'compacted');
  await link.create(
    [
      {
        topic,
        partitions: 1,
        config: {
          'cleanup.policy': 'compact',
          'min.cleanable.dirty.ratio': '0.001',
          'segment.ms': '500',
          'min.compaction.lag.ms': '0',
          'max.compaction.lag.ms': '500',
          'delete.retention.ms': '0',
        },
      },
    ],
    1,
  );
  const state = new Map<string, number>();
  let commits = 0;
  let holes = 0;
  let memory = await openReplicatedDetector(optionsOf(topic, link));
  for (let owners = 0; owners < 10 || holes < 100; owners++) {
    for (let round = 0; round < 200; round++) {
      for (let n = 0; n < 3; n++) {
        const key = `k${Math.floor(Math.random() * 100)}`;
        if (Math.random() < 0.4) {
          memory.delete('s', key);
          state.delete(key);
        } else {
          memory.set('s', key, ++commits);
          state.set(key, commits);
        }
      }
      await memory.commit(++commits);
    }
    // Whoever takes over while it is being compacted, without a file.
    const next = await openReplicatedDetector(optionsOf(topic, await newLink()));
    memory[Symbol.dispose]();
    memory = next;
    expect(memory.place()).toBe(commits);
    expect(new Map(memory.list('s', '', 1_000).map(({ key, value }) => [key, value]))).toEqual(state);
    const [fetched] = await link.fetch([{ topic, partition: 0, offset: 0, bytesMax: 1e8 }], 0);
    holes = (fetched?.end ?? 0) - (fetched?.messages.length ?? 0);
  }
  memory[Symbol.dispose]();
});

test('a group shares partitions; whoever is alone has all, and between two assignments nobody works', async () => {
  const topic = `${prefix}shared`;
  await link.create([{ topic, partitions: 3, config: {} }], 1);
  const one = await joinStage(link, `${prefix}group`, topic);
  const has = (membership: typeof one, count: number) =>
    expect.poll(() => membership.current?.partitions.length, { timeout: 180_000 }).toBe(count);
  await has(one, 3);
  const before = one.current;
  const changes: (number | undefined)[] = [];
  one.onChange(() => changes.push(one.current?.partitions.length));
  const other = await joinStage(await newLink(), `${prefix}group`, topic);
  await expect
    .poll(() => (one.current?.partitions.length ?? 0) + (other.current?.partitions.length ?? 0), {
      timeout: 180_000,
    })
    .toBe(3);
  await expect.poll(() => other.current?.partitions.length ?? 0, { timeout: 180_000 }).toBeGreaterThan(0);
  expect(one.current).not.toBe(before);
  expect(changes[0]).toBeUndefined();
  const both = [...(one.current?.partitions ?? []), ...(other.current?.partitions ?? [])];
  expect(both.sort()).toEqual([0, 1, 2]);
  await one[Symbol.asyncDispose]();
  expect(one.current).toBeUndefined();
  await has(other, 3);
  await other[Symbol.asyncDispose]();
});
