// Furnishes a fresh Vault: two KV engines, leases of PostgreSQL, people by userpass, services by AppRole.

import { startPostgres } from './servers.ts';
import type { Vault } from './vault-client.ts';

export const password = 'example-password';

const readOwn = (name: string) => `
path "secret/data/${name}/*" { capabilities = ["read"] }
path "secret/metadata/${name}/*" { capabilities = ["read", "list"] }
path "legacy/${name}/*" { capabilities = ["read"] }
path "database/creds/app" { capabilities = ["read"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/revoke" { capabilities = ["update"] }`;

/** What the people of the team may do; `prod/` is not among it. */
const teamPolicy = `
path "secret/+/team/*" { capabilities = ["create", "read", "update", "delete", "list"] }
path "secret/metadata" { capabilities = ["list"] }`;

/** Engines and auth methods. The calls are audited if a device is enabled by then. */
export async function furnish(vault: Vault): Promise<void> {
  await vault.root('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  await vault.root('POST', 'sys/mounts/legacy', { type: 'kv', options: { version: '1' } });
  await vault.root('POST', 'sys/auth/userpass', { type: 'userpass' });
  await vault.root('POST', 'sys/auth/approle', { type: 'approle' });
  await furnishDatabase(vault);
  await vault.root('PUT', 'sys/policies/acl/team', { policy: teamPolicy });
  await vault.root('POST', 'legacy/billing/smtp', { host: 'mail.example.com', password });
}

async function furnishDatabase(vault: Vault): Promise<void> {
  const postgres = await startPostgres();
  await vault.root('POST', 'sys/mounts/database', { type: 'database' });
  await vault.root('POST', 'database/config/orders', {
    plugin_name: 'postgresql-database-plugin',
    allowed_roles: 'app',
    connection_url: postgres.url,
    username: postgres.username,
    password: postgres.password,
  });
  await vault.root('POST', 'database/roles/app', {
    db_name: 'orders',
    creation_statements: `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'`,
    default_ttl: '15m',
    max_ttl: '1h',
  });
}

/** A person who logs in by userpass with `password`. */
export async function addPerson(vault: Vault, name: string, policies = 'team'): Promise<void> {
  await vault.root('POST', `auth/userpass/users/${name}`, {
    password,
    token_policies: policies,
    token_ttl: '1h',
  });
}

/** A service with a policy for its own secrets; returns what it logs in with. */
export async function addService(
  vault: Vault,
  name: string,
): Promise<{ role_id: unknown; secret_id: unknown }> {
  await vault.root('PUT', `sys/policies/acl/${name}`, { policy: readOwn(name) });
  await vault.root('POST', `auth/approle/role/${name}`, { token_policies: name, token_ttl: '20m' });
  await vault.root('POST', `secret/data/${name}/database`, { data: { password, user: name } });
  await vault.root('POST', `secret/data/${name}/api-key`, { data: { key: `example-key-of-${name}` } });
  const role = await vault.root('GET', `auth/approle/role/${name}/role-id`);
  const secret = await vault.root('POST', `auth/approle/role/${name}/secret-id`);
  return { role_id: role.data['role_id'], secret_id: secret.data['secret_id'] };
}
