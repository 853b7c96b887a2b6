// After redaction no secret is left, what is no secret stays, and the line is still what it was otherwise.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { Suspicion } from '../../../ingest/collector/suspect.ts';
import { deviceLines } from './real-lines.ts';
import { hashed, lineWith, shapes, spots } from './secrets.ts';

const redactor = new Redactor(Buffer.alloc(32, 1));
const clean = (line: string) => redactor.redact(Buffer.from(line)).line.toString();
const pseudonyms = (line: string) => line.match(/sealwatch-hmac:[0-9a-f]{64}/g) ?? [];
/** The line with its escapes undone, so that a hidden token shows. */
const bare = (line: string) =>
  line.replace(/\\u([0-9a-fA-F]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

describe('a token', () => {
  test.each(spots.map((spot) => [spot.name, spot] as const))('does not survive %s', (_, spot) => {
    for (const token of shapes) {
      for (const session of [true, false]) {
        const line = spot.put(token, session);
        const { line: redacted, scrub } = redactor.redact(Buffer.from(line));
        expect([token, scrub === undefined]).toEqual([token, false]);
        expect(bare(redacted.toString())).not.toContain(token.slice(0, 24));
        // Of two members of one name the first is dropped with all that is in it.
        if (spot.name !== 'under a key that comes twice')
          expect(pseudonyms(redacted.toString()).length).toBeGreaterThan(0);
        if (isJson(line)) expect(isJson(redacted.toString())).toBe(true);
      }
    }
  });

  test('has one pseudonym under one key, wherever it stands, and another under another key', () => {
    const [token = '', other = ''] = shapes;
    const of = (line: string, by = redactor) => pseudonyms(by.redact(Buffer.from(line)).line.toString());
    const [first] = of(lineWith({ path: `auth/token/lookup/${token}` }));
    expect(first).toBeDefined();
    expect(of(lineWith({ error: `bad token ${token}` }))).toEqual([first]);
    expect(of(`{"auth":{"client_token":"${token}"}}`)).toEqual([first]);
    expect(of(lineWith({ path: other }))).not.toEqual([first]);
    expect(of(lineWith({ path: token }), new Redactor(Buffer.alloc(32, 2)))).not.toEqual([first]);
  });

  test('all of several are taken out', () => {
    const text = clean(lineWith({ path: shapes.join('/'), error: shapes.join(' ') }));
    for (const token of shapes) expect(text).not.toContain(token.slice(0, 20));
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The dummy secrets that the capture gave to Vault, or that Vault made for it. */
const captured =
  /example-password|example-[12]|example-key-of-\w+|(?<![\w-])wrong(?![\w-])|hv[sbr]\.EXAMPLE\w+/;

describe('the lines of a raw device', () => {
  const lines = deviceLines('raw');
  const suspicion = new Suspicion();
  const redacted = lines.map((line) => {
    const bytes = Buffer.from(line);
    return suspicion.of(bytes, 0, bytes.length) ? clean(line) : line;
  });

  test('show none of the secrets that were used', () => {
    expect(lines.filter((line) => captured.test(line)).length).toBeGreaterThan(60);
    expect(redacted.filter((line) => captured.test(line))).toEqual([]);
  });

  test('show no token, secret id or generated password that Vault put into a secret field', () => {
    const secrets = new Set(lines.flatMap(secretValues));
    expect(secrets.size).toBeGreaterThan(20);
    for (const secret of secrets) expect(redacted.filter((line) => line.includes(secret))).toEqual([]);
  });

  test('are the same calls as before: id, path, time and type stay', () => {
    for (const [i, line] of lines.entries()) {
      const before = JSON.parse(line) as Call;
      const after = JSON.parse(redacted[i] ?? '') as Call;
      expect([after.time, after.type, after.request.id]).toEqual([
        before.time,
        before.type,
        before.request.id,
      ]);
      expect(after.request.path).toBe(before.request.path);
      expect(Object.keys(after.request)).toEqual(Object.keys(before.request));
    }
  });
});

interface Call {
  time: string;
  type: string;
  request: { id?: string; path: string };
}

/** Values of fields that are secret by name, in any of Vault's answers. */
function secretValues(line: string): string[] {
  const found = line.matchAll(/"(?:client_token|token|secret_id|password|nonce|otp)":"([^"]{8,})"/g);
  return [...found].map((match) => match[1] as string).filter((value) => !value.startsWith('hmac-sha256:'));
}

describe('what is no secret stays', () => {
  test('a line without secrets comes back as the same bytes', () => {
    for (const line of deviceLines('default').filter((text) => !text.includes('lookup/hvs.'))) {
      const bytes = Buffer.from(line);
      expect(redactor.redact(bytes)).toEqual({ line: bytes, scrub: undefined });
    }
  });

  test('hashes, times, and keys that are plain on purpose, in a raw line', () => {
    const data = {
      a: hashed,
      accessor: 'acc-1',
      lease_id: 'database/creds/app/x',
      issue_time: '2026-09-07T10:00:00.123456789+02:00',
      ttl: 3600,
      on: true,
      none: null,
      role_name: 'app',
      secret: 'plain',
      list: ['plain', '', hashed],
    };
    const line = JSON.stringify({ auth: { client_token: 'x' }, request: { data, id: '1', path: 'p/plain' } });
    const after = JSON.parse(clean(line)) as { request: { data: Record<string, unknown>; path: string } };
    const [name] = pseudonyms(clean('{"token":"plain"}'));
    const [number] = pseudonyms(clean('{"token":"3600"}'));
    expect(after.request.data).toEqual({ ...data, ttl: number, secret: name, list: [name, '', hashed] });
    expect(after.request.path).toBe('p/plain');
  });

  test('data of a line whose client token is hashed: operators may have tuned it to be plain', () => {
    const line = lineWith({ path: shapes[0] as string, data: { tuned: 'plain' } });
    expect((JSON.parse(clean(line)) as { request: { data: unknown } }).request.data).toEqual({
      tuned: 'plain',
    });
  });

  test('what is redacted already is not redacted again', () => {
    for (const line of deviceLines('raw')) {
      const once = clean(line);
      expect(redactor.redact(Buffer.from(once)).scrub).toBeUndefined();
    }
  });
});

describe('hostile lines', () => {
  test('deep nesting neither overflows the stack nor keeps a token', () => {
    const token = shapes[0] as string;
    for (const depth of [limits.nestingMax - 2, limits.nestingMax + 2, 200_000]) {
      for (const [open, close] of [
        ['[', ']'],
        ['{"a":', '}'],
      ] as const) {
        const line = `{"request":{"path":"${token}","data":${open.repeat(depth)}"${token}"${close.repeat(depth)}}}`;
        const text = clean(line);
        expect(text).not.toContain(token.slice(0, 24));
        // What cannot be walked is not kept at all, or searched as bytes.
        expect(pseudonyms(text).length).toBeGreaterThan(0);
      }
    }
  });

  test('a raw line that is nested too deep to walk keeps no secret of its data', () => {
    const depth = limits.nestingMax + 2;
    const data = `{"password":"hunter2","x":${'['.repeat(depth)}1${']'.repeat(depth)}}`;
    expect(clean(`{"auth":{"client_token":"x"},"request":{"data":${data},"id":"1"}}`)).not.toContain(
      'hunter2',
    );
  });

  test('keys of the prototype stay keys', () => {
    const text = clean(`{"__proto__":{"x":1},"constructor":"a","request":{"path":"${shapes[0]}"}}`);
    expect(text).toMatch(/^\{"__proto__":\{"x":1\},"constructor":"a","request":\{"path":"sealwatch-hmac:/);
  });

  test('broken UTF-8 around a token', () => {
    const bytes = Buffer.concat([
      Buffer.from([0xff, 0xc3]),
      Buffer.from(shapes[0] as string),
      Buffer.from([0xe2, 0x28]),
    ]);
    expect(pseudonyms(redactor.redact(bytes).line.toString())).toHaveLength(1);
  });

  test('any JSON around any token: it is gone, and the rest is as it was', () => {
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom('TOKEN', 'see TOKEN', 'x', '', 7, null, true),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('a', 'TOKEN', 'path', 'type', 'data', 'b'), tie('value'), {
          maxKeys: 3,
        }),
      ),
    }));
    fc.assert(
      fc.property(value, fc.constantFrom(...shapes), (inner, token) => {
        const line = JSON.stringify({ auth: { client_token: hashed }, x: inner });
        const [name = ''] = pseudonyms(clean(token));
        expect(clean(line.replaceAll('TOKEN', token))).toBe(line.replaceAll('TOKEN', name));
      }),
      { numRuns: 500 },
    );
  });
});

test('the secrets of the capture are the ones that the tests look for', () => {
  const texts = ['furnish', 'scenes'].map((name) => readFileSync(`test/real/${name}.ts`, 'utf8')).join('\n');
  for (const secret of ['example-password', 'example-1', 'example-2', 'example-key-of-', "'wrong'"])
    expect(texts).toContain(secret);
});

test('of a line of megabytes the data is cut out, a token elsewhere is taken out, and the line stays JSON', () => {
  const token = `hvs.${'A'.repeat(40)}`;
  const keys = Array.from({ length: 40_000 }, (_, i) => `key-${i}`);
  const line = JSON.stringify({
    auth: { client_token: `hmac-sha256:${'a'.repeat(64)}` },
    request: { id: '1', path: `auth/token/lookup/${token}` },
    response: { data: { keys, [token]: `hmac-sha256:${'b'.repeat(64)}` } },
  });
  expect(line.length).toBeGreaterThan(limits.redactWalkBytesMax);
  const { line: after, scrub } = new Redactor(Buffer.alloc(32)).redact(Buffer.from(line));
  expect(scrub).toBe('token_in_plain');
  expect(after.toString()).not.toContain(token);
  const { response } = JSON.parse(after.toString()) as { response: { data: object } };
  expect(response.data).toEqual({ sealwatch_withheld: expect.stringMatching(/^\d+ bytes$/) });
});
