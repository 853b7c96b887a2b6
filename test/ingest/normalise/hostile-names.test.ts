// Found by review: each of these is red until the product is mended.

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../core/event.ts';
import { limits } from '../../../core/limits.ts';
import { callOf, type EntryLine, made, theEvent, withRequest } from './lines.ts';

describe('an operation that is a member name of every object', () => {
  it.each(['valueOf', 'hasOwnProperty', '__proto__', 'constructor', 'toString'])('%s', (operation) => {
    expect(theEvent(withRequest(callOf('kv-v2', 2), { operation })).event.action).toMatch(/^secret-[a-z-]+$/);
  });
});

it('an audit device called test can be enabled and disabled, and both are seen', () => {
  const enabled = withRequest(callOf('audit-device', 0), { path: 'sys/audit/test' });
  const disabled = withRequest(callOf('audit-device', 2), { path: 'sys/audit/test' });
  expect(theEvent(enabled)).toMatchObject({
    event: { action: 'audit-device-enable', outcome: 'success' },
    vault: { pair: 'both' },
  });
  expect(theEvent(disabled)).toMatchObject({
    event: { action: 'audit-device-disable', outcome: 'success' },
    vault: { pair: 'both' },
  });
});

it.each(['sys/seal', 'sys/audit/test'])('metadata of a token that says path %s hides no answer', (path) => {
  const call = callOf('database-lease', 0).map((entry) => ({
    ...entry,
    auth: { ...entry.auth, metadata: { ...(entry.auth?.['metadata'] as JsonObject), path } } as JsonObject,
  }));
  const event = theEvent(call as EntryLine[]);
  expect(event.vault.pair).toBe('both');
  expect(event.vault.lease).toBeDefined();
});

it('an address with a port is one identity, not one for each port', () => {
  const id = (port: number) =>
    theEvent(
      withRequest(callOf('login-failed', 2), { remote_address: `10.0.0.9:${port}`, remote_port: undefined }),
    ).user.id;
  expect(id(5696)).toBe('address:10.0.0.9');
  expect(id(5697)).toBe(id(5696));
});

it('a login that a quota refused is no wrong password', () => {
  const [request] = callOf('login-failed', 0);
  const error = 'request path "auth/userpass/login/alice": rate limit quota exceeded';
  expect(theEvent([{ ...request, error }]).event.reason).toBe('quota_exceeded');
});

it('a list of objects is JSON, but no object', () => {
  expect(made(['[{"a":1}]']).rejects.map(({ reason }) => reason)).toEqual(['not_object']);
});

it('warnings and policies are bounded, and hold no NUL', () => {
  const [request, response] = callOf('kv-v2', 2);
  const warnings = Array.from({ length: 20_000 }, () => 'w'.repeat(100));
  const { texts } = made([
    request,
    { ...response, response: { ...response.response, warnings } } as EntryLine,
  ]);
  expect((texts[0] ?? '').length).toBeLessThan(4 * limits.eventDataBytesMax);
  const auth = { ...response.auth, policies: ['a\0b'] };
  expect(JSON.stringify(theEvent([request, { ...response, auth } as EntryLine]).user.roles)).not.toContain(
    '\\u0000',
  );
});
