// The same with a real Vault that writes the lines: a file device and socket devices, people and services at work, while the stages
// behind it are killed, frozen, added and removed, and Kafka and Elasticsearch go away.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { numbers } from '../../commands/replay-run.ts';
import { addPerson, addService, furnish, password } from '../furnish.ts';
import { type RunningVault, startVault } from '../servers.ts';
import type { Vault } from '../vault-client.ts';
import { fileFaults } from './judge.ts';
import { judge, openScene, type Scene, type Verdict } from './scene.ts';
import { play } from './troubles.ts';

const seed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const SECONDS = 75;
const CATCH_UP_SECONDS = 600;

let running: RunningVault;
let scene: Scene;
let verdict: Verdict;
const life = { calls: 0, longestMs: 0, isOver: false };
const startMs = Date.now();
const say = (text: string) =>
  process.stderr.write(`  vault ${seed} ${((Date.now() - startMs) / 1000).toFixed(0)} s: ${text}\n`);

beforeAll(async () => {
  running = await startVault('vault-chaos');
  const { vault } = running;
  await furnish(vault);
  await addPerson(vault, 'alice');
  const service = await addService(vault, 'billing');
  scene = await openScene(numbers(seed));
  await enable('file', { type: 'file', options: { file_path: scene.log } });
  for (const name of ['stages', 'calm'] as const)
    await enable(name, { type: 'socket', options: { address: scene.sockets[name], socket_type: 'unix' } });
  const living = Promise.all([live(vault, service), live(vault, service), intrude(vault)]);
  await play(scene, SECONDS, 4_000, say);
  life.isOver = true;
  await living;
  const lines = readFileSync(scene.log, 'utf8').split('\n').length - 1;
  say(`${lines} lines, longest call ${life.longestMs.toFixed(0)} ms`);
  verdict = await judge(scene, CATCH_UP_SECONDS, (stages, calm) => fileFaults(stages, calm, lines));
}, 3_000_000);

afterAll(async () => {
  await scene?.[Symbol.asyncDispose]();
  await running?.[Symbol.asyncDispose]();
});

const enable = (name: string, device: object) => running.vault.root('PUT', `sys/audit/${name}`, device);

/** A call that Vault must answer, whatever becomes of its devices' readers. */
async function call<T>(work: () => Promise<T>): Promise<T> {
  const beginMs = performance.now();
  const answer = await work();
  life.calls++;
  if (performance.now() - beginMs > 500) say(`a call took ${(performance.now() - beginMs).toFixed(0)} ms`);
  life.longestMs = Math.max(life.longestMs, performance.now() - beginMs);
  await sleep(5);
  return answer;
}

/** A service logs in, writes and reads, and gives its token back. */
async function live(vault: Vault, service: object): Promise<void> {
  while (!life.isOver) {
    const token = await call(() => vault.login('auth/approle/login', service, '127.0.0.21'));
    for (let i = 0; i < 5; i++)
      await call(() => vault.must('GET', 'secret/data/billing/database', { token, from: '127.0.0.21' }));
    await call(() => vault.must('POST', 'auth/token/revoke-self', { token, from: '127.0.0.21' }));
  }
}

/** Somebody tries passwords, and what is not theirs: rules fire. */
async function intrude(vault: Vault): Promise<void> {
  for (let n = 0; !life.isOver; n++) {
    const body = { password: n % 20 === 19 ? password : 'wrong' };
    await call(() =>
      vault.call('POST', 'auth/userpass/login/alice', { body, from: `127.0.1.${1 + (n % 200)}` }),
    );
    await call(() =>
      vault.call('GET', 'secret/data/billing/database', { token: 'hvs.none', from: '127.0.0.66' }),
    );
    await sleep(200);
  }
}

it(`each call of Vault once, and the answers of an undisturbed run (seed ${seed})`, () => {
  expect(verdict.faults).toEqual([]);
});

it('and Vault was never held up for long, and alerts came', () => {
  expect(life.calls).toBeGreaterThan(1_000);
  expect(verdict.calm.alerts.size).toBeGreaterThan(0);
  // Vault gives a socket device two seconds.
  expect(life.longestMs).toBeLessThan(2_000);
});
