// The segment files of one partition: names, recovery of a torn tail, retention.

import { readdirSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '../../../core/limits.ts';
import { isWhole, MAGIC, recordBytes } from './codec.ts';

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

/**
 * Walks a segment from its start: calls `visit` for each whole record and returns where the good part ends. What stands
 * behind the first record that is cut or broken was never acknowledged: a group commit is one write, then one fsync.
 */
export async function walkSegment(
  file: FileHandle,
  visit: (bytes: Buffer, at: number, size: number) => void,
): Promise<number> {
  const { size: fileBytes } = await file.stat();
  let buffer = Buffer.allocUnsafe(limits.readBytesMax);
  const head = await file.read(buffer, 0, MAGIC.length, 0);
  if (head.bytesRead < MAGIC.length || !buffer.subarray(0, MAGIC.length).equals(MAGIC)) return 0;
  let position = MAGIC.length;
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    let at = 0;
    let size = recordBytes(buffer, at, bytesRead);
    while (size !== undefined && size <= bytesRead - at) {
      if (!isWhole(buffer, at, size)) return position + at;
      visit(buffer, at, size);
      at += size;
      size = recordBytes(buffer, at, bytesRead);
    }
    position += at;
    // What is left is a record that reaches beyond the file, or one that reaches beyond the buffer.
    if (size === undefined ? bytesRead < buffer.length : size > fileBytes - position) return position;
    if (size !== undefined && size > buffer.length) buffer = Buffer.allocUnsafe(size);
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
