// The file tail hands over each line once: through odd writes, rotation, truncation, and a restart at any point.

import { appendFile, copyFile, mkdtemp, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { Intake } from '../../../ingest/collector/intake.ts';
import { recover } from '../../../ingest/collector/recover.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { FileTail, type TailPlace } from '../../../ingest/collector/tail.ts';
import { MemorySpool } from './spool.ts';

let folder: string;
let path: string;
const tails: FileTail[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealwatch-tail-'));
  path = join(folder, 'audit.log');
});
afterEach(async () => {
  await Promise.all(tails.splice(0).map((tail) => tail.stop()));
  await rm(folder, { recursive: true });
});

const errors: unknown[] = [];

async function follow(spool: MemorySpool, place?: TailPlace) {
  const intake = new Intake(spool, new Redactor(Buffer.alloc(32, 1)));
  const tail = new FileTail({
    source: intake.source({ device: 'file' }),
    path,
    intake,
    now: Date.now,
    place,
  });
  tails.push(tail);
  await tail.start((error) => errors.push(error));
  return { tail, intake };
}

async function stop(tail: FileTail): Promise<void> {
  tails.splice(tails.indexOf(tail), 1);
  await tail.stop();
}

const texts = (spool: MemorySpool) => spool.lines().map(({ text }) => text);
const sorted = (list: readonly string[]) => [...list].sort();
const until = (check: () => void) => vi.waitFor(check, { timeout: 8_000, interval: 10 });
const linesReach = (spool: MemorySpool, expected: readonly string[]) =>
  until(() => expect(sorted(texts(spool))).toEqual(sorted(expected)));
const numbered = (from: number, to: number) =>
  Array.from(
    { length: to - from },
    (_, i) => `{"request":{"id":"call-${from + i}"},"n":"${'x'.repeat((from + i) % 9)}"}`,
  );
const written = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');

describe('a file that grows', () => {
  test('gives the lines that are there and those that come, in odd pieces', async () => {
    const before = numbered(0, 5);
    await writeFile(path, written(before));
    const spool = new MemorySpool(1);
    await follow(spool);
    await linesReach(spool, before);
    const more = numbered(5, 12);
    const bytes = Buffer.from(written(more));
    for (let at = 0; at < bytes.length; at += 37) {
      await appendFile(path, bytes.subarray(at, at + 37));
      if (at % 3 === 0) await new Promise((resolve) => setTimeout(resolve, limits.tailPollMs / 4));
    }
    await until(() => expect(texts(spool)).toEqual([...before, ...more]));
    const places = spool.lines().map(({ head }) => head.file);
    let start = 0;
    for (const [i, line] of [...before, ...more].entries()) {
      expect(places[i]).toMatchObject({ generation: 1, start, end: start + line.length + 1 });
      start += line.length + 1;
    }
  });

  test('may appear later, and an unfinished line waits for its newline', async () => {
    const spool = new MemorySpool(1);
    const { tail } = await follow(spool);
    await writeFile(path, 'one\ntw');
    await until(() => expect(texts(spool)).toEqual(['one']));
    expect(tail.place.position).toBe(4);
    await appendFile(path, 'o\n');
    await until(() => expect(texts(spool)).toEqual(['one', 'two']));
  });

  test('gives a line that is longer than the buffer', async () => {
    const long = `{"request":{"id":"long"},"data":"${'y'.repeat(3_000_000)}"}`;
    const lines = ['short', long, 'after'];
    await writeFile(path, written(lines));
    const spool = new MemorySpool(1);
    await follow(spool);
    await until(() =>
      expect(texts(spool).map((text) => text.length)).toEqual(lines.map((text) => text.length)),
    );
    expect(texts(spool)[1]).toBe(long);
  });

  test('a line of the longest length passes; a longer one is counted as lost, and the next line is fine', async () => {
    const max = limits.lineBytesMax;
    await writeFile(
      path,
      Buffer.concat([
        Buffer.alloc(max, 'a'),
        Buffer.from('\n'),
        Buffer.alloc(max + 1, 'b'),
        Buffer.from('\nnext\n'),
      ]),
    );
    const spool = new MemorySpool(1);
    const { intake } = await follow(spool);
    await until(() => expect(spool.lines().at(-1)?.bytes.length).toBe(4));
    intake.tick(Date.now(), {});
    expect(spool.lines().map(({ bytes }) => bytes.length)).toEqual([max, 4]);
    expect(spool.losses()).toEqual([{ device: 'file', reason: 'line_too_long', count: 1, bytes: max + 1 }]);
    expect(spool.lines()[1]?.head.file).toMatchObject({ start: 2 * max + 3, end: 2 * max + 8 });
  });

  test('waits when the spool is full: nothing is dropped', async () => {
    const lines = numbered(0, 50);
    await writeFile(path, written(lines));
    const spool = new MemorySpool(1);
    const intake = new Intake(spool, new Redactor(Buffer.alloc(32, 1)));
    intake.queued = limits.spoolQueueBytesMax + 1;
    const tail = new FileTail({ source: intake.source({ device: 'file' }), path, intake, now: Date.now });
    tails.push(tail);
    await tail.start((error) => errors.push(error));
    expect(texts(spool)).toEqual([]);
    intake.queued = 0;
    await until(() => expect(texts(spool)).toEqual(lines));
    expect(intake.counters.dropped).toBe(0);
  });

  test('a secret behind an empty line is found: the buffer was filled anew', async () => {
    const spool = new MemorySpool(1);
    await writeFile(path, '{"request":{"id":"1"},"time":"t","type":"request"}\n');
    await follow(spool);
    await until(() => expect(texts(spool)).toHaveLength(1));
    await appendFile(
      path,
      '\n{"auth":{"client_token":"plain-secret"},"request":{"id":"2"},"time":"t","type":"request"}\n',
    );
    await until(() => expect(texts(spool)).toHaveLength(2));
    expect(texts(spool)[1]).not.toContain('plain-secret');
  });
});

describe('a file that is rotated', () => {
  test('by rename: the rest of the old one, then the new one', async () => {
    await writeFile(path, written(numbered(0, 3)));
    const spool = new MemorySpool(1);
    const { tail } = await follow(spool);
    await linesReach(spool, numbered(0, 3));
    await rename(path, `${path}.1`);
    await appendFile(`${path}.1`, written(numbered(3, 5)));
    await writeFile(path, written(numbered(5, 8)));
    // Vault goes on with the old file until it gets its signal.
    await appendFile(`${path}.1`, written(numbered(8, 9)));
    await linesReach(spool, numbered(0, 9));
    const { ino } = await stat(path);
    expect(tail.place.inode).toBe(ino);
    const generations = spool.lines().map(({ head }) => head.file?.generation ?? 0);
    expect(generations.at(-1)).toBeGreaterThan(generations[0] ?? 0);
  });

  test('an unfinished line that is left behind is counted as lost', async () => {
    await writeFile(path, 'whole\nhalf');
    const spool = new MemorySpool(1);
    const { intake } = await follow(spool);
    await linesReach(spool, ['whole']);
    await rename(path, `${path}.1`);
    await writeFile(path, 'new\n');
    await linesReach(spool, ['whole', 'new']);
    intake.tick(Date.now(), {});
    expect(spool.losses()).toEqual([{ device: 'file', reason: 'unread', count: 1, bytes: 4 }]);
  });

  test('by copy and truncate: from the start again, as another generation', async () => {
    await writeFile(path, written(numbered(0, 5)));
    const spool = new MemorySpool(1);
    const { tail } = await follow(spool);
    await linesReach(spool, numbered(0, 5));
    await copyFile(path, `${path}.1`);
    await truncate(path, 0);
    await until(() => expect(tail.place.position).toBe(0));
    await appendFile(path, written(numbered(5, 7)));
    await linesReach(spool, numbered(0, 7));
    expect(new Set(spool.lines().map(({ head }) => head.file?.generation)).size).toBe(2);
  });

  test('by delete: a new file of that name is read when it comes', async () => {
    await writeFile(path, written(numbered(0, 2)));
    const spool = new MemorySpool(1);
    await follow(spool);
    await linesReach(spool, numbered(0, 2));
    await rm(path);
    await writeFile(path, written(numbered(2, 4)));
    await linesReach(spool, numbered(0, 4));
  });
});

/** The file device as a kill leaves it: of each partition the first records are on disk, and no other. */
async function restartAt(
  spool: MemorySpool,
  kept: readonly number[],
  expected: readonly string[],
): Promise<void> {
  const left = spool.cut(kept);
  const { tail } = await follow(left, (await recover(left)).places.get('file'));
  await linesReach(left, expected);
  await stop(tail);
  // A line that is read twice would have come by now: the tail has taken its last step.
  expect([kept, sorted(texts(left))]).toEqual([kept, sorted(expected)]);
}

describe('a restart', () => {
  const anyKill = fc.record({
    lines: fc.nat(6),
    durable: fc.boolean(),
    kept: fc.tuple(fc.nat(6), fc.nat(6), fc.nat(6)),
  });

  /** Several lives over one file: each ends with a kill that spares what was durable and a part of the rest. */
  async function lives(rounds: { lines: number; durable: boolean; kept: number[] }[]): Promise<void> {
    await writeFile(path, '');
    let spool = new MemorySpool(3);
    const all: string[] = [];
    for (const { lines, durable, kept } of rounds) {
      const safe = spool.lengths();
      const { tail, intake } = await follow(spool, (await recover(spool)).places.get('file'));
      const more = numbered(all.length, all.length + lines);
      all.push(...more);
      await appendFile(path, written(more));
      await linesReach(spool, all);
      if (durable) {
        safe.splice(0, 3, ...spool.lengths());
        tail.setDurable(tail.place);
        intake.tick(Date.now(), tail.durablePlace === undefined ? {} : { file: tail.durablePlace });
      }
      await stop(tail);
      spool = spool.cut(safe.map((least, partition) => least + (kept[partition] ?? 0)));
    }
    await restartAt(spool, spool.lengths(), all);
  }

  test('finds each line once, whichever records had become durable, again and again', async () => {
    await fc.assert(fc.asyncProperty(fc.array(anyKill, { minLength: 1, maxLength: 3 }), lives), {
      numRuns: 12,
      endOnFailure: true,
    });
  });

  test('finds each line once at every kill point of one log over three partitions', async () => {
    const lines = numbered(0, 8);
    await writeFile(path, written(lines));
    const spool = new MemorySpool(3);
    const { tail } = await follow(spool);
    await linesReach(spool, lines);
    await stop(tail);
    const [a = 0, b = 0, c = 0] = spool.lengths();
    expect(Math.min(a, b, c)).toBeGreaterThan(0);
    const restarts: Promise<void>[] = [];
    for (let i = 0; i <= a; i++)
      for (let j = 0; j <= b; j++)
        for (let k = 0; k <= c; k++) restarts.push(restartAt(spool, [i, j, k], lines));
    await Promise.all(restarts);
  });

  test('goes on behind what is durable without reading what lies before', async () => {
    await writeFile(path, written(numbered(0, 4)));
    const { ino, size } = await stat(path);
    const spool = new MemorySpool(1);
    await follow(spool, { inode: ino, generation: 3, durable: size, kept: new Set() });
    await appendFile(path, 'next\n');
    await linesReach(spool, ['next']);
    expect(spool.lines()[0]?.head.file).toEqual({
      inode: ino,
      generation: 3,
      start: size,
      end: size + 5,
      durable: size,
    });
  });

  test.each([
    ['another inode', (ino: number, size: number) => ({ inode: ino + 1, durable: size })],
    [
      'a place that is not behind a newline',
      (ino: number, size: number) => ({ inode: ino, durable: size - 1 }),
    ],
    ['a place behind the end', (ino: number, size: number) => ({ inode: ino, durable: size + 1 })],
  ])('reads from the start when the file is a new one: %s', async (_, place) => {
    const lines = numbered(0, 4);
    await writeFile(path, written(lines));
    const { ino, size } = await stat(path);
    const spool = new MemorySpool(1);
    await follow(spool, { ...place(ino, size), generation: 3, kept: new Set([0]) });
    await linesReach(spool, lines);
    expect(spool.lines().map(({ head }) => head.file?.generation)).toEqual([4, 4, 4, 4]);
  });
});

describe('the place of a device in the spool', () => {
  const placeIn = async (spool: MemorySpool) => (await recover(spool)).places.get('file');

  test('is unknown without its records', async () => {
    expect(await placeIn(new MemorySpool())).toBeUndefined();
  });

  test('comes from a tick when the file was idle, and belongs to that device alone', async () => {
    const spool = new MemorySpool(3);
    const intake = new Intake(spool, new Redactor(Buffer.alloc(32, 1)));
    const line = (device: string, generation: number, start: number, durable: number) =>
      intake.line(intake.source({ device }), Buffer.from(`x${start}`), 0, 2, 0, {
        inode: 5,
        generation,
        start,
        end: start + 3,
        durable,
      });
    line('file', 1, 100, 90);
    line('file', 2, 0, 0);
    line('file', 2, 10, 3);
    line('file', 2, 20, 3);
    line('other', 9, 70, 70);
    await spool.flush();
    expect(await placeIn(spool)).toEqual({ inode: 5, generation: 2, durable: 3, kept: new Set([10, 20]) });
    intake.tick(0, { file: { inode: 5, generation: 2, durable: 20 } });
    await spool.flush();
    expect(await placeIn(spool)).toEqual({ inode: 5, generation: 2, durable: 20, kept: new Set([20]) });
  });
});

test('a file that cannot be read is told, again and again, without an end', async () => {
  errors.length = 0;
  await rm(path, { force: true });
  const spool = new MemorySpool(1);
  path = folder;
  await follow(spool);
  await until(() => expect(errors.length).toBeGreaterThan(1));
  expect(String(errors[0])).toContain('EISDIR');
});
