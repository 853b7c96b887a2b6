// A disk that fills while lines flow: nobody who writes is held up, what can wait waits, what cannot is counted, and all goes
// on by itself when there is room again (guarantees 1, 2 and 8).

import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import { freePort, Sealwatch, until } from '../e2e/sealwatch.ts';
import { copyOfSample, VaultDevices, writtenAt } from '../e2e/vault-devices.ts';
import { SmallDisk } from './small-disk.ts';

const MiB = 1024 * 1024;
let folder: string;
let disk: SmallDisk;
let product: Sealwatch;
let file: string;
let socket: string;
let tcp: number;
let written = 0;

async function begin(mebibytes: number): Promise<void> {
  disk = new SmallDisk(mebibytes);
  [file, socket, tcp] = [join(folder, 'audit.log'), join(folder, 'socket'), await freePort()];
  product = new Sealwatch(join(disk.path, 'data'), {
    SEALWATCH_API_PORT: String(await freePort()),
    SEALWATCH_TCP_PORT: String(tcp),
    SEALWATCH_UNIX_PATH: socket,
    SEALWATCH_FILE_PATH: file,
  });
  product.start();
  await product.ready();
}

beforeEach(() => {
  written = 0;
  folder = mkdtempSync(join(tmpdir(), 'sw-full-'));
});
afterEach(async () => {
  await product.kill();
  disk[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const unready = async (): Promise<string[]> => {
  const answer = (await (await product.fetch('/readyz')).json()) as { ready: boolean; reasons: string[] };
  return answer.ready ? [] : answer.reasons;
};

/** Copies `from` to `to` of the sample on the file device and both sockets; the longest time that a line took. */
async function write(from: number, to: number): Promise<number> {
  using unix = new VaultDevices(file, { path: socket });
  using other = new VaultDevices('/dev/null', { host: '127.0.0.1', port: tcp });
  let longest = 0;
  for (let copy = from; copy < to; copy++)
    for (const line of copyOfSample(copy)) {
      const text = writtenAt(line, Date.now(), written++);
      const startMs = performance.now();
      await unix.write(text);
      await other.write(text);
      longest = Math.max(longest, performance.now() - startMs);
    }
  expect(unix.failed + other.failed).toBe(0);
  return longest;
}

/** What it says beside its log. */
const errorLines = () =>
  product.output
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('{'))
    .join('\n');

const counts = async () => {
  const { devices } = await product.get<{ devices: ({ device: string } & Record<string, number>)[] }>(
    '/v1/coverage',
  );
  return Object.fromEntries(devices.map(({ device, ...rest }) => [device, rest]));
};

const idsIn = (path: string) => {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return [
    ...new Set(lines.map((line) => (JSON.parse(line) as { request: { id: string } }).request.id)),
  ].sort();
};

async function everyCallOnce(): Promise<void> {
  const events = await until('all events', async () => {
    const found = await product.all<AuditEvent>('/v1/events');
    return found.length >= idsIn(file).length ? found : undefined;
  });
  expect(events.map(({ vault }) => vault.request.id ?? '').sort()).toEqual(idsIn(file));
}

it('file, Unix socket and TCP at once: nobody waits, nothing is lost, nothing comes twice, no restart', async () => {
  await begin(64);
  await write(0, 1);
  await disk.fill();
  await write(1, 6);
  expect(
    await until('not ready', async () => ((await unready()).length > 0 ? unready() : undefined)),
  ).toContain('the spool cannot be written');
  // What is there can be read; evidence only when the reading itself can be recorded.
  expect((await product.fetch('/v1/events?limit=1')).status).toBe(200);
  expect((await evidence()).status).toBe(503);
  await disk.makeRoom();
  await until('ready again', async () => ((await unready()).length === 0 ? true : undefined));
  await write(6, 7);
  await until('all received', async () => {
    const { file: onFile, unix, tcp: onTcp } = await counts();
    return [onFile, unix, onTcp].every((device) => (device?.['received'] ?? 0) >= written) ? true : undefined;
  });
  await everyCallOnce();
  expect((await evidence()).status).toBe(200);
  for (const line of readFileSync(join(disk.path, 'data', 'evidence-access.jsonl'), 'utf8')
    .trim()
    .split('\n'))
    if (line !== '') expect(JSON.parse(line)).toMatchObject({ key: 'admin' });
  for (const device of Object.values(await counts()))
    expect(device).toMatchObject({ received: written, dropped: 0, rejected: 0 });
  expect(await product.end('SIGTERM')).toBe(0);
});

it('more than memory may hold: the socket is read and what it drops is counted; the file waits', async () => {
  await begin(900);
  await write(0, 1);
  await disk.fill();
  const before = written;
  const bytes = Math.ceil((limits.spoolQueueBytesMax + 40 * MiB) / MiB);
  const big = connect(socket);
  for (let i = 0; i < bytes; i++) await sendBig(big, i);
  big.end();
  await until('drops', async () =>
    (await metric('sealwatch_collector_dropped_total')) > 0 ? true : undefined,
  );
  // The file device goes on growing meanwhile; sealwatch reads it when it can keep it.
  for (const line of copyOfSample(9)) appendFileSync(file, `${writtenAt(line, Date.now(), written++)}\n`);
  expect(await unready()).toContain('the spool cannot be written');
  await disk.makeRoom();
  await until('the file device caught up', async () =>
    (await counts())['file']?.['received'] === written ? true : undefined,
  );
  const { file: onFile, unix } = await counts();
  expect(onFile).toMatchObject({ dropped: 0, rejected: 0 });
  const dropped = unix?.['dropped'] ?? 0;
  expect(dropped).toBeGreaterThan(0);
  expect((unix?.['received'] ?? 0) + dropped).toBe(before + bytes);
});

it('a start on a full disk says so in one line, and the next one finds everything', async () => {
  await begin(64);
  await write(0, 1);
  await everyCallOnce();
  expect(await product.end('SIGTERM')).toBe(0);
  for (const line of copyOfSample(2)) appendFileSync(file, `${writtenAt(line, Date.now(), written++)}\n`);
  await disk.fill();
  product.output = '';
  product.start();
  expect(await product.end()).toBe(1);
  expect(errorLines()).toMatch(/^DATA_DIR_UNUSABLE: .*(full|no space|I\/O).* Check free space[^\n]*$/);
  await disk.makeRoom();
  product.start();
  await product.ready();
  await everyCallOnce();
});

it('a start on a read-only disk says so in one line, and the next one finds everything', async () => {
  await begin(64);
  await write(0, 1);
  await everyCallOnce();
  expect(await product.end('SIGTERM')).toBe(0);
  disk.remount('ro');
  product.output = '';
  product.start();
  expect(await product.end()).toBe(1);
  expect(errorLines()).toMatch(/^DATA_DIR_UNUSABLE: .*EROFS[^\n]*$/);
  disk.remount('rw');
  product.start();
  await product.ready();
  await everyCallOnce();
});

const evidence = () => product.fetch('/v1/evidence/CC6.1?from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z');

/** A line of a mebibyte. */
function sendBig(to: Socket, n: number): Promise<void> {
  const line = writtenAt(copyOfSample(100)[0] as string, Date.now(), written).replace(
    /"request":\{"id":"[^"]{8}/,
    (start) => `${start.slice(0, -8)}${String(n).padStart(8, '0')}`,
  );
  const text = line.replace('"request":{', `"request":{"padding":"${'x'.repeat(MiB)}",`);
  return new Promise((resolve, reject) => {
    to.write(`${text}\n`, (error) => (error ? reject(error) : resolve()));
  });
}

async function metric(name: string): Promise<number> {
  const text = await (await product.fetch('/metrics')).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1] ?? 0);
}
