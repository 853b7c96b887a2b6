// sealwatch's own side of Kafka: `produce PREFIX SPOOL` drains a spool that lies on disk, `consume PREFIX` reads all lines again, as
// the normalisers do.

import { Drain } from '../../../commands/run/drain.ts';
import { kafkaSettings } from '../../../core/config-scale.ts';
import { limits } from '../../../core/limits.ts';
import { topics } from '../../../core/records.ts';
import { EmbeddedStream } from '../../../storage/stream/embedded/stream.ts';
import { openLink } from '../../../storage/stream/kafka/kafkajs.ts';
import { KafkaStream } from '../../../storage/stream/kafka/stream.ts';
import { topicPlans } from '../../../storage/stream/kafka/topics.ts';
import { measured } from './measured.ts';

const [what = '', prefix = '', spoolDir = ''] = process.argv.slice(2);
const partitions = 3;
const log = { debug() {}, info() {}, warn() {}, error() {} };
const settings = kafkaSettings.parse({ brokers: process.env['KAFKA_BROKERS'], prefix });
const link = await openLink(settings, log as never);

async function produce(): Promise<void> {
  const plans = topicPlans(prefix, partitions);
  const raw = plans.find(({ topic }) => topic === prefix + topics.raw) as (typeof plans)[number];
  // Beside it the topic of the bare client, with the same settings.
  await link.create([...plans, { ...raw, topic: `${prefix}bare` }], 1);
  const stream = await KafkaStream.open({ link, prefix, partitions });
  const spool = await EmbeddedStream.open({ dir: spoolDir, partitions, writes: [topics.raw] });
  const spoolId = `bench-${process.pid}`;
  const drain = await Drain.load({ spool, spoolId, renewId: () => spoolId, now: Date.now });
  await measured(async () => {
    let count = 0;
    while (drain.lag > 0) count += await drain.step(stream);
    return count;
  });
}

async function consume(): Promise<void> {
  const stream = await KafkaStream.open({ link, prefix, partitions });
  await measured(async () => {
    let count = 0;
    const at = Array.from({ length: partitions }, () => 0);
    const isLeft = (partition: number) => (at[partition] ?? 0) < stream.end(topics.raw, partition);
    while (at.some((_, partition) => isLeft(partition)))
      for (const partition of at.keys()) {
        if (!isLeft(partition)) continue;
        const records = await stream.read(topics.raw, partition, at[partition] ?? 0, limits.readBytesMax);
        count += records.length;
        at[partition] = (records.at(-1)?.offset ?? 0) + 1;
      }
    return count;
  });
}

await (what === 'produce' ? produce() : consume());
process.exit(0);
