// Reads records from exact places: one Fetch request to each broker, its answer taken apart partition by partition.

import type { Fetched } from '../link.ts';
import { type Decoded, decodeBatches } from './batch.ts';
import { byLeader, byTopic, type Connection, type TopicPlace } from './connection.ts';
import { faultCodes, PartitionFault } from './faults.ts';
import type { Broker, Protocol, Requests } from './inside.ts';
import { listOffsets } from './offsets.ts';

/** Kafka 2.3; the newest that kafkajs has, and any broker since knows it. */
const FETCH_VERSION = 11;
const READ_UNCOMMITTED = 0;
/** Lines are packed to about a quarter or less; what is unpacked beyond this many times the asked bytes waits for another answer. */
const PACKED = 4;
const UNPACKED_MAX = 2;
/** An answer is no longer than this, but for one message that is. */
const ANSWER_BYTES_MAX = 50 * 1024 * 1024;

export interface FetchPlace extends TopicPlace {
  offset: number;
  bytesMax: number;
}

/** See `Link.fetch`. */
export async function fetchPlaces(
  connection: Connection,
  requests: Requests,
  places: readonly FetchPlace[],
  waitMs: number,
): Promise<Fetched[]> {
  if (places.length === 0) return [];
  const topics = [...new Set(places.map(({ topic }) => topic))];
  return connection.trying(topics, async (cluster) => {
    const groups = (await Promise.all(rounds(places).map((round) => byLeader(cluster, round)))).flat();
    const ask = async ([broker, group]: [Broker, FetchPlace[]]): Promise<Fetched[]> => {
      const answers = await sendFetch(broker, fetchRequest(requests, group, waitMs));
      return (await Promise.all(answers.map((answer) => settle(broker, requests, group, answer)))).flat();
    };
    return (await Promise.all(groups.map(ask))).flat();
  });
}

const opening = new WeakMap<Broker, Promise<unknown>>();

/**
 * kafkajs has a connection of its own for Fetch, and opens a second socket when two requests meet it closed; when the broker ends
 * the one that nobody uses, whatever is on the other is lost.
 */
async function sendFetch<T>(broker: Broker, request: Protocol<T>): Promise<T> {
  const { connectionPool } = broker;
  let open = opening.get(broker);
  if (open === undefined) {
    open = connectionPool.getConnectionByRequest(request).finally(() => opening.delete(broker));
    opening.set(broker, open);
  }
  await open;
  return connectionPool.send(request);
}

/** A request names a partition once: who reads one at several places gets several requests. */
function rounds(places: readonly FetchPlace[]): FetchPlace[][] {
  const found: FetchPlace[][] = [];
  const seen = new Map<string, number>();
  for (const place of places) {
    const name = `${place.topic}/${place.partition}`;
    const round = seen.get(name) ?? 0;
    seen.set(name, round + 1);
    const into = found[round];
    if (into === undefined) found[round] = [place];
    else into.push(place);
  }
  return found;
}

interface Answer extends TopicPlace {
  code: number;
  end: number;
  start: number;
  decoded: Decoded;
}

/** What an answer comes to; asks again where it skipped what compaction left empty, or had no room for a long message. */
async function settle(
  broker: Broker,
  requests: Requests,
  group: readonly FetchPlace[],
  answer: Answer,
): Promise<Fetched[]> {
  const { topic, partition, code, end, start, decoded } = answer;
  const asked = group.find((place) => place.topic === topic && place.partition === partition);
  if (asked === undefined) return [];
  if (code === faultCodes.offsetOutOfRange) return [await outside(broker, asked)];
  if (code !== faultCodes.none) throw new PartitionFault(code, topic, partition);
  const next = decoded.next ?? asked.offset;
  // For a moment after a new leader came it knows less of the end than whoever wrote to the old one.
  const known = { topic, partition, offset: asked.offset, end: Math.max(end, asked.offset), start };
  if (decoded.messages.length > 0 || next >= end || (group.length === 1 && decoded.next === undefined))
    return [{ ...known, messages: decoded.messages }];
  const again = [{ ...asked, offset: next }];
  const answers = await sendFetch(broker, fetchRequest(requests, again, 0));
  const settled = await Promise.all(answers.map((one) => settle(broker, requests, again, one)));
  return settled.flat().map((one) => ({ ...one, offset: asked.offset }));
}

async function outside(broker: Broker, { topic, partition, offset }: FetchPlace): Promise<Fetched> {
  const [start, end] = await Promise.all([
    listOffsets(broker, topic, [partition], 'start'),
    listOffsets(broker, topic, [partition], 'end'),
  ]);
  return {
    topic,
    partition,
    offset,
    messages: [],
    start: start.get(partition) ?? 0,
    end: end.get(partition) ?? 0,
  };
}

function fetchRequest(requests: Requests, places: readonly FetchPlace[], waitMs: number): Protocol<Answer[]> {
  const asked = new Map(places.map((place) => [`${place.topic}/${place.partition}`, place]));
  const total = places.reduce((sum, { bytesMax }) => sum + Math.ceil(bytesMax / PACKED), 0);
  const made = requests.Fetch.protocol({ version: FETCH_VERSION })({
    maxWaitTime: waitMs,
    minBytes: 1,
    maxBytes: Math.min(total, ANSWER_BYTES_MAX),
    isolationLevel: READ_UNCOMMITTED,
    topics: byTopic(shuffled(places)).map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, offset, bytesMax }) => ({
        partition,
        fetchOffset: String(offset),
        maxBytes: Math.ceil(bytesMax / PACKED),
      })),
    })),
  });
  return {
    ...made,
    response: {
      decode: (payload) => decodeAnswer(payload, (topic, partition) => asked.get(`${topic}/${partition}`)),
      parse: async (decoded) => decoded as Answer[],
    },
    logResponseError: false,
  };
}

/** The broker fills an answer in the order asked: none is always the last. */
function shuffled<T>(items: readonly T[]): T[] {
  const cut = Math.floor(Math.random() * items.length);
  return [...items.slice(cut), ...items.slice(0, cut)];
}

async function decodeAnswer(
  payload: Buffer,
  placeOf: (topic: string, partition: number) => FetchPlace | undefined,
): Promise<Answer[]> {
  const parts: (Omit<Answer, 'decoded'> & { bytes: Buffer })[] = [];
  let at = 14;
  for (let topics = payload.readInt32BE(10); topics > 0; topics--) {
    const length = payload.readInt16BE(at);
    const topic = payload.toString('utf8', at + 2, at + 2 + length);
    at += 2 + length;
    const count = payload.readInt32BE(at);
    at += 4;
    for (let i = 0; i < count; i++) {
      const head = at;
      // Aborted transactions, of 16 bytes each, and the replica to be read from.
      at += 34 + 16 * Math.max(0, payload.readInt32BE(head + 30)) + 4;
      const bytes = Math.max(0, payload.readInt32BE(at));
      at += 4;
      parts.push({
        topic,
        partition: payload.readInt32BE(head),
        code: payload.readInt16BE(head + 4),
        end: Number(payload.readBigInt64BE(head + 6)),
        start: Number(payload.readBigInt64BE(head + 22)),
        bytes: payload.subarray(at, at + bytes),
      });
      at += bytes;
    }
  }
  return Promise.all(
    parts.map(async ({ bytes, ...part }) => {
      const { offset = 0, bytesMax = 1 } = placeOf(part.topic, part.partition) ?? {};
      return { ...part, decoded: await decodeBatches(bytes, offset, UNPACKED_MAX * bytesMax) };
    }),
  );
}
