// Furnishes a Vault for the play of leases and tokens: database mounts, roles short and long, ways to log in, sealwatch's own login.

import { readFileSync } from 'node:fs';
import { startPostgres } from '../servers.ts';
import type { Vault } from '../vault-client.ts';

export const password = 'example-password';

/** Seconds, first and greatest, that the roles of `database/` give. */
export const roleSeconds = {
  fast: [5, 30],
  short: [8, 20],
  mid: [20, 40],
  minute: [60, 120],
  hour: [3600, 7200],
} as const;
export type Role = keyof typeof roleSeconds;
export const roles = Object.keys(roleSeconds) as Role[];

/** Mounts of the database engine; `stuck-db` cannot drop what it made, `plain-db` has its lifetimes from its tuning. */
export const mounts = ['database', 'plain-db', 'gone-db', 'moved-db', 'stuck-db'] as const;

const appPolicy = `
path "+/creds/*" { capabilities = ["read"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/renew/*" { capabilities = ["update"] }
path "sys/leases/revoke" { capabilities = ["update"] }
path "sys/leases/revoke/*" { capabilities = ["update"] }
path "sys/leases/lookup" { capabilities = ["update"] }
path "sys/renew" { capabilities = ["update"] }
path "sys/revoke" { capabilities = ["update"] }
path "auth/token/*" { capabilities = ["create", "update", "read", "sudo"] }`;

/** What sealwatch is allowed beside deploy/vault/sealwatch.hcl, so that the fixture has the answers of the directory too. */
const directoryPolicy = `
path "sys/mounts" { capabilities = ["read"] }
path "sys/auth" { capabilities = ["read"] }
path "+/roles/+" { capabilities = ["read"] }
path "auth/approle/role/+" { capabilities = ["read"] }
path "auth/userpass/users/+" { capabilities = ["read"] }
path "auth/token/roles/+" { capabilities = ["read"] }
path "sys/policies/acl/+" { capabilities = ["read"] }`;

export interface Stage {
  orders: { role_id: unknown; secret_id: unknown };
  brief: { role_id: unknown; secret_id: unknown };
  nightly: { role_id: unknown; secret_id: unknown };
  sealwatch: { role_id: unknown; secret_id: unknown };
}

/** The audit devices shall be there already, so that the log has how all of this came to be. */
export async function furnishLedger(vault: Vault): Promise<Stage> {
  const postgres = await startPostgres();
  for (const mount of mounts) {
    await vault.root('POST', `sys/mounts/${mount}`, { type: 'database' });
    await vault.root('POST', `${mount}/config/orders`, {
      plugin_name: 'postgresql-database-plugin',
      allowed_roles: '*',
      connection_url: postgres.url,
      username: postgres.username,
      password: postgres.password,
    });
  }
  for (const [role, [ttl, max]] of Object.entries(roleSeconds))
    await addRole(vault, 'database', role, { default_ttl: `${ttl}s`, max_ttl: max });
  for (const mount of ['gone-db', 'moved-db', 'stuck-db'])
    await addRole(vault, mount, 'hour', { default_ttl: '1h', max_ttl: '2h' });
  await addRole(vault, 'stuck-db', 'short', { default_ttl: '8s', max_ttl: '20s' });
  await vault.root('POST', 'sys/mounts/plain-db/tune', { default_lease_ttl: '30m', max_lease_ttl: '1h' });
  await addRole(vault, 'plain-db', 'plain', {});
  return furnishLogins(vault);
}

/** A role of a database mount; also changes one. */
export async function addRole(
  vault: Vault,
  mount: string,
  name: string,
  times: { default_ttl?: string | number; max_ttl?: string | number },
): Promise<void> {
  const drop = mount === 'stuck-db' ? 'SELECT 1/0' : `DROP ROLE IF EXISTS "{{name}}"`;
  await vault.root('POST', `${mount}/roles/${name}`, {
    db_name: 'orders',
    creation_statements: `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'`,
    revocation_statements: drop,
    ...times,
  });
}

async function furnishLogins(vault: Vault): Promise<Stage> {
  await vault.root('PUT', 'sys/policies/acl/app', { policy: appPolicy });
  await vault.root('POST', 'sys/auth/approle', { type: 'approle' });
  for (const mount of ['userpass', 'temp'])
    await vault.root('POST', `sys/auth/${mount}`, { type: 'userpass' });
  const person = (ttl: string) => ({ password, token_policies: 'app', token_ttl: ttl });
  await vault.root('POST', 'auth/userpass/users/alice', person('1h'));
  await vault.root('POST', 'auth/userpass/users/bob', person('30m'));
  await vault.root('POST', 'auth/temp/users/carol', person('30m'));
  await vault.root('POST', 'auth/token/roles/deploy', {
    allowed_policies: 'app',
    orphan: true,
    token_period: '10m',
  });
  await vault.root('POST', 'auth/token/roles/capped', {
    allowed_policies: 'app',
    token_explicit_max_ttl: '25s',
  });
  const own = `${readFileSync('deploy/vault/sealwatch.hcl', 'utf8')}${directoryPolicy}`;
  await vault.root('PUT', 'sys/policies/acl/sealwatch', { policy: own });
  return {
    orders: await addService(vault, 'orders', {
      token_policies: 'app',
      token_ttl: '30m',
      token_max_ttl: '1h',
    }),
    brief: await addService(vault, 'brief', {
      token_policies: 'app',
      token_ttl: '12s',
      token_max_ttl: '25s',
    }),
    nightly: await addService(vault, 'nightly', {
      token_policies: 'app',
      token_ttl: '20s',
      token_type: 'batch',
    }),
    sealwatch: await addService(vault, 'sealwatch', { token_policies: 'sealwatch', token_ttl: '1h' }),
  };
}

async function addService(
  vault: Vault,
  name: string,
  settings: Record<string, string>,
): Promise<{ role_id: unknown; secret_id: unknown }> {
  await vault.root('POST', `auth/approle/role/${name}`, settings);
  const role = await vault.root('GET', `auth/approle/role/${name}/role-id`);
  const secret = await vault.root('POST', `auth/approle/role/${name}/secret-id`);
  return { role_id: role.data['role_id'], secret_id: secret.data['secret_id'] };
}
