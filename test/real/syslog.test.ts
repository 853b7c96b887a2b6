// A real Vault with a syslog and a file device: the product reads the datagram socket that was handed over, and finds each
// call on both. Needs python3, and a host without a syslog: Vault writes to the first socket that it finds.

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../core/event.ts';
import { Product } from './product.ts';
import { type RunningVault, startVault } from './servers.ts';

/** What Go's log/syslog tries, in this order. */
const taken = ['/dev/log'].filter((path) => existsSync(path));
const socket = '/var/run/syslog';
const secrets = Array.from({ length: 40 }, (_, i) => `secret/data/app/${i}`);

let running: RunningVault;
let product: Product;

beforeAll(async () => {
  expect(taken).toEqual([]);
  running = await startVault('vault-syslog');
  const { vault, folder } = running;
  const dataDir = join(folder, 'data');
  const auditFile = join(folder, 'audit.log');
  const config = join(folder, 'sealwatch.yml');
  mkdirSync(dataDir);
  const devices = [
    { type: 'file', device: 'file', path: auditFile },
    { type: 'syslog', device: 'syslog', fd: 3 },
  ];
  writeFileSync(config, JSON.stringify({ devices, tcp: { enabled: false } }));
  const launcher = ['python3', 'test/real/with-datagram-socket.py', socket];
  product = await Product.start(dataDir, { SEALWATCH_CONFIG: config }, launcher);
  await vault.root('PUT', 'sys/audit/file', { type: 'file', options: { file_path: auditFile } });
  await vault.root('PUT', 'sys/audit/syslog', { type: 'syslog', options: { prefix: 'vault-1 ' } });
  await vault.root('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  // The mount needs a moment before it takes writes.
  await product.until('kv is ready', async () => {
    await vault.root('POST', 'secret/data/warm', { data: { a: 'example' } });
    return true;
  });
  for (const path of secrets) await vault.root('POST', path, { data: { a: 'x'.repeat(3000) } });
});

afterAll(async () => {
  await product?.stop();
  await running?.[Symbol.asyncDispose]();
  rmSync(socket, { force: true });
});

const events = () => product.all<AuditEvent>('/v1/events');

describe('syslog device', () => {
  it('shows each call that the file shows, whole and without a reject', async () => {
    const onBoth = await product.until('every call on both devices', async () => {
      const calls = (await events()).filter(({ vault }) => secrets.includes(vault.request.path ?? ''));
      return calls.length === secrets.length && calls.every(({ vault }) => vault.devices.length === 2)
        ? calls
        : undefined;
    });
    for (const { vault } of onBoth) {
      expect([...vault.devices].sort()).toEqual(['file', 'syslog']);
      expect(vault.pair).toBe('both');
      expect(vault.flags ?? []).toEqual([]);
    }
  });
});
