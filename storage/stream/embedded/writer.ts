// Appends to one partition: records gather in memory, a group commit writes and fsyncs them as one.

import { mkdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { limits } from '../../../core/limits.ts';
import type { NewRecord, StreamRecord } from '../../../core/ports.ts';
import { encodeRecord, MAGIC, sizeOf } from './codec.ts';
import { createSegment, findEnd, segmentBases, segmentPath } from './segments.ts';

/** Gets the decoded records of a group (none for lines), the offset behind it, and its bytes, once it is on disk. */
export type OnDurable = (records: StreamRecord[], end: number, bytes: number) => void;

/** What one write and one fsync make durable. */
interface Group {
  buffers: Buffer[];
  records: StreamRecord[];
  /** The offset behind it. */
  end: number;
}

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
  private beginsGroup = true;
  /** The group that is on its way to the disk, or that the disk has refused. */
  private group: Group | undefined;
  private committing: Promise<void> | undefined;

  private constructor(dir: string, onDurable: OnDurable) {
    this.dir = dir;
    this.onDurable = onDurable;
  }

  /**
   * Opens the partition in `dir`, cutting off a torn tail. `onDurable` gets each group once it is on disk. Offsets below
   * `floor` are known to have been used: when the disk has lost them, they are a gap and never used again.
   */
  static async open(dir: string, onDurable: OnDurable, floor = 0): Promise<PartitionWriter> {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const writer = new PartitionWriter(dir, onDurable);
    const base = segmentBases(dir).at(-1);
    if (base !== undefined) await writer.recover(base, floor);
    if (base !== undefined && writer.next >= floor) return writer;
    if (base !== undefined) await writer.file.close();
    writer.next = writer.durable = floor;
    await writer.startSegment();
    return writer;
  }

  private async recover(base: number, floor: number): Promise<void> {
    this.file = await open(segmentPath(this.dir, base), 'r+');
    const { position, offset } = await findEnd(this.file, base, floor);
    if ((await this.file.stat()).size < MAGIC.length) await this.file.write(MAGIC, 0, MAGIC.length, 0);
    await this.file.truncate(position);
    await this.file.sync();
    this.fileBytes = position;
    this.next = this.durable = offset;
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
      const { next: offset, beginsGroup } = this;
      encodeRecord(record, { offset, beginsGroup }, text, this.roomFor(size), this.slabUsed, size);
      this.beginsGroup = false;
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
    const wanted = this.next;
    while (this.durable < wanted) {
      if (this.committing !== undefined) {
        await this.committing.catch(() => {});
        continue;
      }
      this.committing = this.commit().finally(() => {
        this.committing = undefined;
      });
      await this.committing;
    }
  }

  /** A group that was refused is written again as it was: recovery relies on where groups begin. */
  private async commit(): Promise<void> {
    this.group ??= this.gather();
    const { buffers, records, end } = this.group;
    await writeAll(this.file, buffers, this.fileBytes);
    await this.file.datasync();
    this.group = undefined;
    const bytes = buffers.reduce((total, buffer) => total + buffer.length, 0);
    this.fileBytes += bytes;
    this.durable = end;
    this.onDurable(records, end, bytes);
    if (this.fileBytes >= limits.segmentBytesMax) await this.roll();
  }

  private gather(): Group {
    this.cut();
    const group = { buffers: this.full, records: this.records, end: this.next };
    this.full = [];
    this.records = [];
    this.beginsGroup = true;
    return group;
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
    if (bytesWritten !== wanted)
      throw Object.assign(new Error('no room for all of it: the disk is full, or a limit is reached'), {
        code: 'ENOSPC',
      });
    at += wanted;
  }
}
