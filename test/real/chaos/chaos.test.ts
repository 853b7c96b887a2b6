// Stages apart over Kafka and Elasticsearch while all that can go wrong goes wrong: afterwards every call is there once, and the
// answers are those of a run that nobody troubled (guarantees 1, 2, 3, 5). CHAOS_SEED plays the same troubles again, CHAOS_MINUTES longer.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { numbers } from '../../commands/replay-run.ts';
import { fileFaults, socketFaults, writeFaults } from './judge.ts';
import { Sender } from './play.ts';
import { judge, openScene, type Scene, type Verdict } from './scene.ts';
import type { Sent } from './sender.ts';
import { outage, play } from './troubles.ts';

const seed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const minutes = Number(process.env['CHAOS_MINUTES'] ?? 2);
const rate = Number(process.env['CHAOS_RATE'] ?? 200);
const OUTAGE_RATE = 1_000;
const OUTAGE_MS = 60_000;
const CATCH_UP_SECONDS = 600;
const timeout = (minutes * 60 + 2_400) * 1000;

let scene: Scene;
let verdict: Verdict;
let sent: Sent;
const startMs = Date.now();
const say = (text: string) =>
  process.stderr.write(`  chaos ${seed} ${((Date.now() - startMs) / 1000).toFixed(0)} s: ${text}\n`);

beforeAll(async () => {
  scene = await openScene(numbers(seed));
  say('all processes are ready');
  await using sender = new Sender(scene.log, scene.sockets);
  sender.rate(rate);
  await play(scene, minutes * 60, 4_000, say);
  say('Kafka away, then Elasticsearch');
  sender.rate(OUTAGE_RATE);
  const away = outage(scene, OUTAGE_MS);
  await sleep(1.5 * OUTAGE_MS);
  // They take long to start where processors are few.
  sender.rate(rate);
  await away;
  await sleep(5_000);
  sent = await sender.stop();
  say(`sent ${JSON.stringify(sent)}`);
  verdict = await judge(scene, CATCH_UP_SECONDS, (stages, calm) => [
    ...fileFaults(stages, calm, sent.lines),
    ...socketFaults(stages),
  ]);
  const ends = scene.stages.ends.join(', ');
  say(`${verdict.calls} calls, ${verdict.calm.alerts.size} alerts; ended by themselves: ${ends}`);
}, timeout);

afterAll(() => scene?.[Symbol.asyncDispose]());

it(`each call once, alerts and leases of an undisturbed run, true coverage (seed ${seed})`, () => {
  expect(verdict.faults).toEqual([]);
});

it('no writer was held up', () => {
  expect(writeFaults(sent)).toEqual([]);
});

it('and that was something: calls, alerts, lines that only the file had', () => {
  expect(verdict.calls).toBeGreaterThan(10_000);
  expect(verdict.calm.alerts.size).toBeGreaterThan(100);
  expect(sent.sockets['stages']?.failed).toBeGreaterThan(0);
});
