// Snapshots on a partition that others write to at the same time: the newest whole one is found where its commit says.

import { expect, test } from 'vitest';
import { limits } from '../../../../core/limits.ts';
import type { Link, Message } from '../../../../storage/stream/kafka/link.ts';
import { Snapshots } from '../../../../storage/stream/kafka/snapshots.ts';
import { FakeKafka, type FakeLink } from '../../replica/fake-kafka.ts';

const TOPIC = 'snapshots';
const snapshotOf = (state: string) => ({ inputs: {}, outputs: {}, state });
const big = (letter: string) => snapshotOf(letter.repeat(3.5 * limits.kafkaSnapshotChunkBytes));

function fixture() {
  const kafka = new FakeKafka();
  const link = kafka.link();
  let committed: number | undefined;
  const { produce } = link;
  const fake = Object.assign(link, {
    /** Somebody else's message lands in front of each. */
    stray: undefined as Message | undefined,
    produce: (...args: Parameters<FakeLink['produce']>) => {
      if (fake.stray !== undefined) kafka.append(TOPIC, [fake.stray]);
      return produce.apply(link, args);
    },
    commit: async (_: string, [place]: readonly { offset: number }[]) => {
      committed = place?.offset;
    },
    committed: async () => committed,
  });
  const open = () =>
    new Snapshots({ link: fake as unknown as Link, topic: TOPIC, partitions: 1, groupOf: (name) => name });
  return { kafka, fake, open, committedKey: () => String(kafka.messages(TOPIC)[committed ?? -1]?.key) };
}

test('the commit names the manifest, though others write between the parts of a save', async () => {
  const { fake, open, committedKey } = fixture();
  const snapshots = open();
  fake.stray = { key: Buffer.from('other/0'), value: Buffer.from('{}'), headers: {} };
  for (const next of [big('a'), big('b'), snapshotOf('c')]) {
    await snapshots.save('n', next);
    expect(committedKey()).toMatch(/^n\/[01]$/);
  }
  expect(await open().load('n')).toEqual(snapshotOf('c'));
});

test('a chunk of an earlier try that lands late does not hide the snapshot', async () => {
  const { kafka, fake, open } = fixture();
  const snapshots = open();
  await snapshots.save('n', snapshotOf('old'));
  const late = {
    key: Buffer.from('n/1/0'),
    value: Buffer.from('late'),
    headers: { g: Buffer.from('other') },
  };
  fake.stray = late;
  await snapshots.save('n', snapshotOf('new'));
  expect(kafka.end(TOPIC)).toBeGreaterThan(4);
  expect(await open().load('n')).toEqual(snapshotOf('new'));
});
