// The drain: what the collector has made durable in its spool goes onto Kafka, record by record in the order of each partition.
// What Kafka does not take now stays in the spool. It may arrive twice, with the same cause, by which readers know it.

import { limits } from '../../core/limits.ts';
import type { Cause, NewRecord, Stream, StreamRecord } from '../../core/ports.ts';
import { decodeLine } from '../../core/raw.ts';
import { type Tick, topics } from '../../core/records.ts';

export interface DrainOptions {
  /** The collector's own, read as it becomes durable. */
  spool: Stream;
  spoolId: string;
  /** Gives the spool another id. */
  renewId: () => string;
  /** Wall time in ms. */
  now: () => number;
}

const GROUP = 'drain';
const MEMBER = 'all';

interface Part {
  /** The next record of the spool to hand over. */
  next: number;
  /** Behind what is durable on the stream. */
  drained: number;
  /** What each input had put on the spool by the last tick that was handed over, and by the last that is durable. */
  seen: Readonly<Record<string, number>> | undefined;
  freed: Readonly<Record<string, number>> | undefined;
}

export class Drain {
  private readonly options: DrainOptions;
  private readonly parts: Part[];
  /** Where each partition of the spool ended at the start: what it takes while the stream is away says nothing of where it was. */
  private readonly ends: readonly number[];
  private spoolId: string;
  private isBegun = false;
  private isHandedOver = false;
  private nextSaveMs = 0;
  private nextMarkMs = 0;

  private constructor(options: DrainOptions, next: readonly number[]) {
    this.options = options;
    this.spoolId = options.spoolId;
    const { spool } = options;
    this.ends = next.map((_, partition) => spool.end(topics.raw, partition));
    this.parts = next.map((at) => ({ next: at, drained: at, seen: undefined, freed: undefined }));
  }

  /** Where the last one stopped; at the oldest record there is without one. */
  static async load(options: DrainOptions): Promise<Drain> {
    const { spool } = options;
    const inputs = (await spool.loadSnapshot(GROUP, MEMBER))?.inputs ?? {};
    const next = Array.from({ length: spool.partitions }, (_, partition) =>
      Math.max(inputs[partition] ?? 0, spool.start(topics.raw, partition)),
    );
    return new Drain(options, next);
  }

  /** Records that wait in the spool. */
  get lag(): number {
    const { spool } = this.options;
    return this.parts.reduce(
      (sum, { drained }, partition) => sum + Math.max(0, spool.end(topics.raw, partition) - drained),
      0,
    );
  }

  /** Bytes that each input has put on the spool and that are on the stream; undefined until every partition has told. */
  get freed(): Record<string, number> | undefined {
    const [first, ...others] = this.parts.map(({ freed }) => freed);
    if (first === undefined || others.includes(undefined)) return undefined;
    const lowest = (id: string) => Math.min(...this.parts.map(({ freed }) => freed?.[id] ?? 0));
    return Object.fromEntries(Object.keys(first).map((id) => [id, lowest(id)]));
  }

  /**
   * One batch of each partition onto `stream`, durable there when it resolves; returns how many records. Rejects when the stream
   * cannot be written now, or the spool not be read: to be called again.
   */
  async step(stream: Stream): Promise<number> {
    if (!this.isBegun) await this.begin(stream);
    this.isBegun = true;
    // What the stream has refused it still holds: only when that is durable, more is read, over the bytes of what was read before.
    if (!this.isHandedOver) await this.handOver(stream);
    if (this.isHandedOver) await stream.flush();
    this.isHandedOver = false;
    let count = 0;
    for (const part of this.parts) {
      count += part.next - part.drained;
      part.drained = part.next;
      part.freed = part.seen;
    }
    await this.keep(stream);
    return count;
  }

  /**
   * A spool that ends before what was drained from it has been put back to an earlier state: what it takes from here on would have
   * the causes of what was drained, and be dropped for it.
   */
  private async begin(stream: Stream): Promise<void> {
    const marked = (await stream.loadSnapshot(GROUP, this.spoolId))?.inputs ?? {};
    const isRewound = this.ends.some((end, partition) => (marked[partition] ?? 0) > end);
    if (isRewound) this.spoolId = this.options.renewId();
  }

  private async handOver(stream: Stream): Promise<void> {
    const { spool, now } = this.options;
    const bytesMax = Math.ceil(limits.drainBytesMax / this.parts.length);
    const sent = now();
    for (const [partition, part] of this.parts.entries()) {
      if (part.next >= spool.end(topics.raw, partition)) continue;
      const records = await spool.read(topics.raw, partition, part.next, bytesMax);
      const last = records.at(-1);
      if (last === undefined) continue;
      stream.append(
        topics.raw,
        partition,
        records.map((record) => this.drained(record, partition, sent)),
      );
      this.isHandedOver = true;
      part.next = last.offset + 1;
      const tick = records.findLast(({ kind }) => kind === 'tick');
      if (tick !== undefined) part.seen = (tick.value as Tick).spooled ?? {};
    }
  }

  private drained(
    { kind, offset, bytes, value, text }: StreamRecord,
    partition: number,
    sent: number,
  ): NewRecord {
    const cause: Cause = { spool: this.spoolId, partition, offset, index: 0 };
    if (kind === 'tick') return { kind, cause, value: { ...(value as Tick), sent } satisfies Tick };
    if (kind !== 'line') return { kind, cause, value, text };
    const { at } = decodeLine(bytes);
    return { kind, cause, head: bytes.subarray(0, at), bytes: bytes.subarray(at) };
  }

  /** How far it is becomes lasting now and then: what is sent again after a crash is known by its cause. */
  private async keep(stream: Stream): Promise<void> {
    const nowMs = this.options.now();
    if (nowMs < this.nextSaveMs) return;
    await this.save();
    this.nextSaveMs = nowMs + limits.snapshotMs;
    if (nowMs < this.nextMarkMs) return;
    await this.mark(stream);
    this.nextMarkMs = nowMs + limits.drainMarkMs;
  }

  /** In the spool: where to go on. What a start of the collector looks back through stays, all before it goes. */
  async save(): Promise<void> {
    const { spool, now } = this.options;
    await spool.saveSnapshot(GROUP, MEMBER, this.snapshot());
    for (const [partition, { drained }] of this.parts.entries()) {
      const keep = Math.min(drained, spool.end(topics.raw, partition) - limits.recoverRecordsMax);
      await spool.retain(topics.raw, partition, now(), keep);
    }
  }

  /** On the stream: how far the spool of this id has come. */
  async mark(stream: Stream): Promise<void> {
    await stream.saveSnapshot(GROUP, this.spoolId, this.snapshot());
  }

  private snapshot() {
    const inputs = Object.fromEntries(this.parts.map(({ drained }, partition) => [partition, drained]));
    const outputs = Object.fromEntries(
      this.parts.map(({ drained }, partition) => [`${topics.raw}/${partition}`, drained]),
    );
    return { inputs, outputs, state: null };
  }
}
