// Events as the normalisers of several partitions would put them on the stream, in any order that is in time; a life of the
// detectors over the real stream and real memories on disk; and its death at any point.

import { mkdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DetectStage } from '../../../commands/run/stages/detect.ts';
import type { Alert } from '../../../core/alert.ts';
import type { AuditEvent } from '../../../core/event.ts';
import type { Lease } from '../../../core/lease.ts';
import { limits } from '../../../core/limits.ts';
import { type Lists, noLists } from '../../../core/lists.ts';
import { partitionOf } from '../../../core/partition.ts';
import type { DetectorMemory, NewRecord } from '../../../core/ports.ts';
import { LEDGER_PARTITION, type Topic, topics } from '../../../core/records.ts';
import { addSeconds } from '../../../core/time.ts';
import type { Behaviour } from '../../../detectors/behaviours/behaviour.ts';
import type { RuleSet } from '../../../detectors/engine/rule-set.ts';
import { openDetectorMemory } from '../../../storage/detectors/memory.ts';
import { EmbeddedStream } from '../../../storage/stream/embedded/stream.ts';
import { shuffle } from './shuffle.ts';

export interface Judges {
  rules: RuleSet;
  behaviours: readonly Behaviour[];
  lists?: Lists;
}

type Open = (path: string) => DetectorMemory;

/** How far an event may lie behind the one before it, in seconds of event time. */
const SLACK = 20;

/**
 * What stands on each partition of events in the end: from each source its events, at most `SLACK` out of order, and its
 * watermarks, each after all that it stands for.
 */
export function planned(
  events: readonly AuditEvent[],
  partitions: number,
  random: () => number,
): NewRecord[][] {
  const plan: NewRecord[][] = Array.from({ length: partitions }, () => []);
  const offsets = new Map<number, number>();
  const put = (source: number, to: number, record: NewRecord) => {
    const offset = (offsets.get(source) ?? 0) + 1;
    offsets.set(source, offset);
    (plan[to] as NewRecord[]).push({ ...record, cause: { partition: source, offset, index: 0 } });
  };
  const sourceOf = ({ event }: AuditEvent) => partitionOf(event.id, partitions);
  const tell = (source: number, time: string) => {
    for (let to = 0; to < partitions; to++) put(source, to, { kind: 'watermark', value: { source, time } });
  };
  for (const event of shuffle(events, SLACK, random)) {
    const source = sourceOf(event);
    put(source, partitionOf(event.user.id, partitions), { kind: 'event', value: event });
    if (random() < 0.5) tell(source, addSeconds(event['@timestamp'], -SLACK - 1));
  }
  for (let source = 0; source < partitions; source++) tell(source, endOf(events));
  return plan;
}

/** The time of the last of them. */
export const endOf = (events: readonly AuditEvent[]): string =>
  events.map((event) => event['@timestamp']).reduce((last, time) => (time > last ? time : last));

/** What the ledger tells: leases in the order told, each with the time that it had come to. */
export const toldOf = (leases: readonly Lease[]): NewRecord[] =>
  leases.flatMap((body) => [
    { kind: 'lease', value: { revision: 1, body, at: body.issued_at } },
    { kind: 'watermark', value: { source: 0, time: body.issued_at } },
  ]);

/** What comes, by the topic that it comes on. */
export interface Plan {
  events: NewRecord[][];
  /** On the ledger's partition. */
  leases?: NewRecord[];
}

const written: Topic[] = [topics.events, topics.groups, topics.alerts, topics.leases, topics.coverage];

/** One partition of a topic that comes; `put` records of it are on the stream, durable or not. */
interface Way {
  topic: Topic;
  partition: number;
  records: NewRecord[];
  put: number;
}

/** One life of the detectors. */
export class Life {
  private readonly stream: EmbeddedStream;
  readonly detection: DetectStage;
  private readonly ways: Way[];

  private constructor(stream: EmbeddedStream, detection: DetectStage, { events, leases = [] }: Plan) {
    this.stream = stream;
    this.detection = detection;
    const way = (topic: Topic, partition: number, records: NewRecord[]): Way => ({
      ...{ topic, partition, records },
      put: stream.end(topic, partition),
    });
    this.ways = events.map((records, partition) => way(topics.events, partition, records));
    this.ways.push(way(topics.leases, LEDGER_PARTITION, leases));
  }

  /**
   * @param left the stream of the life before, when only its detectors died
   * @param openMemory opens the memory at a path
   */
  static async begin(
    dir: string,
    plan: Plan,
    { rules, behaviours, lists = noLists }: Judges,
    left?: EmbeddedStream,
    openMemory: Open = openDetectorMemory,
  ) {
    const memories = join(dir, 'detectors');
    mkdirSync(memories, { recursive: true });
    const open = { dir: join(dir, 'stream'), partitions: plan.events.length, writes: written };
    const stream = left ?? (await EmbeddedStream.open(open));
    await stream.flush();
    const detection = new DetectStage({
      ...{ stream, rules, behaviours, lists, cluster: 'test', slowCallNanos: 5e9 },
      openDetector: async (name) => openMemory(join(memories, `${name}.db`)),
    });
    await detection.assign(plan.events.map((_, partition) => partition));
    return new Life(stream, detection, plan);
  }

  /** Whether everything is on the stream, and worked. */
  get isOver(): boolean {
    return this.ways.every(({ put, records }) => put === records.length);
  }

  /** The next few records of each partition come. */
  feed(random: () => number, most: number): void {
    for (const way of this.ways) {
      const some = way.records.slice(way.put, way.put + Math.floor(random() * (most + 1)));
      this.stream.append(way.topic, way.partition, some);
      way.put += some.length;
    }
  }

  /** What `run` does in a turn, in parts: it may die between any two. */
  async *turn(saves: boolean): AsyncGenerator<void> {
    await this.stream.flush();
    yield;
    await this.detection.step();
    yield;
    await this.stream.flush();
    yield;
    if (saves) await this.detection.save();
  }

  async drain(): Promise<void> {
    for (let count = 1; count > 0; ) {
      await this.stream.flush();
      count = await this.detection.step();
    }
  }

  /** The last version of every alert, by id, as text. */
  async alerts(): Promise<Map<string, string>> {
    const last = new Map<string, { revision: number; text: string }>();
    for (let partition = 0; partition < this.stream.partitions; partition++)
      for (let at = 0; at < this.stream.end(topics.alerts, partition); ) {
        for (const { kind, value, offset } of await this.stream.read(
          topics.alerts,
          partition,
          at,
          limits.readBytesMax,
        )) {
          at = offset + 1;
          if (kind !== 'alert') continue;
          const { revision, body } = value as { revision: number; body: Alert };
          if (revision >= (last.get(body.alert.id)?.revision ?? 0))
            last.set(body.alert.id, { revision, text: JSON.stringify(body) });
        }
      }
    return new Map([...last].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, { text }]) => [id, text]));
  }

  async end(): Promise<void> {
    await this.detection[Symbol.asyncDispose]();
    await this.stream[Symbol.asyncDispose]();
  }

  /**
   * kill -9: what memories have not committed is gone, and of what was appended and not flushed any part may have reached the
   * disk. A spool of another process may outlive it (Kafka does): then all of it is there, which is also much quicker to play.
   */
  async kill(random: () => number): Promise<EmbeddedStream | undefined> {
    await this.detection[Symbol.asyncDispose]();
    if (random() < 0.9) return this.stream;
    for (const partition of [...this.stream['all'].values()].flat()) {
      if (partition.writer !== undefined) await tear(partition.writer, random);
      await partition.reader.close();
    }
    return undefined;
  }
}

type Writer = NonNullable<(EmbeddedStream['all'] extends Map<string, (infer P)[]> ? P : never)['writer']>;

async function tear(writer: Writer, random: () => number): Promise<void> {
  const slab = writer['slab'].subarray(writer['slabCut'], writer['slabUsed']);
  const waiting = Buffer.concat([...writer['full'], slab]);
  const torn = random() < 0.3 ? 0 : Math.floor(random() * (waiting.length + 1));
  const file = writer['file'];
  if (torn > 0) writeSync(file.fd, waiting, 0, torn, writer['fileBytes']);
  await file.close();
}
