// The same calls as other versions of Vault, OpenBao and plugins write them (vault-audit.md 1): the event stays the same.

import { describe, expect, it } from 'vitest';
import type { AuditEvent, JsonObject } from '../../../core/event.ts';
import {
  callOf,
  type EntryLine,
  fixtureLines,
  made,
  theEvent,
  without,
  withRequest,
  withTop,
} from './lines.ts';

/** Without what must differ when the bytes of the lines do. */
const apartFromHash = (event: AuditEvent) => ({ ...event, event: { ...event.event, hash: '' } });

/** Vault to 1.16 and OpenBao write structs in order, and always an `auth` and a `response`. */
const structOrder = ({ time, type, auth, request, response, error }: EntryLine): string =>
  JSON.stringify({
    time,
    type,
    auth: auth ?? { token_type: 'default' },
    request: Object.fromEntries(Object.entries(request).reverse()),
    ...(type === 'response' && { response: response ?? {} }),
    ...(error !== undefined && { error }),
  });

const scenes = [
  'audit-device',
  'database-lease',
  'denied',
  'generate-root',
  'kv-v1-read',
  'kv-v2',
  'login-approle',
  'login-failed',
  'login-userpass',
  'policy',
  'seal',
  'step-down',
  'token-invalid',
  'token-life',
  'wrapping',
];

describe('the keys in the order of older Vaults and OpenBao', () => {
  it.each(scenes)('%s', (scene) => {
    const lines = fixtureLines(scene);
    const other = lines.map((line) => structOrder(JSON.parse(line) as EntryLine));
    expect(other).not.toEqual(lines);
    expect(made(other).events.map(apartFromHash)).toEqual(made(lines).events.map(apartFromHash));
  });
});

describe('members that older versions do not write', () => {
  const mountMembers = ['mount_accessor', 'mount_class', 'mount_point', 'mount_running_version'];
  const older = (call: EntryLine[], ...more: string[]) =>
    call.map((entry) => ({
      ...entry,
      request: without(entry.request, ...mountMembers, ...more),
      ...(entry.response && { response: without(entry.response, ...mountMembers, ...more) }),
    }));

  it('without mount_point the first part of the path is the mount', () => {
    const event = theEvent(older(callOf('kv-v2', 2)));
    expect(event.vault.secret).toMatchObject({ engine: 'kv-v2', path: 'secret/team/app', version: 2 });
    expect(event.event.action).toBe('secret-read');
    expect(event.vault.request).not.toHaveProperty('mount_point', expect.anything());
  });

  it('without mount_point a login is still a login on its mount', () => {
    const event = theEvent(older(callOf('login-failed', 0)));
    expect(event.user.id).toBe('user:auth/userpass/alice');
    expect(event.event).toMatchObject({ action: 'user-login', outcome: 'failure', reason: 'login_failed' });
  });

  it('without a mount type sys/, auth/token/ and policies are still known', () => {
    expect(theEvent(older(callOf('policy', 0), 'mount_type')).event.action).toBe('policy-write');
    expect(theEvent(older(callOf('token-life', 0), 'mount_type')).event.action).toBe('token-create');
    expect(theEvent(older(callOf('database-lease', 0), 'mount_type')).vault.lease?.id).toMatch(
      /^database\/creds\/app\//,
    );
  });

  it('the mount of the response serves when the request has none', () => {
    const [request, response] = callOf('kv-v2', 2);
    const bare = { ...response, request: without(response.request, 'mount_point', 'mount_type') };
    const shown = { ...response.response, mount_point: 'secret/', mount_type: 'kv' };
    const event = theEvent([request, { ...bare, response: shown } as EntryLine]);
    expect(event.vault.secret).toMatchObject({ engine: 'kv-v2', path: 'secret/team/app' });
  });
});

describe('granting policies', () => {
  const granted = (policies: unknown) => {
    const [request, response] = callOf('kv-v2', 2);
    const results = { allowed: true, granting_policies: policies };
    return theEvent(
      [request, response].map(
        (entry) => ({ ...entry, auth: { ...entry.auth, policy_results: results } }) as EntryLine,
      ),
    ).vault.authorization;
  };

  it.each<[string, unknown, string[] | undefined]>([
    ['blank leading elements of Vault 1.17', [{ type: '' }, { name: 'team', type: 'acl' }], ['team']],
    ['nothing but blank elements', [{ type: '' }, { type: '' }], undefined],
    [
      'several',
      [
        { name: 'b', type: 'acl' },
        { name: 'a', type: 'rgp' },
      ],
      ['b', 'a'],
    ],
    ['none', undefined, undefined],
    ['wrong types', [null, 7, 'team', [], { name: 7 }], undefined],
    ['no list', 'team', undefined],
  ])('%s', (_, policies, expected) => {
    expect(granted(policies)).toEqual({ allowed: true, granting_policies: expected });
  });
});

describe('the time', () => {
  it.each([
    ['2026-11-23T02:01:46Z', '2026-11-23T02:01:46.000000000Z'],
    ['2026-11-23T02:01:46.1Z', '2026-11-23T02:01:46.100000000Z'],
    ['2026-11-23T02:01:46.12Z', '2026-11-23T02:01:46.120000000Z'],
    ['2026-11-23T02:01:46.012345Z', '2026-11-23T02:01:46.012345000Z'],
    ['2026-11-23T02:01:46.12345678Z', '2026-11-23T02:01:46.123456780Z'],
    ['2026-11-23T02:01:46.123456789Z', '2026-11-23T02:01:46.123456789Z'],
    ['2026-11-23T04:01:46.5+02:00', '2026-11-23T02:01:46.500000000Z'],
    ['2026-11-22T20:31:46-05:30', '2026-11-23T02:01:46.000000000Z'],
  ])('%s has 9 digits in UTC', (time, expected) => {
    expect(theEvent(withTop(callOf('kv-v2', 2), { time }))['@timestamp']).toBe(expected);
  });

  it('the time of issue is UTC as well, and the end follows from the TTL', () => {
    const [request, response] = callOf('kv-v2', 2);
    const auth = { ...response.auth, token_issue_time: '2026-11-22T21:01:46-05:00', token_ttl: 60 };
    expect(theEvent([request, { ...response, auth } as EntryLine]).vault.caller).toMatchObject({
      token_issued_at: '2026-11-23T02:01:46.000000000Z',
      token_ttl_s: 60,
      token_expires_at: '2026-11-23T02:02:46.000000000Z',
    });
  });

  it('a token that was renewed past its first TTL has no known end', () => {
    const [request, response] = callOf('kv-v2', 2);
    const auth = { ...response.auth, token_issue_time: '2026-11-20T02:01:46Z', token_ttl: 60 };
    const { caller } = theEvent([request, { ...response, auth } as EntryLine]).vault;
    expect(caller.token_ttl_s).toBe(60);
    expect(caller.token_expires_at).toBeUndefined();
  });

  it('an answer before its request has no duration', () => {
    const [request, response] = callOf('kv-v2', 2);
    const event = theEvent([request, { ...response, time: '2026-11-23T02:01:45Z' }]);
    expect(event['@timestamp']).toBe(request.time);
    expect(event.event.duration).toBeUndefined();
  });

  it('the duration is exact to the nanosecond', () => {
    const [request, response] = callOf('kv-v2', 2);
    const event = theEvent([
      { ...request, time: '2026-11-23T02:01:46.999999998Z' },
      { ...response, time: '2026-11-23T02:01:48.000000001Z' },
    ]);
    expect(event.event.duration).toBe(1_000_000_003);
  });
});

describe('namespaces', () => {
  const namespace = { id: 'nsEx1', path: 'team-a/' };
  const inNamespace = (call: EntryLine[], mount: string) =>
    withRequest(call, { namespace, mount_point: `team-a/${mount}` });

  it('the path is relative, the secret names the namespace', () => {
    const event = theEvent(inNamespace(callOf('kv-v2', 2), 'secret/'));
    expect(event.vault.request).toMatchObject({
      namespace: 'team-a/',
      path: 'secret/data/team/app',
      mount_point: 'team-a/secret/',
    });
    expect(event.vault.secret).toMatchObject({ engine: 'kv-v2', path: 'team-a/secret/team/app' });
    expect(event.user.domain).toBe('team-a/');
    expect(event.event.action).toBe('secret-read');
  });

  it('the same path in two namespaces is two secrets', () => {
    const there = theEvent(inNamespace(callOf('kv-v2', 2), 'secret/')).vault.secret?.path;
    expect(there).not.toBe(theEvent(callOf('kv-v2', 2)).vault.secret?.path);
  });

  it('the same user name in two namespaces is two users', () => {
    const event = theEvent(inNamespace(callOf('login-failed', 0), 'auth/userpass/'));
    expect(event.user.id).toBe('user:team-a/auth/userpass/alice');
  });

  it('sys/ of a namespace is sys/', () => {
    expect(theEvent(inNamespace(callOf('policy', 0), 'sys/')).event.action).toBe('policy-write');
  });

  it('a mount of several parts is told from the path', () => {
    const event = theEvent(
      withRequest(callOf('kv-v2', 2), {
        namespace,
        mount_point: 'team-a/shared/kv/',
        path: 'shared/kv/data/app',
      }),
    );
    expect(event.vault.secret).toMatchObject({ engine: 'kv-v2', path: 'team-a/shared/kv/app' });
  });

  it('a mount point without the namespace serves as well', () => {
    const event = theEvent(withRequest(callOf('kv-v2', 2), { namespace, mount_point: 'secret/' }));
    expect(event.vault.secret?.path).toBe('team-a/secret/team/app');
  });

  it('the root namespace is not named', () => {
    const event = theEvent(callOf('kv-v2', 2));
    expect(event.vault.request.namespace).toBeUndefined();
    expect(event.user.domain).toBeUndefined();
  });
});

describe('plugins that audit themselves', () => {
  const kmip = (address: string, members: JsonObject = {}) =>
    callOf('kv-v2', 2).map((entry) => ({
      ...entry,
      type: `kmip-${entry.type}`,
      request: {
        ...without(entry.request, 'remote_port'),
        ...members,
        remote_address: address,
      } as JsonObject,
    }));

  it.each([
    ['10.0.0.5:5696', { ip: '10.0.0.5', port: 5696 }],
    ['[2001:db8::5]:5696', { ip: '2001:db8::5', port: 5696 }],
    ['2001:db8::5', { ip: '2001:db8::5', port: undefined }],
    ['10.0.0.5', { ip: '10.0.0.5', port: undefined }],
  ])('the address %s', (address, expected) => {
    const event = theEvent(kmip(address));
    expect(event.source).toEqual(expected);
    expect(event.related.ip).toEqual([expected.ip]);
    expect(event.vault.pair).toBe('both');
  });

  it('a port of its own wins', () => {
    expect(theEvent(kmip('10.0.0.5', { remote_port: 443 })).source).toEqual({ ip: '10.0.0.5', port: 443 });
  });

  it('a call without an address has no source', () => {
    const event = theEvent(
      withRequest(callOf('kv-v2', 2), { remote_address: undefined, remote_port: undefined }),
    );
    expect(event.source).toBeUndefined();
    expect(event.related.ip).toBeUndefined();
  });
});

describe('what stands around the object', () => {
  it.each(['vault-audit: ', '@cee: ', '<14>Nov 23 vault[7]: '])('the prefix %j is passed over', (prefix) => {
    const call = callOf('kv-v2', 2);
    const event = theEvent(call.map((entry) => prefix + JSON.stringify(entry)));
    expect(event).toEqual({ ...theEvent(call), event: { ...event.event } });
    expect(event.event.hash).not.toBe(theEvent(call).event.hash);
  });

  it('white space inside is fine', () => {
    const call = callOf('kv-v2', 2);
    const event = theEvent(call.map((entry) => JSON.stringify(entry, null, 1).replaceAll('\n', ' ')));
    expect(apartFromHash(event)).toEqual(apartFromHash(theEvent(call)));
  });
});

describe('calls of help', () => {
  it('have no request id before Vault 2, so that their halves stay apart', () => {
    const { events, counts } = made(fixtureLines('path-help'));
    expect(events.map(({ vault }) => vault.pair)).toEqual(['request_only', 'response_only']);
    for (const { event, vault, user } of events) {
      expect(event.action).toBe('help-read');
      expect(event.id).toMatch(/^line-[0-9a-f]{64}$/);
      expect(vault.request.id).toBeUndefined();
      expect(user.name).toBe('alice');
    }
    expect(counts['file']).toMatchObject({ received: 2, unpaired: 0, paired: 0 });
  });

  it('with an id they are one call', () => {
    const lines = fixtureLines('path-help').map((line) => JSON.parse(line) as EntryLine);
    expect(theEvent(withRequest(lines, { id: 'c4b8d6ce' })).vault.pair).toBe('both');
  });
});

it('numbers of the request that Vault hashed are left as they are', () => {
  const { data } = theEvent(callOf('database-lease', 1)).vault.request;
  expect(data).toEqual({
    increment: expect.stringMatching(/^hmac-sha256:[0-9a-f]{64}$/),
    lease_id: expect.stringMatching(/^hmac-sha256:[0-9a-f]{64}$/),
  });
});
