// `sealwatch run` and the ledger's questions on a real Vault: lifetimes that no audit line shows are known a moment after the issue,
// with few calls, and none of these calls is taken for a thief's.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Alert } from '../../core/alert.ts';
import type { Lease } from '../../core/lease.ts';
import { Product } from './product.ts';
import { type RunningVault, startVault } from './servers.ts';

let running: RunningVault;
let product: Product;
let auditFile: string;

const LEASES = 40;
const BUDGET_CALLS = 25;

beforeAll(async () => {
  running = await startVault('vault-questions');
  const { vault, folder } = running;
  await furnish();
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir);
  auditFile = join(folder, 'audit.log');
  product = await Product.start(dataDir, {
    SEALWATCH_TCP_ENABLED: 'false',
    SEALWATCH_FILE_PATH: auditFile,
    SEALWATCH_TIME_PAIR_WAIT_SECONDS: '2',
    SEALWATCH_TIME_ALLOWED_LATENESS_SECONDS: '1',
    SEALWATCH_VAULT_ADDRESS: vault.address,
    SEALWATCH_VAULT_LOGIN_METHOD: 'approle',
    SEALWATCH_VAULT_LOGIN_ROLE_ID_FILE: join(folder, 'role-id'),
    SEALWATCH_VAULT_BUDGET_CALLS: String(BUDGET_CALLS),
  });
  const options = { file_path: auditFile, hmac_accessor: 'false' };
  await vault.root('PUT', 'sys/audit/file', { type: 'file', options });
});

afterAll(async () => {
  await product?.stop();
  await running?.[Symbol.asyncDispose]();
});

/** SSH passwords for one use: an engine whose leases need no other server, and whose lines show no lifetime. */
async function furnish(): Promise<void> {
  const { vault, folder } = running;
  const policy = readFileSync('deploy/vault/sealwatch.hcl', 'utf8');
  await vault.root('PUT', 'sys/policies/acl/sealwatch', { policy });
  await vault.root('POST', 'sys/mounts/ssh', { type: 'ssh', config: { default_lease_ttl: '90s' } });
  const role = { key_type: 'otp', default_user: 'example', cidr_list: '127.0.0.0/8' };
  await vault.root('POST', 'ssh/roles/hosts', role);
  await vault.root('POST', 'sys/auth/approle', { type: 'approle' });
  await vault.root('POST', 'auth/approle/role/sealwatch', {
    token_policies: 'sealwatch',
    bind_secret_id: false,
    token_bound_cidrs: '127.0.0.1/32',
  });
  const { data } = await vault.root('GET', 'auth/approle/role/sealwatch/role-id');
  writeFileSync(join(folder, 'role-id'), String(data['role_id']), { mode: 0o600 });
}

const metric = async (name: string): Promise<number> =>
  Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await product.text('/metrics'))?.[1]);

/** Questions of all needs. */
async function asked(): Promise<number> {
  const text = await product.text('/metrics');
  const counts = [...text.matchAll(/^sealwatch_vault_questions_asked_total\{\S+ (\d+)$/gm)];
  expect(counts).toHaveLength(5);
  return counts.reduce((total, [, count]) => total + Number(count), 0);
}

it('lifetimes are known from one look-up, and the others are asked within the budget', async () => {
  for (let i = 0; i < LEASES; i++) {
    await running.vault.root('POST', 'ssh/creds/hosts', { ip: `127.0.1.${i}` });
    await sleep(50);
  }
  const sources = await product.until('the leases with their lifetimes', async () => {
    const found = await product.all<Lease>('/v1/leases?kind=lease');
    const known = found.filter(({ ttl_s }) => ttl_s === 90);
    const told = new Set(known.map(({ ttl_source }) => ttl_source));
    return known.length === LEASES && told.has('own_lookup') ? told : undefined;
  });
  expect([...sources].filter((source) => source !== 'own_lookup' && source !== 'role_config')).toEqual([]);
  expect(await asked()).toBeGreaterThan(1);
});

it('no more is asked than the budget lets', async () => {
  const lines = await metric('sealwatch_collector_lines_total');
  expect(await asked()).toBeLessThanOrEqual(BUDGET_CALLS + (0.02 * lines) / 2);
});

it('its own calls raise no alert', async () => {
  const alerts = await product.all<Alert>('/v1/alerts');
  expect(alerts.length).toBeGreaterThan(0);
  expect(alerts.filter(({ rule }) => rule.name.startsWith('Own identity'))).toEqual([]);
});

it('its login in the hands of somebody else is a critical alert, for a call of its own as well', async () => {
  const { vault, folder } = running;
  const body = JSON.stringify({ role_id: readFileSync(join(folder, 'role-id'), 'utf8') });
  const login = await fetch(`${vault.address}/v1/auth/approle/login`, { method: 'POST', body });
  const { auth } = (await login.json()) as { auth: { client_token: string } };
  for (const path of ['secret/data/production', 'sys/mounts'])
    await vault.call('GET', path, { token: auth.client_token });
  const alerts = await product.until('both calls', async () => {
    const found = await product.all<Alert>('/v1/alerts');
    const own = found.filter(({ rule }) => rule.name.startsWith('Own identity'));
    return own.flatMap(({ evidence }) => evidence.event_ids).length === 2 ? own : undefined;
  });
  expect(new Set(alerts.map(({ rule }) => rule.level))).toEqual(new Set(['critical']));
});
