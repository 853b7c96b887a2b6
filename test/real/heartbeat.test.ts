// A real Vault, a file and a Unix-socket device: a look-up of our own comes back on both, and on one when the other is blind.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CoverageCounter } from '../../core/records.ts';
import { Product } from './product.ts';
import { type RunningVault, startVault } from './servers.ts';

let running: RunningVault;
let product: Product;
let dataDir: string;
let tokenFile: string;
let token: string;

type Device = Record<CoverageCounter, number> & { device: string; silent: boolean };
interface Coverage {
  devices: Device[];
  statement: string;
}

const coverage = async (): Promise<Coverage> => JSON.parse(await product.text('/v1/coverage')) as Coverage;
const deviceOf = async (name: string): Promise<Device> =>
  (await coverage()).devices.find(({ device }) => device === name) as Device;

beforeAll(async () => {
  running = await startVault('vault-heartbeat');
  const { vault, folder } = running;
  dataDir = join(folder, 'data');
  tokenFile = join(folder, 'sealwatch-token');
  const socket = join(folder, 'audit.sock');
  const auditFile = join(folder, 'audit.log');
  mkdirSync(dataDir);
  product = await Product.start(dataDir, {
    SEALWATCH_TCP_ENABLED: 'false',
    SEALWATCH_UNIX_PATH: socket,
    SEALWATCH_FILE_PATH: auditFile,
    SEALWATCH_VAULT_ADDRESS: vault.address,
    SEALWATCH_VAULT_TOKEN_FILE: tokenFile,
    SEALWATCH_VAULT_HEARTBEAT_SECONDS: '1',
    SEALWATCH_TIME_PAIR_WAIT_SECONDS: '2',
    SEALWATCH_TIME_ALLOWED_LATENESS_SECONDS: '1',
  });
  await vault.root('PUT', 'sys/audit/file', { type: 'file', options: { file_path: auditFile } });
  const options = { address: socket, socket_type: 'unix' };
  await vault.root('PUT', 'sys/audit/sealwatch', { type: 'socket', options });
  const made = await vault.root('POST', 'auth/token/create', { policies: ['default'], ttl: '1h' });
  token = made.auth?.client_token ?? '';
});

afterAll(async () => {
  await product?.stop();
  await running?.[Symbol.asyncDispose]();
});

it('without a token it is not answered, which says nothing about a device', async () => {
  const file = await product.until('an unanswered look-up', async () => {
    const found = await deviceOf('file');
    return found.heartbeat_unanswered > 0 ? found : undefined;
  });
  expect(file).toMatchObject({ heartbeat_seen: 0, heartbeat_missed: 0 });
});

it('with the token of an ordinary policy it comes back on both devices', async () => {
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  await product.until('look-ups seen on both', async () => {
    const [file, unix] = [await deviceOf('file'), await deviceOf('unix')];
    return file.heartbeat_seen >= 3 && unix.heartbeat_seen >= 3 ? true : undefined;
  });
  expect((await deviceOf('file')).heartbeat_missed).toBe(0);
  expect((await deviceOf('unix')).heartbeat_missed).toBe(0);
  expect((await coverage()).statement).toContain('came back on every device');
  const { code, report } = await product.doctor();
  expect(report).toMatch(/^ok +the look-up came back on file, unix$/m);
  expect({ code, report }).toMatchObject({ code: 0 });
});

it('a device that Vault no longer writes to is blind, and the other is not', async () => {
  await running.vault.root('DELETE', 'sys/audit/sealwatch');
  const unix = await product.until('look-ups missed on the socket', async () => {
    const found = await deviceOf('unix');
    return found.heartbeat_missed >= 3 ? found : undefined;
  });
  expect(unix.heartbeat_seen).toBeGreaterThanOrEqual(3);
  expect((await deviceOf('file')).heartbeat_missed).toBe(0);
  expect((await coverage()).statement).toContain('unix was blind');
  const metrics = await product.text('/metrics');
  expect(metrics).toMatch(/^sealwatch_device_heartbeat_seen\{device="file"\} 1$/m);
  expect(metrics).toMatch(/^sealwatch_device_heartbeat_seen\{device="unix"\} 0$/m);
  const { code, report } = await product.doctor();
  expect(code).toBe(1);
  expect(report).toMatch(/^fail +unix is blind/m);
});

it('the token is nowhere in what it keeps', () => {
  expect(existsSync(join(dataDir, 'stream'))).toBe(true);
  expect(readFileSync(tokenFile, 'utf8')).toContain(token);
  const found = (() => {
    try {
      return execFileSync('grep', ['-rlaF', token, dataDir], { encoding: 'utf8' });
    } catch {
      // grep ends with 1 when it finds nothing.
      return '';
    }
  })();
  expect(found).toBe('');
});
