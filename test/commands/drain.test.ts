// `collect --drain` takes what Vault writes, keeps nothing, and says so.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { drain } from '../../commands/collect.ts';
import { type Config, loadConfig } from '../../core/config.ts';
import { leaveSocket } from '../left-socket.ts';

let folder: string;
let shown = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-drain-'));
  shown = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    shown += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const configOf = (env: NodeJS.ProcessEnv): Config =>
  loadConfig({ SEALWATCH_DATA_DIR: join(folder, 'data'), ...env });
const path = () => join(folder, 'audit.sock');

async function dial(): Promise<Socket> {
  const socket = connect(path());
  await once(socket, 'connect');
  return socket;
}

test('it accepts and counts everything, replaces a left-over socket, writes nothing, and ends with 0 by a signal', async () => {
  await leaveSocket(path());
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
  const draining = drain(configOf({ SEALWATCH_TCP_ENABLED: 'false', SEALWATCH_UNIX_PATH: path() }));
  await vi.waitFor(() => expect(shown).toContain('NOTHING IS KEPT'), { timeout: 20_000 });
  const sockets = [await dial(), await dial()];
  for (const socket of sockets) {
    for (let i = 0; i < 20; i++)
      await new Promise((resolve) => socket.write(Buffer.alloc(100_000, 'x'), resolve));
    socket.end();
    await once(socket.resume(), 'close');
  }
  process.emit('SIGINT');
  await draining;
  expect(exit).toHaveBeenCalledWith(0);
  expect(shown).toContain('thrown away: 4000000 bytes');
  expect(readdirSync(folder)).toEqual(['audit.sock']);
  expect(existsSync(join(folder, 'data'))).toBe(false);
});

test('it takes what every input brings: TLS, HTTP with its token, UDP', async () => {
  const file = (name: string) => resolve(`test/fixtures/tls/${name}`);
  const tls = { certFile: file('listener.crt'), keyFile: file('listener.key') };
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, 'a'.repeat(40));
  writeFileSync(
    join(folder, 'drain.yaml'),
    stringify({
      tcp: { enabled: false },
      devices: [
        { type: 'tcp', device: 'tls', port: 0, tls },
        { type: 'http', device: 'http', port: 0, tokenFile },
        { type: 'udp', device: 'udp', port: 0 },
        { type: 'file', device: 'file', path: join(folder, 'none') },
      ],
    }),
  );
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
  const draining = drain(configOf({ SEALWATCH_CONFIG: join(folder, 'drain.yaml') }));
  await vi.waitFor(() => expect(shown).toMatch(/draining udp/), { timeout: 20_000 });
  const port = (device: string) => Number(new RegExp(`draining ${device} on [^ ]*:(\\d+):`).exec(shown)?.[1]);
  const udp = createSocket('udp4');
  await new Promise((done) => udp.send('by UDP\n', port('udp'), '127.0.0.1', done));
  udp.close();
  const secure = tlsConnect({ host: '127.0.0.1', port: port('tls'), ca: readFileSync(file('ca.crt')) });
  secure.end('one line\n');
  await once(secure.resume(), 'close');
  const response = await fetch(`http://127.0.0.1:${port('http')}/`, {
    method: 'POST',
    headers: { authorization: `Bearer ${'a'.repeat(40)}` },
    body: 'another\n',
  });
  expect(response.status).toBe(200);
  process.emit('SIGTERM');
  await draining;
  expect(exit).toHaveBeenCalledWith(0);
  expect(shown).toContain(`thrown away: ${'one line\nanother\nby UDP\n'.length} bytes`);
});

test('a port that is taken is an error the user can mend', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? String(address.port) : '';
  await expect(drain(configOf({ SEALWATCH_TCP_PORT: port }))).rejects.toMatchObject({ code: 'PORT_TAKEN' });
  other.close();
});

test('without a socket there is nothing to drain', async () => {
  await expect(drain(configOf({ SEALWATCH_TCP_ENABLED: 'false' }))).rejects.toMatchObject({
    code: 'USAGE',
    exitCode: 2,
  });
});
