// Starting and ending: ports that are taken, a folder that is in use, signals, what is said, what lies on disk.

import { once } from 'node:events';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../core/event.ts';
import { freePort, Sealwatch, until } from './sealwatch.ts';
import { copyOfSample, VaultDevices, writtenAt } from './vault-devices.ts';

const folders: string[] = [];
const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'sw-life-'));
  folders.push(path);
  return path;
};
afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

const ports = async () => ({
  SEALWATCH_API_PORT: String(await freePort()),
  SEALWATCH_TCP_PORT: String(await freePort()),
});

function occupy(port: string): Promise<Server> {
  const server = createServer();
  return new Promise((resolve) => server.listen(Number(port), '127.0.0.1', () => resolve(server)));
}

const errorLines = (output: string) => output.split('\n').filter((line) => /^[A-Z_]+: /.test(line));

describe('a port that is taken', () => {
  it.each(['SEALWATCH_API_PORT', 'SEALWATCH_TCP_PORT'] as const)(
    '%s: one clear line, exit code 1',
    async (name) => {
      const settings = await ports();
      const server = await occupy(settings[name]);
      await using product = new Sealwatch(folder(), settings);
      product.start();
      expect(await product.end()).toBe(1);
      server.close();
      expect(product.output.trim().split('\n')).toHaveLength(1);
      expect(product.output).toMatch(/^PORT_TAKEN: 127\.0\.0\.1:\d+ is already in use\. /);
      expect(product.output).toContain(settings[name]);
      expect(product.output).toContain(name);
    },
  );

  it('does not keep the data folder: the next start works', async () => {
    const settings = await ports();
    const dataDir = folder();
    const server = await occupy(settings.SEALWATCH_API_PORT);
    await using product = new Sealwatch(dataDir, settings);
    product.start();
    expect(await product.end()).toBe(1);
    server.close();
    product.start();
    await product.ready();
    expect(await product.end('SIGTERM')).toBe(0);
  });
});

describe('while one runs', () => {
  const dataDir = folder();
  const file = join(dataDir, 'vault-audit.log');
  let settings: Awaited<ReturnType<typeof ports>>;
  let product: Sealwatch;
  let startedAs: string;

  beforeAll(async () => {
    settings = await ports();
    product = new Sealwatch(join(dataDir, 'data'), { ...settings, SEALWATCH_FILE_PATH: file });
    product.start();
    await product.ready();
    await until('its greeting', async () =>
      product.output.includes('sealwatch is running') ? true : undefined,
    );
    startedAs = product.output;
    using devices = new VaultDevices(file, { host: '127.0.0.1', port: Number(settings.SEALWATCH_TCP_PORT) });
    const token = 'hvs.EXAMPLEexampleEXAMPLE0003';
    for (const [n, line] of copyOfSample(1).slice(0, 60).entries())
      await devices.write(writtenAt(line.replace('"curl/8.5.0"', `"curl ${token}"`), Date.now(), n));
    appendFileSync(file, 'no audit line\n');
    await until('events', async () => ((await product.all('/v1/events')).length > 20 ? true : undefined));
  });
  afterAll(() => product.kill());

  it('a second one in the same folder is refused by name', async () => {
    const second = new Sealwatch(join(dataDir, 'data'), await ports());
    second.start();
    expect(await second.end()).toBe(1);
    expect(second.output).toMatch(/^DATA_DIR_LOCKED: another sealwatch uses the data folder /);
    expect(second.output.trim().split('\n')).toHaveLength(1);
    expect((await product.fetch('/healthz')).ok).toBe(true);
  });

  it('says where the key lies, not the key, when nobody watches', () => {
    const key = readFileSync(join(dataDir, 'data', 'admin-key'), 'utf8').trim();
    expect(key.length).toBeGreaterThanOrEqual(32);
    expect(startedAs).toContain(join(dataDir, 'data', 'admin-key'));
    expect(startedAs).toContain(`127.0.0.1:${settings.SEALWATCH_TCP_PORT}`);
    expect(startedAs).toContain(file);
    expect(product.output).not.toContain(key);
    const scrubKey = readFileSync(join(dataDir, 'data', 'scrub-key'), 'utf8').trim();
    expect(product.output).not.toContain(scrubKey);
  });

  it('no token of a line reaches its output, its answers or its disk', async () => {
    const token = 'EXAMPLEexampleEXAMPLE0003';
    expect(readFileSync(file, 'utf8').includes(token)).toBe(true);
    expect(product.output).not.toMatch(/hv[sbr]\.|EXAMPLEexample/);
    const events = JSON.stringify(await product.all<AuditEvent>('/v1/events'));
    expect(events.includes('sealwatch-hmac:')).toBe(true);
    expect(events.includes(token)).toBe(false);
    for (const path of filesUnder(join(dataDir, 'data')))
      expect(readFileSync(path).includes(token), path).toBe(false);
  });

  it('what it keeps is for its owner only', () => {
    const root = join(dataDir, 'data');
    const open = [root, ...entriesUnder(root)].filter((path) => (statSync(path).mode & 0o077) !== 0);
    expect(entriesUnder(root).length).toBeGreaterThan(10);
    expect(open).toEqual([]);
  });

  it('nothing is answered without the key', async () => {
    const url = `http://127.0.0.1:${settings.SEALWATCH_API_PORT}/v1/events`;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
  });

  it('ends with 0 at SIGTERM, without an error, and lets go of folder and ports', async () => {
    expect(await product.end('SIGTERM')).toBe(0);
    expect(errorLines(product.output)).toEqual([]);
    product.start();
    await product.ready();
    expect(await product.end('SIGINT')).toBe(0);
  });
});

const entriesUnder = (dir: string): string[] =>
  readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    return entry.isDirectory() ? [path, ...entriesUnder(path)] : [path];
  });
const filesUnder = (dir: string) => entriesUnder(dir).filter((path) => statSync(path).isFile());

describe('a start that waits', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'for a Kafka that does not answer ends with 0 at %s',
    async (signal) => {
      const silent = createServer();
      const asked = once(silent, 'connection');
      const port = await freePort();
      silent.listen(port, '127.0.0.1');
      const settings = { SEALWATCH_STREAM: 'kafka', SEALWATCH_KAFKA_BROKERS: `127.0.0.1:${port}` };
      await using product = new Sealwatch(join(folder(), 'data'), { ...(await ports()), ...settings });
      product.start();
      await asked;
      expect(await product.end(signal)).toBe(0);
      expect(errorLines(product.output)).toEqual([]);
      silent.close();
    },
  );
});

describe('a data folder that cannot be used', () => {
  it('is one line and exit code 1', async () => {
    const path = join(folder(), 'file');
    writeFileSync(path, '');
    await using product = new Sealwatch(path, await ports());
    product.start();
    expect(await product.end()).toBe(1);
    expect(product.output).toMatch(/^DATA_DIR_UNUSABLE: /);
    expect(product.output.trim().split('\n')).toHaveLength(1);
  });
});
