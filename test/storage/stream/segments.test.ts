// Segments of a partition: they roll when full, are read across, and the old ones go as a whole.

import { readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { topics } from '../../../core/records.ts';
import { segmentBases } from '../../../storage/stream/embedded/segments.ts';
import { EmbeddedStream } from '../../../storage/stream/embedded/stream.ts';
import { line, linesIn, newFolder, openWriter } from './log.ts';

let dir: string;

beforeEach(async () => {
  dir = await newFolder();
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true });
});

/** As many of these fill one segment. */
const PER_SEGMENT = 4;
const big = Buffer.alloc(limits.segmentBytesMax / PER_SEGMENT, '.');
const bigLine = (i: number) => {
  big.write(String(i).padStart(4, '0'));
  return { kind: 'line', bytes: big } as const;
};

async function fill(writer: Awaited<ReturnType<typeof openWriter>>, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    writer.append([bigLine(i)]);
    await writer.flush();
  }
}

/** The numbers of the records in `[from, end)`. */
const numbersIn = async (end: number, from: number) =>
  (await linesIn(dir, end, from)).map((text) => Number(text.slice(0, 4)));

describe('segments', () => {
  test('roll when they are full, are named for their first offset, and are read across', async () => {
    const writer = await openWriter(dir);
    await fill(writer, 0, 9);
    expect(segmentBases(dir)).toEqual([0, 4, 8]);
    for (const from of [0, 3, 4, 7, 8])
      expect(await numbersIn(9, from)).toEqual(Array.from({ length: 9 - from }, (_, i) => from + i));
    await writer.close();
    const again = await openWriter(dir);
    expect(again.next).toBe(9);
    await fill(again, 9, 10);
    await again.close();
    expect(segmentBases(dir)).toEqual([0, 4, 8]);
    expect(await numbersIn(10, 7)).toEqual([7, 8, 9]);
  });

  test('what is appended while a segment rolls goes to the new one, once', async () => {
    const writer = await openWriter(dir);
    await fill(writer, 0, 3);
    writer.append([bigLine(3)]);
    const rolling = writer.flush();
    writer.append([line('0004')]);
    await rolling;
    await writer.close();
    expect(segmentBases(dir)).toEqual([0, 4]);
    expect(await numbersIn(5, 2)).toEqual([2, 3, 4]);
  });

  test('when a new segment cannot be made, the full one goes on, and nothing is lost or hidden', async () => {
    const writer = await openWriter(dir);
    await fill(writer, 0, 3);
    const folder = await open(dir, 'r');
    await folder.close();
    const prototype = Object.getPrototypeOf(folder) as Record<string, () => Promise<unknown>>;
    const failing = vi
      .spyOn(prototype, 'sync')
      .mockRejectedValueOnce(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    writer.append([bigLine(3)]);
    await writer.flush().catch(() => {});
    expect(failing).toHaveBeenCalled();
    failing.mockRestore();
    writer.append([line('0004')]);
    await writer.flush();
    writer.append([line('0005')]);
    await writer.close();
    expect(writer.durable).toBe(6);
    for (const from of [2, 3, 4, 5]) expect(await numbersIn(6, from)).toEqual([2, 3, 4, 5].slice(from - 2));
    const again = await openWriter(dir);
    expect(again.next).toBe(6);
    await again.close();
  });
});

describe('retention', () => {
  const options = () => ({ dir, partitions: 1, writes: [topics.raw] });
  const rawDir = () => join(dir, topics.raw, '0');
  const old = new Date('2026-01-01T00:00:00Z');
  const age = (...bases: number[]) => {
    for (const base of bases) utimesSync(join(rawDir(), `${String(base).padStart(16, '0')}.seg`), old, old);
  };

  test('deletes whole old segments before the offset that is kept, in order, never the newest', async () => {
    await using stream = await EmbeddedStream.open(options());
    for (let i = 0; i < 12; i++) {
      stream.append(topics.raw, 0, [bigLine(i)]);
      await stream.flush();
    }
    const retain = (keep: number, before = Date.parse('2026-06-01T00:00:00Z')) =>
      stream.retain(topics.raw, 0, before, keep);
    expect(segmentBases(rawDir())).toEqual([0, 4, 8, 12]);
    expect(await retain(100)).toBe(0);
    age(0, 8);
    expect(await retain(3)).toBe(0);
    expect(await retain(4)).toBe(1);
    expect(stream.start(topics.raw, 0)).toBe(4);
    // The next one is young: what is older behind it stays, so that no hole appears.
    expect(await retain(100)).toBe(0);
    age(4, 12);
    expect(await retain(100)).toBe(2);
    expect(segmentBases(rawDir())).toEqual([12]);
    expect([stream.start(topics.raw, 0), stream.end(topics.raw, 0)]).toEqual([12, 12]);
  });

  test('a consumer that is behind what was deleted gets the oldest that is left', async () => {
    await using stream = await EmbeddedStream.open(options());
    for (let i = 0; i < 9; i++) {
      stream.append(topics.raw, 0, [bigLine(i)]);
      await stream.flush();
    }
    expect((await stream.read(topics.raw, 0, 0, 1)).map(({ offset }) => offset)).toEqual([0]);
    age(0);
    expect(await stream.retain(topics.raw, 0, Date.now() - 3_600_000, 100)).toBe(1);
    expect((await stream.read(topics.raw, 0, 2, 1)).map(({ offset }) => offset)).toEqual([4]);
    expect((await stream.read(topics.raw, 0, 8, 1)).map(({ offset }) => offset)).toEqual([8]);
  });
});

test('files are for their owner only, and what is no segment is left alone', async () => {
  await using stream = await EmbeddedStream.open({ dir, partitions: 2, writes: [topics.raw] });
  expect(stream.partitions).toBe(2);
  for (const name of readdirSync(join(dir, topics.raw, '0')))
    expect(statSync(join(dir, topics.raw, '0', name)).mode & 0o777).toBe(0o600);
  expect(statSync(join(dir, topics.raw, '0')).mode & 0o777).toBe(0o700);
});
