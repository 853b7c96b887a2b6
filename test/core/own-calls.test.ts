// The declared calls and the policies that are shipped: the same list, and nothing that could be a secret among them.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isOwnCall, type OwnCallPolicy, ownCalls } from '../../core/own-calls.ts';

/** Paths and capabilities of a policy. */
function rulesOf(name: string): string[] {
  const text = readFileSync(`deploy/vault/${name}.hcl`, 'utf8').replaceAll(/^\s*#.*$/gm, '');
  const rules = [...text.matchAll(/path "([^"]+)" \{\s*capabilities = \[([^\]]+)\]\s*\}/g)];
  expect(text.match(/\bpath\b/g)).toHaveLength(rules.length);
  return rules.map(([, path = '', capabilities = '']) => `${capabilities.replaceAll('"', '')} ${path}`);
}
const declared = (policy: OwnCallPolicy) =>
  ownCalls.filter((call) => call.policy === policy).map(({ operation, path }) => `${operation} ${path}`);

describe('the policies of deploy/vault/', () => {
  it('sealwatch.hcl allows what is declared, and nothing else', () => {
    expect(rulesOf('sealwatch').sort()).toEqual(declared('sealwatch').sort());
  });

  it('sealwatch-directory.hcl too, but for engines, whose mounts are named', () => {
    const isOfEngine = (rule: string) => /^read [^/]+\/(\+\/)?roles?\/\+$/.test(rule);
    const shipped = rulesOf('sealwatch-directory');
    expect(shipped.filter((rule) => !isOfEngine(rule)).sort()).toEqual(
      declared('sealwatch-directory')
        .filter((rule) => !isOfEngine(rule))
        .sort(),
    );
    const engines = shipped.filter(isOfEngine).map((rule) => rule.split(' ')[1] ?? '');
    expect(engines.length).toBeGreaterThan(0);
    // With a wildcard it would be a secret of a KV version 1 mount.
    for (const path of engines) {
      expect(path).not.toMatch(/^\+/);
      expect(isOwnCall('read', path.replace('+', 'x'))).toBe(true);
    }
  });

  it('sealwatch-secrets.hcl allows the two calls of one secret', () => {
    expect(rulesOf('sealwatch-secrets')).toEqual([
      'read secret/data/sealwatch/webhook',
      'read secret/metadata/sealwatch/webhook',
    ]);
  });
});

describe('a call is declared', () => {
  it.each([
    ['read', 'auth/token/lookup-self'],
    ['update', 'sys/leases/lookup'],
    ['update', 'sys/audit-hash/sealwatch'],
    ['read', 'identity/entity/id/0a1b'],
    ['read', 'sys/policies/acl/team.app'],
    ['read', 'auth/approle/role/orders-api'],
    ['read', 'auth/team/approle/role/orders-api'],
    ['read', 'database/roles/readonly'],
    ['update', 'auth/approle/login'],
    ['update', 'auth/team/ci/login'],
  ])('%s %s', (operation, path) => expect(isOwnCall(operation, path)).toBe(true));

  it.each([
    ['update', 'auth/token/lookup-self'],
    ['read', 'sys/leases/lookup'],
    ['list', 'sys/leases/lookup/auth'],
    ['update', 'sys/leases/revoke'],
    ['delete', 'sys/policies/acl/x'],
    ['update', 'sys/policies/acl/x'],
    ['read', 'sys/policies/acl/a/b'],
    ['read', 'sys/policies/acl/..'],
    ['read', 'sys/policies/acl/'],
    ['read', 'auth/approle/role/x/secret-id'],
    ['update', 'auth/approle/role/x/secret-id'],
    ['read', 'auth/../role/x'],
    ['read', 'secret/data/x'],
    ['read', 'sys/mounts/secret'],
    ['read', 'sysxmounts'],
    ['update', 'auth/userpass/login/alice'],
    ['', ''],
  ])('but not %s %s', (operation, path) => expect(isOwnCall(operation, path)).toBe(false));

  it('the configured secrets: value and metadata, and no other', () => {
    const secrets = ['kv/data/sealwatch/webhook'];
    expect(isOwnCall('read', 'kv/data/sealwatch/webhook', secrets)).toBe(true);
    expect(isOwnCall('read', 'kv/metadata/sealwatch/webhook', secrets)).toBe(true);
    for (const path of ['kv/data/sealwatch', 'kv/data/sealwatch/webhook/x', 'kv/data/x'])
      expect(isOwnCall('read', path, secrets)).toBe(false);
    expect(isOwnCall('update', 'kv/data/sealwatch/webhook', secrets)).toBe(false);
    expect(isOwnCall('read', 'kv/data/sealwatch/webhook')).toBe(false);
  });
});
