// What a call does, from operation, mount and path (vault-audit.md 6).

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../core/event.ts';
import { actionOf } from '../../../ingest/normalise/action.ts';
import { placeOf } from '../../../ingest/normalise/place.ts';
import { callOf, theEvent, withRequest } from './lines.ts';

const place = (operation: string, path: string, mount_point: string, mount_type: string) =>
  placeOf({ operation, path, mount_point, mount_type } satisfies JsonObject, undefined);
const action = (...call: [string, string, string, string]) => actionOf(place(...call)).name;

/** operation, path below the mount, action. */
type Row = [string, string, string];

const mounts: [mount: string, type: string, rows: Row[]][] = [
  [
    'secret/',
    'kv',
    [
      ['read', 'data/a/b', 'secret-read'],
      ['create', 'data/a', 'secret-write'],
      ['update', 'data/a', 'secret-write'],
      ['patch', 'data/a', 'secret-patch'],
      ['delete', 'data/a', 'secret-delete'],
      ['update', 'delete/a', 'secret-delete'],
      ['update', 'undelete/a', 'secret-undelete'],
      ['update', 'destroy/a', 'secret-destroy'],
      ['read', 'metadata/a', 'secret-metadata-read'],
      ['list', 'metadata/a/', 'secret-list'],
      ['list', 'metadata/', 'secret-list'],
      ['scan', 'detailed-metadata/a', 'secret-list'],
      ['delete', 'metadata/a', 'secret-metadata-delete'],
      ['read', 'subkeys/a', 'secret-subkeys-read'],
      ['update', 'config', 'engine-config-write'],
      ['read', 'billing/smtp', 'secret-read'],
      ['list', 'billing/', 'secret-list'],
    ],
  ],
  [
    'cubbyhole/',
    'cubbyhole',
    [
      ['read', 'data/a', 'secret-read'],
      ['delete', 'x', 'secret-delete'],
    ],
  ],
  [
    'database/',
    'database',
    [
      ['read', 'creds/app', 'credential-issue'],
      ['read', 'static-creds/app', 'credential-read'],
      ['update', 'rotate-role/app', 'credential-rotate'],
      ['update', 'rotate-root/pg', 'root-credential-rotate'],
      ['create', 'roles/app', 'role-write'],
      ['read', 'config/pg', 'engine-config-read'],
    ],
  ],
  [
    'aws/',
    'aws',
    [
      ['update', 'sts/deploy', 'credential-issue'],
      ['update', 'config/rotate-root', 'root-credential-rotate'],
      ['update', 'config/root', 'engine-config-write'],
    ],
  ],
  [
    'ldap/',
    'ldap',
    [
      ['update', 'library/a/check-out', 'credential-checkout'],
      ['update', 'library/a/check-in', 'credential-checkin'],
    ],
  ],
  [
    'pki/',
    'pki',
    [
      ['update', 'issue/web', 'certificate-issue'],
      ['update', 'issuer/default/sign/web', 'certificate-issue'],
      ['update', 'sign-verbatim', 'certificate-issue'],
      ['update', 'revoke', 'certificate-revoke'],
      ['update', 'root/generate/internal', 'ca-write'],
    ],
  ],
  [
    'transit/',
    'transit',
    [
      ['update', 'encrypt/k', 'data-encrypt'],
      ['update', 'decrypt/k', 'data-decrypt'],
      ['read', 'export/encryption-key/k', 'key-export'],
      ['read', 'backup/k', 'key-backup'],
      ['update', 'keys/k/rotate', 'key-rotate'],
      ['delete', 'keys/k', 'key-delete'],
    ],
  ],
  [
    'ssh/',
    'ssh',
    [
      ['update', 'sign/r', 'certificate-issue'],
      ['update', 'creds/r', 'credential-issue'],
    ],
  ],
  [
    'auth/token/',
    'token',
    [
      ['update', 'create', 'token-create'],
      ['update', 'create-orphan', 'token-create'],
      ['update', 'create/role', 'token-create'],
      ['update', 'renew-self', 'token-renew'],
      ['update', 'revoke-accessor', 'token-revoke'],
      ['read', 'lookup-self', 'token-lookup'],
      ['list', 'accessors/', 'token-list'],
    ],
  ],
  [
    'auth/approle/',
    'approle',
    [
      ['update', 'login', 'user-login'],
      ['update', 'role/app/secret-id', 'secret-id-create'],
      ['update', 'role/app/custom-secret-id', 'secret-id-create'],
      ['list', 'role/app/secret-id/', 'secret-id-list'],
      ['update', 'role/app/secret-id-accessor/destroy', 'secret-id-destroy'],
      ['delete', 'role/app', 'role-delete'],
    ],
  ],
  [
    'auth/oidc/',
    'oidc',
    [
      ['read', 'oidc/callback', 'user-login'],
      ['update', 'oidc/auth_url', 'login-url-read'],
    ],
  ],
  [
    'auth/userpass/',
    'userpass',
    [
      ['update', 'login/bob', 'user-login'],
      ['update', 'users/bob/password', 'user-write'],
    ],
  ],
  [
    'sys/',
    'system',
    [
      ['update', 'policies/acl/team', 'policy-write'],
      ['delete', 'policy/team', 'policy-delete'],
      ['update', 'audit/file', 'audit-device-enable'],
      ['delete', 'audit/file', 'audit-device-disable'],
      ['read', 'audit', 'audit-device-read'],
      ['update', 'audit-hash/file', 'audit-hash'],
      ['update', 'mounts/kv', 'mount-enable'],
      ['delete', 'mounts/kv', 'mount-disable'],
      ['update', 'mounts/kv/tune', 'mount-tune'],
      ['update', 'mounts/auth/userpass/tune', 'mount-tune'],
      ['update', 'auth/oidc', 'auth-enable'],
      ['delete', 'auth/oidc', 'auth-disable'],
      ['update', 'remount', 'mount-move'],
      ['update', 'leases/renew', 'lease-renew'],
      ['update', 'leases/revoke/a/b', 'lease-revoke'],
      ['update', 'leases/revoke-prefix/a', 'lease-revoke-prefix'],
      ['update', 'leases/revoke-force/a', 'lease-revoke-force'],
      ['update', 'revoke-prefix/a', 'lease-revoke-prefix'],
      ['update', 'leases/lookup', 'lease-lookup'],
      ['list', 'leases/lookup/a/', 'lease-list'],
      ['update', 'seal', 'vault-seal'],
      ['update', 'step-down', 'vault-step-down'],
      ['update', 'generate-root/attempt', 'root-generation-start'],
      ['delete', 'generate-root/attempt', 'root-generation-cancel'],
      ['update', 'generate-root/update', 'root-generation-update'],
      ['read', 'generate-root/attempt', 'root-generation-status'],
      ['update', 'rotate', 'barrier-rotate'],
      ['update', 'wrapping/wrap', 'response-wrap'],
      ['update', 'wrapping/unwrap', 'response-unwrap'],
      ['update', 'wrapping/rewrap', 'response-rewrap'],
      ['update', 'wrapping/lookup', 'response-wrap-lookup'],
      ['read', 'raw/core/mounts', 'storage-raw-read'],
      ['read', 'storage/raft/snapshot', 'snapshot-read'],
      ['update', 'mfa/validate', 'user-login'],
      ['read', 'internal/ui/mounts/kv', 'ui-read'],
    ],
  ],
  [
    'identity/',
    'identity',
    [
      ['update', 'entity', 'entity-write'],
      ['delete', 'entity/id/1', 'entity-delete'],
      ['update', 'entity-alias', 'entity-alias-write'],
      ['update', 'entity/merge', 'entity-merge'],
      ['update', 'lookup/entity', 'entity-lookup'],
    ],
  ],
];

describe.each(mounts)('%s (%s)', (mount, type, rows) => {
  it.each(rows)('%s %s is %s', (operation, rest, name) => {
    expect(action(operation, mount + rest, mount, type)).toBe(name);
  });
});

describe('the action', () => {
  it('of a mount by another name and deeper is the same', () => {
    expect(action('read', 'team/a/kv/data/x', 'team/a/kv/', 'kv')).toBe('secret-read');
    expect(action('update', 'auth/corp/people/login/bob', 'auth/corp/people/', 'ldap')).toBe('user-login');
  });

  it('of a plugin nobody knows is its type and operation', () => {
    expect(action('update', 'mine/x/y', 'mine/', 'my-plugin')).toBe('my-plugin-update');
    expect(action('read', 'mine/x', 'mine/', 'MY Plugin')).toBe('my-plugin-read');
  });

  it('of a help call is help, wherever it goes', () => {
    expect(action('help', 'secret/data/x', 'secret/', 'kv')).toBe('help-read');
    expect(action('help', 'sys/seal', 'sys/', 'system')).toBe('help-read');
  });

  it('is never empty, and short', () => {
    for (const operation of ['', 'x'.repeat(500)])
      for (const type of ['', 'y'.repeat(500)])
        expect(action(operation, 'p/q', 'p/', type)).toMatch(/^[a-z0-9-]{3,64}$/);
  });

  it('brings category and type of ECS', () => {
    const of = (...call: [string, string, string, string]) => {
      const { category, type } = actionOf(place(...call));
      return [category[0], type[0]];
    };
    expect(of('update', 'auth/userpass/login/bob', 'auth/userpass/', 'userpass')).toEqual([
      'authentication',
      'start',
    ]);
    expect(of('read', 'secret/data/x', 'secret/', 'kv')).toEqual(['database', 'access']);
    expect(of('delete', 'sys/policy/x', 'sys/', 'system')).toEqual(['iam', 'deletion']);
    expect(of('update', 'sys/mounts/x', 'sys/', 'system')).toEqual(['configuration', 'creation']);
    expect(of('update', 'sys/leases/revoke', 'sys/', 'system')).toEqual(['session', 'end']);
  });
});

describe('the secret of a call', () => {
  const secret = (members: Record<string, unknown>) =>
    theEvent(withRequest(callOf('kv-v2', 2), members)).vault.secret;

  it.each([
    ['secret/data/a/b', { engine: 'kv-v2', path: 'secret/a/b' }],
    ['secret/metadata/a/b', { engine: 'kv-v2', path: 'secret/a/b' }],
    ['secret/destroy/a/b', { engine: 'kv-v2', path: 'secret/a/b' }],
    ['secret/a/b', { engine: 'kv-v1', path: 'secret/a/b' }],
  ])('%s', (path, expected) => {
    expect(secret({ path })).toMatchObject(expected);
  });

  it('is the same for data, metadata and destroy of one secret', () => {
    const paths = ['data', 'metadata', 'delete', 'undelete', 'destroy', 'subkeys'].map((verb) =>
      secret({ path: `secret/${verb}/x` }),
    );
    expect(new Set(paths.map((found) => found?.path))).toEqual(new Set(['secret/x']));
  });

  it('of what an engine issues is the path that issues it', () => {
    expect(theEvent(callOf('database-lease', 0)).vault.secret).toMatchObject({
      engine: 'database',
      path: 'database/creds/app',
    });
  });

  it('is absent for what is no secret', () => {
    for (const [scene, n] of [
      ['policy', 0],
      ['token-life', 0],
      ['login-userpass', 0],
    ] as const)
      expect(theEvent(callOf(scene, n)).vault.secret).toBeUndefined();
    expect(secret({ path: 'secret/config' })).toBeUndefined();
  });
});
