// What may hold a secret is suspect; what a Vault with its default device writes is not.

import { describe, expect, test } from 'vitest';
import { Suspicion } from '../../../ingest/collector/suspect.ts';
import { deviceLines, sampleLines } from './real-lines.ts';
import { hashed, lineWith, shapes, spots } from './secrets.ts';

function suspect(line: string, suspicion = new Suspicion()): boolean {
  const bytes = Buffer.from(line);
  return suspicion.of(bytes, 0, bytes.length);
}

describe('real lines', () => {
  const clean = [...deviceLines('default'), ...sampleLines()].filter((line) => !line.includes('lookup/hvs.'));

  test('of the default device are clean, one by one and in one chunk', () => {
    expect(clean.length).toBeGreaterThan(400);
    expect(clean.filter((line) => suspect(line))).toEqual([]);
    const suspicion = new Suspicion();
    const chunk = Buffer.from(clean.join('\n'));
    let from = 0;
    for (const line of clean) {
      const to = from + Buffer.byteLength(line);
      expect(suspicion.of(chunk, from, to)).toBe(false);
      from = to + 1;
    }
  });

  test('of a raw device are suspect when they show a token, or data in an open call', () => {
    const raw = deviceLines('raw').map((line) => ({ line, entry: JSON.parse(line) as Entry }));
    const revealing = raw.filter(({ entry }) => showsSecret(entry));
    expect(revealing.length).toBeGreaterThan(100);
    expect(revealing.filter(({ line }) => !suspect(line))).toEqual([]);
  });

  test('a suspect line is found among clean ones of its chunk, at every place', () => {
    const some = clean.slice(0, 12);
    const raw = `{"auth":{"client_token":"plain"},"request":{"id":"1"}}`;
    for (let place = 0; place <= some.length; place++) {
      const lines = [...some.slice(0, place), raw, ...some.slice(place)];
      const suspicion = new Suspicion();
      const chunk = Buffer.from(lines.join('\n'));
      let from = 0;
      const found = lines.map((line) => {
        const to = from + Buffer.byteLength(line);
        const answer = suspicion.of(chunk, from, to);
        from = to + 1;
        return answer;
      });
      expect(found).toEqual(lines.map((line) => line === raw));
    }
  });
});

interface Entry {
  auth?: { client_token?: string };
  request?: { client_token?: string; data?: Record<string, unknown> };
  response?: { data?: Record<string, unknown> };
}

const showsSecret = ({ auth, request, response }: Entry): boolean =>
  [auth?.client_token, request?.client_token].some((token) => token !== undefined) ||
  [request?.data, response?.data].some((data) =>
    Object.values(data ?? {}).some((value) => typeof value === 'string'),
  );

describe('a token shape', () => {
  test.each(spots.map((spot) => [spot.name, spot] as const))('is suspect %s', (_, spot) => {
    for (const token of shapes)
      for (const session of [true, false])
        expect([token, suspect(spot.put(token, session))]).toEqual([token, true]);
  });

  test('that is too short, or does not begin like one, is not', () => {
    for (const text of ['hvs.', 's.short', 'b.1234567890123456789', 'example.com', 'x.12345678901234567890'])
      expect([text, suspect(lineWith({ path: text }))]).toEqual([text, false]);
  });
});

describe('a client_token', () => {
  test('that is not a hash is suspect, whatever it looks like and however it is written', () => {
    for (const text of [
      '"client_token":"abc"',
      '"client_token" : "abc"',
      '"client_token":["abc"]',
      '"client_token":"sealed"',
    ])
      expect([text, suspect(`{"auth":{${text}},"request":{"id":"1"}}`)]).toEqual([text, true]);
  });

  test('that is a hash is clean, and the second one is looked at too', () => {
    const ok = `"client_token":"${hashed}"`;
    expect(suspect(`{"auth":{${ok}},"request":{${ok}}}`)).toBe(false);
    expect(suspect(`{"auth":{${ok}},"request":{"client_token":"abc"}}`)).toBe(true);
  });
});

test('plain data in a call without a token is suspect; hashed data is clean', () => {
  const call = (value: unknown) => JSON.stringify({ request: { id: '1', data: { password: value } } });
  for (const value of ['pass', { deep: ['pass'] }, [hashed, 'pass'], `\\${hashed}`, 5, [1]])
    expect([value, suspect(call(value))]).toEqual([value, true]);
  for (const value of [hashed, { deep: [hashed, hashed] }, true, null, {}])
    expect([value, suspect(call(value))]).toEqual([value, false]);
  expect(suspect(`{"response":{"data":{"a":"${hashed}"}},"request":{"data":{"a":"plain"}}}`)).toBe(true);
});

test('a letter that is written as an escape is suspect; what Go escapes is not', () => {
  for (const text of ['\\u0068vs', '\\u002e', '\\u0041', '\\u007A', '\\u005f'])
    expect([text, suspect(lineWith({}).replace('app', text))]).toEqual([text, true]);
  for (const text of ['\\u003c', '\\u003E', '\\u0026', '\\u0000', '\\u001b', '\\n', '\\u2028'])
    expect([text, suspect(lineWith({}).replace('app', text))]).toEqual([text, false]);
});

test('only the line counts, not what stands before and after it in its chunk', () => {
  const clean = lineWith({});
  const raw = `{"auth":{"client_token":"plain"},"path":"s.${'A'.repeat(24)}"}`;
  const chunk = Buffer.from(`${raw}\n${clean}\n${raw}`);
  const from = Buffer.byteLength(raw) + 1;
  expect(new Suspicion().of(chunk, from, from + Buffer.byteLength(clean))).toBe(false);
});

test('a buffer that is filled anew is searched anew', () => {
  const suspicion = new Suspicion();
  const buffer = Buffer.alloc(2000);
  const clean = '{"request":{"id":"1"}}';
  const suspects = [
    '{"auth":{"client_token":"plain"}}',
    '{"request":{"data":{"a":"plain"}}}',
    '{"a":"\\u0068"}',
  ];
  for (const text of [clean, ...suspects, clean, ...suspects, clean]) {
    for (const before of ['', 'x'.repeat(200)]) {
      buffer.fill(0);
      const to = buffer.write(before + text);
      expect([text, suspicion.of(buffer, 0, to)]).toEqual([text, text !== clean]);
    }
  }
});
