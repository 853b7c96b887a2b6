// Shapes of line that the recordings lack: lines of a real Vault 1.21.1, edited as vault-audit.md 1 to 7 says that other
// versions and products write them. Where it says OpenBao, Enterprise or Vault 2, it is from the source, not run.

import { describe, expect, it } from 'vitest';
import { limits } from '../../../core/limits.ts';
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

const withAuth = (call: EntryLine[], members: Record<string, unknown>) =>
  call.map((entry) => ({ ...entry, auth: { ...entry.auth, ...members } }) as EntryLine);
const withData = ([request, response]: EntryLine[], data: unknown) =>
  [request, { ...response, response: { ...response?.response, data } }] as EntryLine[];
const read = callOf('kv-v2', 2);

describe('what is absent', () => {
  it('no auth and no response, as Vault 1.17 and later leave them out', () => {
    const bare = callOf('kv-v1-read').map(({ auth: _, response: __, ...entry }) => entry as EntryLine);
    const event = theEvent(bare);
    expect(event.vault).toMatchObject({ pair: 'both', caller: { kind: 'anonymous' } });
    expect(event.event).toMatchObject({ outcome: 'success', reason: 'no_data' });
    expect(event.vault.response).toBeUndefined();
  });

  it('an auth that says nobody, as Vault to 1.16 and OpenBao write it', () => {
    const call = callOf('login-failed').map(
      (entry) => ({ ...entry, auth: { token_type: 'default' } }) as EntryLine,
    );
    expect(theEvent(call).vault.caller).toMatchObject({ kind: 'anonymous', credential: 'none' });
  });

  it('numbers: nothing is made of them', () => {
    const call = read.map((entry) => ({
      ...entry,
      auth: without(entry.auth, 'token_ttl', 'num_uses', 'remaining_uses'),
      request: without(entry.request, 'remote_port', 'wrap_ttl'),
    })) as EntryLine[];
    const event = theEvent(call);
    expect(event.vault.caller.token_ttl_s).toBeUndefined();
    expect(event.vault.caller.token_expires_at).toBeUndefined();
    expect(event.source).toEqual({ ip: expect.any(String), port: undefined });
  });

  const fields = [
    'id',
    'operation',
    'path',
    'mount_point',
    'mount_type',
    'namespace',
    'remote_address',
    'client_token',
  ];
  it.each(fields)('request.%s, which a device with `exclude` may leave out', (field) => {
    const call = read.map((entry) => ({ ...entry, request: without(entry.request, field) }) as EntryLine);
    const { events, rejects } = made(call);
    expect(rejects).toEqual([]);
    // Without an id the halves cannot meet: two events, each with who and when.
    expect(events.map(({ vault }) => vault.pair)).toEqual(
      field === 'id' ? ['request_only', 'response_only'] : ['both'],
    );
    for (const { user } of events) expect(user.name).toBe(theEvent(read).user.name);
  });

  it.each(['time', 'type', 'request'])('%s: the line is rejected, and the reason says so', (field) => {
    const call = read.map((entry) => without(entry as never, field) as unknown as EntryLine);
    const { events, rejects } = made(call);
    expect(events).toEqual([]);
    const reason = { time: 'bad_time', type: 'bad_type', request: 'no_request' }[field];
    expect(rejects.map((reject) => reject.reason)).toEqual([reason, reason]);
  });
});

describe('halves', () => {
  it('an answer without its request names the caller as well (vault-audit.md 7.4)', () => {
    const event = theEvent([read[1]]);
    expect(event.vault.pair).toBe('response_only');
    expect(event.user).toEqual(theEvent(read).user);
    expect(event.event.outcome).toBe('success');
    expect(event.event.duration).toBeUndefined();
  });

  it('a request without its answer has no outcome (vault-audit.md 7.3)', () => {
    const event = theEvent([read[0]]);
    expect(event.vault.pair).toBe('request_only');
    expect(event.user).toEqual(theEvent(read).user);
    expect(event.event.outcome).toBe('unknown');
  });

  it('a standby’s answer that asks to be passed on is a failure by itself (OpenBao)', () => {
    const event = theEvent(withTop([read[1]], { error: 'please forward to the active node' }));
    expect(event.event).toMatchObject({ outcome: 'failure', reason: 'error_response' });
  });

  it('a read that a standby answered and the active node wrote again has two ids and is two calls (OpenBao 2.5)', () => {
    const { events, counts } = made([...read, ...withRequest(read, { id: 'another-id' })]);
    expect(events.map(({ vault }) => vault.pair)).toEqual(['both', 'both']);
    expect(counts['file']).toMatchObject({ paired: 2, duplicate: 0 });
  });

  it('a plugin’s own entries may have no id: each is a call', () => {
    const call = read.map((entry) => ({
      ...entry,
      type: `kmip-${entry.type}`,
      request: without(entry.request, 'id'),
    })) as EntryLine[];
    expect(made(call).events.map(({ vault }) => vault.pair)).toEqual(['request_only', 'response_only']);
  });
});

describe('tokens', () => {
  it('a batch token has no accessor: its hash is the caller', () => {
    const call = read.map((entry) => ({
      ...entry,
      auth: { ...without(entry.auth, 'accessor', 'entity_id'), token_type: 'batch' },
      request: without(entry.request, 'client_token_accessor'),
    })) as EntryLine[];
    const event = theEvent(call);
    expect(event.vault.caller).toMatchObject({ credential: 'batch', accessor: undefined });
    expect(event.user.id).toBe(`token:${read[1].auth?.['client_token']}`);
  });

  it('a wrapped answer shows the wrap and no secret', () => {
    const event = theEvent(callOf('wrapping', 0));
    expect(event.vault.wrap?.accessor).toMatch(/^hmac-sha256:/);
    expect(event.vault.lease).toBeUndefined();
    expect(event.vault.issued).toBeUndefined();
  });

  it('metadata of an OAuth token may hold lists and objects (Vault Enterprise 2)', () => {
    const call = withAuth(read, {
      metadata: { role: ['a', 'b'], username: { first: 'x' }, scope: 'read' },
      authorization_details: [{ type: 'vault', actions: ['read'] }],
    });
    const event = theEvent(call);
    expect(event.vault.caller.role).toBeUndefined();
    expect(event.user.id).toBe(theEvent(read).user.id);
    expect(event.vault.unknown).toBeUndefined();
  });

  it('members of Vault 1.17 to 2 that the event has no place for are known', () => {
    const call = withRequest(read, {
      request_uri: '/v1/secret/data/team/app?version=2',
      supplemental_audit_data: { a: 'hmac-sha256:00' },
      client_certificate_serial_number: '1234',
      mount_is_external_plugin: true,
      replication_cluster: 'dc1',
      policy_override: true,
    });
    const [request, response] = withAuth(call, {
      external_namespace_policies: { ns1: ['a'] },
      no_default_policy: true,
      entity_created: true,
      remaining_uses: 3,
    });
    const answer = {
      ...response?.response,
      supplemental_audit_data: {},
      redirect: 'x',
      headers: { a: ['b'] },
    };
    const event = theEvent([
      request as EntryLine,
      { ...response, response: answer, forwarded: true } as EntryLine,
    ]);
    expect(event.vault.unknown).toBeUndefined();
    expect(event.vault.request).toEqual(theEvent(read).vault.request);
  });
});

describe('data', () => {
  it('an elided list has numbers for its keys (elide_list_responses)', () => {
    const [request, response] = withRequest(read, { operation: 'list', path: 'secret/metadata/team' });
    const event = theEvent(withData([request, response] as EntryLine[], { keys: 12, key_info: 12 }));
    expect(event.vault.response?.data).toEqual({ keys: 12, key_info: 12 });
    expect(event.event).toMatchObject({ outcome: 'success', action: 'secret-list' });
  });

  it('numbers and times stand in the clear in OpenBao', () => {
    const data = { increment: 3600, ttl: 1.5, expire_time: '2026-11-23T03:01:46Z', cas: 0, force: false };
    const event = theEvent(withRequest(callOf('database-lease', 1), { data }));
    expect(event.vault.request.data).toEqual(data);
  });

  it.each([
    ['12345678901234567890', '12345678901234567890'],
    ['-9007199254740993', '-9007199254740993'],
    ['1e400', '1e400'],
    ['9007199254740991', 9007199254740991],
    ['0.1', 0.1],
    ['1e3', 1000],
  ])('the number %s is kept as it was', (text, expected) => {
    const big = `{"n":${text},"deep":[{"n":${text}}],"text":"is 12345678901234567890, \\"1e400\\""}`;
    const lines = callOf('kv-v2', 2).map((entry) =>
      JSON.stringify(entry).replace('"data":{', `"data":{"big":${big},`),
    );
    expect(lines[1]).toContain('"big"');
    const { events, rejects } = made(lines);
    expect(rejects).toEqual([]);
    expect(events[0]?.vault.response?.data?.['big']).toEqual({
      n: expected,
      deep: [{ n: expected }],
      text: 'is 12345678901234567890, "1e400"',
    });
  });

  it('NUL and characters that are no UTF-8 do no harm', () => {
    const [request, response] = withRequest(read, { path: 'secret/data/te\u0000am' });
    const bytes = Buffer.from(
      JSON.stringify(response).replace('te\\u0000am', 'te\\u0000am\u0001bad'),
      'latin1',
    );
    bytes[bytes.indexOf(1)] = 0xff;
    const event = theEvent([Buffer.from(JSON.stringify(request)), bytes]);
    expect(event.vault.request.path).toBe('secret/data/te\u{fffd}am\u{fffd}bad');
  });

  it('of a key that stands twice, which Vault never writes, the last counts, and the line is one call', () => {
    const lines = read.map((entry) =>
      JSON.stringify(entry).replace('"operation":', '"operation":"delete","operation":'),
    );
    const { events, rejects } = made(lines);
    expect(rejects).toEqual([]);
    expect(events.map(({ vault }) => vault.request.operation)).toEqual([
      theEvent(read).vault.request.operation,
    ]);
  });
});

describe('JSONx', () => {
  it('is refused with a reason of its own, with a prefix or without', () => {
    const jsonx =
      '<json:object name="auth"><json:string name="display_name">root</json:string></json:object>';
    expect(made([jsonx, `${jsonx}{`]).rejects.map(({ reason }) => reason)).toEqual(['jsonx', 'jsonx']);
  });
});

describe('a line of tens of MB', () => {
  /** A list of `bytes` bytes as `LIST auth/token/accessors` gives. */
  function listOf(bytes: number): Buffer[] {
    const [request, response] = withRequest(read, { operation: 'list', path: 'auth/token/accessors' });
    const text = JSON.stringify(withData([request, response] as EntryLine[], { keys: ['@'], note: 'x' })[1]);
    const [head = '', tail = ''] = text.split('@');
    const keys = Buffer.alloc(bytes, 'hmac-sha256:ab\\"c","');
    return [
      Buffer.from(JSON.stringify(request)),
      Buffer.concat([Buffer.from(head), keys, Buffer.from(`x${tail}`)]),
    ];
  }

  it('is an event without its list, which says so, in little memory', () => {
    const lines = listOf(60 * 1024 * 1024);
    const before = process.memoryUsage().heapUsed;
    const event = theEvent(lines);
    // The bytes themselves lie outside of the heap.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 1024 * 1024);
    expect(event.vault).toMatchObject({ pair: 'both', truncated: ['response.data'] });
    expect(event.vault.response?.data).toBeUndefined();
    expect(event.event).toMatchObject({ outcome: 'success' });
    expect(event.event.reason).toBeUndefined();
    expect(event.user).toEqual(theEvent(read).user);
  });

  it('just over the bound and just under it, it is the same but for the hash', () => {
    const of = (bytes: number) => {
      const event = theEvent(listOf(bytes));
      return { ...event, event: { ...event.event, hash: '' } };
    };
    const unit = 'hmac-sha256:ab\\"c","'.length;
    const near = Math.floor(limits.parseBytesMax / unit) * unit;
    expect(of(near + 10 * unit)).toEqual(of(near - 200 * unit));
  });

  it('any other long member is left out by name', () => {
    const long = 'y'.repeat(limits.parseBytesMax);
    const [request, response] = read;
    const odd = { ...response, new_field: long, response: { ...response.response, other: [long] } };
    const event = theEvent([request, odd as EntryLine]);
    expect(event.vault.truncated).toEqual(['new_field', 'response.other']);
    expect(event.vault.response?.data).toEqual(theEvent(read).vault.response?.data);
  });

  it('of too many short members it is rejected', () => {
    const many = Array.from({ length: 400_000 }, (_, i) => `"k${i}":1`).join();
    const line = JSON.stringify(read[1]).replace('"request":{', `"request":{${many},`);
    expect(line.length).toBeGreaterThan(limits.parseBytesMax);
    expect(made([line]).rejects.map(({ reason }) => reason)).toEqual(['line_too_long']);
  });

  it.each(['{"time":', '{"request":{"data":[', '{"request" {', '[', '{"a":"'])(
    'that breaks off is rejected: %s',
    (head) => {
      const time = '"time":"2026-09-01T00:00:00Z","type":"request"';
      const line = Buffer.from(`{${time},${head.slice(1)}${' '.repeat(limits.parseBytesMax)}`);
      const { events, rejects } = made([line]);
      expect(events).toEqual([]);
      expect(rejects).toHaveLength(1);
    },
  );
});

it('every line of the fixtures as it is, and after a prefix', () => {
  const lines = ['kv-v2', 'wrapping', 'token-life'].flatMap((scene) => fixtureLines(scene));
  const prefixed = made(lines.map((line) => `vault: ${line}`));
  expect(prefixed.rejects).toEqual([]);
  expect(prefixed.events.map(({ vault }) => vault)).toEqual(made(lines).events.map(({ vault }) => vault));
});
