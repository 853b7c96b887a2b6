// Callers of methods, products and mounts that did not run here: metadata and display names from their sources, and lies in them.

import { describe, expect, it } from 'vitest';
import type { AuditEvent, JsonObject } from '../../../core/event.ts';
import { type EntryLine, fixtureLines, theEvent, withRequest } from './lines.ts';

const auth = (scene: string, n: number): [EntryLine, EntryLine] => {
  const entries = fixtureLines(scene, 'auth').map((line) => JSON.parse(line) as EntryLine);
  const [request, response] = entries.slice(n * 2);
  if (request === undefined || response === undefined) throw new Error(`${scene} has no call ${n}`);
  return [request, response];
};

const login = auth('userpass', 1);
const read = auth('userpass', 2);
const instance = '0f1e2d3c-aaaa-4bbb-8ccc-1234567890ab';

/** The read of a real token, whose display name and metadata are others. */
function readBy(display_name: string, metadata?: JsonObject, more: JsonObject = {}): AuditEvent {
  return theEvent(
    read.map((entry) => {
      const { metadata: _, ...rest } = entry.auth ?? {};
      const shown = metadata === undefined ? {} : { metadata };
      return { ...entry, auth: { ...rest, display_name, ...shown, ...more } as JsonObject };
    }),
  );
}

/** A real login at another path, of a token with another display name and other metadata. */
function loginAt(path: string, mount_type: string, display_name: string, metadata?: JsonObject): AuditEvent {
  const mount_point = `${path.split('/').slice(0, 2).join('/')}/`;
  const shown = { display_name, ...(metadata === undefined ? {} : { metadata }) };
  const lines = withRequest(login, { path, mount_point, mount_type }).map((entry) => {
    if (entry.auth?.['display_name'] === undefined) return entry;
    const { metadata: _, ...rest } = entry.auth;
    return { ...entry, auth: { ...rest, ...shown } as JsonObject };
  });
  return theEvent(lines);
}

describe('from the source, not run: other products, and what the scenes on a real Vault lack', () => {
  it.each<[string, string, JsonObject | undefined, object, string]>([
    [
      'Kerberos',
      'kerberos-bob',
      { user: 'bob', domain: 'EXAMPLE.COM' },
      { kind: 'human', auth_method: 'kerberos', auth_mount: 'auth/kerberos/', subject: 'bob' },
      'bob',
    ],
    [
      'Azure on a mount with a dash: the fields are there and empty',
      `corp-azure-${instance}`,
      { role: 'web', subscription_id: '', resource_group_name: '', app_id: 'app-1' },
      { kind: 'workload', auth_method: 'azure', auth_mount: undefined, role: 'web', subject: 'app-1' },
      'web',
    ],
    [
      'OCI',
      'oci-deployers',
      { role_name: 'deployers' },
      { kind: 'workload', auth_method: 'oci', auth_mount: 'auth/oci/', role: 'deployers' },
      'deployers',
    ],
    [
      'JWT whose claims are those of a service account',
      'jwt-system:serviceaccount:shop:cart',
      { role: 'app', service_account_namespace: 'shop', service_account_name: 'cart' },
      { kind: 'workload', auth_method: 'jwt', auth_mount: 'auth/jwt/', role: 'app', subject: 'shop/cart' },
      'app',
    ],
    [
      'inline auth (OpenBao): the call is by a token that is never stored',
      'kubernetes-shop-cart',
      { role: 'app', service_account_namespace: 'shop', service_account_name: 'cart' },
      { kind: 'workload', auth_method: 'kubernetes', role: 'app', subject: 'shop/cart' },
      'app',
    ],
  ])('%s', (_, display, metadata, caller, name) => {
    const event = readBy(display, metadata);
    expect(event.vault.caller).toMatchObject(caller);
    expect(event.user.name).toBe(name);
  });

  it('OCI names its role in the path, which is no user name', () => {
    const event = loginAt('auth/oci/login/deployers', 'oci', 'oci-deployers', { role_name: 'deployers' });
    expect(event).toMatchObject({ event: { action: 'user-login' }, user: { name: 'deployers' } });
    expect(event.vault.caller).toMatchObject({ auth_method: 'oci', role: 'deployers', subject: undefined });
  });

  it.each([
    ['a CEL role (OpenBao)', 'auth/jwt/cel/login', 'jwt', 'workload'],
    ['a poll after a direct callback (OpenBao)', 'auth/oidc/oidc/poll', 'oidc', 'human'],
  ])('%s is a login', (_, path, type, kind) => {
    const event = loginAt(path, type, `${type}-anna`, { role: 'staff' });
    expect(event.event).toMatchObject({ action: 'user-login', outcome: 'success' });
    expect(event.vault.caller).toMatchObject({ auth_method: type, kind, role: 'staff', subject: 'anna' });
  });

  it('a poll before the person is back is not a failed login (OpenBao)', () => {
    const [request, response] = withRequest(auth('oidc', 1), {
      path: 'auth/oidc/oidc/poll',
      operation: 'update',
    });
    const event = theEvent([request, response] as EntryLine[]);
    expect(event.event).toMatchObject({ action: 'user-login', outcome: 'unknown', reason: 'login_pending' });
  });

  it('a namespace stands in the mount point, not in the display name', () => {
    const members = {
      namespace: { id: 'n1', path: 'team-a/' },
      mount_point: 'team-a/auth/userpass/',
      mount_type: 'userpass',
    };
    const event = theEvent(withRequest(login, members));
    expect(event.user.domain).toBe('team-a/');
    expect(event.vault.caller).toMatchObject({
      auth_method: 'userpass',
      auth_mount: 'auth/userpass/',
      subject: 'alice',
    });
    const failed = theEvent(withRequest(auth('userpass', 0), members));
    expect(failed.user.id).toBe('user:team-a/auth/userpass/alice');
  });

  it('a root token of a namespace (OpenBao) is root', () => {
    const event = readBy('n1_root', undefined, { policies: ['root'], entity_id: '' });
    expect(event).toMatchObject({
      user: { id: 'root', name: 'n1_root' },
      vault: { caller: { kind: 'root' } },
    });
  });

  it('a plugin that nobody knows is what its mount type says, and nothing else', () => {
    const event = loginAt('auth/badge/login', 'badge-reader', 'badge-77');
    expect(event.vault.caller).toMatchObject({
      auth_method: 'badge-reader',
      kind: 'unknown',
      role: undefined,
    });
    expect(event.user.name).toBe('badge-77');
    expect(readBy('badge-77').vault.caller).toMatchObject({ kind: 'unknown', auth_method: undefined });
  });
});

describe('what others may write is not believed', () => {
  it.each<[string, string, JsonObject]>([
    ['a user name', 'token-job', { username: 'alice' }],
    ['a role', 'token', { role_name: 'billing' }],
    [
      'a service account',
      'token-x',
      { service_account_namespace: 'x', service_account_name: 'x', role: 'app' },
    ],
    ['a certificate', 'token-web', { cert_name: 'web', common_name: 'alice@example.com' }],
  ])('a token made by a token shows %s', (_, display, metadata) => {
    const event = readBy(display, metadata);
    expect(event.user.name).toBe(display);
    expect(event.vault.caller).toMatchObject({ kind: 'unknown', auth_method: 'token' });
    expect(event.vault.caller.subject).toBeUndefined();
  });

  it.each<[string, JsonObject]>([
    ['a user name', { username: 'alice' }],
    ['a member of GitHub', { username: 'alice', org: 'example' }],
    ['a service account', { service_account_namespace: 'web', service_account_name: 'app' }],
    ['an IAM role', { account_id: '1', auth_type: 'iam', client_arn: 'arn:aws:iam::1:user/alice' }],
    ['a virtual machine', { subscription_id: 'x', resource_group_name: 'y', vm_name: 'z' }],
  ])('a secret id of AppRole shows %s', (_, metadata) => {
    const event = readBy('approle', { ...metadata, role_name: 'billing' });
    expect(event.user.name).toBe('billing');
    expect(event.vault.caller).toMatchObject({ kind: 'workload', auth_method: 'approle', role: 'billing' });
  });

  it('values that are no texts are not there', () => {
    const event = readBy('userpass-x', { username: ['alice'], role_name: { a: 1 }, cert_name: null });
    expect(event.user.name).toBe('userpass-x');
    expect(event.vault.caller).toMatchObject({ kind: 'unknown', auth_method: undefined, subject: undefined });
  });
});

describe('a login of which only one half is known', () => {
  it('the request names the account that was tried, and nobody who called', () => {
    const [request] = login;
    const event = theEvent([request]);
    expect(event).toMatchObject({
      event: { action: 'user-login', outcome: 'unknown' },
      user: { id: 'user:auth/userpass/alice', name: 'alice' },
    });
    expect(event.vault.caller).toMatchObject({
      kind: 'anonymous',
      auth_method: 'userpass',
      auth_mount: 'auth/userpass/',
      credential: 'none',
    });
  });

  it('the response says who it was', () => {
    const event = theEvent([login[1]]);
    expect(event).toMatchObject({ event: { outcome: 'success' }, user: { name: 'alice' } });
    expect(event.vault.caller).toMatchObject({ kind: 'human', subject: 'alice' });
  });

  it('the name is one account in any case, as it is for Vault', () => {
    const [request] = withRequest(login, { path: 'auth/userpass/login/ALICE' });
    expect(theEvent([request] as EntryLine[]).user.id).toBe('user:auth/userpass/alice');
  });
});

describe('OIDC and JWT are one plugin', () => {
  it.each<[string, string, JsonObject, object, string]>([
    [
      'a person',
      'oidc-olga',
      { role: 'staff' },
      { kind: 'human', auth_method: 'oidc', subject: 'olga' },
      'olga',
    ],
    [
      'a person on a mount with a dash',
      'corp-oidc-olga@example.com',
      { role: 'staff' },
      { kind: 'human', auth_method: 'oidc', auth_mount: undefined, subject: 'olga@example.com' },
      'olga@example.com',
    ],
    [
      'a person with a claim in the metadata',
      'oidc-anna-maria@example.com',
      { role: 'staff', email: 'anna-maria@example.com' },
      { kind: 'human', auth_mount: 'auth/oidc/', subject: 'anna-maria@example.com' },
      'anna-maria@example.com',
    ],
    [
      'a job of GitHub on a mount of that name',
      'github-repo:example/shop:ref:refs/heads/main',
      { role: 'deploy', actor: 'gita' },
      { kind: 'workload', auth_method: 'jwt', auth_mount: 'auth/github/', role: 'deploy' },
      'deploy',
    ],
    [
      'a mount whose name says nothing',
      'sso-olga',
      { role: 'staff' },
      { kind: 'unknown', auth_method: undefined, role: 'staff', subject: undefined },
      'staff',
    ],
  ])('%s', (_, display, metadata, caller, name) => {
    const event = readBy(display, metadata);
    expect(event.vault.caller).toMatchObject(caller);
    expect(event.user.name).toBe(name);
  });
});

it('metadata of an AppRole secret id, written by whoever makes it, is not taken for another method', () => {
  const { vault, related } = readBy('ci-approle', {
    role_name: 'payments',
    arn: 'acs:ram::1:assumed-role/admin/payments-vm',
    principal_id: 'approle',
  });
  expect(vault.caller).toMatchObject({ auth_method: 'approle', role: 'payments' });
  expect(JSON.stringify(related)).not.toContain('admin');
});
