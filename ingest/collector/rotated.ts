// Finds what rotation made of an audit file: where the file went that was being read, and which one came after it.

import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { systemCode } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { FilePlace } from '../../core/records.ts';

export interface NextFile {
  path: string;
  inode: number;
  /** Compressed files that were written between the last file and this one: nobody reads them. */
  unread: number;
}

/** What is compared to know a file again: its bytes just before a place. */
export const markOf = (bytes: Buffer): number => crc32(bytes);

/** The bytes before `position` of which the mark is made. Fewer than there should be: the file is shorter. */
export async function bytesBefore(file: FileHandle, position: number): Promise<Buffer> {
  const wanted = Math.min(position, limits.fileMarkBytes);
  const bytes = Buffer.alloc(wanted);
  const { bytesRead } = await file.read(bytes, 0, wanted, position - wanted);
  return bytes.subarray(0, bytesRead);
}

const holds = async (file: FileHandle, { durable, mark }: FilePlace): Promise<boolean> => {
  const bytes = await bytesBefore(file, durable);
  return bytes.length === Math.min(durable, limits.fileMarkBytes) && markOf(bytes) === mark;
};

/**
 * Opens the file that `place` lies in: the one at `path`, the one of its folder that has the inode, or a copy of it. An inode
 * number is used again for other files, so in each case the bytes before the place must be the same. Undefined: it is gone.
 */
export async function reopen(path: string, place: FilePlace): Promise<FileHandle | undefined> {
  const copy = place.durable < limits.fileMarkBytes ? await copyOfNew(path, place) : undefined;
  if (copy !== undefined) return copy;
  const folder = dirname(path);
  const others = (await namesIn(folder)).filter((name) => name !== basename(path));
  const found = [];
  for (const name of [basename(path), ...others].slice(0, limits.rotatedFilesMax)) {
    const is = await stat(join(folder, name)).catch(() => undefined);
    if (is?.isFile() && is.size >= place.durable) found.push({ path: join(folder, name), inode: is.ino });
  }
  const same = found.filter(({ inode }) => inode === place.inode);
  // A copy is known by its bytes alone, so there must be enough of them.
  const copies = place.durable < limits.fileMarkBytes ? [] : found.filter((file) => !same.includes(file));
  for (const file of [...same, ...copies]) {
    const handle = await open(file.path, 'r').catch(() => undefined);
    if (handle === undefined) continue;
    if (await holds(handle, place)) return handle;
    await handle.close();
  }
  return undefined;
}

/**
 * Of a file of which next to nothing was durable no bytes show that it is the same. If it was copied and truncated since, the
 * copy was written after it was last seen.
 */
async function copyOfNew(path: string, place: FilePlace): Promise<FileHandle | undefined> {
  const named = await stat(path).catch(() => undefined);
  const next = named?.ino === place.inode ? await nextFile(path, place.writtenMs) : undefined;
  if (next === undefined || next.inode === place.inode) return undefined;
  // It may have been given another name since.
  return (await open(next.path, 'r').catch(ignoreMissing)) ?? copyOfNew(path, place);
}

/** Undefined for what is not there. */
export const ignoreMissing = (error: unknown): undefined => {
  if (systemCode(error) !== 'ENOENT') throw error;
};

/** A folder that may be entered and not listed shows nothing: then only the configured name is known. */
const namesIn = (folder: string): Promise<string[]> =>
  readdir(folder).catch((error: unknown) => {
    if (['EACCES', 'ENOENT'].includes(systemCode(error) ?? '')) return [];
    throw error;
  });

const COMPRESSED = /\.(gz|bz2|xz|zst|lz4)$/;

/** Names that rotation gives: the file's own with digits behind it or before its extension (`audit.log.1`, `audit-20261123.log`). */
export function isRotated(name: string, of: string): boolean {
  const plain = name.replace(COMPRESSED, '');
  const extension = extname(of);
  const stem = of.slice(0, of.length - extension.length);
  const behind = plain.startsWith(of) ? plain.slice(of.length) : undefined;
  const inside =
    extension !== '' && plain.startsWith(stem) && plain.endsWith(extension)
      ? plain.slice(stem.length, plain.length - extension.length)
      : undefined;
  return [behind, inside].some((added) => added !== undefined && /^[._-]?\d[\dTZ:._-]*$/.test(added));
}

/**
 * The file to read after one that was last written at `afterMs`: the oldest of the rotated ones that were written later,
 * else the one at `path`. Order is by the time of the last write, the only one that every file system keeps. Undefined: there
 * is none yet.
 */
export async function nextFile(path: string, afterMs: number): Promise<NextFile | undefined> {
  const folder = dirname(path);
  const names = (await namesIn(folder)).filter((name) => isRotated(name, basename(path)));
  const later = [];
  for (const name of names.slice(0, limits.rotatedFilesMax)) {
    // While a file is being compressed both stand there.
    if (COMPRESSED.test(name) && names.includes(name.replace(COMPRESSED, ''))) continue;
    const is = await stat(join(folder, name)).catch(() => undefined);
    if (is !== undefined && is.mtimeMs > afterMs) later.push({ name, inode: is.ino, mtimeMs: is.mtimeMs });
  }
  later.sort((a, b) => a.mtimeMs - b.mtimeMs);
  const first = later.findIndex(({ name }) => !COMPRESSED.test(name));
  const rotated = later[first];
  if (rotated !== undefined) return { path: join(folder, rotated.name), inode: rotated.inode, unread: first };
  const named = await stat(path).catch(ignoreMissing);
  return named === undefined ? undefined : { path, inode: named.ino, unread: later.length };
}
