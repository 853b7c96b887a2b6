// SortedFile against the simplest thing that does the same: keep all rows, sort at the end.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SortedFile } from '../../commands/sorted-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-sorted-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Line {
  time: string;
  id: string;
  revision: number;
  note: string;
}
type Step = { add: Line } | { flush: string };

const read = (text: string) => JSON.parse(text) as Line;
const time = fc.nat(30).map((second) => `2026-09-01T00:00:${String(second).padStart(2, '0')}.000000000Z`);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      add: fc.record({ time, id: fc.stringMatching(/^[a-e]\d?$/), note: fc.string() }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ flush: time }) },
) as fc.Arbitrary<Step>;

const FILL = 1_100;

/** Rows go to disk in large lots only: before each flush come enough rows for one. */
function filled(steps: Step[]): Step[] {
  let reached = '';
  return steps.flatMap((step, k) => {
    if (!('flush' in step) || step.flush <= reached) return [step];
    reached = step.flush;
    const rows = Array.from({ length: FILL }, (_, n) => ({
      add: { time: reached, id: `fill-${k}-${n}`, revision: 1, note: '' },
    }));
    return [...rows, step];
  });
}

async function write(steps: Step[]): Promise<{ text: string; rows: number }> {
  const path = join(folder, 'rows.jsonl');
  const file = new SortedFile(path);
  for (const step of steps) {
    if ('flush' in step) file.flush(step.flush);
    else {
      const { time, id, revision } = step.add;
      file.add({ time, id, revision, text: JSON.stringify(step.add) });
    }
  }
  await file.finish(read);
  return { text: readFileSync(path, 'utf8'), rows: file.rows };
}

/** The last version of each row, in order of (time, id). */
function naive(steps: Step[]): Line[] {
  const rows = new Map<string, Line>();
  for (const step of steps) if ('add' in step) rows.set(step.add.id, step.add);
  const key = ({ time, id }: Line) => `${time} ${id}`;
  return [...rows.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Each version of a row has a higher revision than the one before, and the same time: a whole call begins as its half. */
function numbered(steps: Step[]): Step[] {
  const last = new Map<string, Line>();
  return steps.map((step) => {
    if ('flush' in step) return step;
    const before = last.get(step.add.id);
    const row = { ...step.add, time: before?.time ?? step.add.time, revision: (before?.revision ?? 0) + 1 };
    last.set(row.id, row);
    return { add: row };
  });
}

describe('a sorted file', () => {
  it('holds the last version of each row in order, whatever comes behind the watermark', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const all = filled(numbered(steps));
        const { text, rows } = await write(all);
        const expected = naive(all);
        expect(text).toBe(expected.map((row) => `${JSON.stringify(row)}\n`).join(''));
        expect(rows).toBe(expected.length);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps a higher revision that still waits', async () => {
    const row = (revision: number): Step => ({ add: { time: '2', id: 'a', revision, note: '' } });
    const { text } = await write([row(2), row(1)]);
    expect(read(text).revision).toBe(2);
  });

  it('keeps a higher revision that is on disk already', async () => {
    const steps: Step[] = [
      { add: { time: '5', id: 'a', revision: 2, note: 'whole' } },
      { flush: '9' },
      { add: { time: '4', id: 'a', revision: 1, note: 'came again, late' } },
    ];
    const { text, rows } = await write(filled(steps));
    expect(text).toContain('whole');
    expect(text).not.toContain('late');
    expect(rows).toBe(1 + FILL);
  });

  it('of one row in one place: no copy of an earlier version stays', async () => {
    const steps: Step[] = [
      { add: { time: '5', id: 'a', revision: 1, note: 'half' } },
      { flush: '9' },
      { add: { time: '1', id: 'a', revision: 2, note: 'whole, at an earlier time' } },
      { add: { time: '3', id: 'b', revision: 1, note: 'a straggler' } },
    ];
    const { text, rows } = await write(filled(steps));
    const own = text.split('\n').filter((line) => line !== '' && !line.includes('"fill-'));
    expect(own.map((line) => read(line))).toEqual([
      { time: '1', id: 'a', revision: 2, note: 'whole, at an earlier time' },
      { time: '3', id: 'b', revision: 1, note: 'a straggler' },
    ]);
    expect(text.indexOf('"id":"b"')).toBeLessThan(text.indexOf('"id":"fill-'));
    expect(rows).toBe(2 + FILL);
  });

  it('writes much without losing the ends of its chunks', async () => {
    const pad = (n: number) => String(n).padStart(6, '0');
    const steps: Step[] = Array.from({ length: 3000 }, (_, n) => n).flatMap((n) => [
      { add: { time: pad(n), id: `row-${pad(n)}`, revision: 1, note: 'x'.repeat(300) } },
      ...(n % 100 === 0 ? [{ flush: pad(n - 50) }] : []),
    ]);
    const { text, rows } = await write(steps);
    expect(rows).toBe(3000);
    expect(
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => read(line).id),
    ).toEqual(Array.from({ length: 3000 }, (_, n) => `row-${pad(n)}`));
  });

  it('is for its owner only, and leaves no other file behind', async () => {
    const steps: Step[] = [
      { add: { time: '2', id: 'a', revision: 1, note: '' } },
      { flush: '3' },
      { add: { time: '1', id: 'b', revision: 1, note: '' } },
    ];
    await write(filled(steps));
    expect(readdirSync(folder)).toEqual(['rows.jsonl']);
    expect(statSync(join(folder, 'rows.jsonl')).mode & 0o777).toBe(0o600);
  });

  it('with no rows is empty', async () => {
    expect(await write([{ flush: '1' }])).toEqual({ text: '', rows: 0 });
  });
});
