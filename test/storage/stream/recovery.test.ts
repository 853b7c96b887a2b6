// A log that a kill cut off anywhere opens with every whole record before the cut, and appending goes on there.

import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { PartitionWriter } from '../../../storage/stream/embedded/writer.ts';
import { line, linesIn, newFolder, openWriter, recovered } from './log.ts';

let dir: string;

beforeEach(async () => {
  dir = await newFolder();
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true });
});

const segment = (folder: string) => join(folder, '0000000000000000.seg');

/** A log of small records of every form; returns where each record ends in the file. */
async function smallLog(): Promise<{ texts: string[]; ends: number[] }> {
  const writer = await openWriter(dir);
  const ends: number[] = [];
  const texts = ['first', 'second \u0000 é', '{"tick":1}', 'x'.repeat(50), '{"caused":true}'];
  for (const [i, text] of texts.entries()) {
    if (text === '{"tick":1}') writer.append([{ kind: 'tick', value: { tick: 1 } }]);
    else if (text.startsWith('{'))
      writer.append([
        { kind: 'event', value: { caused: true }, cause: { partition: 1, offset: i, index: 2 } },
      ]);
    else writer.append([line(text)]);
    await writer.flush();
    ends.push(readFileSync(segment(dir)).length);
  }
  await writer.close();
  return { texts, ends };
}

const wholeBefore = (ends: readonly number[], bytes: number) => ends.filter((end) => end <= bytes).length;

async function inCopy(change: (path: string) => void, check: (copy: string) => Promise<void>): Promise<void> {
  const copy = `${dir}-copy`;
  cpSync(dir, copy, { recursive: true });
  try {
    change(segment(copy));
    await check(copy);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

describe('a torn tail', () => {
  test('cut at every byte: whole records stay, the rest goes, appending goes on', async () => {
    const { texts, ends } = await smallLog();
    const total = ends.at(-1) ?? 0;
    for (let bytes = 0; bytes <= total; bytes++) {
      await inCopy(
        (path) => truncateSync(path, bytes),
        async (copy) => {
          const { lines, durable } = await recovered(copy);
          expect([bytes, lines]).toEqual([bytes, texts.slice(0, wholeBefore(ends, bytes))]);
          expect(durable).toBe(lines.length);
        },
      );
    }
  });

  test('with any bytes changed or added behind a place: whole records before it stay', async () => {
    const { texts, ends } = await smallLog();
    const total = ends.at(-1) ?? 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 8, max: total - 1 }),
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        async (at, noise) => {
          await inCopy(
            (path) => {
              const bytes = readFileSync(path);
              const changed = Buffer.concat([
                bytes.subarray(0, at),
                noise,
                bytes.subarray(at + noise.length),
              ]);
              fc.pre(!changed.subarray(0, bytes.length).equals(bytes));
              writeFileSync(path, changed);
            },
            async (copy) => {
              const { lines } = await recovered(copy);
              const sure = wholeBefore(ends, at);
              expect(lines.slice(0, sure)).toEqual(texts.slice(0, sure));
              // Each record is a group of its own, so what stands behind the noise was on disk and stays; damage is told.
              const known = lines.slice(sure).filter((text) => !text.includes('unreadable'));
              expect(texts.filter((text) => known.includes(text))).toEqual(known);
              expect(texts.length - known.length - sure).toBeGreaterThan(0);
            },
          );
        },
      ),
      { numRuns: 150 },
    );
  });

  test('a kill between writes: a copy of the folder taken at any time has what was flushed before it', async () => {
    const writer = await openWriter(dir);
    for (let i = 0; i < 40; i++) {
      writer.append(Array.from({ length: i % 4 }, (_, j) => line(`${i}-${j}`)));
      const flushing = writer.flush();
      const { durable } = writer;
      const before = await linesIn(dir, durable);
      await inCopy(
        () => {},
        async (copy) => {
          const { lines } = await recovered(copy);
          expect(lines.slice(0, durable)).toEqual(before);
          expect(lines.length).toBeLessThanOrEqual(writer.next);
        },
      );
      await flushing;
    }
    await writer.close();
  });
});

/** The prototype of the handles that node:fs/promises gives, where a test can make the disk refuse. */
async function handlePrototype(): Promise<{ writev: unknown; datasync: unknown; sync: unknown }> {
  const file = await open(dir, 'r');
  await file.close();
  return Object.getPrototypeOf(file) as { writev: unknown; datasync: unknown; sync: unknown };
}

describe('a disk that refuses', () => {
  test.each(['writev', 'datasync'] as const)(
    'at %s: nothing is lost, and a later flush writes each record once',
    async (call) => {
      const writer = await openWriter(dir);
      writer.append([line('a')]);
      await writer.flush();
      writer.append([line('b')]);
      const failing = vi
        .spyOn((await handlePrototype()) as Record<string, () => Promise<unknown>>, call)
        .mockRejectedValue(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
      await expect(writer.flush()).rejects.toThrow('no space');
      writer.append([line('c')]);
      await expect(writer.flush()).rejects.toThrow('no space');
      expect([writer.durable, writer.next]).toEqual([1, 3]);
      expect(failing).toHaveBeenCalledTimes(2);
      failing.mockRestore();
      await writer.flush();
      writer.append([line('d')]);
      await writer.close();
      expect(await linesIn(dir, writer.durable)).toEqual(['a', 'b', 'c', 'd']);
      expect((await recovered(dir)).lines).toEqual(['a', 'b', 'c', 'd']);
    },
  );

  test('by a short write: the group is written again from its start', async () => {
    const writer = await openWriter(dir);
    writer.append([line('a'), line('b')]);
    const short = vi
      .spyOn((await handlePrototype()) as Record<string, () => Promise<unknown>>, 'writev')
      .mockResolvedValue({ bytesWritten: 3 });
    await expect(writer.flush()).rejects.toMatchObject({ code: 'ENOSPC' });
    short.mockRestore();
    await writer.close();
    expect((await recovered(dir)).lines).toEqual(['a', 'b']);
  });

  test('what is appended while a flush fails is written behind it, once', async () => {
    const writer = await openWriter(dir);
    const prototype = (await handlePrototype()) as Record<string, () => Promise<unknown>>;
    vi.spyOn(prototype, 'datasync').mockImplementationOnce(async () => {
      writer.append([line('b')]);
      throw new Error('no space');
    });
    writer.append([line('a')]);
    const results = await Promise.allSettled([writer.flush(), writer.flush()]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    await writer.close();
    expect((await recovered(dir)).lines).toEqual(['a', 'b']);
  });
});

test('the next offset, what is durable, and each group are told in order', async () => {
  const groups: [offsets: number[], end: number][] = [];
  const writer = await PartitionWriter.open(dir, (records, end) =>
    groups.push([records.map(({ offset }) => offset), end]),
  );
  writer.append([{ kind: 'tick', value: 1 }]);
  writer.append([
    { kind: 'tick', value: 2 },
    { kind: 'tick', value: 3 },
  ]);
  expect([writer.next, writer.durable]).toEqual([3, 0]);
  await Promise.all([writer.flush(), writer.flush()]);
  writer.append([{ kind: 'tick', value: 4 }]);
  await writer.close();
  expect(groups).toEqual([
    [[0, 1, 2], 3],
    [[3], 4],
  ]);
});
