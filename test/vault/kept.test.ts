// What of Vault's answers gets to the stream: the members that the ledger reads, and nothing that could be a secret.

import { describe, expect, it } from 'vitest';
import { limits } from '../../core/limits.ts';
import { ownCalls } from '../../core/own-calls.ts';
import { keptOf } from '../../vault/kept.ts';
import { answered } from './scripted.ts';

const kept = (path: string, data: object, status = 200) =>
  keptOf(path, answered(status, { request_id: 'r', lease_id: 'x', auth: null, data } as never));

it('a lease: its times', () => {
  const data = {
    ...{ id: 'database/creds/readonly/1', issue_time: 'i', expire_time: 'e', last_renewal: null },
    ...{ renewable: true, ttl: 60, revoke_error: 'cannot reach user:password@db', other: 'x' },
  };
  const { revoke_error: _, other: __, ...rest } = data;
  expect(kept('sys/leases/lookup', data)).toEqual({ request_id: 'r', data: { ...rest, revoke_error: true } });
});

it('a token: never its id', () => {
  const data = { id: 'hvs.CAESIexampleEXAMPLEexample', accessor: 'a', ttl: 60, meta: { role_name: 'x' } };
  expect(kept('auth/token/lookup-accessor', data)).toEqual({
    request_id: 'r',
    data: { accessor: 'a', ttl: 60, meta: { role_name: 'x' } },
  });
});

it('mounts: type, accessor, lifetimes, version; no description', () => {
  const data = {
    'secret/': {
      ...{ type: 'kv', accessor: 'kv_1', description: 'the password is x', options: { version: '2', y: 1 } },
      config: { default_lease_ttl: 0, max_lease_ttl: 60, listing_visibility: 'hidden' },
    },
    'sys/': { type: 'system', accessor: 's', options: null },
  };
  expect(kept('sys/mounts', data)).toEqual({
    request_id: 'r',
    data: {
      'secret/': {
        ...{ type: 'kv', accessor: 'kv_1', options: { version: '2' } },
        config: { default_lease_ttl: 0, max_lease_ttl: 60 },
      },
      'sys/': { type: 'system', accessor: 's', options: null },
    },
  });
});

it('a role: lifetimes and policies, not how its users are made; a null stays one', () => {
  const data = {
    token_policies: null,
    token_ttl: 60,
    default_ttl: 5,
    creation_statements: ['CREATE ROLE x'],
  };
  const { creation_statements: _, ...rest } = data;
  for (const path of ['auth/approle/role/x', 'auth/a/b/users/x', 'database/roles/x'])
    expect(kept(path, data)).toEqual({ request_id: 'r', data: rest });
});

it('an entity with its aliases', () => {
  const alias = { name: 'n', mount_accessor: 'm', mount_path: 'auth/x/', mount_type: 'jwt', local: false };
  expect(kept('identity/entity/id/x', { name: 'e', aliases: [alias], bucket_key: 'b' })).toEqual({
    request_id: 'r',
    data: {
      name: 'e',
      aliases: [{ name: 'n', mount_accessor: 'm', mount_path: 'auth/x/', mount_type: 'jwt' }],
    },
  });
});

it('a token that somebody put into a policy or into metadata is left out', () => {
  const token = 'hvs.CAESIexampleEXAMPLEexampleEXAMPLE';
  for (const [path, data] of [
    ['sys/policies/acl/x', { policy: `# ${token}\npath "x" {}` }],
    ['identity/entity/id/x', { metadata: { note: `old: ${token}` } }],
    ['auth/token/lookup-accessor', { meta: { note: token } }],
  ] as const) {
    const text = JSON.stringify(kept(path, data));
    expect(text).not.toContain('CAESI');
    expect(text).toContain('left out');
  }
});

it('a refusal: its errors, and no data', () => {
  const answer = answered(400, { errors: ['invalid lease'], data: { error: 'x' } });
  expect(keptOf('sys/leases/lookup', answer)).toEqual({ errors: ['invalid lease'] });
});

it('no answer, an odd id and an unknown path keep nothing', () => {
  expect(keptOf('sys/mounts', answered(204))).toBeUndefined();
  expect(keptOf('sys/mounts', answered(200, { request_id: 'a\nb', data: 7 }))).toEqual({ data: 7 });
  expect(kept('secret/data/x', { data: { password: 'p' } })).toEqual({ request_id: 'r' });
});

it('what is endless is cut', () => {
  const many = Array.from({ length: limits.vaultKeptListMax + 5 }, (_, i) => `e${i}`);
  const group = kept('identity/group/id/x', { member_entity_ids: many })?.['data'] as Record<
    string,
    unknown[]
  >;
  expect(group['member_entity_ids']).toHaveLength(limits.vaultKeptListMax);
  const text = 'x'.repeat(limits.vaultKeptTextCharsMax + 5);
  const policy = kept('sys/policies/acl/x', { policy: text })?.['data'] as { policy: string };
  expect(policy.policy).toHaveLength(limits.vaultKeptTextCharsMax);
});

describe('the declared list', () => {
  const own = /lookup-self|renew-self|revoke-self|capabilities-self|\/login$/;
  const asked = ownCalls.filter(({ path }) => !own.test(path)).map(({ path }) => path.replaceAll('+', 'x'));

  it.each(asked)('%s keeps something', (path) => {
    const data = { id: 'i', hash: 'h', ttl: 1, name: 'n', policy: 'p', 'x/': { type: 't' }, token_ttl: 1 };
    expect(Object.keys(kept(path, data)?.['data'] ?? {}).length).toBeGreaterThan(0);
  });
});

it('what is too deep for a stack is left out', () => {
  const deep = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
  const { response } = { response: kept('identity/entity/id/x', { name: 'n', metadata: deep }) };
  expect(JSON.stringify(response).length).toBeLessThan(1000);
});

it('a token is left out of names of members, and not left by half where a text is cut', () => {
  const token = `hvs.${'A'.repeat(90)}`;
  const text = `${'x '.repeat(limits.vaultKeptTextCharsMax / 2 - 10)}${token}`;
  const shown = JSON.stringify(kept('identity/entity/id/x', { name: text, metadata: { [token]: 'v' } }));
  expect(shown).not.toContain('hvs.');
});
