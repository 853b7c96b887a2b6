// `collect --drain` takes what Vault writes, keeps nothing, and says so.

import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
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
