// Policies, groups, entities, roles and tokens on a real Vault, and what a directory that may ask everything knows of them.

import type { Fact, FactKind, FactValues } from '../../../core/directory.ts';
import type { JsonObject } from '../../../core/event.ts';
import type { Lease } from '../../../core/lease.ts';
import { entityIn, groupIn, policyIn, roleIn } from '../../../ingest/ledger/directory/values.ts';
import type { Vault } from '../vault-client.ts';
import { policies } from './policies.ts';

export const AT = '2026-09-01T00:00:00.000000000Z';

export interface TestToken {
  name: string;
  token: string;
  accessor: string;
  entityId: string | undefined;
  policies: string[];
}

const names = Object.keys(policies);

/** Everything that the comparison needs; returns the live tokens. */
export async function furnish(vault: Vault): Promise<TestToken[]> {
  await vault.root('POST', 'sys/auth/userpass', { type: 'userpass' });
  await vault.root('POST', 'sys/auth/approle', { type: 'approle' });
  const mounts = (await vault.root('GET', 'sys/auth')).data as Record<string, { accessor: string }>;
  const accessor = mounts['userpass/']?.accessor ?? '';
  const entities = await makeEntities(vault, accessor);
  const groupId = await makeGroups(vault, entities);
  for (const [name, text] of Object.entries(policies)) {
    const policy = text.replaceAll('ACCESSOR', accessor).replaceAll('GROUP_ID', groupId);
    await vault.root('PUT', `sys/policies/acl/${name}`, { policy });
  }
  for (const role of ['reader', 'writer', 'templated'])
    await vault.root('POST', `auth/approle/role/${role}`, { token_policies: rolePolicies[role] });
  return makeTokens(vault);
}

const rolePolicies: Record<string, string[]> = {
  reader: ['exact', 'old-read'],
  writer: ['plus-glob', 'deny-exact', 'exact'],
  templated: ['by-entity'],
};

const people: Record<
  string,
  { policies: string[]; metadata: Record<string, string>; token_policies: string[] }
> = {
  anna: {
    policies: ['by-entity', 'plus'],
    metadata: { team: 'red' },
    token_policies: ['by-alias', 'by-group'],
  },
  bert: { policies: [], metadata: {}, token_policies: ['by-entity', 'by-alias', 'by-group', 'prefix'] },
  // A name with a wildcard in it makes a wildcard of what was a template.
  '*': { policies: ['by-entity'], metadata: { team: '+' }, token_policies: [] },
  carla: {
    policies: ['by-entity', 'deny-by-entity'],
    metadata: { team: 'blue' },
    token_policies: ['prefix'],
  },
  dora: { policies: [], metadata: {}, token_policies: [] },
};

async function makeEntities(vault: Vault, accessor: string): Promise<Record<string, string>> {
  const ids: Record<string, string> = {};
  for (const [name, { policies: own, metadata, token_policies }] of Object.entries(people)) {
    const made = await vault.root('POST', 'identity/entity', { name, policies: own, metadata });
    const id = String(made.data['id']);
    ids[name] = id;
    const user = name === '*' ? 'star' : name;
    await vault.root('POST', 'identity/entity-alias', {
      name: user,
      canonical_id: id,
      mount_accessor: accessor,
    });
    await vault.root('POST', `auth/userpass/users/${user}`, { password: 'example-password', token_policies });
  }
  return ids;
}

/** anna is in platform; platform and dora's group are in everyone. */
async function makeGroups(vault: Vault, ids: Record<string, string>): Promise<string> {
  const group = async (body: object) => String((await vault.root('POST', 'identity/group', body)).data['id']);
  const platform = await group({
    name: 'platform',
    policies: ['plus-twice'],
    metadata: { floor: '4' },
    member_entity_ids: [ids['anna']],
  });
  const night = await group({ name: 'night', policies: [], member_entity_ids: [ids['dora']] });
  await group({
    name: 'everyone',
    policies: ['deny-prefix', 'comments'],
    member_group_ids: [platform, night],
  });
  return platform;
}

async function makeTokens(vault: Vault): Promise<TestToken[]> {
  const tokens: TestToken[] = [];
  const add = async (name: string, path: string, body: object, token?: string) => {
    const { auth } = await vault.must('POST', path, { body, ...(token !== undefined && { token }) });
    if (auth === undefined) throw new Error(`${path} gave no token`);
    const { data } = await vault.root('POST', 'auth/token/lookup', { token: auth.client_token });
    tokens.push({
      name,
      token: auth.client_token,
      accessor: auth.accessor === '' ? name : auth.accessor,
      entityId: auth.entity_id === '' ? undefined : auth.entity_id,
      policies: [...new Set([...strings(data['policies']), ...strings(data['identity_policies'])])],
    });
  };
  const made = (list: string[], more = {}) => ({ policies: list, ttl: '1h', ...more });
  for (const name of names) await add(name, 'auth/token/create', made([name]), vault.rootToken);
  for (const [i, list] of combinations().entries())
    await add(
      `combined-${i}`,
      'auth/token/create',
      made(list, { no_default_policy: i % 2 === 0 }),
      vault.rootToken,
    );
  await add('batch', 'auth/token/create', made(['exact', 'plus'], { type: 'batch' }), vault.rootToken);
  await add('root', 'auth/token/create', { policies: ['root'] }, vault.rootToken);
  await add('missing', 'auth/token/create', made(['Exact ', 'not-there']), vault.rootToken);
  for (const role of ['reader', 'writer']) {
    const { data } = await vault.root('GET', `auth/approle/role/${role}/role-id`);
    const secret = await vault.root('POST', `auth/approle/role/${role}/secret-id`);
    const body = { role_id: data['role_id'], secret_id: secret.data['secret_id'] };
    await add(`role-${role}`, 'auth/approle/login', body);
  }
  for (const name of Object.keys(people))
    await add(`user-${name}`, `auth/userpass/login/${name === '*' ? 'star' : name}`, {
      password: 'example-password',
    });
  return tokens;
}

/** Sets of three and of six policies; neighbours in the list have paths in common. */
const combinations = (): string[][] =>
  names.flatMap((_, i) => [
    [0, 1, 2].map((step) => names[(i + step) % names.length] as string),
    [0, 3, 5, 8, 13, 21].map((step) => names[(i + step) % names.length] as string),
  ]);

const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** Facts as the directory makes them of Vault's answers. */
export async function factsOf(vault: Vault): Promise<Fact[]> {
  const facts: Fact[] = [];
  const add = <W extends FactKind>(what: W, key: string, value: FactValues[W]) => {
    const about = { id: `${what}-${key}`, what, cluster: 'test', namespace: '', key };
    facts.push({ ...about, at: AT, source: 'vault', proof: 'request', value } as Fact);
  };
  const keys = async (path: string) => strings((await vault.root('LIST', path)).data['keys']);
  const read = async (path: string) => (await vault.root('GET', path)).data as JsonObject;
  for (const key of await keys('sys/policies/acl'))
    if (key !== 'root') add('policy', key, policyIn(await read(`sys/policies/acl/${key}`)));
  for (const key of await keys('identity/entity/id'))
    add('entity', key, entityIn(await read(`identity/entity/id/${key}`)));
  for (const key of await keys('identity/group/id'))
    add('group', key, groupIn(await read(`identity/group/id/${key}`)));
  for (const role of await keys('auth/approle/role')) {
    const path = `auth/approle/role/${role}`;
    add('role', path, { mount: 'auth/approle/', role, ...roleIn(await read(path), true) });
  }
  return facts;
}

export const leaseOf = ({ accessor, name, entityId, policies: held }: TestToken): Lease => ({
  cluster: 'test',
  end_confirmed: false,
  holder: name,
  holder_id: entityId ?? `token:${accessor}`,
  id: `token:${accessor}`,
  issued_at: AT,
  kind: 'token',
  path: 'auth/token/create',
  proof: { issued: `event-${name}` },
  renewals: 0,
  requested_by: 'root',
  state: 'active',
  terms: [],
  ttl_source: 'unknown',
  token: { policies: held, ...(entityId !== undefined && { entity_id: entityId }) },
});
