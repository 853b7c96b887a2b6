// A real Vault and the policies of deploy/vault/: every declared call is allowed, and a long list of others is not.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JsonObject } from '../../core/event.ts';
import { type OwnCall, type OwnCallPolicy, ownCalls } from '../../core/own-calls.ts';
import type { Answer, Question } from '../../core/records.ts';
import { Asker } from '../../vault/asker.ts';
import { Budget } from '../../vault/budget.ts';
import { VaultClient } from '../../vault/client.ts';
import { VaultSession } from '../../vault/session.ts';
import { type RunningVault, startVault } from './servers.ts';
import type { Vault } from './vault-client.ts';

let running: RunningVault;
let vault: Vault;
let token: string;
let leaseId: string;
let gone: { lease: string; accessor: string };
const names = { entity: '', group: '', accessor: '' };

beforeAll(async () => {
  running = await startVault('rights', 'inmem_ha');
  vault = running.vault;
  for (const name of ['sealwatch', 'sealwatch-directory', 'sealwatch-secrets']) {
    const policy = readFileSync(`deploy/vault/${name}.hcl`, 'utf8');
    await vault.root('PUT', `sys/policies/acl/${name}`, { policy });
  }
  await vault.root('PUT', 'sys/audit/sealwatch', { type: 'file', options: { file_path: 'discard' } });
  await furnish();
  token = (await makeToken(['sealwatch', 'sealwatch-directory'])).token;
});
afterAll(() => running?.[Symbol.asyncDispose]());

async function makeToken(policies: string[]): Promise<{ token: string; accessor: string }> {
  const body = { policies, no_default_policy: true, ttl: '1h' };
  const { auth } = await vault.root('POST', 'auth/token/create', body);
  return { token: auth?.client_token ?? '', accessor: auth?.accessor ?? '' };
}

/** One of each thing that a declared path names, all called `x` where a name can be chosen. */
async function furnish(): Promise<void> {
  for (const [path, type] of [
    ['approle', 'approle'],
    ['a/approle', 'approle'],
    ['cert', 'cert'],
    ['userpass', 'userpass'],
    ['a/userpass', 'userpass'],
    ['ldap', 'ldap'],
    ['a/ldap', 'ldap'],
  ])
    await vault.root('POST', `sys/auth/${path}`, { type });
  await vault.root('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  await vault.root('POST', 'sys/mounts/kv1', { type: 'kv', options: { version: '1' } });
  await vault.root('POST', 'secret/data/x', { data: { a: 'b' } });
  await vault.root('POST', 'secret/data/sealwatch/webhook', { data: { key: 'example' } });
  await vault.root('POST', 'kv1/roles/x', { a: 'b' });
  names.entity = String((await vault.root('POST', 'identity/entity', { name: 'x' })).data['id']);
  names.group = String((await vault.root('POST', 'identity/group', { name: 'x' })).data['id']);
  names.accessor = (await makeToken(['default'])).accessor;
  await leases();
}

/** Lease ids: of tokens, since every login is a lease. */
async function leases(): Promise<void> {
  await vault.root('POST', 'auth/userpass/users/x', { password: 'example-password' });
  const login = async () => {
    const body = { password: 'example-password' };
    return (await vault.must('POST', 'auth/userpass/login/x', { body })).auth?.accessor ?? '';
  };
  const [kept, ended] = [await login(), await login()];
  const { data } = await vault.root('LIST', 'sys/leases/lookup/auth/userpass/login/x');
  const [first, second] = (data['keys'] as string[]).map((key) => `auth/userpass/login/x/${key}`);
  await vault.root('POST', 'sys/leases/revoke', { lease_id: second });
  leaseId = first ?? '';
  const stays = await vault.call('POST', 'auth/token/lookup-accessor', {
    token: vault.rootToken,
    body: { accessor: kept },
  });
  gone = { lease: second ?? '', accessor: stays.status === 200 ? ended : kept };
}

const example = (path: string): string =>
  path
    .replace('identity/entity/id/+', `identity/entity/id/${names.entity}`)
    .replace('identity/group/id/+', `identity/group/id/${names.group}`)
    .replace('sys/audit-hash/+', 'sys/audit-hash/sealwatch')
    .replaceAll('+', 'x');

const bodies = (): Record<string, object> => ({
  'auth/token/lookup-accessor': { accessor: names.accessor },
  'sys/leases/lookup': { lease_id: leaseId },
  'sys/audit-hash/+': { input: 'x' },
  'sys/capabilities-self': { paths: ['sys/mounts'] },
});

const call = ({ operation, path }: Pick<OwnCall, 'operation' | 'path'>, as = token) =>
  vault.call(operation === 'read' ? 'GET' : 'POST', example(path), {
    token: as,
    ...(operation === 'update' && { body: bodies()[path] ?? {} }),
  });

const of = (policy: OwnCallPolicy) =>
  ownCalls.filter((own) => own.policy === policy && own.path !== 'auth/token/revoke-self');

it('the basic policy allows each of its calls, without the policy default', async () => {
  const basic = (await makeToken(['sealwatch'])).token;
  const statuses = await Promise.all(
    of('sealwatch').map(async (own) => [own.path, (await call(own, basic)).status]),
  );
  expect(statuses).toEqual(of('sealwatch').map(({ path }) => [path, 200]));
  expect((await vault.call('POST', 'auth/token/revoke-self', { token: basic })).status).toBe(204);
});

it('the policy of the directory allows each of its calls', async () => {
  // A role that is not there is a 404 of its engine: the policy let the call through. Roles of secrets engines are named one by one.
  const paths = of('sealwatch-directory').filter(({ path }) => !/^\+/.test(path));
  const statuses = await Promise.all(paths.map(async (own) => [own.path, (await call(own)).status]));
  expect(statuses.filter(([, status]) => status !== 200 && status !== 404)).toEqual([]);
  const basic = (await makeToken(['sealwatch'])).token;
  const refused = await Promise.all(paths.map(async (own) => (await call(own, basic)).status));
  expect(new Set(refused)).toEqual(new Set([403]));
});

it('what is gone is no refusal', async () => {
  const lease = await vault.call('POST', 'sys/leases/lookup', { token, body: { lease_id: gone.lease } });
  expect(lease).toMatchObject({ status: 400, errors: ['invalid lease'] });
  const body = { accessor: gone.accessor };
  const answer = await vault.call('POST', 'auth/token/lookup-accessor', { token, body });
  expect(answer.status).toBe(400);
});

it('own secrets: two paths and nothing beside them', async () => {
  const own = (await makeToken(['sealwatch-secrets'])).token;
  const get = async (path: string) => (await vault.call('GET', path, { token: own })).status;
  expect(await get('secret/data/sealwatch/webhook')).toBe(200);
  expect(await get('secret/metadata/sealwatch/webhook')).toBe(200);
  expect(await get('secret/data/x')).toBe(403);
  expect((await vault.call('POST', 'secret/data/sealwatch/webhook', { token: own, body: {} })).status).toBe(
    403,
  );
});

it('what is asked comes back with what the ledger reads, and no more', async () => {
  const client = new VaultClient({ address: vault.address });
  const never = async () => {};
  const keeper = { token: async () => token, lost: () => {}, step: async () => 3_600_000, end: never };
  const answers: Answer[] = [];
  const silent = () => {};
  const asker = new Asker({
    session: new VaultSession({ client, keeper }),
    budget: new Budget({ percent: 0, calls: 100, linesPerCall: 2 }),
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    now: Date.now,
    random: Math.random,
    onAnswer: (answer) => answers.push(answer),
  });
  const at = '2026-01-01T00:00:00.000000000Z';
  const wanted: Question[] = [
    ...['sys/leases/lookup', 'auth/token/lookup-accessor', 'sys/audit-hash/+'].map((path) => ({
      ...{ at, method: 'POST' as const, path: example(path), need: 'lifetime' as const },
      body: bodies()[path] as JsonObject,
    })),
    ...['identity/entity/id/+', 'identity/group/id/+', 'sys/mounts', 'sys/auth', 'sys/policies/acl/+'].map(
      (path) => ({ at, method: 'GET' as const, path: example(path), need: 'directory' as const }),
    ),
    { at, method: 'GET', path: 'auth/userpass/users/x', need: 'directory' },
    { at, method: 'GET', path: 'sys/policies/acl/sealwatch', need: 'directory' },
  ];
  for (const question of wanted) asker.ask(question);
  while (answers.length < wanted.length) await sleep(20);
  await asker.stop();
  const keysOf = (path: string): string => {
    const { status, response } = answers.find((answer) => answer.path === path) as Answer;
    if (status === 200) expect(response?.['request_id']).toMatch(/^[0-9a-f-]{36}$/);
    return `${status} ${Object.keys(response?.['data'] ?? {})
      .sort()
      .join()}`;
  };
  expect(keysOf('sys/leases/lookup')).toBe('200 expire_time,id,issue_time,last_renewal,renewable,ttl');
  expect(keysOf('auth/token/lookup-accessor')).toBe(
    '200 accessor,creation_time,creation_ttl,display_name,entity_id,expire_time,explicit_max_ttl,issue_time,meta,num_uses,orphan,path,policies,renewable,ttl,type',
  );
  expect(keysOf('sys/audit-hash/sealwatch')).toBe('200 hash');
  expect(keysOf(example('identity/entity/id/+'))).toMatch(
    /aliases,creation_time,.*metadata,name,.*policies$/,
  );
  expect(keysOf(example('identity/group/id/+'))).toMatch(/member_entity_ids,.*name,.*policies,type$/);
  expect(keysOf('sys/mounts')).toBe('200 cubbyhole/,identity/,kv1/,secret/,sys/');
  expect(keysOf('sys/auth')).toContain('a/approle/,a/ldap/,a/userpass/,approle/,cert/');
  expect(keysOf('sys/policies/acl/sealwatch')).toBe('200 name,policy');
  expect(keysOf('sys/policies/acl/x')).toBe('404 ');
  expect(keysOf('auth/userpass/users/x')).toMatch(/^200 .*token_policies,.*token_ttl,token_type$/);
});

const others: [method: string, path: string][] = [
  ['GET', 'secret/data/x'],
  ['GET', 'secret/metadata/x'],
  ['LIST', 'secret/metadata'],
  ['POST', 'secret/data/x'],
  ['DELETE', 'secret/data/x'],
  ['GET', 'kv1/roles/x'],
  ['GET', 'secret/data/sealwatch/webhook'],
  ['GET', 'cubbyhole/x'],
  ['LIST', 'sys/leases/lookup/auth/userpass/login'],
  ['PUT', 'sys/leases/lookup/auth/userpass/login/x'],
  ['POST', 'sys/leases/revoke'],
  ['POST', 'sys/leases/revoke-prefix/auth'],
  ['POST', 'sys/leases/revoke-force/auth'],
  ['POST', 'sys/leases/renew'],
  ['POST', 'sys/leases/tidy'],
  ['GET', 'sys/leases/count'],
  ['POST', 'auth/token/create'],
  ['POST', 'auth/token/create-orphan'],
  ['POST', 'auth/token/lookup'],
  ['POST', 'auth/token/renew'],
  ['POST', 'auth/token/renew-accessor'],
  ['POST', 'auth/token/revoke'],
  ['POST', 'auth/token/revoke-accessor'],
  ['POST', 'auth/token/revoke-orphan'],
  ['LIST', 'auth/token/accessors'],
  ['POST', 'auth/token/tidy'],
  ['GET', 'auth/approle/role/x/role-id'],
  ['POST', 'auth/approle/role/x/secret-id'],
  ['LIST', 'auth/approle/role'],
  ['POST', 'auth/approle/role/x'],
  ['DELETE', 'auth/approle/role/x'],
  ['POST', 'auth/userpass/users/x'],
  ['POST', 'auth/userpass/users/x/password'],
  ['LIST', 'auth/userpass/users'],
  ['GET', 'auth/approle/config'],
  ['LIST', 'identity/entity/id'],
  ['LIST', 'identity/entity/name'],
  ['GET', 'identity/entity/name/x'],
  ['POST', 'identity/entity'],
  ['POST', 'identity/entity/merge'],
  ['POST', 'identity/entity-alias'],
  ['POST', 'identity/lookup/entity'],
  ['LIST', 'identity/group/id'],
  ['POST', 'identity/group'],
  ['POST', 'sys/policies/acl/x'],
  ['DELETE', 'sys/policies/acl/sealwatch'],
  ['LIST', 'sys/policies/acl'],
  ['GET', 'sys/policy/default'],
  ['POST', 'sys/policy/x'],
  ['POST', 'sys/mounts/x'],
  ['DELETE', 'sys/mounts/secret'],
  ['POST', 'sys/mounts/secret/tune'],
  ['POST', 'sys/auth/x'],
  ['DELETE', 'sys/auth/approle'],
  ['POST', 'sys/auth/approle/tune'],
  ['GET', 'sys/audit'],
  ['PUT', 'sys/audit/x'],
  ['DELETE', 'sys/audit/sealwatch'],
  ['POST', 'sys/capabilities'],
  ['POST', 'sys/capabilities-accessor'],
  ['POST', 'sys/wrapping/wrap'],
  ['POST', 'sys/tools/random'],
  ['GET', 'sys/internal/counters/activity'],
  ['GET', 'sys/config/state/sanitized'],
  ['GET', 'sys/host-info'],
  ['GET', 'sys/metrics'],
  ['GET', 'sys/plugins/catalog'],
  ['POST', 'sys/remount'],
  ['GET', 'sys/raw/x'],
  ['PUT', 'sys/rotate'],
  ['PUT', 'sys/seal'],
  ['PUT', 'sys/step-down'],
  ['GET', 'sys/storage/raft/snapshot'],
];

it.each(others)('%s %s is denied', async (method, path) => {
  const body = method === 'GET' || method === 'LIST' || method === 'DELETE' ? {} : { body: {} };
  const answer = await vault.call(method, path, { token, ...body });
  expect(answer).toMatchObject({ status: 403 });
  expect(answer.errors?.join()).toContain('permission denied');
});
