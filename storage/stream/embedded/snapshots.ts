// The small files beside the segments: each is replaced as a whole, and a damaged one is set aside.

import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { systemCode } from '../../../core/errors.ts';
import type { Snapshot } from '../../../core/ports.ts';
import { syncFolder } from './segments.ts';

/** CRC-32 of the text behind it, in hex, and a newline. */
const SUM_CHARS = 9;
const sumOf = (text: string): string => `${crc32(text).toString(16).padStart(8, '0')}\n`;

export async function writeSnapshot(dir: string, name: string, snapshot: Snapshot): Promise<void> {
  const text = JSON.stringify(snapshot);
  await writeDurably(dir, name, sumOf(text) + text);
}

/**
 * Undefined when there is none, or a damaged one, which then has another name: its stage begins with the oldest records there
 * are, and what it made of them is known by its cause or its id.
 */
export function readSnapshot(path: string): Snapshot | undefined {
  const found = readIfThere(path);
  if (found === undefined) return undefined;
  const snapshot = parse(found);
  if (snapshot === undefined) renameSync(path, `${path}.damaged`);
  return snapshot;
}

function parse(found: string): Snapshot | undefined {
  const text = found.slice(SUM_CHARS);
  return found.slice(0, SUM_CHARS) === sumOf(text) ? (JSON.parse(text) as Snapshot) : undefined;
}

/** For each `topic/partition` the highest end that any snapshot in `dir` saw: no offset below it may be given out again. */
export function usedOffsets(dir: string): Map<string, number> {
  const used = new Map<string, number>();
  for (const name of readdirSync(dir)) {
    if (!name.endsWith('.json')) continue;
    const snapshot = parse(readFileSync(join(dir, name), 'utf8'));
    for (const [place, end] of Object.entries(snapshot?.outputs ?? {}))
      used.set(place, Math.max(end, used.get(place) ?? 0));
  }
  return used;
}

export async function writeDurably(dir: string, name: string, text: string): Promise<void> {
  const path = join(dir, name);
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  await syncFolder(dir);
}

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
