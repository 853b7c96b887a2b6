// Two installations beside each other get the same lines from a Vault with a file, a Unix socket and a TCP device. One is
// killed again and again, at random; in the end both must say the same (guarantees 2 and 3).

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Alert } from '../../core/alert.ts';
import type { AuditEvent } from '../../core/event.ts';
import type { Lease } from '../../core/lease.ts';
import { numbers } from '../commands/replay-run.ts';
import { freePort, Sealwatch } from './sealwatch.ts';
import { copyOfSample, VaultDevices, writtenAt } from './vault-devices.ts';

const copies = 5;
const kills = 5;
const seed = Number(process.env['KILL_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const random = numbers(seed);

interface Site {
  product: Sealwatch;
  devices: VaultDevices;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

async function site(): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'sw-kill-random-'));
  folders.push(folder);
  const [api, port] = [await freePort(), await freePort()];
  const [file, path] = [join(folder, 'file'), join(folder, 'socket')];
  const product = new Sealwatch(join(folder, 'data'), {
    SEALWATCH_API_PORT: String(api),
    SEALWATCH_FILE_PATH: file,
    SEALWATCH_UNIX_PATH: path,
    SEALWATCH_TCP_PORT: String(port),
  });
  product.start();
  await product.ready();
  return { product, devices: new VaultDevices(file, { path }, { host: '127.0.0.1', port }) };
}

interface Said {
  events: Map<string, AuditEvent>;
  leases: Lease[];
  alerts: Alert[];
  received: number;
}

async function saidBy({ product }: Site): Promise<Said> {
  const events = await product.all<AuditEvent>('/v1/events');
  const leases = await product.all<Lease>('/v1/leases');
  const alerts = await product.alerts();
  const { devices } = await product.get<{ devices: { device: string; received: number }[] }>('/v1/coverage');
  return {
    events: new Map(events.map((event) => [event.event.id, event])),
    leases: leases.sort((a, b) => (a.id < b.id ? -1 : 1)),
    alerts: alerts.sort((a, b) => (a.alert.id < b.alert.id ? -1 : 1)),
    received: devices.find(({ device }) => device === 'file')?.received ?? 0,
  };
}

/** Which devices have shown a call is all that may differ: nobody listened for a while. */
const withoutDevices = (events: Map<string, AuditEvent>) =>
  [...events.values()]
    .map((event) => ({ ...event, vault: { ...event.vault, devices: [] } }))
    .sort((a, b) => (a.event.id < b.event.id ? -1 : 1));

describe(`killed at random (seed ${seed})`, () => {
  let killed: Said;
  let whole: Said;
  let missed = 0;
  let written = 0;

  beforeAll(async () => {
    const [one, other] = await Promise.all([site(), site()]);
    await using _killed = one.product;
    await using _whole = other.product;
    using _devices = one.devices;
    using _others = other.devices;
    const lines = Array.from({ length: copies }, (_, copy) => copyOfSample(copy)).flat();
    const deaths = new Set(
      Array.from({ length: kills }, () => 50 + Math.floor(random() * (lines.length - 100))),
    );
    let starting = Promise.resolve();
    let time = '';
    for (const [n, line] of lines.entries()) {
      const now = writtenAt(line, Date.now(), n);
      time = (JSON.parse(now) as { time: string }).time;
      await Promise.all([one.devices.write(now), other.devices.write(now)]);
      if (deaths.has(n)) {
        await starting;
        await sleep(random() * 300);
        await one.product.kill();
        starting = sleep(random() * 1500).then(() => one.product.start());
      }
      if (n % 10 === 0) await sleep(20 + random() * 30);
    }
    await starting;
    await one.product.ready();
    await Promise.all([one.product.passed(time), other.product.passed(time)]);
    [killed, whole] = [await saidBy(one), await saidBy(other)];
    missed = one.devices.failed;
    written = lines.length;
  });

  it('missed lines on its sockets, and has every line of the file once', () => {
    expect(missed).toBeGreaterThan(0);
    expect([killed.received, whole.received]).toEqual([written, written]);
  });

  it('says what the other says: events, leases, alerts', () => {
    expect(whole.events.size).toBeGreaterThan(copies * 100);
    expect(whole.alerts.length).toBeGreaterThan(copies);
    expect(withoutDevices(killed.events)).toEqual(withoutDevices(whole.events));
    expect(killed.leases).toEqual(whole.leases);
    expect(killed.alerts).toEqual(whole.alerts);
  });

  it('has seen every call on the file, and the other on all three', () => {
    for (const { vault } of killed.events.values()) expect(vault.devices).toContain('file');
    for (const { vault } of whole.events.values()) expect(vault.devices).toEqual(['file', 'tcp', 'unix']);
  });
});
