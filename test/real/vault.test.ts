// A real Vault with a file and a Unix-socket device against the built product: each call is found with its caller.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../core/event.ts';
import type { Lease } from '../../core/lease.ts';
import { addPerson, addService, furnish, password } from './furnish.ts';
import { Product } from './product.ts';
import { type RunningVault, startVault } from './servers.ts';
import type { Vault } from './vault-client.ts';

let running: RunningVault;
let product: Product;
let auditFile: string;
let leaseId: string;

/** The accessors by which the calls of one actor are told from another's are hashed; paths are not. */
const paths = {
  alice: 'secret/data/team/plan',
  token: 'secret/data/team/backup',
  denied: 'secret/data/prod/key',
};

beforeAll(async () => {
  running = await startVault('vault-test');
  const { vault, folder } = running;
  await furnish(vault);
  await addPerson(vault, 'alice');
  const approle = await addService(vault, 'billing');
  const dataDir = join(folder, 'data');
  const socket = join(folder, 'audit.sock');
  auditFile = join(folder, 'audit.log');
  mkdirSync(dataDir);
  product = await Product.start(dataDir, {
    SEALWATCH_TCP_ENABLED: 'false',
    SEALWATCH_UNIX_PATH: socket,
    SEALWATCH_FILE_PATH: auditFile,
  });
  await vault.root('PUT', 'sys/audit/file', { type: 'file', options: { file_path: auditFile } });
  const options = { address: socket, socket_type: 'unix' };
  await vault.root('PUT', 'sys/audit/sealwatch', { type: 'socket', options });
  await play(vault, approle);
});

afterAll(async () => {
  await product?.stop();
  await running?.[Symbol.asyncDispose]();
});

/** The calls that the tests look for. */
async function play(vault: Vault, approle: unknown): Promise<void> {
  const from = '127.0.0.11';
  const alice = await vault.login('auth/userpass/login/alice', { password }, from);
  await vault.must('POST', paths.alice, { token: alice, from, body: { data: { a: 'example' } } });
  await vault.must('GET', paths.alice, { token: alice, from });
  await vault.refused('GET', paths.denied, { token: alice, from });
  await vault.refused('POST', 'auth/userpass/login/alice', {
    from: '127.0.0.66',
    body: { password: 'wrong' },
  });

  const billing = await vault.login('auth/approle/login', approle, '127.0.0.21');
  await vault.must('GET', 'secret/data/billing/database', { token: billing, from: '127.0.0.21' });
  const lease = await vault.must('GET', 'database/creds/app', { token: billing, from: '127.0.0.21' });
  leaseId = lease.lease_id ?? '';

  const made = await vault.root('POST', 'auth/token/create', { policies: ['team'], display_name: 'backup' });
  const token = made.auth?.client_token ?? '';
  await vault.must('POST', paths.token, { token, from: '127.0.0.31', body: { data: { a: 'example' } } });
  await vault.must('GET', paths.token, { token, from: '127.0.0.31' });
}

const events = () => product.all<AuditEvent>('/v1/events');

/** The whole event of a call, as soon as both devices have shown both halves. */
const found = (what: string, is: (event: AuditEvent) => boolean): Promise<AuditEvent> =>
  product.until(what, async () => (await events()).find((event) => is(event) && event.vault.revision === 2));

const onBothDevices = (event: AuditEvent) =>
  expect([...event.vault.devices].sort()).toEqual(['file', 'unix']);

describe('a real Vault with two devices', () => {
  it('userpass: the login and the reads of a person', async () => {
    const login = await found(
      'login of alice',
      ({ event, vault }) => vault.request.path === 'auth/userpass/login/alice' && event.outcome === 'success',
    );
    expect(login.event.action).toBe('user-login');
    expect(login.user.name).toBe('alice');
    expect(login.source?.ip).toBe('127.0.0.11');
    expect(login.vault.issued?.ttl_s).toBe(3600);
    onBothDevices(login);

    const read = await found(
      'read of alice',
      ({ event, vault }) => event.action === 'secret-read' && vault.request.path === paths.alice,
    );
    expect(read).toMatchObject({ user: { name: 'alice' }, event: { outcome: 'success' } });
    expect(read.vault.caller).toMatchObject({
      auth_method: 'userpass',
      kind: 'human',
      credential: 'service',
    });
    expect(read.vault.secret?.path).toBe('secret/team/plan');
    onBothDevices(read);
  });

  it('AppRole: the login and the reads of a service', async () => {
    const login = await found('AppRole login', ({ vault }) => vault.request.path === 'auth/approle/login');
    expect(login).toMatchObject({ user: { name: 'billing' }, event: { outcome: 'success' } });
    const read = await found(
      'read of billing',
      ({ vault }) => vault.request.path === 'secret/data/billing/database',
    );
    expect(read).toMatchObject({
      user: { name: 'billing' },
      event: { action: 'secret-read', outcome: 'success' },
    });
    expect(read.vault.caller).toMatchObject({ auth_method: 'approle', kind: 'workload', role: 'billing' });
    onBothDevices(read);
  });

  it('token: the reads with a token made by hand', async () => {
    const read = await found(
      'read with the token',
      ({ event, vault }) => event.action === 'secret-read' && vault.request.path === paths.token,
    );
    expect(read.user.name).toContain('backup');
    expect(read.vault.caller.auth_method).toBe('token');
    expect(['human', 'anonymous', 'root']).not.toContain(read.vault.caller.kind);
    onBothDevices(read);
  });

  it('a denial and a failed login are failures of their callers', async () => {
    const denied = await found('denial', ({ vault }) => vault.request.path === paths.denied);
    expect(denied.event).toMatchObject({ outcome: 'failure', reason: 'policy_denied' });
    expect(denied).toMatchObject({ user: { name: 'alice' }, vault: { authorization: { allowed: false } } });
    onBothDevices(denied);
    const failed = await found(
      'failed login',
      ({ event, vault }) => vault.request.path === 'auth/userpass/login/alice' && event.outcome === 'failure',
    );
    expect(failed.event.reason).toBe('login_failed');
    expect(failed.source?.ip).toBe('127.0.0.66');
  });

  it('the lease of PostgreSQL is known, and that its lifetime is not', async () => {
    const lease = await product.until('lease', async () =>
      (await product.all<Lease>('/v1/leases')).find(({ id }) => id === leaseId),
    );
    expect(lease).toMatchObject({ kind: 'lease', holder: 'billing', path: 'database/creds/app' });
    expect(lease.ttl_source).toBe('unknown');
    expect(lease).not.toHaveProperty('ttl_s');
  });

  it('every request of the audit file is there exactly once', async () => {
    const lines = readFileSync(auditFile, 'utf8').trim().split('\n');
    const written = new Set(
      lines.map((line) => (JSON.parse(line) as { request: { id: string } }).request.id),
    );
    expect(written.size).toBeGreaterThan(12);
    const ids = await product.until('all requests of the file', async () => {
      const seen = (await events()).map(({ vault }) => vault.request.id);
      return [...written].every((id) => seen.includes(id)) ? seen : undefined;
    });
    const counts = [...written].map((id) => ids.filter((other) => other === id).length);
    expect(counts.filter((count) => count !== 1)).toEqual([]);
  });

  it('and the product ends cleanly', async () => {
    expect(await product.stop()).toBe(0);
  });
});
