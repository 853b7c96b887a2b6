// Snapshots in a compacted topic: chunks, then a manifest that closes them. Two slots take turns, so that one that was torn
// leaves the one before; a committed offset says where the newest manifest lies (decision 0035).

import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { limits } from '../../../core/limits.ts';
import { partitionOf } from '../../../core/partition.ts';
import type { Snapshot } from '../../../core/ports.ts';
import type { Fetched, Link, Message } from './link.ts';

/** In the value of the message that closes a snapshot. */
interface Manifest {
  generation: string;
  slot: number;
  chunks: number;
  crc: number;
  /** Offset of the first chunk. */
  first: number;
}

type Found = Fetched['messages'][number];

const SLOTS = 2;
const READ_BYTES = 8 * 1024 * 1024;

export class Snapshots {
  private readonly link: Link;
  private readonly topic: string;
  private readonly partitions: number;
  private readonly groupOf: (name: string) => string;
  /** By name, the newest manifest that this process knows. */
  private readonly newest = new Map<string, Manifest>();
  /** By name and slot, how many chunks it has had at most. */
  private readonly used = new Map<string, number>();

  /** `groupOf` gives the group whose committed offset leads to the newest manifest. */
  constructor(options: {
    link: Link;
    topic: string;
    partitions: number;
    groupOf: (name: string) => string;
  }) {
    this.link = options.link;
    this.topic = options.topic;
    this.partitions = options.partitions;
    this.groupOf = options.groupOf;
  }

  private partition(name: string): number {
    return partitionOf(name, this.partitions);
  }

  async save(name: string, snapshot: Snapshot): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(snapshot));
    const slot = ((this.newest.get(name)?.slot ?? -1) + 1) % SLOTS;
    const generation = randomUUID();
    const headers = { g: Buffer.from(generation) };
    const chunks: Message[] = [];
    for (let at = 0; at < bytes.length; at += limits.kafkaSnapshotChunkBytes)
      chunks.push({
        key: keyOf(name, slot, chunks.length),
        value: bytes.subarray(at, at + limits.kafkaSnapshotChunkBytes),
        headers,
      });
    const gone = this.leftOver(name, slot, chunks.length);
    const { first } = await this.write(name, chunks);
    const manifest: Manifest = { generation, slot, chunks: chunks.length, crc: crc32(bytes), first };
    const closing = { key: keyOf(name, slot), value: Buffer.from(JSON.stringify(manifest)), headers };
    const { last: offset } = await this.write(name, [...gone, closing]);
    await this.link.commit(this.groupOf(name), [
      { topic: this.topic, partition: this.partition(name), offset },
    ]);
    this.newest.set(name, manifest);
    this.used.set(`${name}/${slot}`, chunks.length);
  }

  /** Chunks of a longer snapshot that stood in this slot before. */
  private leftOver(name: string, slot: number, chunks: number): Message[] {
    const before = this.used.get(`${name}/${slot}`) ?? 0;
    return Array.from({ length: Math.max(0, before - chunks) }, (_, i) => ({
      key: keyOf(name, slot, chunks + i),
      value: null,
      headers: {},
    }));
  }

  /** Offsets of the first and the last of them. They may lie apart: others write to the partition too. */
  private async write(name: string, messages: readonly Message[]): Promise<{ first: number; last: number }> {
    let first = -1;
    let last = -1;
    for (let at = 0; at < messages.length; at += 2) {
      const batch = {
        topic: this.topic,
        partition: this.partition(name),
        messages: messages.slice(at, at + 2),
      };
      const [produced] = await this.link.produce([batch]);
      if (produced === undefined) throw new Error('a produce without an answer');
      if (first < 0) first = produced.offset;
      last = produced.offset + batch.messages.length - 1;
    }
    return { first, last };
  }

  /** Undefined when there is none that is whole: its stage then begins with the oldest records there are. */
  async load(name: string): Promise<Snapshot | undefined> {
    const partition = this.partition(name);
    const offset = await this.link.committed(this.groupOf(name), this.topic, partition);
    const known = offset === undefined ? undefined : await this.loadAt(name, partition, offset);
    const found = known ?? (await this.search(name, partition));
    if (found === undefined) return undefined;
    this.newest.set(name, found.manifest);
    this.used.set(`${name}/${found.manifest.slot}`, found.manifest.chunks);
    return JSON.parse(found.bytes.toString()) as Snapshot;
  }

  /** What the manifest at `offset` closes. */
  private async loadAt(name: string, partition: number, offset: number): Promise<Whole | undefined> {
    for await (const message of this.messages(partition, offset, offset + 1)) {
      const manifest = manifestIn(name, message);
      if (manifest === undefined) return undefined;
      const chunks = new Chunks(name, manifest.generation);
      for await (const chunk of this.messages(partition, manifest.first, offset)) chunks.take(chunk);
      return chunks.whole(manifest);
    }
    return undefined;
  }

  /** All that is left of this name: the committed offset was forgotten, or stands for what is no longer whole. */
  private async search(name: string, partition: number): Promise<Whole | undefined> {
    const end = (await this.link.offsets(this.topic, [partition], 'end')).get(partition) ?? 0;
    const start = (await this.link.offsets(this.topic, [partition], 'start')).get(partition) ?? 0;
    const chunks = new Chunks(name);
    let found: Whole | undefined;
    for await (const message of this.messages(partition, start, end)) {
      const manifest = manifestIn(name, message);
      if (manifest === undefined) chunks.take(message);
      else found = chunks.whole(manifest) ?? found;
    }
    return found;
  }

  /** Messages in `[from, to)` that are left. */
  private async *messages(partition: number, from: number, to: number): AsyncGenerator<Found> {
    for (let next = from; next < to; ) {
      const [answer] = await this.link.fetch(
        [{ topic: this.topic, partition, offset: next, bytesMax: READ_BYTES }],
        0,
      );
      const messages = answer?.messages ?? [];
      for (const message of messages) {
        if (message.offset >= to) return;
        yield message;
      }
      const last = messages.at(-1)?.offset;
      if (last === undefined && (answer?.start ?? 0) <= next) return;
      next = last === undefined ? (answer?.start ?? to) : last + 1;
    }
  }
}

interface Whole {
  manifest: Manifest;
  bytes: Buffer;
}

/** The newest chunks of one name, of each slot. */
class Chunks {
  private readonly name: string;
  private readonly generation: string | undefined;
  private readonly found = new Map<string, Found>();

  /** @param generation of this alone: what somebody else has written in between, or late, does not stand in its way */
  constructor(name: string, generation?: string) {
    this.name = name;
    this.generation = generation;
  }

  take(message: Found): void {
    const key = message.key?.toString() ?? '';
    if (!key.startsWith(`${this.name}/`)) return;
    if (this.generation !== undefined && message.headers['g']?.toString() !== this.generation) return;
    this.found.set(key, message);
  }

  whole(manifest: Manifest): Whole | undefined {
    const { slot, generation } = manifest;
    const parts = Array.from({ length: manifest.chunks }, (_, i) =>
      this.found.get(keyOf(this.name, slot, i).toString()),
    );
    if (parts.some((part) => part?.value == null || part.headers['g']?.toString() !== generation))
      return undefined;
    const bytes = Buffer.concat(parts.map((part) => part?.value as Buffer));
    return crc32(bytes) === manifest.crc ? { manifest, bytes } : undefined;
  }
}

/** Names have no slash: theirs are groups and members. Without `chunk` the key of the manifest. */
const keyOf = (name: string, slot: number, chunk?: number): Buffer =>
  Buffer.from(chunk === undefined ? `${name}/${slot}` : `${name}/${slot}/${chunk}`);

function manifestIn(name: string, { key, value }: Found): Manifest | undefined {
  const slot = key === null ? -1 : [...Array(SLOTS).keys()].findIndex((one) => keyOf(name, one).equals(key));
  if (slot < 0 || value === null) return undefined;
  try {
    return JSON.parse(value.toString()) as Manifest;
  } catch {
    return undefined;
  }
}
