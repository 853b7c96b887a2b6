// A small log of one partition in a folder of its own, and what stands in it.

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NewRecord } from '../../../core/ports.ts';
import { PartitionReader } from '../../../storage/stream/embedded/reader.ts';
import { PartitionWriter } from '../../../storage/stream/embedded/writer.ts';

export const newFolder = () => mkdtemp(join(tmpdir(), 'sealwatch-log-'));

export const openWriter = (dir: string) => PartitionWriter.open(dir, () => {});

export const line = (text: string): NewRecord => ({ kind: 'line', bytes: Buffer.from(text) });

/** The lines of a log, read from `from` to `end`. */
export async function linesIn(dir: string, end: number, from = 0): Promise<string[]> {
  const reader = new PartitionReader(dir);
  const found: string[] = [];
  try {
    for (let next = from; next < end; ) {
      const records = await reader.read(next, end, 64 * 1024);
      for (const { bytes, text } of records) found.push(text === '' ? bytes.toString() : text);
      if (records.length === 0) break;
      next = (records.at(-1)?.offset ?? next) + 1;
    }
  } finally {
    await reader.close();
  }
  return found;
}

/** Opens the log as after a kill: what it holds, and that appending goes on behind it. */
export async function recovered(dir: string): Promise<{ lines: string[]; durable: number }> {
  const writer = await openWriter(dir);
  const { durable } = writer;
  const lines = await linesIn(dir, durable);
  writer.append([line('appended')]);
  await writer.close();
  const all = await linesIn(dir, durable + 1);
  if (all.at(-1) !== 'appended' || all.length !== lines.length + 1)
    throw new Error(`appending does not go on: ${all}`);
  return { lines, durable };
}
