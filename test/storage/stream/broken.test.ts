// Damage in the middle of a log: what is whole comes back at its own offset, what is not is counted, every offset exactly once.

import { readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { limits } from '../../../core/limits.ts';
import type { StreamRecord } from '../../../core/ports.ts';
import { type Loss, topics } from '../../../core/records.ts';
import { encodeRecord, sizeOf } from '../../../storage/stream/embedded/codec.ts';
import { PartitionReader } from '../../../storage/stream/embedded/reader.ts';
import { segmentBases, segmentPath } from '../../../storage/stream/embedded/segments.ts';
import { EmbeddedStream } from '../../../storage/stream/embedded/stream.ts';
import { PartitionWriter } from '../../../storage/stream/embedded/writer.ts';
import { line, newFolder, openWriter } from './log.ts';

let dir: string;

beforeEach(async () => {
  dir = await newFolder();
  // Small segments, so that damage meets their borders.
  vi.spyOn(limits, 'segmentBytesMax' as never, 'get' as never).mockReturnValue(2_000 as never);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true });
});

const textOf = (i: number) => `line ${i} ${'x'.repeat((i * 37) % 200)}`;

/** `count` lines in groups of one to four. */
async function writeLog(count: number): Promise<void> {
  const writer = await openWriter(dir);
  for (let i = 0; i < count; ) {
    const size = Math.min((i % 4) + 1, count - i);
    writer.append(Array.from({ length: size }, (_, j) => line(textOf(i + j))));
    i += size;
    await writer.flush();
  }
  await writer.close();
}

interface Read {
  /** Text of each whole record by offset. */
  lines: Map<number, string>;
  lost: number[];
}

async function readFrom(from: number, end: number, bytesMax: number): Promise<Read> {
  const reader = new PartitionReader(dir);
  const read: Read = { lines: new Map(), lost: [] };
  for (let next = from; next < end; ) {
    const records: StreamRecord[] = await reader.read(next, end, bytesMax);
    expect(records.length).toBeGreaterThan(0);
    for (const { kind, offset, bytes, value } of records) {
      if (kind === 'line') expect(offset).toBe(next);
      if (kind === 'line') read.lines.set(offset, bytes.toString());
      else {
        expect((value as Loss).count).toBe(offset + 1 - next);
        for (; next <= offset; next++) read.lost.push(next);
      }
      next = offset + 1;
    }
  }
  await reader.close();
  return read;
}

/** Changes the bytes of one segment, which is given with its number. */
function damage(which: number, change: (bytes: Buffer) => Buffer): void {
  const bases = segmentBases(dir);
  const path = segmentPath(dir, bases[which % bases.length] as number);
  writeFileSync(path, change(readFileSync(path)));
}

const harm = fc.oneof(
  fc.record({
    how: fc.constant('zeros' as const),
    at: fc.nat(1900),
    bytes: fc.integer({ min: 1, max: 600 }),
  }),
  fc.record({ how: fc.constant('flip' as const), at: fc.nat(1900), bytes: fc.constant(1) }),
  fc.record({
    how: fc.constant('cut out' as const),
    at: fc.nat(1900),
    bytes: fc.integer({ min: 1, max: 300 }),
  }),
  fc.record({
    how: fc.constant('put in' as const),
    at: fc.nat(1900),
    bytes: fc.integer({ min: 1, max: 300 }),
  }),
  fc.record({ how: fc.constant('cut off' as const), at: fc.nat(1900), bytes: fc.constant(0) }),
);
type Harm = typeof harm extends fc.Arbitrary<infer T> ? T : never;

function apply({ how, at, bytes }: Harm, to: Buffer): Buffer {
  const from = Math.min(at, to.length - 1);
  const rest = to.subarray(from + bytes);
  const before = to.subarray(0, from);
  if (how === 'zeros') return Buffer.concat([before, Buffer.alloc(Math.min(bytes, to.length - from)), rest]);
  if (how === 'flip') return Buffer.concat([before, Buffer.of((to[from] as number) ^ 0x10), rest]);
  if (how === 'cut out') return Buffer.concat([before, rest]);
  if (how === 'cut off') return before;
  return Buffer.concat([before, Buffer.alloc(bytes, 7), to.subarray(from)]);
}

describe('damage in the middle', () => {
  const COUNT = 60;

  test('of any kind, read from anywhere: each offset once, whole or counted, and few are lost', async () => {
    await writeLog(COUNT);
    const segments = segmentBases(dir);
    expect(segments.length).toBeGreaterThan(3);
    const originals = segments.map((base) => readFileSync(segmentPath(dir, base)));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(20), harm), { minLength: 1, maxLength: 3 }),
        fc.nat(COUNT - 1),
        fc.constantFrom(1, 300, 100_000),
        async (harms, from, bytesMax) => {
          for (const [i, base] of segments.entries())
            writeFileSync(segmentPath(dir, base), originals[i] as Buffer);
          for (const [which, what] of harms) damage(which, (bytes) => apply(what, bytes));
          const { lines, lost } = await readFrom(from, COUNT, bytesMax);
          const offsets = [...lines.keys(), ...lost].sort((a, b) => a - b);
          expect(offsets).toEqual(Array.from({ length: COUNT - from }, (_, i) => from + i));
          for (const [offset, text] of lines) expect(text).toBe(textOf(offset));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('one changed byte costs one record', async () => {
    await writeLog(COUNT);
    const { length } = readFileSync(segmentPath(dir, 0));
    for (let at = 8; at < length; at += 7) {
      damage(0, (bytes) => apply({ how: 'flip', at, bytes: 1 }, bytes));
      const { lost } = await readFrom(0, COUNT, 500);
      expect([at, lost.length]).toEqual([at, 1]);
      damage(0, (bytes) => apply({ how: 'flip', at, bytes: 1 }, bytes));
    }
  });

  test('a segment that is gone is counted to the last record', async () => {
    await writeLog(COUNT);
    const [, second = 0, third = 0] = segmentBases(dir);
    unlinkSync(segmentPath(dir, second));
    const { lost } = await readFrom(0, COUNT, 500);
    expect(lost).toEqual(Array.from({ length: third - second }, (_, i) => second + i));
  });

  test('a line that holds the bytes of records is not taken for them', async () => {
    await writeLog(3);
    const record = line('forged');
    const size = sizeOf(record, 6);
    // As whole as one can be, and with the offset that comes next.
    const forged = Buffer.alloc(size + 100, '.');
    encodeRecord(record, { offset: 5, beginsGroup: true }, '', forged, 50, size);
    const writer = await openWriter(dir);
    writer.append([line('before')]);
    writer.append([{ kind: 'line', bytes: forged }]);
    writer.append([line('after')]);
    await writer.close();
    // The payload of the record that holds them changes; its length does not.
    damage(0, (bytes) => {
      const copy = Buffer.from(bytes);
      const at = copy.lastIndexOf(forged.subarray(0, 60));
      copy[at - 1] = (copy[at - 1] as number) ^ 1;
      return copy;
    });
    const { lines, lost } = await readFrom(0, 6, 100_000);
    expect(lost).toEqual([4]);
    expect(lines.get(5)).toBe('after');
  });
});

describe('the newest segment, opened for writing', () => {
  test('keeps what stands behind the damage, and goes on at the same offsets', async () => {
    await writeLog(8);
    damage(0, (bytes) => apply({ how: 'zeros', at: 60, bytes: 90 }, bytes));
    const writer = await openWriter(dir);
    expect(writer.next).toBe(8);
    writer.append([line('more')]);
    await writer.close();
    const { lines, lost } = await readFrom(0, 9, 500);
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.length).toBeLessThan(4);
    expect(lines.get(8)).toBe('more');
  });

  test('loses a torn group as a whole: behind its first missing record nothing of it was acknowledged', async () => {
    await writeLog(4);
    const writer = await openWriter(dir);
    writer.append([line('a'), line('b'), line('c')]);
    await writer.close();
    // The system had written the end of the group and not its begin.
    damage(0, (bytes) => {
      const at = bytes.lastIndexOf('a');
      return apply({ how: 'zeros', at: at - 14, bytes: 15 }, bytes);
    });
    const again = await openWriter(dir);
    expect(again.next).toBe(4);
    await again.close();
  });

  test('never gives out an offset again that a snapshot knows, though the disk lost its record', async () => {
    await writeLog(8);
    damage(0, (bytes) => bytes.subarray(0, bytes.length - 3));
    const writer = await PartitionWriter.open(dir, () => {}, 8);
    expect(writer.next).toBe(8);
    writer.append([line('more')]);
    await writer.close();
    const { lines, lost } = await readFrom(5, 9, 500);
    expect(lost).toEqual([7]);
    expect(lines.get(8)).toBe('more');
  });
});

test('the stream counts what is broken once, whoever reads it, and says where', async () => {
  const holes: { from: number; to: number }[] = [];
  const options = { dir, partitions: 1, writes: [topics.raw] };
  const first = await EmbeddedStream.open(options);
  for (let i = 0; i < 9; i++) first.append(topics.raw, 0, [line(textOf(i))]);
  await first.flush();
  await first.saveSnapshot('g', 'all', { inputs: { 0: 9 }, outputs: { [`${topics.raw}/0`]: 9 }, state: 1 });
  await first[Symbol.asyncDispose]();
  const path = segmentPath(`${dir}/${topics.raw}/0`, 0);
  writeFileSync(path, apply({ how: 'flip', at: 100, bytes: 1 }, readFileSync(path)));
  const second = await EmbeddedStream.open({ ...options, onHole: (hole) => holes.push(hole) });
  for (let round = 0; round < 2; round++)
    for (let next = 0; next < 9; )
      next = ((await second.read(topics.raw, 0, next, 100)).at(-1)?.offset ?? 9) + 1;
  expect(holes).toMatchObject([{ from: 2, to: 3 }]);
  expect(second.brokenRecords).toBe(1);
  await second[Symbol.asyncDispose]();
});

test('a damaged snapshot is set aside, whatever byte it is', async () => {
  const stream = await EmbeddedStream.open({ dir, partitions: 1, writes: [topics.raw] });
  const path = `${dir}/groups/g-all.json`;
  await stream.saveSnapshot('g', 'all', { inputs: { 0: 9 }, outputs: {}, state: { a: 1 } });
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at++) {
    writeFileSync(path, apply({ how: 'flip', at, bytes: 1 }, whole));
    expect(await stream.loadSnapshot('g', 'all')).toBeUndefined();
    expect(await stream.loadSnapshot('g', 'all')).toBeUndefined();
    expect(readFileSync(`${path}.damaged`).length).toBe(whole.length);
  }
  await stream[Symbol.asyncDispose]();
});
