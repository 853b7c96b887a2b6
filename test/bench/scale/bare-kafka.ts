// The yardstick of Kafka: kafkajs alone, with the settings that sealwatch has. `produce FROM TO` sends the messages of one topic to
// another one, in batches as large as the drain's; `consume FROM` reads them.

import kafkajs from 'kafkajs';
import lz4 from 'lz4-napi';
import { limits } from '../../../core/limits.ts';
import { measured } from './measured.ts';

const [what = '', from = '', to = ''] = process.argv.slice(2);
const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',');
const kafka = new kafkajs.Kafka({ brokers, clientId: 'bare', logLevel: kafkajs.logLevel.ERROR });
/** LZ4's frame format, as Kafka has it. */
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => ({
  compress: (encoder: { buffer: Buffer }) => lz4.compressFrame(encoder.buffer),
  decompress: (buffer: Buffer) => lz4.decompressFrame(buffer),
});

/** Messages of each partition. */
type Held = kafkajs.Message[][];

const admin = kafka.admin();
await admin.connect();
const ends = (await admin.fetchTopicOffsets(from)).map(({ high }) => Number(high));
await admin.disconnect();
const total = ends.reduce((sum, end) => sum + end, 0);

/** Reads the whole topic; `take` gets each batch. Resolves with the number of messages. */
async function consume(take: (batch: kafkajs.Batch) => void): Promise<number> {
  const consumer = kafka.consumer({
    groupId: `bare-${process.pid}`,
    maxBytesPerPartition: limits.readBytesMax,
    maxWaitTimeInMs: 500,
  });
  await consumer.connect();
  await consumer.subscribe({ topic: from, fromBeginning: true });
  let count = 0;
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        autoCommit: false,
        eachBatchAutoResolve: true,
        eachBatch: async ({ batch }) => {
          take(batch);
          count += batch.messages.length;
          if (count >= total) resolve();
        },
      })
      .catch(reject);
  });
  void consumer.disconnect();
  return count;
}

/** Batches as large as those of the drain, a round of partitions at a time. */
async function produce(held: Held): Promise<number> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
  });
  await producer.connect();
  const bytesMax = limits.drainBytesMax / held.length;
  const at = held.map(() => 0);
  let count = 0;
  while (count < total) {
    const messages = held.flatMap((all, partition) => {
      const batch: kafkajs.Message[] = [];
      for (let bytes = 0; bytes < bytesMax; ) {
        const message = all[at[partition] ?? 0];
        if (message === undefined) break;
        at[partition] = (at[partition] ?? 0) + 1;
        bytes += message.value?.length ?? 0;
        batch.push(message);
      }
      return batch;
    });
    const sending = { topic: to, messages, acks: -1, compression: kafkajs.CompressionTypes.LZ4 };
    await producer.send(sending);
    count += messages.length;
  }
  return count;
}

if (what === 'consume') await measured(() => consume(() => {}));
else {
  const held: Held = ends.map(() => []);
  await consume(({ partition, messages }) => {
    for (const { key, value, headers = {} } of messages)
      held[partition]?.push({ key, value, headers, partition });
  });
  await measured(() => produce(held));
}
process.exit(0);
