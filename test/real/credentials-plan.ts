// Leases and tokens from issue to end, played on a real Vault: given out, wrapped, looked up, renewed, revoked in every way.

import { setTimeout as sleep } from 'node:timers/promises';
import { addPerson, password } from './furnish.ts';
import type { Answer, Vault } from './vault-client.ts';

/** Asks as sealwatch does, and keeps the answer. */
export type Ask = (path: string, body: Record<string, string>) => Promise<Answer>;

const app = { token: '', from: '127.0.0.21' };

/** Plays all of it; certificates with a lease stand for every kind of secret with one. */
export async function playCredentials(vault: Vault, ask: Ask): Promise<void> {
  await furnishCertificates(vault);
  await leases(vault, ask);
  await prefixes(vault);
  await wrapped(vault);
  await tokens(vault, ask);
  await kinds(vault);
  await ends(vault, ask);
}

async function furnishCertificates(vault: Vault): Promise<void> {
  await vault.root('POST', 'sys/mounts/pki', { type: 'pki', config: { max_lease_ttl: '8760h' } });
  await vault.root('POST', 'pki/root/generate/internal', { common_name: 'example.test', ttl: '8760h' });
  const role = { allow_any_name: true, generate_lease: true, ttl: '10m', max_ttl: '2h' };
  await vault.root('POST', 'pki/roles/svc', role);
  const all = ['create', 'read', 'update', 'delete', 'list', 'sudo'];
  await vault.root('PUT', 'sys/policies/acl/all', {
    policy: `path "*" { capabilities = ${JSON.stringify(all)} }`,
  });
  app.token = await made(vault, 'auth/token/create-orphan', { policies: ['all'], ttl: '1h' });
}

const made = async (vault: Vault, path: string, body: object, token = vault.rootToken): Promise<string> =>
  (await vault.must('POST', path, { token, body })).auth?.client_token ?? '';

/** A certificate's lease. */
async function issue(vault: Vault, body: object = {}, mount = 'pki'): Promise<string> {
  const asked = { ...app, body: { common_name: 'a.test', ...body } };
  return (await vault.must('POST', `${mount}/issue/svc`, asked)).lease_id ?? '';
}

async function leases(vault: Vault, ask: Ask): Promise<void> {
  const first = await issue(vault);
  const body = { lease_id: first };
  await ask('sys/leases/lookup', body);
  await vault.must('POST', 'sys/leases/lookup', { ...app, body });
  await vault.must('POST', 'sys/leases/revoke', { ...app, body: { ...body, sync: true } });
  await ask('sys/audit-hash/file', { input: first });
  await vault.refused('POST', 'sys/leases/lookup', { ...app, body });
  await vault.refused('POST', 'sys/leases/lookup', { ...app, body: {} });
  await ask('sys/leases/lookup', body);
  await vault.must('PUT', `sys/revoke/${await issue(vault, { ttl: '5m' })}`, app);
  await vault.must('PUT', `sys/leases/revoke/${await issue(vault)}`, { ...app, body: { sync: true } });
  const queued = await issue(vault);
  await vault.must('POST', 'sys/leases/revoke', { ...app, body: { lease_id: queued } });
  await ask('sys/audit-hash/file', { input: queued });
}

async function prefixes(vault: Vault): Promise<void> {
  await vault.must('PUT', `sys/leases/revoke-prefix/${await issue(vault)}`, app);
  await issue(vault);
  await issue(vault);
  await vault.must('PUT', 'sys/leases/revoke-prefix/pki/issue/svc', { ...app, body: { sync: true } });
  await issue(vault);
  await vault.must('PUT', 'sys/leases/revoke-force/pki/issue', app);
}

async function wrapped(vault: Vault): Promise<void> {
  const wrap = async () => {
    const asked = { ...app, body: { common_name: 'w.test' }, wrapTtl: '60s' };
    return (await vault.must('POST', 'pki/issue/svc', asked)).wrap_info?.token ?? '';
  };
  const opener = { from: '127.0.0.31' };
  await vault.must('POST', 'sys/wrapping/unwrap', { token: await wrap(), ...opener });
  await vault.must('POST', 'sys/wrapping/unwrap', { ...app, body: { token: await wrap() } });
  const again = await vault.must('POST', 'sys/wrapping/rewrap', { ...app, body: { token: await wrap() } });
  await vault.must('POST', 'sys/wrapping/unwrap', { token: again.wrap_info?.token ?? '', ...opener });
  await wrap();
}

/** Children of the service's token: revoked by token before any use, by accessor, without their own children. */
async function tokens(vault: Vault, ask: Ask): Promise<void> {
  const child = async (token = app.token): Promise<[token: string, accessor: string]> => {
    const body = { policies: ['all'], ttl: '30m' };
    const { auth } = await vault.must('POST', 'auth/token/create', { token, body });
    return [auth?.client_token ?? '', auth?.accessor ?? ''];
  };
  const [byToken] = await child();
  await vault.must('POST', 'auth/token/lookup', { ...app, body: { token: byToken } });
  await vault.must('POST', 'auth/token/revoke', { ...app, body: { token: byToken } });
  await vault.refused('POST', 'auth/token/lookup', { ...app, body: { token: byToken } });
  const [byAccessor, accessor] = await child();
  await vault.must('GET', 'auth/token/lookup-self', { token: byAccessor });
  await vault.must('POST', 'auth/token/lookup-accessor', { ...app, body: { accessor } });
  await vault.must('POST', 'auth/token/renew-accessor', { ...app, body: { accessor, increment: '45m' } });
  await vault.must('POST', 'auth/token/revoke-accessor', { ...app, body: { accessor } });
  await vault.refused('POST', 'auth/token/lookup-accessor', { ...app, body: { accessor } });
  await vault.refused('GET', 'auth/token/lookup-self', { token: byAccessor });
  const [, unseen] = await child();
  await vault.must('POST', 'auth/token/revoke-accessor', { ...app, body: { accessor: unseen } });
  await ask('sys/audit-hash/plain', { input: unseen });
  const [parent] = await child();
  const [grandchild] = await child(parent);
  await vault.must('POST', 'auth/token/renew', { ...app, body: { token: parent } });
  await vault.must('POST', 'auth/token/revoke-orphan', { ...app, body: { token: parent } });
  await vault.must('POST', 'auth/token/revoke-self', { token: grandchild });
}

async function kinds(vault: Vault): Promise<void> {
  await made(vault, 'auth/token/create', { no_parent: true, policies: ['all'], ttl: '20m' });
  await vault.root('POST', 'auth/token/roles/nightly', { orphan: true, token_period: '24h' });
  await made(vault, 'auth/token/create/nightly', { policies: ['all'] });
  await made(vault, 'auth/token/create', { period: '2h', policies: ['all'] });
  const twice = await made(vault, 'auth/token/create', { num_uses: 2, policies: ['default'] });
  await vault.refused('GET', 'sys/mounts', { token: twice });
  await vault.must('GET', 'auth/token/lookup-self', { token: twice });
  await vault.refused('GET', 'auth/token/lookup-self', { token: twice });
  const batch = await made(vault, 'auth/token/create', { type: 'batch', ttl: '1m', policies: ['all'] });
  await vault.must('POST', 'pki/issue/svc', { token: batch, body: { common_name: 'b.test' } });
}

/** A device gets a new salt, mounts go, and tokens with them. */
async function ends(vault: Vault, ask: Ask): Promise<void> {
  await vault.root('POST', 'sys/auth/userpass', { type: 'userpass' });
  await addPerson(vault, 'bob');
  await vault.login('auth/userpass/login/bob', { password }, '127.0.0.11');
  await vault.root('DELETE', 'sys/auth/userpass');
  const known = await issue(vault);
  await vault.must('POST', 'sys/leases/lookup', { ...app, body: { lease_id: known } });
  await ask('sys/audit-hash/file', { input: known });
  await vault.root('POST', 'sys/remount', { from: 'pki', to: 'pki-new' });
  await ask('sys/audit-hash/file', { input: 'pki' });
  await sleep(1_000);
  await issue(vault, {}, 'pki-new');
  await vault.root('DELETE', 'sys/mounts/pki-new');
  await vault.must('POST', 'auth/token/revoke-self', app);
}
