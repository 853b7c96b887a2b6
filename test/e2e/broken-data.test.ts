// Files in the data folder that a disk has damaged: sealwatch starts, goes on, says what is lost, and shows nothing twice.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Alert } from '../../core/alert.ts';
import type { AuditEvent } from '../../core/event.ts';
import { UNKNOWN_DEVICE } from '../../core/records.ts';
import { freePort, Sealwatch, until } from './sealwatch.ts';
import { copyOfSample, VaultDevices, writtenAt } from './vault-devices.ts';

let folder: string;
let data: string;
let file: string;
let product: Sealwatch;
let devices: VaultDevices;
let last = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sw-broken-'));
  [data, file] = [join(folder, 'data'), join(folder, 'audit.log')];
  const tcp = await freePort();
  product = new Sealwatch(data, {
    SEALWATCH_API_PORT: String(await freePort()),
    SEALWATCH_TCP_PORT: String(tcp),
    SEALWATCH_FILE_PATH: file,
  });
  devices = new VaultDevices(file, { host: '127.0.0.1', port: tcp });
  product.start();
  await product.ready();
  await write(0, 4);
});
afterAll(async () => {
  devices[Symbol.dispose]();
  await product.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function write(from: number, to: number): Promise<void> {
  for (let copy = from; copy < to; copy++)
    for (const line of copyOfSample(copy)) {
      last = new Date().toISOString();
      await devices.write(writtenAt(line, Date.parse(last), devices.written));
    }
  await product.passed(last);
}

async function restarted(change: () => void): Promise<void> {
  expect(await product.end('SIGTERM')).toBe(0);
  change();
  product.start();
  await product.ready();
}

const segment = (topic: string, partition: number) => {
  const dir = join(data, 'stream', topic, String(partition));
  return join(dir, readdirSync(dir).find((name) => name.endsWith('.seg')) as string);
};

function zero(path: string, at: number, bytes: number): void {
  const content = readFileSync(path);
  writeFileSync(path, content.fill(0, at, at + bytes));
}

const middle = (path: string) => Math.floor(readFileSync(path).length / 2);
const dropStore = () => {
  for (const end of ['', '-wal', '-shm']) rmSync(join(data, `evidence.db${end}`), { force: true });
};
const written = () =>
  new Set(
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { request: { id: string } }).request.id),
  );
const shown = async () =>
  (await product.all<AuditEvent>('/v1/events')).map(({ vault }) => vault.request.id ?? '');
const allShown = async () =>
  until('all events', async () => {
    const ids = await shown();
    return ids.length >= written().size ? ids.sort() : undefined;
  });

async function deliveredOnce(): Promise<void> {
  // The store and the file get an alert each in its own time.
  const [ids, known] = await until('each alert is delivered', async () => {
    const alerts = await product.alerts();
    const sent = readFileSync(join(data, 'alerts.jsonl'), 'utf8').split('\n').slice(0, -1);
    const found = sent.map((line) => (JSON.parse(line) as Alert).alert.id);
    return found.length >= alerts.length ? [found, alerts.map(({ alert }) => alert.id)] : undefined;
  });
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.sort()).toEqual(known.sort());
}

it('snapshots: each stage makes its state again, and nothing comes twice', async () => {
  const before = await allShown();
  expect(before).toEqual([...written()].sort());
  const groups = join(data, 'stream', 'groups');
  await restarted(() => {
    for (const name of readdirSync(groups)) zero(join(groups, name), middle(join(groups, name)), 8);
  });
  expect(existsSync(join(groups, 'detect-all.json.damaged'))).toBe(true);
  await write(4, 5);
  expect(await allShown()).toEqual([...written()].sort());
  await deliveredOnce();
});

it('the evidence store: one clear line; without it everything is there again', async () => {
  expect(await product.end('SIGTERM')).toBe(0);
  zero(join(data, 'evidence.db'), 0, 4096);
  product.output = '';
  product.start();
  expect(await product.end()).toBe(1);
  expect(product.output).toMatch(/^DATA_DIR_UNUSABLE: cannot open the evidence store .*move it away/m);
  dropStore();
  product.start();
  await product.ready();
  expect(await allShown()).toEqual([...written()].sort());
});

it('a block in the middle of lines and of events: what is lost is counted, all else is there once', async () => {
  await restarted(() => {
    for (const topic of ['vault.audit.raw', 'vault.audit.events'])
      zero(segment(topic, 0), middle(segment(topic, 0)), 4 * 4096);
    rmSync(join(data, 'stream', 'groups', 'normalise-0.json'));
    dropStore();
  });
  await write(5, 6);
  const ids = await shown();
  expect(new Set(ids).size).toBe(ids.length);
  const missing = [...written()].filter((id) => !ids.includes(id));
  expect(missing.length).toBeGreaterThan(0);
  const { devices: rows } = await product.get<{ devices: { device: string; gaps: number }[] }>(
    '/v1/coverage',
  );
  const gaps = rows.find(({ device }) => device === UNKNOWN_DEVICE)?.gaps ?? 0;
  expect(gaps).toBeGreaterThanOrEqual(missing.length);
  expect(gaps).toBeLessThan(100);
  const metrics = await (await product.fetch('/metrics')).text();
  expect(Number(/^sealwatch_stream_broken_records_total (\d+)/m.exec(metrics)?.[1])).toBeGreaterThan(0);
  expect(product.output).toContain('records of the stream cannot be read; going on behind them');
  await deliveredOnce();
});

it('the folder itself, while it runs: it ends and says so', async () => {
  rmSync(data, { recursive: true });
  expect(await product.end()).toBe(1);
  expect(product.output).toMatch(/^DATA_DIR_UNUSABLE: the data folder .* was taken away/m);
});
