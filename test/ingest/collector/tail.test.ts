// The file tail hands over each line once: through odd writes, rotation, truncation, and a restart at any point.

import { appendFile, rm, stat, writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { Intake } from '../../../ingest/collector/intake.ts';
import { recover } from '../../../ingest/collector/recover.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import type { TailPlace } from '../../../ingest/collector/tail.ts';
import { MemorySpool } from './spool.ts';
import { linesReach, lossesOf, sorted, TailFolder, texts, until, written } from './tailing.ts';

const at = new TailFolder();
beforeEach(() => at.make());
afterEach(() => at.remove());

const numbered = (from: number, to: number) =>
  Array.from(
    { length: to - from },
    (_, i) => `{"request":{"id":"call-${from + i}"},"n":"${'x'.repeat((from + i) % 9)}"}`,
  );

describe('a file that grows', () => {
  test('gives the lines that are there and those that come, in odd pieces', async () => {
    const before = numbered(0, 5);
    await writeFile(at.path, written(before));
    const spool = new MemorySpool(1);
    await at.follow(spool);
    await linesReach(spool, before);
    const more = numbered(5, 12);
    const bytes = Buffer.from(written(more));
    for (let from = 0; from < bytes.length; from += 37) {
      await appendFile(at.path, bytes.subarray(from, from + 37));
      if (from % 3 === 0) await new Promise((resolve) => setTimeout(resolve, limits.tailPollMs / 4));
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
    const { tail } = await at.follow(spool);
    await writeFile(at.path, 'one\ntw');
    await until(() => expect(texts(spool)).toEqual(['one']));
    expect(tail.place.position).toBe(4);
    await appendFile(at.path, 'o\n');
    await until(() => expect(texts(spool)).toEqual(['one', 'two']));
  });

  test('gives a line that is longer than the buffer', async () => {
    const long = `{"request":{"id":"long"},"data":"${'y'.repeat(3_000_000)}"}`;
    const lines = ['short', long, 'after'];
    await writeFile(at.path, written(lines));
    const spool = new MemorySpool(1);
    await at.follow(spool);
    await until(() =>
      expect(texts(spool).map((text) => text.length)).toEqual(lines.map((text) => text.length)),
    );
    expect(texts(spool)[1]).toBe(long);
  });

  test('a line of the longest length passes; a longer one is counted as lost, and the next line is fine', async () => {
    const max = limits.lineBytesMax;
    await writeFile(
      at.path,
      Buffer.concat([
        Buffer.alloc(max, 'a'),
        Buffer.from('\n'),
        Buffer.alloc(max + 1, 'b'),
        Buffer.from('\nnext\n'),
      ]),
    );
    const spool = new MemorySpool(1);
    const { intake } = await at.follow(spool);
    await until(() => expect(spool.lines().at(-1)?.bytes.length).toBe(4));
    intake.tick(Date.now(), {});
    expect(spool.lines().map(({ bytes }) => bytes.length)).toEqual([max, 4]);
    expect(spool.losses()).toEqual([{ device: 'file', reason: 'line_too_long', count: 1, bytes: max + 1 }]);
    expect(spool.lines()[1]?.head.file).toMatchObject({ start: 2 * max + 3, end: 2 * max + 8 });
  });

  test('waits when the spool is full: nothing is dropped', async () => {
    const lines = numbered(0, 50);
    const spool = new MemorySpool(1);
    const { intake, tail } = await at.follow(spool);
    intake.queued = limits.spoolQueueBytesMax + 1;
    await until(() => expect(tail.isBehind).toBe(true));
    await writeFile(at.path, written(lines));
    await new Promise((resolve) => setTimeout(resolve, 2 * limits.tailPollMs));
    expect(texts(spool)).toEqual([]);
    intake.queued = 0;
    await until(() => expect(texts(spool)).toEqual(lines));
    expect(intake.counters.dropped).toBe(0);
  });

  test('a secret behind an empty line is found: the buffer was filled anew', async () => {
    const spool = new MemorySpool(1);
    await writeFile(at.path, '{"request":{"id":"1"},"time":"t","type":"request"}\n');
    await at.follow(spool);
    await until(() => expect(texts(spool)).toHaveLength(1));
    await appendFile(
      at.path,
      '\n{"auth":{"client_token":"plain-secret"},"request":{"id":"2"},"time":"t","type":"request"}\n',
    );
    await until(() => expect(texts(spool)).toHaveLength(2));
    expect(texts(spool)[1]).not.toContain('plain-secret');
  });
});

/** The file device as a kill leaves it: of each partition the first records are on disk, and no other. */
async function restartAt(
  spool: MemorySpool,
  kept: readonly number[],
  expected: readonly string[],
): Promise<void> {
  const left = spool.cut(kept);
  const { stop } = await at.restart(left);
  await linesReach(left, expected);
  await stop();
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
    await writeFile(at.path, '');
    let spool = new MemorySpool(3);
    const all: string[] = [];
    for (const { lines, durable, kept } of rounds) {
      const safe = spool.lengths();
      const { tail, intake, stop } = await at.restart(spool, false);
      const more = numbered(all.length, all.length + lines);
      all.push(...more);
      await appendFile(at.path, written(more));
      await linesReach(spool, all);
      if (durable) {
        safe.splice(0, 3, ...spool.lengths());
        tail.setDurable(tail.place);
        intake.tick(Date.now(), tail.durablePlace === undefined ? {} : { file: tail.durablePlace });
      }
      await stop();
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
    await writeFile(at.path, written(lines));
    const spool = new MemorySpool(3);
    const { stop } = await at.follow(spool, undefined, false);
    await linesReach(spool, lines);
    await stop();
    const [a = 0, b = 0, c = 0] = spool.lengths();
    expect(Math.min(a, b, c)).toBeGreaterThan(0);
    const restarts: Promise<void>[] = [];
    for (let i = 0; i <= a; i++)
      for (let j = 0; j <= b; j++)
        for (let k = 0; k <= c; k++) restarts.push(restartAt(spool, [i, j, k], lines));
    await Promise.all(restarts);
  });

  const placeBehind = async (lines: readonly string[]): Promise<TailPlace> => {
    await writeFile(at.path, written(lines));
    const { ino, size } = await stat(at.path);
    const mark = crc32(Buffer.from(written(lines)).subarray(-limits.fileMarkBytes));
    return { inode: ino, generation: 3, durable: size, mark, writtenMs: 0, kept: new Map() };
  };

  test('goes on behind what is durable without reading what lies before', async () => {
    const place = await placeBehind(numbered(0, 4));
    const { inode, durable, mark } = place;
    const spool = new MemorySpool(1);
    await at.follow(spool, place);
    await appendFile(at.path, 'next\n');
    await linesReach(spool, ['next']);
    const file = {
      inode,
      generation: 3,
      start: durable,
      end: durable + 5,
      durable,
      mark,
      writtenMs: expect.any(Number),
    };
    expect(spool.lines()[0]?.head.file).toEqual(file);
  });

  test.each([
    ['another inode', ({ inode }: TailPlace) => ({ inode: inode + 1 })],
    ['an inode that was used again', ({ mark }: TailPlace) => ({ mark: mark ^ 1 })],
    ['a place behind the end', ({ durable }: TailPlace) => ({ durable: durable + 1 })],
  ])('reads from the start when the file is a new one, and tells the gap: %s', async (_, wrong) => {
    const lines = numbered(0, 4);
    const place = await placeBehind(lines);
    const spool = new MemorySpool(1);
    const { intake } = await at.follow(spool, { ...place, ...wrong(place), kept: new Map([[0, 5]]) });
    await linesReach(spool, lines);
    expect(spool.lines().map(({ head }) => head.file?.generation)).toEqual([4, 4, 4, 4]);
    expect(lossesOf(spool, intake)).toEqual([{ device: 'file', reason: 'unread', count: 1, bytes: 0 }]);
  });

  test('a line is known to be in the spool by its begin and its end: another one there is read', async () => {
    const lines = numbered(0, 4);
    const place = await placeBehind(lines);
    const [first = '', second = ''] = lines;
    const kept = new Map([
      [0, first.length + 1],
      [first.length + 1, first.length + second.length],
    ]);
    const spool = new MemorySpool(1);
    await at.follow(spool, { ...place, durable: 0, mark: 0, kept });
    await linesReach(spool, lines.slice(1));
  });
});

describe('the place of an input in the spool', () => {
  const inputs = new Set(['file', 'audit@n1', 'audit@n2', 'tcp', 'web@n1']);
  const placeIn = async (spool: MemorySpool, id = 'file') => (await recover(spool, inputs)).places.get(id);

  function collect(partitions = 3) {
    const spool = new MemorySpool(partitions);
    const intake = new Intake(spool, new Redactor(Buffer.alloc(32, 1)));
    const line = (
      input: { device: string; node?: string },
      generation: number,
      start: number,
      durable: number,
    ) =>
      intake.line(intake.source({ node: undefined, ...input }), Buffer.from(`x${start}`), 0, 2, 0, {
        inode: 5,
        generation,
        start,
        end: start + 3,
        durable,
        mark: durable + 1,
        writtenMs: 5,
      });
    return { spool, intake, line };
  }

  test('is unknown without its records', async () => {
    expect(await placeIn(new MemorySpool())).toBeUndefined();
  });

  test('comes from a tick when the file was idle, and belongs to that input alone', async () => {
    const { spool, intake, line } = collect();
    line({ device: 'file' }, 1, 100, 90);
    line({ device: 'file' }, 2, 0, 0);
    line({ device: 'file' }, 2, 10, 3);
    line({ device: 'file' }, 2, 20, 3);
    line({ device: 'audit', node: 'n1' }, 9, 70, 70);
    line({ device: 'audit', node: 'n2' }, 4, 30, 30);
    line({ device: 'gone' }, 1, 10, 10);
    await spool.flush();
    const place = { inode: 5, generation: 2 };
    const kept = new Map([
      [10, 13],
      [20, 23],
    ]);
    expect(await placeIn(spool)).toEqual({ ...place, durable: 3, mark: 4, writtenMs: 5, kept });
    expect(await placeIn(spool, 'audit@n1')).toMatchObject({ generation: 9, kept: new Map([[70, 73]]) });
    expect(await placeIn(spool, 'audit@n2')).toMatchObject({ generation: 4, kept: new Map([[30, 33]]) });
    intake.tick(0, { file: { ...place, durable: 20, mark: 8, writtenMs: 77 } });
    await spool.flush();
    const later = { ...place, durable: 20, mark: 8, writtenMs: 77, kept: new Map([[20, 23]]) };
    expect(await placeIn(spool)).toEqual(later);
    expect([...(await recover(spool, inputs)).places.keys()].sort()).toEqual([
      'audit@n1',
      'audit@n2',
      'file',
    ]);
  });

  test('event times and spooled bytes are those of the inputs that are configured, whoever sent to them', async () => {
    const { spool, intake } = collect(1);
    const nowMs = Date.parse('2026-11-23T03:00:00Z');
    const take = (device: string, node: string | undefined, input: string | undefined, time: string) => {
      const line = Buffer.from(JSON.stringify({ request: { id: time }, time, type: 'request' }));
      intake.line(intake.source({ device, node: input }, node), line, 0, line.length, nowMs);
    };
    take('tcp', 'by-address', undefined, '2026-11-23T02:59:01Z');
    take('web', 'n1', 'n1', '2026-11-23T02:59:02Z');
    take('gone', undefined, undefined, '2026-11-23T02:59:03Z');
    intake.tick(nowMs, {});
    await spool.flush();
    const { times, spooled } = await recover(spool, inputs);
    expect([...times.keys()].sort()).toEqual(['tcp', 'web@n1']);
    const [tick] = spool.ticks();
    expect(Object.fromEntries(spooled)).toEqual({
      tcp: tick?.spooled?.['tcp'],
      'web@n1': tick?.spooled?.['web@n1'],
    });
    expect(spooled.get('tcp')).toBeGreaterThan(50);
  });
});

test('a file that cannot be read is told, again and again, without an end', async () => {
  await rm(at.path, { force: true });
  const spool = new MemorySpool(1);
  at.path = at.folder;
  await at.follow(spool);
  await until(() => expect(at.errors.length).toBeGreaterThan(1));
  expect(String(at.errors[0])).toContain('EISDIR');
});
