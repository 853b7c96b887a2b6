// `run --replay`: a recorded log in the page and the API; killed at any moment it goes on and shows the same.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Alert } from '../../core/alert.ts';
import type { AuditEvent } from '../../core/event.ts';
import { freePort, Sealwatch, until } from './sealwatch.ts';

const log = 'deploy/sample/audit.jsonl';
const folder = mkdtempSync(join(tmpdir(), 'sw-show-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const linesOf = <T>(path: string) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as T);
const byId = (a: Alert, b: Alert) => (a.alert.id < b.alert.id ? -1 : 1);

let events: AuditEvent[];
let alerts: Alert[];
beforeAll(() => {
  const out = join(folder, 'out');
  const env = { ...process.env, SEALWATCH_DATA_DIR: join(folder, 'replay-data') };
  execFileSync(process.execPath, ['dist/main.js', 'replay', log, '--out', out], { env });
  events = linesOf(join(out, 'events.jsonl'));
  alerts = linesOf(join(out, 'alerts.jsonl'));
});

/** Starts it and kills it after each of `moments`, then lets it run to the end of the log. */
async function shown(
  name: string,
  moments: number[],
): Promise<{ events: AuditEvent[]; alerts: Alert[]; sent: Alert[] }> {
  const dataDir = join(folder, name);
  await using product = new Sealwatch(dataDir, { SEALWATCH_API_PORT: String(await freePort()) }, [
    '--replay',
    log,
  ]);
  for (const ms of moments) {
    product.start();
    await sleep(ms);
    await product.kill();
  }
  product.start();
  // It keeps a folder of its own for each log.
  product.keyDir = await until('its folder', async () => {
    const [own] = readdirSync(join(dataDir, 'replay'));
    return own === undefined ? undefined : join(dataDir, 'replay', own);
  });
  await product.ready();
  await product.passed(events.at(-1)?.['@timestamp'] ?? '');
  const result = {
    events: await product.all<AuditEvent>('/v1/events'),
    alerts: await product.alerts(),
  };
  expect(await product.end('SIGTERM')).toBe(0);
  return { ...result, sent: linesOf(join(product.keyDir, 'alerts.jsonl')) };
}

describe('a recorded log', () => {
  it.each<[string, number[]]>([
    ['without a stop', []],
    ['killed at 0.3 s steps', [300, 600, 900, 1200, 1500, 1800]],
    ['killed again and again while it begins to work', [1000, 1000, 1000]],
    ['killed long after it was read', [7000]],
  ])('%s', async (name, moments) => {
    const result = await shown(name.replaceAll(' ', '-'), moments);
    expect(alerts.length).toBeGreaterThan(3);
    expect(result.alerts.sort(byId)).toEqual([...alerts].sort(byId));
    expect(result.events.map(({ event }) => event.id).sort()).toEqual(
      events.map(({ event }) => event.id).sort(),
    );
    const sent = result.sent.map(({ alert }) => alert.id);
    expect([...sent].sort()).toEqual(alerts.map(({ alert }) => alert.id).sort());
  });
});
