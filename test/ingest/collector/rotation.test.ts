// A file that is rotated, truncated, copied or deleted, while sealwatch runs and while it is down: each line once, in order of
// the files, and what nobody can read is a counted gap.

import { appendFile, copyFile, link, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { isRotated } from '../../../ingest/collector/rotated.ts';
import { MemorySpool } from './spool.ts';
import { linesReach, lossesOf, sorted, TailFolder, texts, until, written } from './tailing.ts';

const at = new TailFolder();
beforeAll(() => {
  Object.assign(limits, { tailPollMs: 10 });
});
beforeEach(() => at.make());
afterEach(() => at.remove());

/** Lines as long as real ones: a place behind one of them has a whole mark. */
const numbered = (from: number, to: number) =>
  Array.from(
    { length: to - from },
    (_, i) => `{"request":{"id":"call-${from + i}"},"n":"${String(from + i).repeat(150)}"}`,
  );
const append = (lines: readonly string[], path = at.path) => appendFile(path, written(lines));
/** Files that follow each other differ in time by more than a tick of the file system. */
const later = () => sleep(10);
/** As logrotate does: what was `.1` becomes `.2`. */
async function rotate(keep = 3): Promise<void> {
  for (let i = keep; i > 0; i--) await rename(`${at.path}.${i}`, `${at.path}.${i + 1}`).catch(() => {});
  await rename(at.path, `${at.path}.1`);
  await later();
}
async function copyTruncate(keep = 3): Promise<void> {
  await later();
  for (let i = keep; i > 0; i--) await rename(`${at.path}.${i}`, `${at.path}.${i + 1}`).catch(() => {});
  await copyFile(at.path, `${at.path}.1`);
  await later();
  await truncate(at.path, 0);
}
const unread = (count: number, bytes = 0) => [{ device: 'file', reason: 'unread', count, bytes }];

describe('while sealwatch runs', () => {
  test('by rename: the rest of the old one, then the new one', async () => {
    await append(numbered(0, 3));
    const spool = new MemorySpool(1);
    const { tail } = await at.follow(spool);
    await linesReach(spool, numbered(0, 3));
    await rename(at.path, `${at.path}.1`);
    await append(numbered(3, 5), `${at.path}.1`);
    await append(numbered(5, 8));
    await linesReach(spool, numbered(0, 8));
    expect(texts(spool)).toEqual(numbered(0, 8));
    expect(tail.durablePlace).toMatchObject({ inode: await at.inode(), generation: 2 });
  });

  test('twice in quick succession: the file between is read too', async () => {
    await append(numbered(0, 3));
    const spool = new MemorySpool(1);
    const { intake } = await at.follow(spool);
    await linesReach(spool, numbered(0, 3));
    for (const from of [3, 6, 9]) {
      await append(numbered(from, from + 2));
      await rotate();
      await append(numbered(from + 2, from + 3));
    }
    await until(() => expect(texts(spool)).toEqual(numbered(0, 12)));
    expect(lossesOf(spool, intake)).toEqual([]);
  });

  test('a generation begins only when the one before is durable', async () => {
    await append(numbered(0, 3));
    const spool = new MemorySpool(1);
    const { tail } = await at.follow(spool, undefined, false);
    await rotate();
    await append(numbered(3, 5));
    await vi.waitFor(() => expect(tail.isBehind).toBe(true), { timeout: 8_000, interval: 10 });
    await sleep(20 * limits.tailPollMs);
    expect(texts(spool)).toEqual(numbered(0, 3));
    tail.setDurable(tail.place);
    await linesReach(spool, numbered(0, 5));
  });

  test('an unfinished line that is left behind is counted as lost', async () => {
    await writeFile(at.path, 'whole\nhalf');
    const spool = new MemorySpool(1);
    const { intake } = await at.follow(spool);
    await linesReach(spool, ['whole']);
    await rotate();
    await writeFile(at.path, 'new\n');
    await linesReach(spool, ['whole', 'new']);
    expect(lossesOf(spool, intake)).toEqual(unread(1, 4));
  });

  test('by copy and truncate: what was not read yet comes from the copy', async () => {
    await append(numbered(0, 5));
    const spool = new MemorySpool(1);
    const { intake } = await at.follow(spool);
    await linesReach(spool, numbered(0, 5));
    intake.queued = limits.spoolQueueBytesMax + 1;
    await append(numbered(5, 7));
    await copyTruncate();
    await append(numbered(7, 9));
    intake.queued = 0;
    await until(() => expect(texts(spool)).toEqual(numbered(0, 9)));
    expect(lossesOf(spool, intake)).toEqual([]);
  });

  test('by copy and truncate, and the new content is already longer', async () => {
    await append(numbered(0, 2));
    const spool = new MemorySpool(1);
    const { intake } = await at.follow(spool);
    await linesReach(spool, numbered(0, 2));
    intake.queued = limits.spoolQueueBytesMax + 1;
    await copyTruncate();
    await append(numbered(2, 9));
    intake.queued = 0;
    await until(() => expect(texts(spool)).toEqual(numbered(0, 9)));
  });

  test('truncated without a copy: it is read from the start, and the gap is told', async () => {
    await append(numbered(0, 2));
    const spool = new MemorySpool(1);
    const { intake } = await at.follow(spool);
    await linesReach(spool, numbered(0, 2));
    await writeFile(at.path, written(numbered(2, 6)));
    await linesReach(spool, numbered(0, 6));
    expect(lossesOf(spool, intake)).toEqual(unread(1));
  });

  test('deleted: Vault goes on writing to it, and it is left only for a new file', async () => {
    await append(numbered(0, 2));
    const spool = new MemorySpool(1);
    await at.follow(spool);
    await linesReach(spool, numbered(0, 2));
    const open = `${at.folder}/held-open`;
    await link(at.path, open);
    await rm(at.path);
    await sleep(10 * limits.tailPollMs);
    await append(numbered(2, 4), open);
    await linesReach(spool, numbered(0, 4));
    await append(numbered(4, 6));
    await linesReach(spool, numbered(0, 6));
  });
});

describe('while sealwatch is down', () => {
  /** Reads what is there, and goes. */
  async function readAll(expected: readonly string[], spool = new MemorySpool(3)): Promise<MemorySpool> {
    const { tail, intake, stop } = await at.restart(spool);
    await linesReach(spool, expected);
    await until(() => expect(tail.durablePlace?.durable).toBe(tail.place.position));
    intake.tick(Date.now(), { file: tail.durablePlace as NonNullable<typeof tail.durablePlace> });
    await spool.flush();
    await stop();
    return spool;
  }

  async function finds(spool: MemorySpool, expected: readonly string[], gaps: unknown[] = []): Promise<void> {
    const { intake } = await at.restart(spool);
    await linesReach(spool, expected);
    await sleep(10 * limits.tailPollMs);
    expect(sorted(texts(spool))).toEqual(sorted(expected));
    expect(lossesOf(spool, intake)).toEqual(gaps);
  }

  test('renamed once: the unread rest, then the new file', async () => {
    await append(numbered(0, 3));
    const spool = await readAll(numbered(0, 3));
    await append(numbered(3, 5));
    await rotate();
    await append(numbered(5, 6));
    await finds(spool, numbered(0, 6));
  });

  test('several times, under names with dates: the files between in order', async () => {
    await append(numbered(0, 3));
    const spool = await readAll(numbered(0, 3));
    for (const [i, day] of ['20261121', '20261122', '20261123'].entries()) {
      await append(numbered(3 + i, 4 + i));
      await rename(at.path, `${at.path}-${day}`);
      await later();
    }
    await append(numbered(6, 7));
    await finds(spool, numbered(0, 7));
  });

  test('a file of another device in the same folder is left alone', async () => {
    await append(numbered(0, 3));
    const spool = await readAll(numbered(0, 3));
    await append(numbered(3, 4));
    await rotate();
    await append(['not ours'], `${at.folder}/audit.log.other`);
    await append(['nor this'], `${at.folder}/audit-2.log.1`);
    await later();
    await append(numbered(4, 5));
    await finds(spool, numbered(0, 5));
  });

  test('renamed, and Vault has made no new file yet', async () => {
    await append(numbered(0, 3));
    const spool = await readAll(numbered(0, 3));
    await append(numbered(3, 5));
    await rotate();
    await finds(spool, numbered(0, 5));
  });

  test('copied and truncated, twice', async () => {
    await append(numbered(0, 3));
    const spool = await readAll(numbered(0, 3));
    await append(numbered(3, 5));
    await copyTruncate();
    await append(numbered(5, 15));
    await copyTruncate();
    await append(numbered(15, 16));
    await finds(spool, numbered(0, 16));
  });

  test('compressed: a gap, and what came after it is read, once', async () => {
    await append(numbered(0, 3));
    await rotate();
    await append(numbered(3, 4));
    const spool = await readAll(numbered(3, 4));
    await append(numbered(4, 5));
    await rotate();
    await writeFile(`${at.path}.1.gz`, 'compressed');
    await rm(`${at.path}.1`);
    await later();
    await append(numbered(5, 6));
    await rotate();
    await append(numbered(6, 7));
    await finds(spool, [...numbered(3, 4), ...numbered(5, 7)], unread(1));
  });

  test('one of the files between is compressed: a gap', async () => {
    await append(numbered(0, 3));
    const spool = await readAll(numbered(0, 3));
    await append(numbered(3, 5));
    await rotate();
    await writeFile(`${at.path}.0.gz`, 'compressed');
    await later();
    await append(numbered(6, 7));
    await finds(spool, [...numbered(0, 5), ...numbered(6, 7)], unread(1));
  });

  test('the inode is used again for another file: it is read from its start', async () => {
    await append(numbered(0, 3));
    const spool = await readAll(numbered(0, 3));
    await writeFile(at.path, written(numbered(10, 20)));
    await finds(spool, [...numbered(0, 3), ...numbered(10, 20)], unread(1));
  });
});

test.each([
  ['audit.log', 'audit.log.1', true],
  ['audit.log', 'audit.log.12.gz', true],
  ['audit.log', 'audit.log-20261123', true],
  ['audit.log', 'audit-20261123.log', true],
  ['audit.log', 'audit.log-2026-11-23T10:00:00Z.zst', true],
  ['audit', 'audit.1', true],
  ['audit.log', 'audit.log', false],
  ['audit.log', 'audit.log.swp', false],
  ['audit.log', 'audit-node2.log', false],
  ['audit.log', 'audit.log.offset', false],
  ['audit.log', 'other.log.1', false],
])('of %s, %s is a rotated one: %s', (of, name, is) => {
  expect(isRotated(name, of)).toBe(is);
});

type Step = { do: 'write' | 'rotate' | 'commit' | 'kill' | 'wait'; kept: number[] };

describe('kill -9', () => {
  const step: fc.Arbitrary<Step> = fc.record({
    do: fc.constantFrom('write', 'write', 'rotate', 'rotate', 'commit', 'kill', 'wait'),
    kept: fc.tuple(fc.nat(6), fc.nat(6), fc.nat(6)),
  });

  /** A writer that rotates in one way, a disk that keeps of each partition what it likes, kills in between. */
  async function live(way: (keep: number) => Promise<void>, steps: readonly Step[]): Promise<void> {
    await at.remove();
    await at.make();
    const all: string[] = [];
    const write = async () => {
      const more = numbered(all.length, all.length + 2);
      all.push(...more);
      await append(more);
    };
    await write();
    let spool = new MemorySpool(3);
    let safe = spool.lengths();
    let life = await at.restart(spool, false);
    const commit = () => {
      const { tail, intake } = life;
      tail.setDurable(tail.place);
      if (tail.durablePlace !== undefined) intake.tick(Date.now(), { file: tail.durablePlace });
      safe = spool.lengths();
    };
    const kill = async (kept: readonly number[]) => {
      await life.stop();
      spool = spool.cut(safe.map((least, i) => least + (kept[i] ?? 0)));
      safe = spool.lengths();
    };
    commit();
    for (const { do: what, kept } of steps) {
      if (what === 'write') await write();
      if (what === 'rotate') {
        await way(14);
        await write();
      }
      if (what === 'commit') commit();
      if (what === 'wait') await sleep(3 * limits.tailPollMs);
      if (what === 'kill') {
        await kill(kept);
        life = await at.restart(spool, false);
      }
    }
    await kill([0, 0, 0]);
    life = await at.restart(spool);
    await linesReach(spool, all);
    await life.stop();
    expect(sorted(texts(spool))).toEqual(sorted(all));
    expect(at.errors).toEqual([]);
  }

  test.each([
    ['renamed', rotate],
    ['copied and truncated', copyTruncate],
  ])('anywhere, while the file is %s: no line is lost or doubled', async (_, way) => {
    const steps = fc.array(step, { minLength: 3, maxLength: 14 });
    await fc.assert(
      fc.asyncProperty(steps, (list) => live(way, list)),
      { numRuns: 20, endOnFailure: true },
    );
  });
});
