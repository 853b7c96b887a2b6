// Finds the way on in a segment whose bytes are damaged: the next record that is as it was written, and its offset.
//
// Lines hold what anybody sent, so bytes inside a line may look like records. That is why the end that a broken record's own
// length names is tried first, and why a record counts only with an offset that can stand there.

import type { FileHandle } from 'node:fs/promises';
import { limits } from '../../../core/limits.ts';
import { HEAD_BYTES, isWhole, looksLikeRecord, numberOf, recordBytes } from './codec.ts';

export interface Found {
  position: number;
  offset: number;
}

export interface Wanted {
  /** Where in the file the damage begins. */
  position: number;
  /** The offset of the record that should stand there. */
  offset: number;
  /** Offsets from here on cannot stand in this segment. */
  to: number;
  /** Only a record that shows that all before it was on disk: one that begins a group, or one below this offset. */
  provenBelow?: number;
}

/** The first whole record behind `position`; undefined when there is none to the end of the file. */
export async function findRecord(file: FileHandle, wanted: Wanted): Promise<Found | undefined> {
  const { size: fileBytes } = await file.stat();
  const search = new Search(file, fileBytes, wanted);
  return (await search.behindBroken()) ?? search.byteByByte();
}

class Search {
  private readonly file: FileHandle;
  private readonly fileBytes: number;
  private readonly wanted: Wanted;

  constructor(file: FileHandle, fileBytes: number, wanted: Wanted) {
    this.file = file;
    this.fileBytes = fileBytes;
    this.wanted = wanted;
  }

  /** The record behind the broken one, when its length is what it was. */
  async behindBroken(): Promise<Found | undefined> {
    const { position, offset } = this.wanted;
    const head = await this.read(position, HEAD_BYTES);
    const size = recordBytes(head, 0, head.length);
    if (size === undefined) return undefined;
    const found = await this.at(position + size);
    return found?.offset === offset + 1 ? found : undefined;
  }

  async byteByByte(): Promise<Found | undefined> {
    for (let position = this.wanted.position + 1; position + HEAD_BYTES <= this.fileBytes; ) {
      const window = await this.read(position, limits.readBytesMax);
      const heads = window.length - HEAD_BYTES + 1;
      for (let at = 0; at < heads; at++) {
        if (!this.mayBegin(window, at, position + at)) continue;
        const found = await this.at(position + at);
        if (found !== undefined) return found;
      }
      position += heads;
    }
    return undefined;
  }

  private mayBegin(bytes: Buffer, at: number, position: number): boolean {
    if (!looksLikeRecord(bytes, at)) return false;
    const { offset, to, provenBelow = to } = this.wanted;
    const found = numberOf(bytes, at, offset);
    const size = recordBytes(bytes, at, bytes.length) as number;
    const isProof = found.beginsGroup || found.offset < provenBelow;
    return found.offset < to && isProof && size <= this.fileBytes - position;
  }

  /** The record at `position` of the file, when it is whole. */
  private async at(position: number): Promise<Found | undefined> {
    const head = await this.read(position, HEAD_BYTES);
    if (head.length < HEAD_BYTES || !this.mayBegin(head, 0, position)) return undefined;
    const size = recordBytes(head, 0, head.length) as number;
    const bytes = await this.read(position, size);
    if (bytes.length < size || !isWhole(bytes, 0, size)) return undefined;
    return { position, offset: numberOf(bytes, 0, this.wanted.offset).offset };
  }

  private async read(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length);
    return buffer.subarray(0, (await this.file.read(buffer, 0, length, position)).bytesRead);
  }
}
