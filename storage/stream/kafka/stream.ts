// The stream on Kafka: several processes write and read the same topics; each reads at places of its own.

import type { NewRecord, Place, Snapshot, Stream, StreamRecord } from '../../../core/ports.ts';
import { type Topic, topics } from '../../../core/records.ts';
import { Fetcher } from './fetcher.ts';
import type { Link } from './link.ts';
import { Losses, type Unreadable } from './losses.ts';
import { Outbox } from './outbox.ts';
import { Snapshots } from './snapshots.ts';
import { requireTopics, SNAPSHOTS, topicPlans } from './topics.ts';

export interface KafkaStreamOptions {
  /** Stays the caller's, who ends it after the stream. */
  link: Link;
  /** After the end. */
  onEnd?: () => PromiseLike<void>;
  /** Of topics and groups. */
  prefix: string;
  partitions: number;
  /** Hears once of each stretch that cannot be read. */
  onLoss?: (lost: Unreadable) => void;
}

export class KafkaStream implements Stream {
  readonly partitions: number;
  private readonly link: Link;
  private readonly prefix: string;
  private readonly outbox: Outbox;
  private readonly fetcher: Fetcher;
  private readonly snapshots: Snapshots;
  private readonly losses: Losses;
  private readonly onEnd: (() => PromiseLike<void>) | undefined;

  private constructor({ link, prefix, partitions, onEnd, onLoss = () => {} }: KafkaStreamOptions) {
    this.onEnd = onEnd;
    this.link = link;
    this.prefix = prefix;
    this.partitions = partitions;
    this.losses = new Losses(onLoss);
    this.fetcher = new Fetcher(link, this.losses);
    this.outbox = new Outbox(link, (topic, partition, end) => this.fetcher.learn(topic, partition, { end }));
    this.snapshots = new Snapshots({
      link,
      topic: prefix + SNAPSHOTS,
      partitions,
      groupOf: (name) => this.groupOf(`snapshots.${name}`),
    });
  }

  /** Throws KAFKA_TOPICS_WRONG when a topic is missing, has another number of partitions, or would lose records. */
  static async open(options: KafkaStreamOptions): Promise<KafkaStream> {
    await requireTopics(options.link, topicPlans(options.prefix, options.partitions));
    const stream = new KafkaStream(options);
    await stream.sync();
    return stream;
  }

  /** Records that could not be read since the start, each counted once whoever read them. */
  get brokenRecords(): number {
    return this.losses.records;
  }

  append(topic: Topic, partition: number, records: readonly NewRecord[]): void {
    this.outbox.append(this.prefix + topic, partition, records);
  }

  flush(): Promise<void> {
    return this.outbox.flush();
  }

  async sync(): Promise<void> {
    const numbers = Array.from({ length: this.partitions }, (_, partition) => partition);
    await Promise.all(
      Object.values(topics).map(async (name) => {
        const topic = this.prefix + name;
        const ends = await this.link.offsets(topic, numbers, 'end');
        const starts = await this.link.offsets(topic, numbers, 'start');
        for (const partition of numbers)
          this.fetcher.learn(topic, partition, {
            start: starts.get(partition) ?? 0,
            end: ends.get(partition) ?? 0,
          });
      }),
    );
  }

  read(topic: Topic, partition: number, offset: number, bytesMax: number): Promise<StreamRecord[]> {
    return this.fetcher.read(this.prefix + topic, partition, offset, bytesMax);
  }

  end(topic: Topic, partition: number): number {
    return this.fetcher.of(this.prefix + topic, partition).end;
  }

  start(topic: Topic, partition: number): number {
    return this.fetcher.of(this.prefix + topic, partition).start;
  }

  saveSnapshot(group: string, member: string, snapshot: Snapshot): Promise<void> {
    return this.snapshots.save(`${group}-${member}`, snapshot);
  }

  loadSnapshot(group: string, member: string): Promise<Snapshot | undefined> {
    return this.snapshots.load(`${group}-${member}`);
  }

  commit(reader: string, places: readonly Place[]): Promise<void> {
    return this.link.commit(
      this.groupOf(reader),
      places.map(({ topic, ...place }) => ({ ...place, topic: this.prefix + topic })),
    );
  }

  async needed(topic: Topic, partition: number, readers: readonly string[]): Promise<number> {
    const name = this.prefix + topic;
    const committed = await Promise.all(
      readers.map((reader) => this.link.committed(this.groupOf(reader), name, partition)),
    );
    return Math.min(...committed.map((offset) => offset ?? 0));
  }

  /** A group without members: its committed offset is what a reader still needs, and its lag what it has not read. */
  private groupOf(reader: string): string {
    return `${this.prefix}sealwatch.${reader}`;
  }

  async retain(topic: Topic, partition: number, beforeMs: number, keepOffset: number): Promise<number> {
    const name = this.prefix + topic;
    const of = async (at: 'start' | 'end' | number) =>
      (await this.link.offsets(name, [partition], at)).get(partition) ?? 0;
    const [start, end, young] = await Promise.all([of('start'), of('end'), of(beforeMs)]);
    // The newest stays, so that a partition that nobody writes to is not empty.
    const before = Math.min(young, keepOffset, end - 1);
    if (before <= start) return 0;
    await this.link.deleteBefore(name, partition, before);
    this.fetcher.learn(name, partition, { start: before });
    return before - start;
  }

  /** What was not flushed is lost; what was is in Kafka. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.fetcher.close();
    await this.onEnd?.();
  }

  onRecords(listener: () => void): void {
    this.fetcher.onRecords = listener;
  }
}
