// Settings of topics under which records would be lost.

import { expect, test } from 'vitest';
import type { Link } from '../../../../storage/stream/kafka/link.ts';
import { checkTopics, topicPlans } from '../../../../storage/stream/kafka/topics.ts';

const plans = topicPlans('', 2);

/** A Kafka that has all topics as planned, but for these settings. */
const linkWith = (settings: Record<string, string>) =>
  ({
    describe: async () =>
      new Map(
        plans.map(({ topic, partitions, config }) => [
          topic,
          { partitions, replicas: 1, config: { ...config, ...settings } },
        ]),
      ),
  }) as unknown as Link;

test('as planned they are well', async () => {
  expect(await checkTopics(linkWith({}), plans)).toEqual([]);
});

test.each(['producer', 'uncompressed', 'lz4', 'gzip'])(
  'packed by the broker as %s they are read',
  async (type) => {
    expect(await checkTopics(linkWith({ 'compression.type': type }), plans)).toEqual([]);
  },
);

test.each(['zstd', 'snappy'])('packed by the broker as %s nothing could be read: refused', async (type) => {
  const findings = await checkTopics(linkWith({ 'compression.type': type }), plans);
  expect(findings).toHaveLength(plans.length);
  expect(findings[0]).toMatchObject({ what: 'setting', message: expect.stringContaining(`is ${type}`) });
});
