// Success, failure or unknown, and why: what an entry says is not what it seems (vault-audit.md 7.1 to 7.4).

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../core/event.ts';
import { callOf, type EntryLine, fixtureLines, made, theEvent, without, withRequest } from './lines.ts';

const hashed = `hmac-sha256:${'0'.repeat(64)}`;
/** The call with another answer; the rest of the entry stays. */
const answered = (call: EntryLine[], response: JsonObject | undefined, top: object = {}): EntryLine[] => {
  const [request, answer] = call as [EntryLine, EntryLine];
  const { response: _, error: __, ...rest } = answer;
  return [request, { ...rest, ...(response && { response }), ...top } as EntryLine];
};
const verdict = (lines: EntryLine[]) => {
  const { event } = theEvent(lines);
  return [event.outcome, event.reason, event.type.includes('denied')];
};

describe('a login', () => {
  const userpass = callOf('login-userpass');
  const failed = callOf('login-failed', 0);
  const mounts = { mount_point: 'auth/userpass/', mount_type: 'userpass' };

  it('succeeds with a token', () => {
    expect(verdict(userpass)).toEqual(['success', undefined, false]);
  });

  it('succeeds with a batch token, which has no accessor', () => {
    const auth = without(userpass[1].response?.['auth'] as JsonObject, 'accessor');
    const event = theEvent(answered(userpass, { ...mounts, auth: { ...auth, token_type: 'batch' } }));
    expect(event.event.outcome).toBe('success');
    expect(event.vault.issued).toMatchObject({ accessor: undefined, type: 'batch', ttl_s: 3600 });
  });

  it('wrapped succeeds too: the token is inside', () => {
    const wrap_info = {
      accessor: hashed,
      creation_path: 'auth/userpass/login/alice',
      token: hashed,
      ttl: 60,
    };
    const event = theEvent(answered(userpass, { ...mounts, wrap_info }));
    expect(event.event).toMatchObject({ action: 'user-login', outcome: 'success' });
    expect(event.vault.issued).toBeUndefined();
    expect(event.vault.wrap).toEqual({ accessor: hashed, creation_path: 'auth/userpass/login/alice' });
  });

  it('that asks for a second factor is neither', () => {
    const auth = { display_name: 'userpass-alice', policies: ['default'], token_type: 'service' };
    expect(verdict(answered(userpass, { ...mounts, auth, warnings: ['MFA'] }))).toEqual([
      'unknown',
      'mfa_required',
      false,
    ]);
  });

  it('the second factor gives the token', () => {
    const call = withRequest(answered(userpass, userpass[1].response), {
      path: 'sys/mfa/validate',
      mount_point: 'sys/',
      mount_type: 'system',
    });
    const event = theEvent(call);
    expect(event.event).toMatchObject({ action: 'user-login', outcome: 'success' });
    expect(event.vault.issued?.ttl_s).toBe(3600);
  });

  it.each<[string, EntryLine[]]>([
    ['a wrong password: an error', failed],
    ['an unknown user: an error body alone', callOf('login-failed', 1)],
    ['a wrong role id: an error body alone', callOf('login-failed', 2)],
    ['no answer body', answered(failed, undefined)],
    ['an answer with mounts only', answered(failed, mounts)],
    [
      'a status of 400',
      answered(failed, { ...mounts, data: { http_status_code: 400, http_raw_body: hashed } }),
    ],
    ['a denial by the method', answered(failed, { data: { error: hashed } }, { error: 'permission denied' })],
    [
      'an error of the request only',
      answered([{ ...failed[0], error: 'permission denied' }, failed[1]], { ...mounts }),
    ],
  ])('fails: %s', (_, lines) => {
    const event = theEvent(lines);
    expect(event.event).toMatchObject({ action: 'user-login', outcome: 'failure', reason: 'login_failed' });
    expect(event.vault.issued).toBeUndefined();
    expect(event.vault.caller).toMatchObject({ kind: 'anonymous', credential: 'none' });
  });

  it.each([
    ['auth/kubernetes/', 'kubernetes', 'auth/kubernetes/login', 'update'],
    ['auth/jwt/', 'jwt', 'auth/jwt/login', 'update'],
    ['auth/okta/', 'okta', 'auth/okta/login/bob', 'update'],
    ['auth/corp/', 'oidc', 'auth/corp/oidc/callback', 'read'],
    ['auth/cert/', 'cert', 'auth/cert/login', 'update'],
    ['auth/aws/', 'aws', 'auth/aws/login', 'create'],
  ])('%s %s fails with an error body alone', (mount_point, mount_type, path, operation) => {
    const event = theEvent(
      withRequest(callOf('login-failed', 2), { mount_point, mount_type, path, operation }),
    );
    expect(event.event).toMatchObject({ action: 'user-login', outcome: 'failure', reason: 'login_failed' });
    expect(event.vault.caller).toMatchObject({ auth_mount: mount_point, auth_method: mount_type });
  });

  it('names who tried, by the name in the path, and never as a known person', () => {
    const event = theEvent(failed);
    expect(event.user).toMatchObject({ id: 'user:auth/userpass/alice', name: 'alice' });
    expect(event.vault.caller.entity_id).toBeUndefined();
  });

  it('without a name in the path is known by its address', () => {
    expect(theEvent(callOf('login-failed', 2)).user).toMatchObject({
      id: 'address:127.0.0.66',
      name: undefined,
    });
  });
});

describe('a refusal', () => {
  const denied = callOf('denied', 0);

  it.each<[string, EntryLine[], unknown[]]>([
    ['by policy', denied, ['failure', 'policy_denied', true]],
    ['a revoked token', callOf('token-invalid', 2), ['failure', 'invalid_token', true]],
    ['a made-up token', callOf('token-invalid', 3), ['failure', 'invalid_token', true]],
    ['no token', callOf('token-invalid', 4), ['failure', 'invalid_token', true]],
    ['a token that is used up', callOf('token-life', 10), ['failure', 'invalid_token', true]],
    [
      'of a known caller whom no policy result names',
      denied.map((entry) => ({ ...entry, auth: without(entry.auth, 'policy_results') })),
      ['failure', 'permission_denied', true],
    ],
    [
      'by another error',
      denied.map((entry) => ({
        ...entry,
        error: 'internal error',
        auth: callOf('kv-v2', 2)[1].auth as JsonObject,
      })),
      ['failure', 'error_response', false],
    ],
    [
      'by an error body alone',
      answered(callOf('policy', 0), { data: { error: hashed } }),
      ['failure', 'error_response', false],
    ],
    [
      'by a list of errors',
      answered(callOf('policy', 0), { data: { errors: [hashed] } }),
      ['failure', 'error_response', false],
    ],
    [
      'by a status',
      answered(callOf('policy', 0), { data: { http_status_code: 503 } }),
      ['failure', 'error_response', false],
    ],
  ])('%s', (_, lines, expected) => {
    expect(verdict(lines)).toEqual(expected);
  });

  it('is one event, though both entries say it', () => {
    expect(made(fixtureLines('denied')).events).toHaveLength(3);
  });

  it('of a token that is not valid names no identity: only the hash of the token, or the address', () => {
    const revoked = theEvent(callOf('token-invalid', 2));
    expect(revoked.user.id).toMatch(/^token:hmac-sha256:[0-9a-f]{64}$/);
    expect(revoked.user.name).toBeUndefined();
    expect(revoked.vault.caller.kind).toBe('anonymous');
    expect(theEvent(callOf('token-invalid', 4)).user.id).toBe('address:127.0.0.66');
  });

  it('of an unwrap says so, at once, and has no other half', () => {
    const lines = fixtureLines('wrapping').slice(-1);
    const { events, counts } = made(lines);
    expect(events[0]).toMatchObject({
      event: { action: 'response-unwrap', outcome: 'failure', reason: 'wrapping_token_invalid' },
      vault: { pair: 'request_only', revision: 1 },
    });
    expect(counts['file']).toMatchObject({ received: 1, unpaired: 0 });
  });

  it('by a rate limit quota', () => {
    const [request] = callOf('kv-v2', 2);
    const error = 'request path "secret/data/team/app": rate limit quota exceeded';
    expect(verdict([{ ...request, error }])).toEqual(['failure', 'quota_exceeded', false]);
  });
});

describe('a read that gives nothing out', () => {
  const deleted = {
    http_content_type: hashed,
    http_raw_body: hashed,
    http_status_code: 404,
  };

  it('a deleted version of a KV secret: 404 with metadata', () => {
    const event = theEvent(answered(callOf('kv-v2', 2), { mount_type: 'kv', data: deleted }));
    expect(event.event).toMatchObject({ action: 'secret-read', outcome: 'success', reason: 'no_data' });
    expect(event.vault.secret).toEqual({ engine: 'kv-v2', path: 'secret/team/app', version: undefined });
    expect(event.vault.lease).toBeUndefined();
    expect(event.vault.issued).toBeUndefined();
  });

  it('a secret that is not there', () => {
    expect(verdict(callOf('kv-v2', 4))).toEqual(['success', 'no_data', false]);
    expect(theEvent(callOf('kv-v2', 4)).vault.secret?.version).toBeUndefined();
  });

  it.each<[string, JsonObject | undefined]>([
    ['no response at all, as Vault 1.17', undefined],
    ['an empty one, as Vault 1.16', {}],
    ['one with mounts only', { mount_type: 'kv', mount_accessor: 'kv_1' }],
  ])('%s', (_, response) => {
    expect(verdict(answered(callOf('kv-v2', 2), response))).toEqual(['success', 'no_data', false]);
  });

  it('a write that answers nothing is a plain success', () => {
    expect(verdict(answered(callOf('policy', 0), undefined))).toEqual(['success', undefined, false]);
  });
});

describe('a success', () => {
  it('a KV v1 secret may have a field called error', () => {
    const data = { error: hashed };
    expect(verdict(answered(callOf('kv-v1-read'), { data, secret: {} }))).toEqual([
      'success',
      undefined,
      false,
    ]);
  });

  it('a queued revocation answers 202', () => {
    const data = { http_content_type: hashed, http_status_code: 202 };
    expect(verdict(answered(callOf('database-lease', 3), { data }))).toEqual(['success', undefined, false]);
  });
});

describe('half a call', () => {
  const [request, response] = callOf('kv-v2', 2);

  it('the request alone: nobody knows how it ended', () => {
    const { events, counts } = made([request]);
    expect(events[0]).toMatchObject({
      event: { outcome: 'unknown', duration: undefined },
      user: { name: 'alice' },
      vault: { pair: 'request_only', revision: 1, response: undefined },
    });
    expect(counts['file']).toMatchObject({ received: 1, unpaired: 1, paired: 0 });
  });

  it('the response alone: all but when it was asked', () => {
    const { events, counts } = made([response]);
    expect(events[0]).toMatchObject({
      '@timestamp': response.time,
      event: { outcome: 'success', duration: undefined },
      user: { name: 'alice' },
      vault: { pair: 'response_only', revision: 1, secret: { path: 'secret/team/app', version: 2 } },
    });
    expect(counts['file']).toMatchObject({ received: 1, unpaired: 1, paired: 0 });
  });

  it('both: the second revision, at the time of the request', () => {
    expect(theEvent([request, response])).toMatchObject({
      '@timestamp': request.time,
      vault: { pair: 'both', revision: 2 },
    });
  });

  it.each(['seal', 'step-down'])('%s has no other half: it counts as no gap', (scene) => {
    const { events, counts } = made(fixtureLines(scene));
    expect(events[0]).toMatchObject({
      event: { action: `vault-${scene}`, outcome: 'unknown' },
      user: { id: 'root' },
      vault: { pair: 'request_only', authorization: undefined },
    });
    expect(counts['file']).toMatchObject({ received: 1, unpaired: 0 });
  });

  it('an error of the request alone is not lost when the answer has none', () => {
    const failing = { ...request, error: '1 error occurred:\n\t* permission denied\n\n' };
    const event = theEvent([failing, response]);
    expect(event.event.outcome).toBe('failure');
    expect(event.error?.message).toBe(failing.error);
  });
});
