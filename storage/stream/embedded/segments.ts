// The segment files of one partition: names, recovery of a torn tail, retention.

import { readdirSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '../../../core/limits.ts';
import { isWhole, MAGIC, numberOf, recordBytes } from './codec.ts';
import { type Found, findRecord } from './resync.ts';

const NAME = /^\d{16}\.seg$/;

/** A segment is named for the offset of its first record. */
export const segmentPath = (dir: string, base: number): string =>
  join(dir, `${String(base).padStart(16, '0')}.seg`);

/** First offsets of all segments, oldest first. */
export function segmentBases(dir: string): number[] {
  return readdirSync(dir)
    .filter((name) => NAME.test(name))
    .map((name) => Number(name.slice(0, 16)))
    .sort((a, b) => a - b);
}

/** A new segment file, durable under its name. Under another name until it is whole: a name promises its first offset. */
export async function createSegment(dir: string, base: number): Promise<FileHandle> {
  const path = segmentPath(dir, base);
  const file = await open(`${path}.new`, 'w+', 0o600);
  try {
    await file.write(MAGIC, 0, MAGIC.length, 0);
    await file.sync();
    await rename(`${path}.new`, path);
    await syncFolder(dir);
    return file;
  } catch (error) {
    await file.close();
    rmSync(path, { force: true });
    throw error;
  }
}

/** Makes names in a folder durable. */
export async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r');
  await folder.sync().finally(() => folder.close());
}

/** Where the first record of each segment stands. */
export const firstPosition = MAGIC.length;

/** Goes over whole records in their order, from `from` to the offset `until`; returns the place where it had to stop. */
export async function walkSegment(file: FileHandle, from: Found, until: number): Promise<Found> {
  const { size: fileBytes } = await file.stat();
  let buffer = Buffer.allocUnsafe(limits.readBytesMax);
  let { position, offset } = from;
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    let at = 0;
    let size = recordBytes(buffer, at, bytesRead);
    while (offset < until && size !== undefined && size <= bytesRead - at) {
      if (!isRecord(buffer, at, size, offset)) return { position: position + at, offset };
      at += size;
      offset++;
      size = recordBytes(buffer, at, bytesRead);
    }
    position += at;
    if (offset >= until) return { position, offset };
    // What is left is a record that reaches beyond the file, or one that reaches beyond the buffer.
    if (size === undefined ? bytesRead < buffer.length : size > fileBytes - position)
      return { position, offset };
    if (size !== undefined && size > buffer.length) buffer = Buffer.allocUnsafe(size);
  }
}

/** Whether the record `offset` stands whole in `[at, at + size)`. */
export const isRecord = (bytes: Buffer, at: number, size: number, offset: number): boolean =>
  isWhole(bytes, at, size) && numberOf(bytes, at, offset).offset === offset;

/**
 * Where the good part of the newest segment ends. Behind damage it goes on when a later group commit is there: that one was
 * written only when all before it was on disk; nor does it stop before the offset `floor`, which is known to have been reached.
 * A tail without either was never acknowledged: a group is one write, then one fsync.
 */
export async function findEnd(file: FileHandle, base: number, floor: number): Promise<Found> {
  const { size: fileBytes } = await file.stat();
  let end = await walkSegment(file, { position: firstPosition, offset: base }, Number.POSITIVE_INFINITY);
  for (;;) {
    const later = await findRecord(file, { ...end, to: end.offset + fileBytes, provenBelow: floor });
    if (later === undefined) return end;
    end = await walkSegment(file, later, Number.POSITIVE_INFINITY);
  }
}

/** Deletes the segments before `keepOffset` that were last written before `beforeMs`; the newest always stays. */
export function deleteOldSegments(dir: string, beforeMs: number, keepOffset: number): number {
  const bases = segmentBases(dir);
  let deleted = 0;
  for (const [i, base] of bases.entries()) {
    const next = bases[i + 1];
    if (next === undefined || next > keepOffset) break;
    const path = segmentPath(dir, base);
    if (statSync(path).mtimeMs >= beforeMs) break;
    unlinkSync(path);
    deleted++;
  }
  return deleted;
}
