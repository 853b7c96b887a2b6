// Who called and which token was given out, as the call's own lines show it (vault-audit.md 5, design 4).

import { describe, expect, it } from 'vitest';
import type { AuditEvent, JsonObject } from '../../../core/event.ts';
import { callOf, type EntryLine, fixtureLines, made, theEvent, without, withRequest } from './lines.ts';

const entity = 'e1b2c3d4-0000-4000-8000-000000000001';
const hashed = (digit: string) => `hmac-sha256:${digit.repeat(64)}`;

/** A read with this `auth` in both halves, beside a token, its accessor and a policy. */
function calledBy(auth: JsonObject, request: JsonObject = {}): AuditEvent {
  const base = {
    accessor: hashed('a'),
    client_token: hashed('c'),
    policies: ['app', 'default'],
    policy_results: { allowed: true },
    token_type: 'service',
  };
  const call = callOf('kv-v2', 2).map((entry) => ({ ...entry, auth: { ...base, ...auth } as JsonObject }));
  return theEvent(withRequest(call, { client_token_accessor: hashed('a'), ...request }));
}

describe('the caller by auth method', () => {
  it.each<[string, JsonObject, object]>([
    [
      'userpass',
      { display_name: 'userpass-bob', entity_id: entity, metadata: { username: 'bob' } },
      {
        kind: 'human',
        auth_method: 'userpass',
        auth_mount: 'auth/userpass/',
        subject: 'bob',
        role: undefined,
      },
    ],
    [
      'ldap',
      { display_name: 'ldap-bob', entity_id: entity, metadata: { username: 'bob' } },
      { kind: 'human', auth_method: 'ldap', auth_mount: 'auth/ldap/', subject: 'bob' },
    ],
    [
      'github',
      { display_name: 'github-bob', metadata: { username: 'bob', org: 'example' } },
      { kind: 'human', auth_method: 'github', auth_mount: 'auth/github/', subject: 'bob' },
    ],
    [
      'kerberos',
      { display_name: 'kerberos-bob', metadata: { user: 'bob', domain: 'EXAMPLE.COM' } },
      { kind: 'human', auth_method: 'kerberos', subject: 'bob' },
    ],
    [
      'oidc',
      { display_name: 'oidc-bob@example.com', entity_id: entity, metadata: { role: 'staff' } },
      { kind: 'human', auth_method: 'oidc', role: 'staff', subject: 'bob@example.com' },
    ],
    [
      'approle',
      { display_name: 'approle', entity_id: entity, metadata: { role_name: 'billing' } },
      { kind: 'workload', auth_method: 'approle', auth_mount: 'auth/approle/', role: 'billing' },
    ],
    [
      'kubernetes',
      {
        display_name: 'kubernetes-shop-cart',
        entity_id: entity,
        metadata: {
          role: 'app',
          service_account_name: 'cart',
          service_account_namespace: 'shop',
          service_account_uid: 'u1',
        },
      },
      {
        kind: 'workload',
        auth_method: 'kubernetes',
        auth_mount: 'auth/kubernetes/',
        role: 'app',
        subject: 'shop/cart',
      },
    ],
    [
      'jwt',
      { display_name: 'jwt-ci-runner', metadata: { role: 'ci' } },
      { kind: 'workload', auth_method: 'jwt', role: 'ci', subject: 'ci-runner' },
    ],
    [
      'aws',
      {
        display_name: 'aws-deploy/i-1',
        metadata: { account_id: '123456789012', auth_type: 'iam' },
      },
      { kind: 'workload', auth_method: 'aws' },
    ],
    [
      'cert',
      { display_name: 'cert-web', metadata: { cert_name: 'web', common_name: 'web.example.com' } },
      { kind: 'workload', auth_method: 'cert', role: 'web', subject: 'web.example.com' },
    ],
    [
      'a token by hand',
      { display_name: 'token-backup' },
      { kind: 'unknown', auth_method: 'token', auth_mount: 'auth/token/', display_name: 'token-backup' },
    ],
  ])('%s', (_, auth, expected) => {
    expect(calledBy(auth).vault.caller).toMatchObject({ ...expected, credential: 'service' });
  });

  it('a mount with a dash is not guessed from the display name: it may be two parts deep; a method in its name counts', () => {
    const { caller } = calledBy({ display_name: 'corp-ldap-bob', metadata: { username: 'bob' } }).vault;
    expect(caller).toMatchObject({ subject: 'bob', kind: 'human' });
    expect(caller.auth_mount).toBeUndefined();
    expect(caller.auth_method).toBe('ldap');
    const people = calledBy({ display_name: 'corp-people-bob', metadata: { username: 'bob' } }).vault.caller;
    expect(people).toMatchObject({ subject: 'bob', kind: 'human', auth_method: undefined });
  });
});

describe('user.name: role, service account, user name, display name', () => {
  it.each<[string, JsonObject, string | undefined]>([
    ['role before display name', { display_name: 'approle', metadata: { role_name: 'billing' } }, 'billing'],
    ['user name before display name', { display_name: 'ldap-bob', metadata: { username: 'bob' } }, 'bob'],
    ['display name at last', { display_name: 'token-backup' }, 'token-backup'],
    ['nothing', {}, undefined],
    [
      'a service account without a role',
      {
        display_name: 'kubernetes-shop-cart',
        metadata: { service_account_name: 'cart', service_account_namespace: 'shop' },
      },
      'shop/cart',
    ],
  ])('%s', (_, auth, name) => {
    expect(calledBy(auth).user.name).toBe(name);
  });
});

describe('user.id', () => {
  it('the entity first', () => {
    expect(calledBy({ entity_id: entity }).user.id).toBe(entity);
  });

  it('the root token is root', () => {
    expect(calledBy({ display_name: 'root', policies: ['root'] }).user.id).toBe('root');
  });

  it('an entity with the root policy is still that entity', () => {
    const event = calledBy({ entity_id: entity, policies: ['root'] });
    expect(event.user.id).toBe(entity);
    expect(event.vault.caller).toMatchObject({ kind: 'root', credential: 'root' });
  });

  it('then the accessor', () => {
    expect(calledBy({}).user.id).toBe(`token:${hashed('a')}`);
  });

  it('a batch token has only its hash', () => {
    const call = callOf('token-life', 7);
    expect(call[1].auth).not.toHaveProperty('accessor');
    const event = theEvent(call);
    expect(event.user.id).toBe(`token:${String(call[1].auth?.['client_token'])}`);
    expect(event.vault.caller).toMatchObject({ credential: 'batch', accessor: undefined });
  });

  it('then the address, without one nothing is made up but that it is unknown', () => {
    const open = callOf('generate-root', 0);
    expect(theEvent(open).user.id).toBe('address:127.0.0.1');
    expect(theEvent(withRequest(open, { remote_address: undefined })).user.id).toBe('address:unknown');
  });

  it('is the same in every call of one entity, whatever its token', () => {
    const ids = made([...fixtureLines('kv-v2'), ...fixtureLines('denied'), ...fixtureLines('login-userpass')])
      .events.filter(({ user }) => user.name === 'alice')
      .map(({ user }) => user.id);
    expect(ids.length).toBeGreaterThan(8);
    expect(new Set(ids).size).toBe(1);
  });
});

describe('the credential', () => {
  it.each<[string, JsonObject, string]>([
    ['service', {}, 'service'],
    ['batch', { token_type: 'batch' }, 'batch'],
    ['root', { policies: ['root'] }, 'root'],
    ['wrapping', { policies: ['response-wrapping'] }, 'wrapping'],
    ['a type that says nothing', { token_type: 'default' }, 'unknown'],
  ])('%s', (_, auth, credential) => {
    expect(calledBy(auth).vault.caller.credential).toBe(credential);
  });

  it('none without a token', () => {
    expect(theEvent(callOf('generate-root', 0)).vault.caller).toMatchObject({
      credential: 'none',
      kind: 'anonymous',
    });
  });

  it('a login is made with none, and gives one out', () => {
    const event = theEvent(callOf('login-userpass'));
    expect(event.vault.caller).toMatchObject({
      credential: 'none',
      accessor: undefined,
      token_ttl_s: undefined,
      token_expires_at: undefined,
    });
    expect(event.vault.issued).toMatchObject({ ttl_s: 3600, type: 'service', policies: ['default', 'team'] });
    expect(event.vault.issued?.entity_id).toBe(event.user.id);
  });
});

describe('the lifetime of the calling token', () => {
  it('a root token has none', () => {
    const { caller } = theEvent(callOf('policy', 0)).vault;
    expect(caller.token_ttl_s).toBeUndefined();
    expect(caller.token_expires_at).toBeUndefined();
    expect(caller.token_issued_at).toBe('2026-11-23T02:01:45.000000000Z');
  });

  it.each([0, -5, 10 ** 12, 1.5, '3600', null])('a TTL of %j is none', (token_ttl) => {
    const { caller } = calledBy({ token_ttl, token_issue_time: '2026-11-23T02:01:40Z' }).vault;
    expect(caller.token_ttl_s).toBeUndefined();
    expect(caller.token_expires_at).toBeUndefined();
  });
});

describe('tokens given out', () => {
  it.each<[number, object]>([
    [0, { ttl_s: 600, type: 'service' }],
    [5, { ttl_s: 86_400, type: 'service' }],
    [6, { ttl_s: 300, type: 'batch', accessor: undefined }],
    [8, { ttl_s: 2_764_800, type: 'service', num_uses: 1 }],
  ])('call %i of token-life', (n, issued) => {
    expect(theEvent(callOf('token-life', n)).vault.issued).toMatchObject(issued);
  });

  it('a lookup, a revocation and a read give none', () => {
    for (const n of [1, 3, 4, 7]) expect(theEvent(callOf('token-life', n)).vault.issued).toBeUndefined();
  });
});

describe('wrapping', () => {
  const lines = fixtureLines('wrapping');

  it('who wraps is named with the wrapping token; who unwraps is known by its address alone', () => {
    const [wrapped, unwrapped] = made(lines).events;
    expect(wrapped).toMatchObject({
      user: { name: 'billing' },
      vault: { request: { wrap_ttl_s: 60 }, wrap: { creation_path: 'secret/data/billing/database' } },
    });
    expect(unwrapped).toMatchObject({
      source: { ip: '127.0.0.31' },
      vault: { caller: { credential: 'wrapping', kind: 'unknown' } },
    });
    expect(unwrapped?.vault.caller.accessor).toBe(wrapped?.vault.wrap?.accessor);
    expect(unwrapped?.user.name).toBeUndefined();
  });

  it('a wrapped secret is not given out yet: no version, no data', () => {
    const [wrapped] = made(lines).events;
    expect(wrapped?.vault.response).toBeUndefined();
    expect(wrapped?.vault.secret?.version).toBeUndefined();
  });
});

describe('no token stands in an event', () => {
  it.each(['hvs.EXAMPLEexampleEXAMPLE0001', 's.EXAMPLEexampleEXAMPLE0001'])('%s in the path', (token) => {
    const { events, texts } = made(withRequest(callOf('policy', 0), { path: `sys/renew/${token}` }));
    expect(events).toHaveLength(1);
    expect(texts.join()).not.toContain(token);
    expect(texts.join()).toContain('sealwatch-hmac:');
  });

  it('of a device with log_raw neither', () => {
    for (const scene of ['login-userpass', 'kv-v2', 'token-life', 'wrapping']) {
      const raw = fixtureLines(scene, 'raw').map((line) => JSON.parse(line) as EntryLine);
      const { texts } = made(raw);
      expect(texts.length).toBeGreaterThan(0);
      expect(texts.join()).not.toMatch(/hv[sb]\.[A-Za-z0-9]|"example-password"/);
    }
  });

  it('headers that hold an agent are shown, hashed ones not', () => {
    const agent = (name: string) =>
      theEvent(withRequest(callOf('kv-v2', 2), { headers: { 'user-agent': [name] } })).user_agent;
    expect(agent('vault/1.21')).toEqual({ original: 'vault/1.21' });
    expect(agent(hashed('b'))).toBeUndefined();
    expect(theEvent(callOf('kv-v2', 2)).user_agent).toEqual({ original: 'curl/8.5.0' });
    expect(theEvent(withRequest(callOf('kv-v2', 2), { headers: without({}) })).user_agent).toBeUndefined();
  });
});
