// Reads one partition from its segment files, from any offset; several consumers read it at their own places.

import { type FileHandle, open } from 'node:fs/promises';
import { limits } from '../../../core/limits.ts';
import type { StreamRecord } from '../../../core/ports.ts';
import { decodeRecord, isWhole, MAGIC, recordBytes } from './codec.ts';
import { segmentBases, segmentPath } from './segments.ts';

/** Where an offset lies: remembered per consumer, so that reading on needs no search. */
interface Place {
  base: number;
  position: number;
}

const PLACES_MAX = 16;

export class PartitionReader {
  private readonly dir: string;
  private readonly places = new Map<number, Place>();
  private buffer = Buffer.allocUnsafe(64 * 1024);
  private file: { base: number; handle: FileHandle } | undefined;

  constructor(dir: string) {
    this.dir = dir;
  }

  /** Records in `[offset, end)`, about `bytesMax`, at least one; `end` is what the writer has made durable. */
  async read(offset: number, end: number, bytesMax: number): Promise<StreamRecord[]> {
    if (offset >= end) return [];
    const place = this.places.get(offset) ?? this.find(offset);
    this.places.delete(offset);
    const records: StreamRecord[] = [];
    let next = Math.max(place.base, offset);
    if (place.position < 0) next = await this.skipTo(place, next);
    await this.fill(place, Math.max(bytesMax, 64));
    let at = 0;
    let size = recordBytes(this.buffer, at, this.filled);
    if (size !== undefined && size > this.filled) {
      await this.fill(place, size);
      size = recordBytes(this.buffer, at, this.filled);
    }
    while (next < end && size !== undefined && size <= this.filled - at) {
      if (!isWhole(this.buffer, at, size))
        throw new Error(`broken record ${next} in ${segmentPath(this.dir, place.base)}`);
      records.push(decodeRecord(this.buffer, at, size, next++));
      at += size;
      size = recordBytes(this.buffer, at, this.filled);
    }
    place.position += at;
    if (records.length === 0) return this.readNextSegment(place, next, end, bytesMax);
    this.remember(next, place);
    return records;
  }

  private filled = 0;

  private async fill(place: Place, bytes: number): Promise<void> {
    if (this.buffer.length < bytes) this.buffer = Buffer.allocUnsafe(bytes);
    const handle = await this.handleOf(place.base);
    this.filled = (await handle.read(this.buffer, 0, bytes, place.position)).bytesRead;
  }

  /** This segment has no more: the next one is named for the offset that follows. */
  private async readNextSegment(
    place: Place,
    next: number,
    end: number,
    bytesMax: number,
  ): Promise<StreamRecord[]> {
    if (!segmentBases(this.dir).includes(next) || next === place.base) {
      throw new Error(`offset ${next} of ${this.dir} should be there, its end is ${end}`);
    }
    this.remember(next, { base: next, position: MAGIC.length });
    return this.read(next, end, bytesMax);
  }

  private remember(offset: number, place: Place): void {
    this.places.set(offset, place);
    if (this.places.size > PLACES_MAX) this.places.delete(this.places.keys().next().value as number);
  }

  /** The segment that holds `offset`, or the oldest one when retention took it; position -1 means not yet searched. */
  private find(offset: number): Place {
    const bases = segmentBases(this.dir);
    const base = bases.findLast((candidate) => candidate <= offset) ?? bases[0];
    if (base === undefined) throw new Error(`no segment in ${this.dir}`);
    return { base, position: base === offset ? MAGIC.length : -1 };
  }

  /** Sets `place.position` to the record `offset` by hopping over the ones before; returns the offset found. */
  private async skipTo(place: Place, offset: number): Promise<number> {
    const handle = await this.handleOf(place.base);
    const head = Buffer.allocUnsafe(limits.readBytesMax);
    place.position = MAGIC.length;
    let count = place.base;
    while (count < offset) {
      const { bytesRead } = await handle.read(head, 0, head.length, place.position);
      let at = 0;
      let size = recordBytes(head, at, bytesRead);
      while (count < offset && size !== undefined) {
        at += size;
        count++;
        size = recordBytes(head, at, bytesRead);
      }
      if (at === 0) return count;
      place.position += at;
    }
    return count;
  }

  private async handleOf(base: number): Promise<FileHandle> {
    if (this.file?.base === base) return this.file.handle;
    await this.close();
    const handle = await open(segmentPath(this.dir, base), 'r');
    this.file = { base, handle };
    return handle;
  }

  async close(): Promise<void> {
    await this.file?.handle.close();
    this.file = undefined;
  }
}
