// kill -9 while lines flow from a Vault with two devices: each line is there once, and the alerts are those of a replay
// (guarantees 2, 3 and 5).

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Alert } from '../../core/alert.ts';
import type { AuditEvent } from '../../core/event.ts';
import type { Lease } from '../../core/lease.ts';
import { freePort, Sealwatch } from './sealwatch.ts';
import { copyOfSample, type SocketPlace, VaultDevices, writtenAt } from './vault-devices.ts';

const copies = 10;
/** Lines after which it is killed, and how long it stays away. */
const kills = [
  { line: 150, awayMs: 0 },
  { line: 700, awayMs: 300 },
  { line: 1200, awayMs: 0 },
  { line: 1900, awayMs: 1200 },
  { line: 2600, awayMs: 100 },
  { line: 3200, awayMs: 0 },
];

interface Entry {
  time: string;
  type: string;
  request: { id: string };
}

interface Played {
  lines: string[];
  failed: number;
  events: AuditEvent[];
  alerts: Alert[];
  leases: Lease[];
  coverage: { devices: ({ device: string } & Record<string, number>)[] };
  delivered: Alert[];
  replayed: { events: AuditEvent[]; alerts: string[]; leases: string[] };
}

const linesOf = (path: string) => readFileSync(path, 'utf8').split('\n').slice(0, -1);
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Writes the copies of the sample as they would be written now, killing and starting on the way. */
async function write(product: Sealwatch, devices: VaultDevices): Promise<void> {
  let n = 0;
  const starting: Promise<void>[] = [];
  for (const line of Array.from({ length: copies }, (_, copy) => copyOfSample(copy)).flat()) {
    await devices.write(writtenAt(line, Date.now(), n));
    const kill = kills.find((planned) => planned.line === n);
    if (kill !== undefined) {
      await Promise.all(starting);
      await product.kill();
      // Vault goes on writing while nobody listens.
      starting.push(sleep(kill.awayMs).then(() => product.start()));
    }
    // The pace of a busy Vault, with pauses in which time is all that passes.
    n++;
    if (n % 10 === 0) await sleep(20);
    if (n % 1000 === 0) await sleep(1500);
  }
  await Promise.all(starting);
}

async function play(kind: 'tcp' | 'unix'): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), 'sw-kill-'));
  folders.push(folder);
  const file = join(folder, 'file');
  const dataDir = join(folder, 'data');
  const [api, tcp] = [await freePort(), await freePort()];
  const socket = join(folder, 'socket');
  const place: SocketPlace = kind === 'tcp' ? { host: '127.0.0.1', port: tcp } : { path: socket };
  await using product = new Sealwatch(dataDir, {
    SEALWATCH_API_PORT: String(api),
    SEALWATCH_FILE_PATH: file,
    SEALWATCH_TCP_PORT: String(tcp),
    SEALWATCH_TCP_ENABLED: String(kind === 'tcp'),
    ...(kind === 'unix' && { SEALWATCH_UNIX_PATH: socket }),
  });
  product.start();
  await product.ready();
  using devices = new VaultDevices(file, place);
  await write(product, devices);
  await product.ready();
  const lines = linesOf(file);
  await product.passed((JSON.parse(lines.at(-1) ?? '') as Entry).time);
  const { events, alerts, leases, coverage } = {
    events: await product.all<AuditEvent>('/v1/events'),
    alerts: await product.alerts(),
    leases: await product.all<Lease>('/v1/leases'),
    coverage: await product.get<Played['coverage']>('/v1/coverage'),
  };
  expect(await product.end('SIGTERM')).toBe(0);
  const out = join(folder, 'out');
  const env = { ...process.env, SEALWATCH_DATA_DIR: join(folder, 'replay') };
  execFileSync(process.execPath, ['dist/main.js', 'replay', file, '--out', out], { env });
  return {
    lines,
    failed: devices.failed,
    events,
    alerts,
    leases,
    coverage,
    delivered: linesOf(join(dataDir, 'alerts.jsonl')).map((line) => JSON.parse(line) as Alert),
    replayed: {
      events: linesOf(join(out, 'events.jsonl')).map((line) => JSON.parse(line) as AuditEvent),
      alerts: linesOf(join(out, 'alerts.jsonl')),
      leases: linesOf(join(out, 'leases.jsonl')),
    },
  };
}

describe.each(['tcp', 'unix'] as const)('killed %s', (kind) => {
  let played: Played;
  beforeAll(async () => {
    played = await play(kind);
  });

  it('was killed while lines flowed', () => {
    expect(played.lines.length).toBeGreaterThan(3000);
    expect(played.failed).toBeGreaterThan(0);
  });

  it('shows each call once, whole, with the file device', () => {
    const written = new Map<string, string>();
    for (const line of played.lines) {
      const { request, type } = JSON.parse(line) as Entry;
      written.set(request.id, written.has(request.id) ? 'both' : `${type}_only`);
    }
    const ids = played.events.map(({ vault }) => vault.request.id ?? '');
    expect([...ids].sort()).toEqual([...written.keys()].sort());
    for (const { vault } of played.events) {
      expect(vault.pair).toBe(written.get(vault.request.id ?? ''));
      expect(vault.devices).toContain('file');
    }
  });

  it('shows the calls of a replay of the file, apart from the second device', () => {
    const strip = (event: AuditEvent) => ({ ...event, vault: { ...event.vault, devices: [] } });
    const byId = (a: AuditEvent, b: AuditEvent) => (a.event.id < b.event.id ? -1 : 1);
    expect(played.events.map(strip).sort(byId)).toEqual(played.replayed.events.map(strip).sort(byId));
    // A token that only the second device showed goes by that one's hash.
    const leases = (rows: Lease[]) => rows.filter(({ kind }) => kind === 'lease').map(({ id }) => id);
    expect(leases(played.leases).sort()).toEqual(
      leases(played.replayed.leases.map((line) => JSON.parse(line) as Lease)).sort(),
    );
  });

  it('counts each line of the file once', () => {
    const file = played.coverage.devices.find(({ device }) => device === 'file');
    expect(file).toMatchObject({ received: played.lines.length, dropped: 0, rejected: 0 });
  });

  it('finds the alerts that a replay of the file finds', () => {
    const replayed = played.replayed.alerts.map((line) => JSON.parse(line) as Alert);
    const byId = (a: Alert, b: Alert) => (a.alert.id < b.alert.id ? -1 : 1);
    expect(replayed.length).toBeGreaterThan(copies);
    expect([...played.alerts].sort(byId)).toEqual(replayed.sort(byId));
  });

  it('sends each alert once', () => {
    const ids = played.delivered.map(({ alert }) => alert.id);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    expect([...ids].sort()).toEqual(played.alerts.map(({ alert }) => alert.id).sort());
  });
});
