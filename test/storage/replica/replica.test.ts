// Memories with a log: against the contracts, over crashes and other owners, with files that are lost.

import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { openReplicatedDetector } from '../../../storage/detectors/memory.ts';
import { openReplicatedLedger } from '../../../storage/ledger/memory.ts';
import { detectorMemoryContract } from '../../contract/detector-memory.ts';
import { aHeld, ledgerMemoryContract } from '../../contract/ledger-memory.ts';
import { FakeKafka, type FakeLink } from './fake-kafka.ts';

const TOPIC = 'vault.audit.memory.x';
let dir: string;
let kafka: FakeKafka;
let warnings: string[];
let nowMs: number;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sealwatch-replica-'));
  kafka = new FakeKafka();
  warnings = [];
  nowMs = 1_000_000;
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const optionsOf = (file: string, link: FakeLink = kafka.link(), isOurs = () => true) => ({
  ...{ link, topic: TOPIC, path: join(dir, file), isOurs, now: () => nowMs },
  logger: { warn: (_: object, text: string) => void warnings.push(text) },
});
const open = (file: string, link?: FakeLink) => openReplicatedDetector(optionsOf(file, link));

const fixture = () => ({
  remove: () => {},
});
detectorMemoryContract('SQLite with a log', () => ({ ...fixture(), open: () => open('a.db') }));
ledgerMemoryContract('SQLite with a log', () => ({
  ...fixture(),
  open: () => openReplicatedLedger(optionsOf('a.db')),
}));

describe('a memory with a log', () => {
  test('another disk gets what was committed, and nothing else', async () => {
    const first = await open('a.db');
    first.set('s', 'kept', { n: 1 });
    first.set('', '', 'empty key');
    first.set('s', 'gone', 1);
    await first.commit({ next: 1 });
    first.delete('s', 'gone');
    first.set('s', 'a\0b', ['\0', '\u{1F511}', '\ud800']);
    await first.commit({ next: 2 });
    first.set('s', 'kept', 2);
    first[Symbol.dispose]();
    using second = await open('b.db');
    expect(second.place()).toEqual({ next: 2 });
    expect(second.list('s', '', 9)).toEqual([
      { key: 'a\ufffdb', value: ['\0', '\u{1F511}', '\ud800'] },
      { key: 'kept', value: { n: 1 } },
    ]);
    expect(second.get('', '')).toBe('empty key');
  });

  test('a row of the ledger comes with all its columns', async () => {
    const first = await openReplicatedLedger(optionsOf('a.db'));
    first.put(aHeld({ id: 'open', holder_id: 'h' }));
    first.put(aHeld({ id: 'gone' }));
    await first.commit(1);
    first.forget('gone');
    await first.commit(2);
    first[Symbol.dispose]();
    using second = await openReplicatedLedger(optionsOf('b.db'));
    expect(second.held('open')).toEqual(aHeld({ id: 'open', holder_id: 'h' }));
    expect(second.newestOpen('h', 9).map(({ lease }) => lease.id)).toEqual(['open']);
    expect(second.held('gone')).toBeUndefined();
  });

  test('values and keys larger than a message come whole, shrink and go away', async () => {
    const long = 'k'.repeat(3 * limits.memoryNameCharsMax);
    const big = '\u{1F511}'.repeat(limits.memoryPartBytesMax / 2);
    const first = await open('a.db');
    first.set('s', 'big', big);
    first.set('s', long, big);
    first.set('s', `${long}2`, 2);
    await first.commit({ big });
    for (const { key, value } of kafka.messages(TOPIC)) {
      expect(key?.length).toBeLessThan(2 * limits.memoryNameCharsMax);
      expect(value?.length ?? 0).toBeLessThanOrEqual(limits.memoryPartBytesMax);
    }
    const second = await open('b.db');
    expect([second.get('s', 'big'), second.get('s', long), second.place()]).toEqual([big, big, { big }]);
    second.set('s', 'big', 1);
    second.set('s', long, 3);
    second.delete('s', `${long}2`);
    await second.commit({ next: 2 });
    second[Symbol.dispose]();
    for (const file of ['a.db', 'c.db']) {
      using next = await open(file);
      expect([next.get('s', 'big'), next.get('s', long), next.get('s', `${long}2`)]).toEqual([
        1,
        3,
        undefined,
      ]);
      expect(next.place()).toEqual({ next: 2 });
    }
    first[Symbol.dispose]();
    // Nothing of what was larger stays.
    kafka.compact(TOPIC, kafka.end(TOPIC), true);
    const parts = kafka.messages(TOPIC).filter(({ key }) => !/^\["(owner|manifest)"/.test(String(key)));
    expect(parts).toHaveLength(3);
  });

  test('whoever had it cannot commit any more, and what it wrote does not count', async () => {
    const first = await open('a.db');
    first.set('s', 'k', 1);
    await first.commit(1);
    const second = await open('b.db');
    first.set('s', 'k', 2);
    first.set('s', 'new', 2);
    await expect(first.commit(2)).rejects.toThrow('taken');
    await expect(first.commit(2)).rejects.toThrow();
    first[Symbol.dispose]();
    second.set('s', 'other', 3);
    await second.commit(3);
    second[Symbol.dispose]();
    for (const file of ['a.db', 'b.db', 'c.db']) {
      // Compaction has only the last message of each key: it must be what counts.
      kafka.compact(TOPIC, kafka.end(TOPIC), false);
      using next = await open(file);
      expect([next.get('s', 'k'), next.get('s', 'new'), next.get('s', 'other')]).toEqual([1, undefined, 3]);
      expect(next.place()).toBe(3);
    }
  });

  test('what of it lands late is mended by the next commit, before compaction could take what counts for it', async () => {
    const first = await open('a.db');
    first.set('s', 'k', 1);
    first.set('s', 'gone', 1);
    await first.commit(1);
    first[Symbol.dispose]();
    const late = kafka.messages(TOPIC).filter(({ key }) => String(key).startsWith('["notes"'));
    const second = await open('b.db');
    second.set('s', 'k', 2);
    second.delete('s', 'gone');
    await second.commit(2);
    kafka.append(TOPIC, late);
    // It is seen at the first of these, and mended by the second.
    for (const place of [3, 4]) {
      second.set('s', 'other', place);
      await second.commit(place);
    }
    second[Symbol.dispose]();
    kafka.compact(TOPIC, kafka.end(TOPIC), false);
    using third = await open('c.db');
    expect([third.get('s', 'k'), third.get('s', 'gone'), third.place()]).toEqual([2, undefined, 4]);
  });

  test('what a broker takes twice from its owner, the second time late, does not count', async () => {
    const first = await open('a.db');
    first.set('s', 'k', 1);
    await first.commit(1);
    const late = kafka.messages(TOPIC).slice(-3);
    expect(String(late.at(-1)?.key)).toContain('manifest');
    first.set('s', 'k', 2);
    await first.commit(2);
    kafka.append(TOPIC, late);
    first.set('s', 'other', 3);
    await first.commit(3);
    first[Symbol.dispose]();
    using second = await open('b.db');
    expect([second.get('s', 'k'), second.get('s', 'other'), second.place()]).toEqual([2, 3, 3]);
  });

  test('a commit that lands right behind the claim of a successor does not count', async () => {
    const link = kafka.link();
    const first = await open('a.db', link);
    first.set('s', 'k', 1);
    await first.commit(1);
    link.fate = () => 'held';
    first.set('s', 'k', 2);
    const committing = first.commit(2);
    committing.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    const other = kafka.link();
    let releasing: Promise<void> | undefined;
    other.fate = () => {
      releasing ??= link.release();
      return 'lands';
    };
    const second = await open('b.db', other);
    await releasing;
    await expect(committing).rejects.toThrow('taken');
    expect([second.get('s', 'k'), second.place()]).toEqual([1, 1]);
    for (const memory of [first, second]) memory[Symbol.dispose]();
    using third = await open('c.db');
    expect([third.get('s', 'k'), third.place()]).toEqual([1, 1]);
  });

  test('it is not claimed by whom it does not belong to', async () => {
    await expect(openReplicatedDetector(optionsOf('a.db', kafka.link(), () => false))).rejects.toThrow(
      'another process',
    );
    expect(kafka.end(TOPIC)).toBe(0);
  });

  test('a file that stands for the last commit is not built again', async () => {
    const first = await open('a.db');
    for (let n = 0; n < 100; n++) first.set('s', `k${n}`, n);
    await first.commit(1);
    first[Symbol.dispose]();
    kafka.delete(TOPIC);
    // What a file says that is younger than the log is not believed.
    using empty = await open('a.db');
    expect([empty.place(), empty.get('s', 'k1')]).toEqual([undefined, undefined]);
  });

  test('an old file is built anew: the log may have forgotten what went away', async () => {
    const first = await open('a.db');
    first.set('s', 'gone', 1);
    await first.commit(1);
    first[Symbol.dispose]();
    cpSync(join(dir, 'a.db'), join(dir, 'old.db'));
    if (existsSync(join(dir, 'a.db-wal'))) cpSync(join(dir, 'a.db-wal'), join(dir, 'old.db-wal'));
    const second = await open('b.db');
    second.delete('s', 'gone');
    await second.commit(2);
    second[Symbol.dispose]();
    kafka.compact(TOPIC, kafka.end(TOPIC), true);
    nowMs += limits.memoryFileMsMax;
    using third = await open('old.db');
    expect([third.get('s', 'gone'), third.place()]).toEqual([undefined, 2]);
  });

  test('a commit that was cut off is undone; when its log has forgotten what was there, the memory begins anew', async () => {
    const link = kafka.link();
    const first = await open('a.db', link);
    first.set('s', 'k', 1);
    await first.commit(1);
    const whole = kafka.end(TOPIC);
    // The manifest never lands.
    let produced = 0;
    link.fate = () => (produced++ === 0 ? 'lands' : 'lost');
    first.set('s', 'k', 2);
    first.set('s', 'new', 2);
    first.set('s', 'z', 'more than goes at once'.repeat(limits.memoryChunkBytesMax / 20));
    await expect(first.commit(2)).rejects.toThrow('no broker');
    first[Symbol.dispose]();
    expect(kafka.end(TOPIC)).toBeGreaterThan(whole);
    kafka.compact(TOPIC, kafka.end(TOPIC), false);
    cpSync(join(dir, 'a.db'), join(dir, 'copy.db'));
    if (existsSync(join(dir, 'a.db-wal'))) cpSync(join(dir, 'a.db-wal'), join(dir, 'copy.db-wal'));
    {
      using lost = await open('lost.db');
      expect([lost.place(), lost.get('s', 'k'), lost.get('s', 'new')]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
      expect(warnings).toHaveLength(1);
      lost.set('s', 'k', 5);
      await lost.commit(5);
    }
    using next = await open('a.db');
    expect([next.place(), next.get('s', 'k'), next.get('s', 'new')]).toEqual([5, 5, undefined]);
  });

  test('a log with a damaged stretch is not taken for whole: the memory begins anew, once', async () => {
    const first = await open('a.db');
    for (const n of [1, 2]) {
      first.set('s', `k${n}`, n);
      await first.commit(n);
    }
    first[Symbol.dispose]();
    const damaged = kafka.messages(TOPIC).find(({ key }) => String(key).includes('k1'));
    Object.assign(damaged ?? {}, { key: null, value: null, headers: {} });
    for (const file of ['b.db', 'c.db']) {
      using next = await open(file);
      expect([next.place(), next.get('s', 'k1'), next.get('s', 'k2')]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
      expect(warnings).toHaveLength(1);
    }
  });

  test('a log that was made anew under its owner takes no commit: the rest of the memory is not in it', async () => {
    const first = await open('a.db');
    first.set('s', 'k', 1);
    await first.commit(1);
    kafka.delete(TOPIC);
    first.set('s', 'other', 2);
    await expect(first.commit(2)).rejects.toThrow('was written to it');
    first[Symbol.dispose]();
    for (const file of ['b.db', 'a.db']) {
      using next = await open(file);
      expect([next.place(), next.get('s', 'other')]).toEqual([undefined, undefined]);
    }
  });
});
