// The scenes that the capture plays on a real Vault, in order; each becomes one file of lines per device.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { addPerson, addService, furnish, password } from './furnish.ts';
import type { Vault } from './vault-client.ts';

export interface Scene {
  name: string;
  play(): Promise<void>;
}

/** Later scenes use the tokens of earlier ones, as later calls do in life. */
export function scenes(vault: Vault, folder: string): Scene[] {
  let alice = '';
  let billing = '';
  let approle: { role_id: unknown; secret_id: unknown } | undefined;
  const as = (token: string) => ({ token, from: token === alice ? '127.0.0.11' : '127.0.0.21' });

  return [
    { name: 'furnish', play: () => furnish(vault) },
    {
      name: 'people-and-services',
      async play() {
        await addPerson(vault, 'alice');
        approle = await addService(vault, 'billing');
      },
    },
    {
      name: 'login-userpass',
      async play() {
        alice = await vault.login('auth/userpass/login/alice', { password }, '127.0.0.11');
      },
    },
    {
      name: 'login-approle',
      async play() {
        billing = await vault.login('auth/approle/login', approle, '127.0.0.21');
      },
    },
    { name: 'login-failed', play: () => failedLogins(vault) },
    { name: 'kv-v2', play: () => kvV2(vault, () => as(alice)) },
    {
      name: 'kv-v1-read',
      async play() {
        await vault.must('GET', 'legacy/billing/smtp', as(billing));
      },
    },
    { name: 'database-lease', play: () => databaseLease(vault, () => as(billing)) },
    {
      name: 'denied',
      async play() {
        await vault.refused('GET', 'secret/data/prod/payments', as(alice));
        await vault.refused('POST', 'secret/data/prod/payments', {
          ...as(alice),
          body: { data: { a: 'b' } },
        });
        await vault.refused('GET', 'sys/policies/acl/team', as(billing));
      },
    },
    { name: 'token-invalid', play: () => invalidTokens(vault) },
    { name: 'token-life', play: () => tokenLife(vault) },
    { name: 'policy', play: () => policy(vault) },
    { name: 'wrapping', play: () => wrapping(vault, () => as(billing)) },
    { name: 'audit-device', play: () => auditDevice(vault, folder) },
    { name: 'generate-root', play: () => generateRoot(vault) },
    {
      name: 'path-help',
      async play() {
        await vault.must('GET', 'secret/data/team/app', { ...as(alice), query: 'help=1' });
      },
    },
    { name: 'step-down', play: () => stepDownAndWait(vault) },
    {
      name: 'seal',
      async play() {
        await vault.root('PUT', 'sys/seal');
      },
    },
  ];
}

async function failedLogins(vault: Vault): Promise<void> {
  const from = '127.0.0.66';
  await vault.refused('POST', 'auth/userpass/login/alice', { from, body: { password: 'wrong' } });
  await vault.refused('POST', 'auth/userpass/login/nobody', { from, body: { password: 'wrong' } });
  const body = { role_id: '00000000-0000-0000-0000-000000000000', secret_id: 'wrong' };
  await vault.refused('POST', 'auth/approle/login', { from, body });
}

async function kvV2(vault: Vault, as: () => { token: string; from: string }): Promise<void> {
  const write = (value: string) => ({ ...as(), body: { data: { user: 'app', password: value } } });
  await vault.must('POST', 'secret/data/team/app', write('example-1'));
  await vault.must('POST', 'secret/data/team/app', write('example-2'));
  await vault.must('GET', 'secret/data/team/app', as());
  await vault.must('GET', 'secret/data/team/app', { ...as(), query: 'version=1' });
  await vault.refused('GET', 'secret/data/team/missing', as());
  await vault.must('GET', 'secret/metadata/team', { ...as(), query: 'list=true' });
  await vault.must('DELETE', 'secret/data/team/app', as());
  await vault.root('POST', 'secret/undelete/team/app', { versions: [2] });
  await vault.root('PUT', 'secret/destroy/team/app', { versions: [1] });
  await vault.must('GET', 'secret/metadata/team/app', as());
  await vault.must('DELETE', 'secret/metadata/team/app', as());
}

async function databaseLease(vault: Vault, as: () => { token: string; from: string }): Promise<void> {
  const first = await vault.must('GET', 'database/creds/app', as());
  const body = { lease_id: first.lease_id, increment: 600 };
  await vault.must('PUT', 'sys/leases/renew', { ...as(), body });
  await vault.root('PUT', 'sys/leases/lookup', { lease_id: first.lease_id });
  await vault.must('PUT', 'sys/leases/revoke', { ...as(), body: { lease_id: first.lease_id, sync: true } });
  // The command line names the lease in the path instead of the body, and by prefix.
  const second = await vault.must('GET', 'database/creds/app', as());
  await vault.root('PUT', `sys/leases/revoke/${second.lease_id}`);
  await vault.must('GET', 'database/creds/app', as());
  await vault.root('PUT', 'sys/leases/revoke-prefix/database/creds/app');
}

async function invalidTokens(vault: Vault): Promise<void> {
  const from = '127.0.0.66';
  const made = await vault.root('POST', 'auth/token/create', { policies: ['team'], ttl: '10m' });
  const token = made.auth?.client_token ?? '';
  await vault.must('POST', 'auth/token/revoke-self', { token });
  await vault.refused('GET', 'secret/data/team/app', { from, token });
  await vault.refused('GET', 'secret/data/team/app', { from, token: 'hvs.EXAMPLEexampleEXAMPLEexa' });
  await vault.refused('GET', 'secret/data/team/app', { from });
}

async function tokenLife(vault: Vault): Promise<void> {
  const made = await vault.root('POST', 'auth/token/create', {
    policies: ['team'],
    ttl: '10m',
    display_name: 'backup',
  });
  const token = made.auth?.client_token ?? '';
  await vault.must('GET', 'auth/token/lookup-self', { token });
  await vault.must('POST', 'auth/token/renew-self', { token, body: { increment: '20m' } });
  await vault.root('POST', 'auth/token/lookup-accessor', { accessor: made.auth?.accessor });
  await vault.root('POST', 'auth/token/revoke-accessor', { accessor: made.auth?.accessor });
  await vault.root('POST', 'auth/token/create-orphan', { policies: ['team'], period: '24h' });
  const batch = await vault.root('POST', 'auth/token/create', {
    type: 'batch',
    policies: ['team'],
    ttl: '5m',
  });
  await vault.must('GET', 'secret/metadata', { token: batch.auth?.client_token ?? '', query: 'list=true' });
  const once = await vault.root('POST', 'auth/token/create', { policies: ['team'], num_uses: 1 });
  await vault.must('GET', 'auth/token/lookup-self', { token: once.auth?.client_token ?? '' });
  await vault.refused('GET', 'auth/token/lookup-self', { token: once.auth?.client_token ?? '' });
}

async function policy(vault: Vault): Promise<void> {
  await vault.root('PUT', 'sys/policies/acl/wide', {
    policy: 'path "secret/*" { capabilities = ["read"] }',
  });
  await vault.root('DELETE', 'sys/policies/acl/wide');
}

async function wrapping(vault: Vault, as: () => { token: string; from: string }): Promise<void> {
  const wrapped = await vault.must('GET', 'secret/data/billing/database', { ...as(), wrapTtl: '60s' });
  const token = wrapped.wrap_info?.token ?? '';
  await vault.must('POST', 'sys/wrapping/unwrap', { from: '127.0.0.31', token });
  await vault.refused('POST', 'sys/wrapping/unwrap', { from: '127.0.0.66', token });
}

async function auditDevice(vault: Vault, folder: string): Promise<void> {
  await vault.root('PUT', 'sys/audit/extra', {
    type: 'file',
    options: { file_path: join(folder, 'extra.log') },
  });
  await vault.root('GET', 'sys/audit');
  await vault.root('DELETE', 'sys/audit/extra');
}

async function generateRoot(vault: Vault): Promise<void> {
  await vault.must('PUT', 'sys/generate-root/attempt', { body: {} });
  await vault.must('GET', 'sys/generate-root/attempt');
  await vault.must('DELETE', 'sys/generate-root/attempt');
}

export async function stepDownAndWait(vault: Vault): Promise<void> {
  await vault.root('PUT', 'sys/step-down');
  // The only node takes the lead again after a few seconds; a call that reaches it before is not audited.
  for (let tries = 0; tries < 300; tries++) {
    const health = await vault.call('GET', 'sys/health');
    if (health.status === 200 && tries > 5) return;
    await sleep(100);
  }
  throw new Error('Vault did not come back after the step-down');
}
