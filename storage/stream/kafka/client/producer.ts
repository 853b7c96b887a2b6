// The idempotent producer: acks=all, one request at a time, the same bytes until the brokers have taken them.

import type { Message } from '../link.ts';
import { compressRecords, frameBatch } from './batch.ts';
import { byLeader, byTopic, type Connection, type TopicPlace } from './connection.ts';
import { faultCodes, PartitionFault, remedyOf } from './faults.ts';
import type { Broker, Protocol } from './inside.ts';

/** Time that the leader may wait for its followers, in ms. */
const ACK_MS = 10_000;
const SEQUENCES = 2 ** 31;

interface Identity {
  producerId: bigint;
  epoch: number;
  /** Of each `topic/partition`, the number of its next message. */
  sequences: Map<string, number>;
}

interface Batch extends TopicPlace {
  count: number;
  records: Promise<Buffer>;
}

interface Framed extends TopicPlace {
  bytes: Buffer;
  /** Where it landed. */
  offset?: number;
}

export type Produced = TopicPlace & { offset: number };

export class Producer {
  private readonly connection: Connection;
  private identity: Identity | undefined;
  private last: Promise<unknown> = Promise.resolve();
  /** Counts up at each rejection: what was handed over before it must not go out behind what was not taken. */
  private round = 0;
  private rejection: unknown;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** See `Link.produce`. Batches are compressed while those before them are on their way. */
  produce(batches: readonly (TopicPlace & { messages: readonly Message[] })[]): Promise<Produced[]> {
    const ready = batches.map(({ topic, partition, messages }): Batch => {
      const records = compressRecords(messages);
      records.catch(() => {});
      return { topic, partition, count: messages.length, records };
    });
    const { round } = this;
    const result = this.last.then(() => this.inTurn(ready, round));
    this.last = result.catch(() => {});
    return result;
  }

  private async inTurn(batches: readonly Batch[], round: number): Promise<Produced[]> {
    if (round !== this.round) throw this.rejection;
    try {
      return await this.send(batches);
    } catch (error) {
      this.round++;
      this.rejection = error;
      throw error;
    }
  }

  private async send(batches: readonly Batch[]): Promise<Produced[]> {
    const results: Produced[] = [];
    for (let left = batches, tries = 0; left.length > 0; tries++) {
      const framed = await this.frame(left);
      try {
        await this.connection.trying(topicsOf(framed), (cluster) =>
          byLeader(cluster, framed.filter(isWaiting)).then((groups) =>
            everyOne(groups.map(([broker, group]) => sendTo(broker, group))),
          ),
        );
      } catch (error) {
        // Nobody knows what of it the brokers have taken: its numbers are never used again.
        this.identity = undefined;
        if (remedyOf(error) !== 'producer' || tries > 0) throw error;
      }
      results.push(
        ...framed.flatMap(({ topic, partition, offset }) =>
          offset === undefined ? [] : { topic, partition, offset },
        ),
      );
      left = left.filter((_, i) => isWaiting(framed[i] as Framed));
    }
    return results;
  }

  /** The batches with this producer's numbers. */
  private async frame(batches: readonly Batch[]): Promise<Framed[]> {
    this.identity ??= await this.begin(topicsOf(batches));
    const { producerId, epoch, sequences } = this.identity;
    const framed: Framed[] = [];
    for (const { topic, partition, count, records } of batches) {
      const name = `${topic}/${partition}`;
      const sequence = sequences.get(name) ?? 0;
      sequences.set(name, (sequence + count) % SEQUENCES);
      const bytes = frameBatch(await records, count, { producerId, epoch, sequence }, Date.now());
      framed.push({ topic, partition, bytes });
    }
    return framed;
  }

  private begin(topics: string[]): Promise<Identity> {
    return this.connection.trying(topics, async (cluster) => {
      const broker = await cluster.findControllerBroker();
      const { producerId, producerEpoch } = await broker.initProducerId({ transactionTimeout: 60_000 });
      return { producerId: BigInt(producerId), epoch: producerEpoch, sequences: new Map() };
    });
  }
}

const isWaiting = ({ offset }: Framed): boolean => offset === undefined;

const topicsOf = (places: readonly TopicPlace[]): string[] => [...new Set(places.map(({ topic }) => topic))];

/** Waits for all of them, then throws what the first of them threw: what the others did is known by then. */
async function everyOne(all: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(all)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

async function sendTo(broker: Broker, batches: readonly Framed[]): Promise<void> {
  const answers = await broker.connectionPool.send(produceRequest(batches));
  let fault: PartitionFault | undefined;
  for (const { topic, partition, code, offset } of answers) {
    const batch = batches.find((one) => one.topic === topic && one.partition === partition);
    if (code !== faultCodes.none) fault ??= new PartitionFault(code, topic, partition);
    else if (batch !== undefined) batch.offset = offset;
  }
  if (fault !== undefined) throw fault;
}

interface ProduceAnswer extends TopicPlace {
  code: number;
  offset: number;
}

/** Produce, version 7 (Kafka 2.1): the newest that kafkajs knows, with batches that are bytes already. */
const produceRequest = (batches: readonly Framed[]): Protocol<ProduceAnswer[]> => ({
  request: {
    apiKey: 0,
    apiVersion: 7,
    apiName: 'Produce',
    encode: async () => {
      const buffer = encodeRequest(batches);
      return { buf: buffer, buffer };
    },
  },
  response: {
    decode: async (payload) => decodeAnswer(payload),
    parse: async (decoded) => decoded as ProduceAnswer[],
  },
  logResponseError: false,
});

function encodeRequest(batches: readonly Framed[]): Buffer {
  const head = Buffer.alloc(12);
  // No transaction; all replicas.
  head.writeInt16BE(-1, 0);
  head.writeInt16BE(-1, 2);
  head.writeInt32BE(ACK_MS, 4);
  const topics = byTopic(batches);
  head.writeInt32BE(topics.length, 8);
  const parts = topics.flatMap(({ topic, partitions }) => [
    int16(Buffer.byteLength(topic)),
    Buffer.from(topic),
    int32(partitions.length),
    ...partitions.flatMap(({ partition, bytes }) => [int32(partition), int32(bytes.length), bytes]),
  ]);
  return Buffer.concat([head, ...parts]);
}

function int16(value: number): Buffer {
  const out = Buffer.allocUnsafe(2);
  out.writeInt16BE(value);
  return out;
}

function int32(value: number): Buffer {
  const out = Buffer.allocUnsafe(4);
  out.writeInt32BE(value);
  return out;
}

/** Of each partition: number, fault, offset, two times that are not asked for. */
function decodeAnswer(payload: Buffer): ProduceAnswer[] {
  const answers: ProduceAnswer[] = [];
  let at = 4;
  for (let topics = payload.readInt32BE(0); topics > 0; topics--) {
    const length = payload.readInt16BE(at);
    const topic = payload.toString('utf8', at + 2, at + 2 + length);
    at += 2 + length;
    const count = payload.readInt32BE(at);
    at += 4;
    for (let i = 0; i < count; i++, at += 30)
      answers.push({
        topic,
        partition: payload.readInt32BE(at),
        code: payload.readInt16BE(at + 4),
        offset: Number(payload.readBigInt64BE(at + 6)),
      });
  }
  return answers;
}
