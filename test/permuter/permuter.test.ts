// Guarantee 3: the same lines give the same bytes, in whatever order and pieces they come, over however many partitions, and
// wherever the process dies meanwhile. A failing run prints its seed: PERMUTER_SEED plays it again.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Alert } from '../../core/alert.ts';
import type { Device } from '../../core/devices.ts';
import type { AuditEvent } from '../../core/event.ts';
import type { RuleInfo } from '../../detectors/engine/rule.ts';
import { numbers } from '../commands/replay-run.ts';
import { generated, logAt, recordedLogs, resalted, type Written, writtenBy } from './inputs.ts';
import { device, permute, type Run, replayed, rules } from './permute.ts';
import { latestMs, onTimeMs, plain, type Trouble } from './play.ts';
import { compared, firstDifference, type Results } from './results.ts';

const runs = Number(process.env['PERMUTER_RUNS'] ?? 10);
const seed = process.env['PERMUTER_SEED'];
const log = process.env['PERMUTER_LOG'];
const minutes = 60_000;

const chance = (most: number) => fc.constantFrom(0, most / 10, most);
/** What may happen to lines that all come in time. */
const troubles: fc.Arbitrary<Trouble> = fc
  .record({
    delayMs: fc.constantFrom(0, onTimeMs),
    repeat: chance(0.2),
    chunk: chance(0.5),
    cut: chance(0.2),
    tick: fc.constantFrom(0.05, 0.3, 1),
    commit: fc.constantFrom(0.1, 0.5),
    turn: fc.constantFrom(0.1, 0.5),
    snapshot: chance(1),
    stop: chance(0.02),
    kill: chance(0.04),
  })
  // Where nothing is written again after a kill, a line may come at the last moment.
  .map((trouble) =>
    trouble.kill === 0 && trouble.delayMs > 0 ? { ...trouble, delayMs: latestMs } : trouble,
  );

/** Every kind of trouble at once. */
const all: Trouble = {
  delayMs: onTimeMs,
  repeat: 0.1,
  chunk: 0.3,
  cut: 0.1,
  tick: 0.3,
  commit: 0.3,
  turn: 0.3,
  snapshot: 0.4,
  stop: 0.005,
  kill: 0.015,
};

const devices = [device('file', true), device('tcp')];

/** What is compared: everything but how often lines came. */
function same(run: Results, expected: Results): void {
  for (const kind of compared) expect(firstDifference(run[kind], expected[kind]), kind).toBeUndefined();
  expect(run.rejects).toEqual(expected.rejects);
  expect(run.coverage).toEqual(expected.coverage);
  expect([run.twice, run.toldTwice]).toEqual([[], []]);
  expect([run.late, expected.late]).toEqual([0, 0]);
}

/** The lines in order on one partition, with nothing that goes wrong. */
const plainRun = (written: readonly Written[], of: Device[] = devices): Promise<Run> =>
  permute({ written, devices: of, partitions: 1, trouble: plain, random: numbers(1) });

/** The log as a file and a socket device write it; of some calls the socket lacks a line or all. */
function overTwoDevices(lines: readonly string[], random: () => number): Written[] {
  const tcp = lines.filter(() => random() < 0.9).map(resalted);
  const both = [...writtenBy({ device: 'file' }, lines), ...writtenBy({ device: 'tcp' }, tcp)];
  return both.sort((a, b) => a.ms - b.ms);
}

describe('calls at made-up times', () => {
  it(
    'give the same bytes, whatever happens on the way',
    async () => {
      const seen = { kills: 0, stops: 0, alerts: 0, leases: 0, duplicate: 0 };
      await fc.assert(
        fc.asyncProperty(fc.nat(), fc.constantFrom(1, 3, 8), troubles, async (from, partitions, trouble) => {
          const random = numbers(from);
          const written = generated(random, 50);
          const expected = await plainRun(written);
          const run = await permute({ written, devices, partitions, trouble, random });
          same(run, expected);
          seen.alerts += expected.alerts.size;
          seen.leases += expected.leases.size;
          for (const name of ['kills', 'stops', 'duplicate'] as const) seen[name] += run[name];
        }),
        {
          numRuns: runs,
          endOnFailure: true,
          examples: [1, 3, 8].map((partitions) => [partitions, partitions, { ...all, tick: 1 }]),
          ...(seed === undefined ? {} : { seed: Number(seed) }),
        },
      );
      if (runs > 10) process.stderr.write(`permuter: ${runs} runs, ${JSON.stringify(seen)}\n`);
      for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
    },
    Math.max(2, runs) * minutes,
  );
});

const logs = Object.entries(log === undefined ? recordedLogs() : { [log]: logAt(log) });

describe.each(logs)('the log %s', (_, lines) => {
  const written = overTwoDevices(lines, numbers(7));
  // A kill on a long log costs as much as on a short one.
  const share = Math.min(1, 600 / written.length);
  const trouble = { ...all, kill: all.kill * share, stop: all.stop * share };

  it(
    'gives the same bytes over 1, 3 and 8 partitions, and as a replay',
    async () => {
      const expected = await plainRun(written);
      expect(expected.events.size).toBeGreaterThan(50);
      for (const partitions of [1, 3, 8]) {
        same(await permute({ written, devices, partitions, trouble, random: numbers(partitions) }), expected);
        const replay = replayed(written, devices, partitions);
        for (const kind of compared)
          expect(firstDifference(replay[kind], expected[kind]), kind).toBeUndefined();
      }
    },
    (log === undefined ? 2 : 30) * minutes,
  );
});

/** The calls that alerts of rules on single events name, as `rule call`; whether a device has shown a call hangs on lateness. */
function provenBy(alerts: Map<string, string>): string[] {
  const isSingle = ({ threshold, file }: RuleInfo) => threshold === 1 && !file.endsWith('not_in_file.yml');
  const single = new Set(
    rules.roots
      .map(({ top }) => top)
      .filter(isSingle)
      .map(({ id }) => id),
  );
  return [...alerts.values()]
    .map((text) => JSON.parse(text) as Alert)
    .filter(({ rule }) => single.has(rule.id))
    .flatMap(({ rule, evidence }) => evidence.event_ids.map((id) => `${rule.id} ${id}`))
    .sort();
}

describe('lines beyond the allowed lateness', () => {
  it.each([1, 3, 8])(
    'are all there, once, marked and counted, and rules on single events run on them: way %i',
    async (way) => {
      const random = numbers(way);
      const written = [
        ...generated(random, 50),
        ...overTwoDevices(recordedLogs()['default'] as string[], random),
      ].sort((a, b) => a.ms - b.ms);
      const expected = await plainRun(written);
      const trouble = { ...all, delayMs: 60_000, tick: 1 };
      const run = await permute({ written, devices, partitions: way, trouble, random });
      expect(run.late).toBeGreaterThan(20);
      expect([...run.events.keys()]).toEqual([...expected.events.keys()]);
      // A token goes by the hash of the device that is ranked first of those that came in time.
      const leases = (of: Run) => [...of.leases.keys()].filter((id) => !id.startsWith('token:'));
      expect(leases(run)).toEqual(leases(expected));
      expect(run.rejects).toEqual(expected.rejects);
      expect(run.twice).toEqual([]);
      const eventIn = (of: Run, id: string) => JSON.parse(of.events.get(id) as string) as AuditEvent;
      const pairs = (of: Run) => [...of.events.keys()].map((id) => `${id} ${eventIn(of, id).vault.pair}`);
      expect(pairs(run)).toEqual(pairs(expected));
      const marked = [...run.events.keys()].filter((id) => eventIn(run, id).vault.flags?.includes('late'));
      expect(marked.length).toBeGreaterThan(10);
      expect(provenBy(run.alerts)).toEqual(provenBy(expected.alerts));
    },
    2 * minutes,
  );
});
