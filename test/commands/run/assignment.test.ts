// Partitions that move between two pipelines at any moment, also in the middle of a turn: every record once in effect, and what
// comes out is that of an uninterrupted run. ASSIGNMENT_SEED plays a run again.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { generated } from '../../permuter/inputs.ts';
import { permute } from '../../permuter/permute.ts';
import { plain } from '../../permuter/play.ts';
import { compared, firstDifference, type Results } from '../../permuter/results.ts';
import { numbers } from '../replay-run.ts';
import { devices, play } from './moving.ts';

const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const seeds = (process.env['ASSIGNMENT_SEED'] ?? '1,2,3').split(',').map(Number);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(base, 'sealwatch-assignment-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function same(results: Results, expected: Results): void {
  expect(expected.alerts.size).toBeGreaterThan(3);
  expect([results.rejects, results.coverage]).toEqual([expected.rejects, expected.coverage]);
  for (const kind of compared) expect(firstDifference(results[kind], expected[kind]), kind).toBeUndefined();
}

describe.each(seeds)('partitions that move (seed %i)', (seed) => {
  const partitions = [1, 3, 8][seed % 3] as number;
  const written = generated(numbers(seed), 40);
  let expected: Results;
  beforeAll(async () => {
    expected = await permute({ written, devices, partitions: 1, trouble: plain, random: numbers(1) });
  });

  it('from one that has let go: nothing is written twice', { timeout: 120_000 }, async () => {
    const { results, moves } = await play(written, { dir, partitions, random: numbers(seed) });
    same(results, expected);
    expect([results.twice, results.toldTwice]).toEqual([[], []]);
    expect(moves).toBeGreaterThan(5);
  });

  it('from one that stood still meanwhile: nothing counts twice, and nothing is lost', {
    timeout: 120_000,
  }, async () => {
    const random = numbers(seed);
    const { results, moves, refused } = await play(written, { dir, partitions, random, freezes: true });
    same(results, expected);
    expect(moves).toBeGreaterThan(5);
    // Else nobody who stood still had anything to write afterwards.
    expect(refused).toBeGreaterThan(0);
  });

  it('while retention deletes what all have read', { timeout: 120_000 }, async () => {
    const { results, deleted } = await play(written, {
      dir,
      partitions,
      random: numbers(seed),
      deletes: true,
    });
    same(results, expected);
    expect(deleted).toBeGreaterThan(100);
  });
});
