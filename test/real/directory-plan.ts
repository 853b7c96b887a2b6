// What a directory is built from, played on a real Vault: mounts, roles, policies, people and their groups come, change and go.

import { setTimeout as sleep } from 'node:timers/promises';
import { password } from './furnish.ts';
import type { Answer, Vault } from './vault-client.ts';

/** Asks as sealwatch does, and keeps the answer. */
export type Ask = (path: string) => Promise<Answer>;

/** Plays all of it. Ids are Vault's own. */
export async function playDirectory(vault: Vault, ask: Ask): Promise<void> {
  await mounts(vault, ask);
  await policies(vault, ask);
  await roles(vault, ask);
  const people = await logins(vault);
  await entities(vault, ask, people);
  await ends(vault, ask);
}

async function mounts(vault: Vault, ask: Ask): Promise<void> {
  await vault.root('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  await vault.root('POST', 'sys/mounts/database', { type: 'database', config: { default_lease_ttl: '10m' } });
  await vault.root('POST', 'sys/mounts/team/kv', { type: 'kv', options: { version: '1' } });
  await vault.root('POST', 'sys/auth/userpass', { type: 'userpass' });
  await vault.root('POST', 'sys/auth/approle', { type: 'approle' });
  await vault.root('POST', 'sys/auth/approle/tune', { default_lease_ttl: '30m', max_lease_ttl: '2h' });
  await ask('sys/mounts');
  await ask('sys/auth');
  await vault.root('GET', 'sys/mounts');
  await vault.root('GET', 'sys/auth');
  await vault.root('GET', 'sys/mounts/secret');
  await vault.root('GET', 'sys/auth/approle');
  await vault.root('GET', 'sys/mounts/database/tune');
  await vault.root('GET', 'sys/mounts/auth/approle/tune');
  await vault.root('GET', 'sys/auth/approle/tune');
  await vault.root('GET', 'sys/internal/ui/mounts');
  await vault.root('GET', 'sys/internal/ui/mounts/secret/app');
  await vault.root('POST', 'sys/mounts/database/tune', { max_lease_ttl: '4h' });
  await ask('sys/mounts');
}

async function policies(vault: Vault, ask: Ask): Promise<void> {
  const text = 'path "secret/data/orders/*" { capabilities = ["read"] }';
  await vault.root('PUT', 'sys/policies/acl/orders', { policy: text });
  await ask('sys/policies/acl/orders');
  await vault.root('GET', 'sys/policies/acl/orders');
  await vault.root('POST', 'sys/policy/team', { policy: text.replaceAll('orders', 'team') });
  await vault.root('GET', 'sys/policy/team');
  await ask('sys/policies/acl/team');
  await vault.root('PUT', 'sys/policies/acl/gone', { policy: text });
  await vault.root('DELETE', 'sys/policies/acl/gone');
  await ask('sys/policies/acl/gone');
}

async function roles(vault: Vault, ask: Ask): Promise<void> {
  const approle = 'auth/approle/role/orders-api';
  await vault.root('POST', approle, { token_policies: 'orders', token_ttl: '20m', secret_id_ttl: '24h' });
  await vault.root('GET', approle);
  await ask(approle);
  await vault.root('POST', `${approle}/token-ttl`, { token_ttl: '25m' });
  await vault.root('GET', `${approle}/token-ttl`);
  await ask(approle);
  await vault.root('POST', `auth/userpass/users/alice`, {
    password,
    token_policies: 'team',
    token_ttl: '1h',
  });
  await vault.root('GET', 'auth/userpass/users/alice');
  await vault.root('POST', 'auth/userpass/users/alice/policies', { token_policies: 'team,orders' });
  await ask('auth/userpass/users/alice');
  await vault.root('POST', 'auth/token/roles/ci', { allowed_policies: 'team', token_period: '1h' });
  await vault.root('GET', 'auth/token/roles/ci');
  await ask('auth/token/roles/ci');
  await databaseRole(vault, ask);
  await vault.root('POST', 'sys/mounts/pki', { type: 'pki' });
  await vault.root('POST', 'pki/roles/web', { allow_any_name: true, ttl: '1h', max_ttl: '24h' });
  await vault.root('GET', 'pki/roles/web');
  await ask('pki/roles/web');
}

async function databaseRole(vault: Vault, ask: Ask): Promise<void> {
  await vault.root('POST', 'database/config/orders', {
    plugin_name: 'postgresql-database-plugin',
    allowed_roles: '*',
    connection_url: 'postgresql://{{username}}:{{password}}@127.0.0.1:1/none',
    username: 'none',
    password,
    verify_connection: false,
  });
  const body = {
    db_name: 'orders',
    creation_statements: 'CREATE ROLE "{{name}}"',
    default_ttl: '15m',
    max_ttl: '1h',
  };
  await vault.root('POST', 'database/roles/readonly', body);
  await vault.root('GET', 'database/roles/readonly');
  await ask('database/roles/readonly');
  await vault.root('POST', 'database/roles/old', body);
  await vault.root('DELETE', 'database/roles/old');
  await ask('database/roles/old');
}

interface People {
  alice: string;
  orders: string;
}

async function logins(vault: Vault): Promise<People> {
  const alice = await logIn(vault, 'alice', '127.0.0.11');
  const role = await vault.root('GET', 'auth/approle/role/orders-api/role-id');
  const secret = await vault.root('POST', 'auth/approle/role/orders-api/secret-id');
  const body = { role_id: role.data['role_id'], secret_id: secret.data['secret_id'] };
  const orders = await vault.must('POST', 'auth/approle/login', { body, from: '127.0.0.21' });
  return { alice: alice.auth?.entity_id ?? '', orders: orders.auth?.entity_id ?? '' };
}

async function entities(vault: Vault, ask: Ask, { alice, orders }: People): Promise<void> {
  await ask(`identity/entity/id/${alice}`);
  await ask(`identity/entity/id/${orders}`);
  const named = { name: 'Alice Example', metadata: { team: 'payments' } };
  await vault.root('POST', `identity/entity/id/${alice}`, named);
  await ask(`identity/entity/id/${alice}`);
  await vault.root('GET', `identity/entity/id/${alice}`);
  await vault.root('GET', 'identity/entity/name/Alice%20Example');
  await vault.root('POST', 'identity/lookup/entity', { id: alice });
  await vault.must('GET', 'identity/entity/id', { token: vault.rootToken, query: 'list=true' });
  const group = await groups(vault, ask, { alice, orders });
  await bob(vault, ask);
  await vault.root('POST', `identity/entity/id/${orders}`, { disabled: true });
  await ask(`identity/entity/id/${orders}`);
  await vault.root('DELETE', `identity/group/id/${group}`);
  await ask(`identity/group/id/${group}`);
  await vault.root('DELETE', `identity/entity/id/${orders}`);
  await ask(`identity/entity/id/${orders}`);
}

/** Returns the id of the group. */
async function groups(vault: Vault, ask: Ask, { alice, orders }: People): Promise<string> {
  const policies = { name: 'payments', policies: ['team'] };
  const made = await vault.root('POST', 'identity/group', { ...policies, member_entity_ids: [alice] });
  const id = String(made.data['id']);
  // That she is in a group shows when somebody asks about her, and that is when she is seen again.
  await logIn(vault, 'alice', '127.0.0.11');
  await ask(`identity/entity/id/${alice}`);
  await ask(`identity/group/id/${id}`);
  await vault.root('GET', `identity/group/id/${id}`);
  await vault.root('POST', 'identity/group/name/payments', { member_entity_ids: [alice, orders] });
  await ask(`identity/group/id/${id}`);
  await ask(`identity/entity/id/${orders}`);
  return id;
}

/** A person whose entity was there before she logged in; her second one is merged into it. */
async function bob(vault: Vault, ask: Ask): Promise<void> {
  const first = await vault.root('POST', 'identity/entity', { name: 'bob', policies: ['team'] });
  const second = await vault.root('POST', 'identity/entity', { name: 'bob-old' });
  const [id, old] = [String(first.data['id']), String(second.data['id'])];
  await vault.root('POST', 'identity/entity/name/bob', { metadata: { team: 'ops' } });
  await aliases(vault, id);
  await vault.root('POST', 'auth/userpass/users/bob', { password });
  await logIn(vault, 'bob', '127.0.0.12');
  await ask(`identity/entity/id/${id}`);
  await vault.root('POST', 'identity/entity/merge', { to_entity_id: id, from_entity_ids: [old] });
  await vault.root('DELETE', 'identity/entity/name/bob');
  await ask(`identity/entity/id/${id}`);
}

const logIn = (vault: Vault, name: string, from: string) =>
  vault.must('POST', `auth/userpass/login/${name}`, { body: { password }, from });

async function aliases(vault: Vault, entity: string): Promise<void> {
  const auth = await vault.root('GET', 'sys/auth');
  const accessor = (auth.data['userpass/'] as { accessor: string }).accessor;
  const alias = await vault.root('POST', 'identity/entity-alias', {
    name: 'bob',
    canonical_id: entity,
    mount_accessor: accessor,
  });
  const id = String(alias.data['id']);
  await vault.root('POST', `identity/entity-alias/id/${id}`, {
    name: 'robert',
    mount_accessor: accessor,
    canonical_id: entity,
  });
  await vault.root('GET', `identity/entity-alias/id/${id}`);
  await vault.root('DELETE', `identity/entity-alias/id/${id}`);
  await vault.root('POST', 'identity/entity-alias', {
    name: 'bob',
    canonical_id: entity,
    mount_accessor: accessor,
  });
}

async function ends(vault: Vault, ask: Ask): Promise<void> {
  await vault.root('POST', 'sys/remount', { from: 'team/kv', to: 'team/secrets' });
  await vault.root('DELETE', 'auth/approle/role/orders-api');
  await vault.root('DELETE', 'sys/mounts/pki');
  await vault.root('DELETE', 'sys/auth/approle');
  await sleep(500);
  await ask('sys/mounts');
  await ask('sys/auth');
}
