// Reads one partition from its segment files, from any offset; several consumers read it at their own places. What the disk
// has lost is told by a record of its own, so that every consumer goes on behind it.

import { existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { StreamRecord } from '../../../core/ports.ts';
import { type Loss, UNKNOWN_DEVICE } from '../../../core/records.ts';
import { decodeRecord, recordBytes } from './codec.ts';
import { findRecord } from './resync.ts';
import { firstPosition, isRecord, segmentBases, segmentPath, walkSegment } from './segments.ts';

/** Where the record `offset` lies: remembered per consumer, so that reading on needs no search. */
interface Place {
  base: number;
  position: number;
  offset: number;
}

/** Records `[from, to)` of the partition in `dir` that cannot be read. */
export interface Hole {
  dir: string;
  from: number;
  to: number;
}

const PLACES_MAX = 16;

export class PartitionReader {
  private readonly dir: string;
  private readonly onHole: (hole: Hole) => void;
  private readonly places = new Map<number, Place>();
  private buffer = Buffer.allocUnsafe(64 * 1024);
  private filled = 0;
  private file: { base: number; handle: FileHandle } | undefined;

  constructor(dir: string, onHole: (hole: Hole) => void = () => {}) {
    this.dir = dir;
    this.onHole = onHole;
  }

  /**
   * Records in `[offset, end)`, about `bytesMax`, at least one; `end` is what the writer has made durable. Where records are
   * damaged or gone it gives one `loss` that counts them, at the offset of the last of them.
   */
  async read(offset: number, end: number, bytesMax: number): Promise<StreamRecord[]> {
    for (let from = offset; from < end; ) {
      const place = this.known(from) ?? (await this.find(from, end));
      // Retention has taken what was before the oldest segment: that is no damage.
      if (place.offset > from) from = Math.max(from, this.bases()[0] ?? 0);
      if (place.offset > from) return [this.skip(from, place)];
      const records = await this.readAt(place, end, bytesMax);
      if (records.length > 0) return records;
      const next = await this.findNext(place, end);
      if (next.offset > from) return [this.skip(from, next)];
      this.places.set(from, next);
    }
    return [];
  }

  private known(offset: number): Place | undefined {
    const place = this.places.get(offset);
    this.places.delete(offset);
    // Retention may have taken the segment meanwhile.
    return place !== undefined && existsSync(segmentPath(this.dir, place.base)) ? place : undefined;
  }

  /** What stands in order from `place` on; moves `place`. */
  private async readAt(place: Place, end: number, bytesMax: number): Promise<StreamRecord[]> {
    const records: StreamRecord[] = [];
    await this.fill(place, Math.max(bytesMax, 64));
    let at = 0;
    let size = recordBytes(this.buffer, at, this.filled);
    if (size !== undefined && size > this.filled && (await this.fits(place, size))) {
      await this.fill(place, size);
      size = recordBytes(this.buffer, at, this.filled);
    }
    while (place.offset < end && size !== undefined && size <= this.filled - at) {
      if (!isRecord(this.buffer, at, size, place.offset)) break;
      records.push(decodeRecord(this.buffer, at, size, place.offset++));
      at += size;
      size = recordBytes(this.buffer, at, this.filled);
    }
    place.position += at;
    if (records.length > 0) this.remember(place);
    return records;
  }

  private async fill({ base, position }: Place, bytes: number): Promise<void> {
    if (this.buffer.length < bytes) this.buffer = Buffer.allocUnsafe(bytes);
    const handle = await this.handleOf(base);
    this.filled = (await handle.read(this.buffer, 0, bytes, position)).bytesRead;
  }

  /** A damaged length may say anything. */
  private async fits({ base, position }: Place, size: number): Promise<boolean> {
    return size <= (await (await this.handleOf(base)).stat()).size - position;
  }

  /** The next place with a record, where `place` has none that is whole: in this segment, else the next one, else the end. */
  private async findNext(place: Place, end: number): Promise<Place> {
    const { base, position, offset } = place;
    const next = this.bases().find((candidate) => candidate > base) ?? end;
    const to = Math.min(next, end);
    const found = await findRecord(await this.handleOf(base), { position, offset, to });
    if (found !== undefined) return { base, ...found };
    return next > end || next === end ? { base, position, offset: end } : this.beginOf(next);
  }

  /** One record that stands for all in `[from, place.offset)`. */
  private skip(from: number, place: Place): StreamRecord {
    const { offset: to } = place;
    this.remember(place);
    this.onHole({ dir: this.dir, from, to });
    const value: Loss = { device: UNKNOWN_DEVICE, reason: 'unreadable', count: to - from, bytes: 0 };
    return {
      kind: 'loss',
      offset: to - 1,
      cause: undefined,
      bytes: nothing,
      value,
      text: JSON.stringify(value),
    };
  }

  private remember(place: Place): void {
    this.places.set(place.offset, place);
    if (this.places.size > PLACES_MAX) this.places.delete(this.places.keys().next().value as number);
  }

  private bases(): number[] {
    return segmentBases(this.dir);
  }

  private readonly beginOf = (base: number): Place => ({ base, position: firstPosition, offset: base });

  /** The first whole record at or behind `offset` in the segment that should hold it, or where the next one begins. */
  private async find(offset: number, end: number): Promise<Place> {
    const bases = this.bases();
    const base = bases.findLast((candidate) => candidate <= offset) ?? bases[0];
    if (base === undefined) throw new Error(`no segment in ${this.dir}`);
    let place = this.beginOf(base);
    while (place.base === base && place.offset < offset) {
      const walked = await walkSegment(await this.handleOf(base), place, offset);
      place = walked.offset === offset ? { base, ...walked } : await this.findNext({ base, ...walked }, end);
    }
    return place;
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

const nothing = Buffer.alloc(0);
