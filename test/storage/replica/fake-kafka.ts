// A fake of Kafka: topics of one partition in memory, with what makes the real one hard: answers that never come, requests that
// land late, compaction at any moment. The real one is tried in test/real.

import type { Fetched, Joined, Link, Message } from '../../../storage/stream/kafka/link.ts';

type Kept = Message & { offset: number };

export class FakeKafka {
  private readonly topics = new Map<string, { kept: Kept[]; end: number }>();

  private topic(name: string) {
    let topic = this.topics.get(name);
    if (topic === undefined) {
      topic = { kept: [], end: 0 };
      this.topics.set(name, topic);
    }
    return topic;
  }

  append(name: string, messages: readonly Message[]): number {
    const topic = this.topic(name);
    const offset = topic.end;
    for (const message of messages) topic.kept.push({ ...copy(message), offset: topic.end++ });
    return offset;
  }

  messages(name: string): readonly Kept[] {
    return this.topic(name).kept;
  }

  end(name: string): number {
    return this.topic(name).end;
  }

  /** Of what lies before `before`, only the last message of each key stays; with `tombstones` those that delete go, too. */
  compact(name: string, before: number, tombstones: boolean): void {
    const topic = this.topic(name);
    const last = new Map<string, number>();
    for (const { key, offset } of topic.kept) if (offset < before) last.set(String(key), offset);
    topic.kept = topic.kept.filter(
      ({ key, value, offset }) =>
        offset >= before || (last.get(String(key)) === offset && !(tombstones && value === null)),
    );
  }

  delete(name: string): void {
    this.topics.delete(name);
  }

  link(): FakeLink {
    return new FakeLink(this);
  }
}

const copy = ({ key, value, headers }: Message): Message => ({
  key: key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  headers: { ...headers },
});

/** What becomes of a produce. */
export type Fate = 'lands' | 'lost' | 'unanswered' | 'held';

export class FakeLink implements Link {
  /** Asked at each produce. */
  fate: () => Fate = () => 'lands';
  produced = 0;
  private readonly kafka: FakeKafka;
  private held: (() => void)[] = [];

  constructor(kafka: FakeKafka) {
    this.kafka = kafka;
  }

  async produce(batches: readonly { topic: string; partition: number; messages: readonly Message[] }[]) {
    const fate = this.fate();
    if (fate === 'lost') throw new Error('no broker answers');
    // A connection hands over in order: what is behind a request that is held is held, too.
    if (fate === 'held' || this.held.length > 0)
      await new Promise<void>((resolve) => {
        this.held.push(resolve);
      });
    this.produced++;
    const places = batches.map(({ topic, partition, messages }) => ({
      topic,
      partition,
      offset: this.kafka.append(topic, messages),
    }));
    if (fate === 'unanswered') throw new Error('no broker answers');
    return places;
  }

  /** What was held lands now. */
  async release(): Promise<void> {
    const { held } = this;
    this.held = [];
    for (const resolve of held) resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async fetch(places: readonly { topic: string; partition: number; offset: number; bytesMax: number }[]) {
    return places.map(({ topic, partition, offset, bytesMax }): Fetched => {
      let bytes = 0;
      const messages: Kept[] = [];
      for (const message of this.kafka.messages(topic)) {
        if (message.offset < offset) continue;
        if (bytes >= bytesMax || messages.length === FETCH_MAX) break;
        bytes += message.value?.length ?? 0;
        messages.push(message);
      }
      return { topic, partition, offset, messages, end: this.kafka.end(topic), start: 0 };
    });
  }

  async offsets(topic: string, partitions: readonly number[], at: 'start' | 'end' | number) {
    return new Map(partitions.map((partition) => [partition, at === 'end' ? this.kafka.end(topic) : 0]));
  }

  async deleteBefore(): Promise<void> {}
  async commit(): Promise<void> {}
  async committed(): Promise<undefined> {}
  async describe() {
    return new Map();
  }
  async create(): Promise<void> {}
  async join(): Promise<Joined> {
    return { check() {}, async [Symbol.asyncDispose]() {} };
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Few at a time, so that each reader comes to an edge often. */
const FETCH_MAX = 7;
