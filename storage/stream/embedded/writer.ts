// Appends to one partition: records gather in memory, a group commit writes and fsyncs them as one.

import { mkdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { limits } from '../../../core/limits.ts';
import type { NewRecord, StreamRecord } from '../../../core/ports.ts';
import { encodeRecord, MAGIC, sizeOf } from './codec.ts';
import { createSegment, segmentBases, segmentPath, walkSegment } from './segments.ts';

/** Gets the decoded records of a group (none for lines), the offset behind it, and its bytes, once it is on disk. */
export type OnDurable = (records: StreamRecord[], end: number, bytes: number) => void;

/** Memory of one write; a group commit at full speed fills a few. */
const SLAB_BYTES = 256 * 1024;

export class PartitionWriter {
  /** The offset of the next record to append, durable or not. */
  next = 0;
  /** Records before this are on disk. */
  durable = 0;
  private readonly dir: string;
  private readonly onDurable: OnDurable;
  private file!: FileHandle;
  private fileBytes = 0;
  /** Slabs that are full, and the one that fills: records are written straight into them. */
  private full: Buffer[] = [];
  private slab = Buffer.allocUnsafe(SLAB_BYTES);
  private slabUsed = 0;
  private slabCut = 0;
  private records: StreamRecord[] = [];
  private committing: Promise<void> | undefined;

  private constructor(dir: string, onDurable: OnDurable) {
    this.dir = dir;
    this.onDurable = onDurable;
  }

  /** Opens the partition in `dir`, cutting off a torn tail. `onDurable` gets each group once it is on disk. */
  static async open(dir: string, onDurable: OnDurable): Promise<PartitionWriter> {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const writer = new PartitionWriter(dir, onDurable);
    const base = segmentBases(dir).at(-1);
    if (base === undefined) await writer.startSegment();
    else await writer.recover(base);
    return writer;
  }

  private async recover(base: number): Promise<void> {
    this.file = await open(segmentPath(this.dir, base), 'r+');
    let count = 0;
    const good = await walkSegment(this.file, () => count++);
    this.fileBytes = Math.max(good, MAGIC.length);
    if (good === 0) await this.file.write(MAGIC, 0, MAGIC.length, 0);
    await this.file.truncate(this.fileBytes);
    await this.file.sync();
    this.next = this.durable = base + count;
  }

  private async startSegment(): Promise<void> {
    this.file = await createSegment(this.dir, this.durable);
    this.fileBytes = MAGIC.length;
  }

  append(records: readonly NewRecord[]): void {
    for (const record of records) {
      const { kind, cause, value, head, bytes } = record;
      const text = bytes === undefined ? (record.text ?? JSON.stringify(value)) : '';
      const size = sizeOf(
        record,
        bytes === undefined ? Buffer.byteLength(text) : (head?.length ?? 0) + bytes.length,
      );
      encodeRecord(record, text, this.roomFor(size), this.slabUsed, size);
      this.slabUsed += size;
      // Lines are read by another thread, from disk; all else by the next stage of this one.
      if (bytes === undefined)
        this.records.push({ kind, offset: this.next, cause, bytes: nothing, value, text });
      this.next++;
    }
  }

  private roomFor(size: number): Buffer {
    if (this.slab.length - this.slabUsed >= size) return this.slab;
    this.cut();
    this.slab = Buffer.allocUnsafe(Math.max(SLAB_BYTES, size));
    this.slabUsed = this.slabCut = 0;
    return this.slab;
  }

  /** What the slab holds since the last cut is ready to be written; the rest of it goes on filling. */
  private cut(): void {
    if (this.slabUsed > this.slabCut) this.full.push(this.slab.subarray(this.slabCut, this.slabUsed));
    this.slabCut = this.slabUsed;
  }

  /** Resolves when all that was appended before the call is on disk; rejects, keeping it, when the disk refuses. */
  async flush(): Promise<void> {
    while (this.committing !== undefined) await this.committing.catch(() => {});
    if (this.next === this.durable) return;
    this.committing = this.commit().finally(() => {
      this.committing = undefined;
    });
    await this.committing;
  }

  private async commit(): Promise<void> {
    const { records, next } = this;
    this.cut();
    const buffers = this.full;
    this.full = [];
    this.records = [];
    try {
      await writeAll(this.file, buffers, this.fileBytes);
      await this.file.datasync();
    } catch (error) {
      this.full = buffers.concat(this.full);
      this.records = records.concat(this.records);
      throw error;
    }
    const bytes = buffers.reduce((total, buffer) => total + buffer.length, 0);
    this.fileBytes += bytes;
    this.durable = next;
    this.onDurable(records, next, bytes);
    if (this.fileBytes >= limits.segmentBytesMax) await this.roll();
  }

  /** What is appended meanwhile waits in the buffers: it begins at `durable`, the new segment's name. */
  private async roll(): Promise<void> {
    const full = this.file;
    try {
      await this.startSegment();
    } catch {
      // No room for a new segment: the group is durable in this one, which goes on until there is.
      return;
    }
    await full.close();
  }

  async close(): Promise<void> {
    await this.flush();
    await this.file.close();
  }
}

const nothing = Buffer.alloc(0);
/** Linux takes 1,024 buffers in one call. */
const VECTOR_MAX = 1000;

async function writeAll(file: FileHandle, buffers: Uint8Array[], position: number): Promise<void> {
  let at = position;
  for (let i = 0; i < buffers.length; i += VECTOR_MAX) {
    const part = buffers.slice(i, i + VECTOR_MAX);
    let wanted = 0;
    for (const buffer of part) wanted += buffer.length;
    const { bytesWritten } = await file.writev(part, at);
    // A short write means a full disk or a limit; the next try writes the group again from its start.
    if (bytesWritten !== wanted) throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
    at += wanted;
  }
}
