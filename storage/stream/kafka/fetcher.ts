// Reads ahead for everybody who reads: each place has a small buffer; partitions at their end are watched with one long request.

import { setTimeout as pause } from 'node:timers/promises';
import { SealwatchError } from '../../../core/errors.ts';
import { limits } from '../../../core/limits.ts';
import type { StreamRecord } from '../../../core/ports.ts';
import { decodeMessage, messageBytes } from './codec.ts';
import type { Fetched, Link, Message } from './link.ts';
import type { Losses } from './losses.ts';

/** A message that was fetched; decoded when somebody takes it, once for all who do. */
interface Entry {
  offset: number;
  size: number;
  message: Message & { offset: number };
  record: StreamRecord | undefined;
  isDecoded: boolean;
}

interface Place {
  /** Offset that is fetched next. */
  next: number;
  entries: Entry[];
  bytes: number;
  /** Of them, what its reader was given last: while he works on it, what follows is fetched. */
  given: number;
  /** What its reader takes at a time. */
  want: number;
  usedMs: number;
  /** A request that has it is on its way. */
  isAsked: boolean;
  waiting: { done: () => void; failed: (error: unknown) => void }[];
}

interface Partition {
  /** In full. */
  topic: string;
  number: number;
  start: number;
  end: number;
  /** When somebody last asked for it. */
  watchedMs: number;
  places: Set<Place>;
  /** Kafka has lost what was read of it already. */
  broken: SealwatchError | undefined;
}

interface Asked {
  partition: Partition;
  offset: number;
  bytesMax: number;
  place: Place;
}

export class Fetcher {
  /** Hears when there is more to read. */
  onRecords = () => {};
  private readonly link: Link;
  private readonly partitions = new Map<string, Partition>();
  private readonly losses: Losses;
  private isReading = false;
  private isWatching = false;
  private isMeasuring = false;
  private isClosed = false;

  constructor(link: Link, losses: Losses) {
    this.link = link;
    this.losses = losses;
  }

  /** What is known of a partition. Whoever asks is told of new records from then on. */
  of(topic: string, number: number): Readonly<Partition> {
    const partition = this.partition(topic, number);
    partition.watchedMs = Date.now();
    void this.watch();
    return partition;
  }

  private partition(topic: string, number: number): Partition {
    const name = `${topic}/${number}`;
    let partition = this.partitions.get(name);
    if (partition === undefined) {
      partition = { topic, number, start: 0, end: 0, watchedMs: 0, places: new Set(), broken: undefined };
      this.partitions.set(name, partition);
    }
    return partition;
  }

  /** Somebody knows more of a partition. */
  learn(topic: string, number: number, { start = 0, end = 0 }: { start?: number; end?: number }): void {
    const partition = this.partition(topic, number);
    partition.start = Math.max(partition.start, start);
    partition.end = Math.max(partition.end, end);
  }

  /** See `Stream.read`. */
  async read(topic: string, number: number, offset: number, bytesMax: number): Promise<StreamRecord[]> {
    const partition = this.of(topic, number) as Partition;
    for (;;) {
      if (partition.broken !== undefined) throw partition.broken;
      const from = Math.max(offset, partition.start);
      const place = placeAt(partition, from);
      place.want = bytesMax;
      place.usedMs = Date.now();
      const records = place.entries.length === 0 ? [] : this.take(partition, place, from, bytesMax);
      void this.readAhead();
      // Behind the end that is known another process may have written; or Kafka has lost what was read: the broker is asked.
      if (records.length > 0 || from === partition.end) return records;
      await new Promise<void>((done, failed) => place.waiting.push({ done, failed }));
    }
  }

  private take(partition: Partition, place: Place, from: number, bytesMax: number): StreamRecord[] {
    const records: StreamRecord[] = [];
    let expected = from;
    let bytes = 0;
    for (let i = 0; i < place.entries.length && bytes < bytesMax; i++) {
      const entry = place.entries[i] as Entry;
      const record = decoded(entry);
      const lostTo = record === undefined ? entry.offset + 1 : entry.offset;
      if (lostTo > expected)
        records.push(this.losses.of(partition.topic, partition.number, expected, lostTo));
      if (record !== undefined) records.push(record);
      expected = entry.offset + 1;
      bytes += entry.size;
    }
    place.given = bytes;
    return records;
  }

  /** Fetches for places that are behind, until each has what its reader takes next. */
  private async readAhead(): Promise<void> {
    if (this.isReading) return;
    this.isReading = true;
    // Ends in the same turn in which it finds that nobody is behind: who is so from then on begins it again.
    for (let asked = this.behind(); asked.length > 0 && !this.isClosed; asked = this.behind()) {
      const before = asked.map(({ offset }) => offset);
      const isAnswered = await this.ask(asked, 0);
      // Who came meanwhile waits for a request of his own: he too must hear what goes wrong.
      if (!isAnswered && !this.isAwaited()) break;
      // Whoever leads it now may not have all of it yet.
      if (asked.every(({ place }, i) => place.next === before[i])) await pause(limits.kafkaRetryMsMin);
    }
    this.isReading = false;
  }

  private isAwaited(): boolean {
    return this.behind().some(({ place }) => place.waiting.length > 0);
  }

  private behind(): Asked[] {
    const found: Asked[] = [];
    const room = this.room();
    for (const partition of this.partitions.values()) {
      if (partition.broken !== undefined) continue;
      for (const place of partition.places) {
        const bytesMax = goalOf(place, room);
        if (place.isAsked || place.next === partition.end || place.bytes - place.given >= bytesMax) continue;
        found.push({ partition, offset: place.next, bytesMax, place });
      }
    }
    return found;
  }

  /** Bytes that one place may hold, so that all of them stay within bounds. */
  private room(): number {
    let places = 0;
    for (const partition of this.partitions.values()) places += partition.places.size;
    return Math.max(limits.kafkaPlaceBytesMin, limits.kafkaBufferBytesMax / (2 * Math.max(1, places)));
  }

  /** Asks for new records of all partitions that somebody looks at, for as long as there are any. */
  private async watch(): Promise<void> {
    if (this.isWatching) return;
    this.isWatching = true;
    while (!this.isClosed && this.isWatched()) {
      const asked = this.atEnd();
      void this.measure();
      if (asked.length === 0) await pause(limits.kafkaRetryMsMin);
      else if (!(await this.ask(asked, limits.kafkaWaitMs))) await pause(limits.kafkaRetryMsMax);
    }
    this.isWatching = false;
  }

  private isWatched(): boolean {
    const since = Date.now() - limits.kafkaPlaceMs;
    return [...this.partitions.values()].some(({ watchedMs }) => watchedMs >= since);
  }

  private atEnd(): Asked[] {
    const found: Asked[] = [];
    const since = Date.now() - limits.kafkaPlaceMs;
    const room = this.room();
    for (const partition of this.partitions.values()) {
      forgetIdle(partition, since);
      if (partition.watchedMs < since || partition.broken !== undefined) continue;
      const places = [...partition.places];
      const place = places.find(
        (one) => !one.isAsked && one.next === partition.end && one.bytes - one.given < goalOf(one, room),
      );
      // A place that has enough hears of the end by its own requests.
      if (place !== undefined)
        found.push({ partition, offset: partition.end, bytesMax: goalOf(place, room), place });
    }
    return found;
  }

  /** How far those are that are looked at and not read: what a stage writes would all come back to it if it were fetched. */
  private async measure(): Promise<void> {
    if (this.isMeasuring) return;
    this.isMeasuring = true;
    try {
      for (const [topic, unread] of this.unread())
        for (const [number, end] of await this.link.offsets(topic, unread, 'end')) {
          const isMore = end > this.partition(topic, number).end;
          this.learn(topic, number, { end });
          if (isMore) this.onRecords();
        }
    } catch {
      // Kafka is away: whoever reads or writes is told.
    }
    await pause(limits.kafkaEndsMs);
    this.isMeasuring = false;
  }

  private unread(): Map<string, number[]> {
    const found = new Map<string, number[]>();
    const since = Date.now() - limits.kafkaPlaceMs;
    for (const { topic, number, places, watchedMs } of this.partitions.values())
      if (places.size === 0 && watchedMs >= since) found.set(topic, [...(found.get(topic) ?? []), number]);
    return found;
  }

  /** Whether Kafka answered. Who waits is told, also of what went wrong. */
  private async ask(asked: readonly Asked[], waitMs: number): Promise<boolean> {
    for (const { place } of asked) place.isAsked = true;
    try {
      const places = asked.map(({ partition, offset, bytesMax }) => ({
        topic: partition.topic,
        partition: partition.number,
        offset,
        bytesMax,
      }));
      const answers = await this.link.fetch(places, waitMs);
      for (const { place } of asked) place.isAsked = false;
      for (const answer of answers) this.arrive(answer);
      return true;
    } catch (error) {
      for (const { place } of asked) place.isAsked = false;
      for (const { partition } of asked) failWaiting(partition, error);
      return false;
    }
  }

  private arrive({ topic, partition: number, offset, messages, start, end }: Fetched): void {
    const partition = this.partition(topic, number);
    this.learn(topic, number, { start, end });
    if (offset > end) {
      partition.broken = shorter(topic, number, offset, end);
      failWaiting(partition, partition.broken);
      return;
    }
    const entries = messages.map(entryOf);
    for (const place of partition.places) if (place.next === offset) extend(place, entries, start);
    if (entries.length > 0) this.onRecords();
  }

  close(): void {
    this.isClosed = true;
    for (const partition of this.partitions.values())
      failWaiting(partition, new Error('the stream was closed while it was read'));
  }
}

/** What is read ahead for a place: more than its reader takes next, so that it need not wait for the one after. */
const goalOf = ({ want }: Place, room: number): number =>
  Math.min(Math.max(want, limits.kafkaFetchBytes), room);

const entryOf = (message: Message & { offset: number }): Entry => ({
  offset: message.offset,
  size: messageBytes(message),
  message,
  record: undefined,
  isDecoded: false,
});

function decoded(entry: Entry): StreamRecord | undefined {
  if (!entry.isDecoded) {
    entry.record = decodeMessage(entry.message);
    entry.isDecoded = true;
  }
  return entry.record;
}

/** The place whose buffer goes on at `from`, without what lies before; or a new one. */
function placeAt(partition: Partition, from: number): Place {
  for (const place of partition.places) {
    const first = place.entries[0]?.offset ?? place.next;
    if (from < first || from > place.next) continue;
    const keep = place.entries.findIndex(({ offset }) => offset >= from);
    const gone = place.entries.splice(0, keep < 0 ? place.entries.length : keep);
    for (const { size } of gone) place.bytes -= size;
    place.given = 0;
    return place;
  }
  const place: Place = {
    next: from,
    entries: [],
    bytes: 0,
    given: 0,
    want: 0,
    usedMs: 0,
    isAsked: false,
    waiting: [],
  };
  partition.places.add(place);
  return place;
}

function extend(place: Place, entries: readonly Entry[], start: number): void {
  for (const entry of entries) {
    place.entries.push(entry);
    place.bytes += entry.size;
  }
  // Retention has taken what was asked for.
  place.next = Math.max((entries.at(-1)?.offset ?? place.next - 1) + 1, start);
  for (const { done } of place.waiting.splice(0)) done();
}

function failWaiting(partition: Partition, error: unknown): void {
  for (const place of partition.places) for (const { failed } of place.waiting.splice(0)) failed(error);
}

/** Who reads elsewhere by now has another place. */
function forgetIdle(partition: Partition, since: number): void {
  for (const place of partition.places)
    if (place.usedMs < since && place.waiting.length === 0 && !place.isAsked) partition.places.delete(place);
}

const shorter = (topic: string, partition: number, offset: number, end: number): SealwatchError =>
  new SealwatchError(
    'KAFKA_TOPICS_WRONG',
    `${topic}/${partition} ends at ${end}, and it had been read up to ${offset}: Kafka has lost records, or the topic was made anew`,
    'Bring the topic back, or begin with another kafka.prefix, another elasticsearch.prefix and an empty data folder.',
  );
