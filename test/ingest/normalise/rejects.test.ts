// Bad input: each line gives an event or a reject that says why, and never an error (guarantee 7).

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../core/canonical.ts';
import type { AuditEvent } from '../../../core/event.ts';
import { limits } from '../../../core/limits.ts';
import { lineFaults } from '../../../core/records.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { Suspicion } from '../../../ingest/collector/suspect.ts';
import { callOf, type EntryLine, fixtureLines, type Line, made, theEvent, withRequest } from './lines.ts';

const redactor = new Redactor(Buffer.alloc(32));
const sha = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const time = '2026-09-01T00:00:00Z';

describe('a line that is no entry', () => {
  it.each<[what: string, line: Line, reason: string]>([
    ['text', 'no audit line at all', 'not_json'],
    ['half a line', fixtureLines('kv-v2')[0]?.slice(0, 500) ?? '', 'not_json'],
    ['a number', '42', 'not_json'],
    ['broken UTF-8', Buffer.from([0xff, 0xfe, 0x80]), 'not_json'],
    ['NUL bytes', Buffer.alloc(100), 'not_json'],
    ['jsonx', '<json:object name="auth"><json:string name="a">{</json:string></json:object>', 'jsonx'],
    ['jsonx without a brace', '<json:object></json:object>', 'jsonx'],
    ['no request', JSON.stringify({ time, type: 'request', auth: {} }), 'no_request'],
    ['a request that is text', JSON.stringify({ time, type: 'request', request: 'x' }), 'no_request'],
    ['a request that is a list', JSON.stringify({ time, type: 'request', request: [] }), 'no_request'],
    ['no type', JSON.stringify({ time, request: {} }), 'bad_type'],
    ['a type that is a number', JSON.stringify({ time, type: 1, request: {} }), 'bad_type'],
    ['no time', JSON.stringify({ type: 'request', request: {} }), 'bad_time'],
    ['a time that is a number', JSON.stringify({ time: 1, type: 'request', request: {} }), 'bad_time'],
    ['words for a time', JSON.stringify({ time: 'now', type: 'request', request: {} }), 'bad_time'],
    ['a time without a zone', `{"time":"2026-09-01T00:00:00","type":"request","request":{}}`, 'bad_time'],
    ['an empty object', '{}', 'no_request'],
  ])('%s: %#', (_, line, reason) => {
    const { events, rejects, counts } = made([line]);
    expect(events).toEqual([]);
    const bytes = Buffer.from(line as string);
    const kept = new Suspicion().of(bytes, 0, bytes.length) ? redactor.redact(bytes).line : bytes;
    const hash = sha(Buffer.concat([kept, Buffer.from('\n')]));
    const id = `reject-${hash.slice(0, 32)}`;
    expect(rejects).toEqual([{ bytes: bytes.length, device: 'file', hash, id, reason }]);
    expect(lineFaults).toContain(reason);
    expect(counts['file']).toMatchObject({ received: 1, rejected: 1, paired: 0, dropped: 0 });
  });

  it('does not hold up the lines around it', () => {
    const [request, response] = fixtureLines('kv-v1-read');
    const { events, rejects } = made([request ?? '', 'noise', '{"request":{}}', '', response ?? '']);
    expect(events.map(({ vault }) => vault.pair)).toEqual(['both']);
    expect(rejects.map(({ reason }) => reason)).toEqual(['not_json', 'bad_type']);
  });

  it('a bad half leaves the other as a half', () => {
    const [request, response] = fixtureLines('kv-v1-read');
    const { events, rejects } = made([request ?? '', (response ?? '').replace('"data":{', '"data":{{')]);
    expect(rejects).toHaveLength(1);
    expect(events.map(({ vault }) => vault.pair)).toEqual(['request_only']);
  });
});

describe('depth', () => {
  const deep = (depth: number) => {
    const call = callOf('kv-v1-read', 0);
    const line = (entry: EntryLine) =>
      JSON.stringify(entry).replace('"id":"', `"data":{"a":${nested(depth)}},"id":"`);
    return made(call.map(line));
  };

  it('well under the bound gives the event with its data', () => {
    const { events, rejects } = deep(limits.nestingMax - 10);
    expect(rejects).toEqual([]);
    expect(canonicalJson(events[0]?.vault.request.data)).toBe(`{"a":${nested(limits.nestingMax - 10)}}`);
  });

  it.each([limits.nestingMax + 10, 5000])(
    'of %i leaves the data out and names it: nobody hides a call by it',
    (depth) => {
      const { events, rejects } = deep(depth);
      expect(rejects).toEqual([]);
      expect(events.map(({ event, vault }) => [event.action, vault.truncated])).toEqual([
        ['secret-read', ['request.data']],
      ]);
      expect(events[0]?.vault.request.data).toBeUndefined();
    },
  );

  it('outside of what an event holds does no harm', () => {
    const call = callOf('kv-v1-read', 0);
    const lines = call.map((entry) => `{"other":${nested(5000)},${JSON.stringify(entry).slice(1)}`);
    expect(made(lines)).toMatchObject({ events: [{ user: { name: 'billing' } }], rejects: [] });
  });
});

describe('size', () => {
  const sized = (bytes: number) => ({ value: 'x'.repeat(bytes - '{"value":""}'.length) });

  it('data over the bound is left out and named, all else stays', () => {
    const [request, response] = callOf('kv-v1-read', 0);
    const big = {
      ...response,
      response: { ...response.response, data: sized(limits.eventDataBytesMax + 1) },
    };
    const event = theEvent([request, big as EntryLine]);
    expect(event.vault.truncated).toEqual(['response.data']);
    expect(event.vault.response).toBeUndefined();
    expect(event).toMatchObject({ user: { name: 'billing' }, event: { outcome: 'success' } });
  });

  it('both parts', () => {
    const [request, response] = withRequest(callOf('kv-v1-read', 0), {
      data: sized(limits.eventDataBytesMax + 1),
    });
    const big = {
      ...response,
      response: { data: sized(limits.eventDataBytesMax + 1) },
    } as unknown as EntryLine;
    const event = theEvent([request as EntryLine, big]);
    expect(event.vault.truncated).toEqual(['request.data', 'response.data']);
    expect(event.vault.request.data).toBeUndefined();
  });

  it('data up to the bound stays', () => {
    const data = sized(limits.eventDataBytesMax);
    const event = theEvent(withRequest(callOf('kv-v1-read', 0), { data }));
    expect(event.vault.truncated).toBeUndefined();
    expect(event.vault.request.data).toEqual(data);
  });

  it('a long error message is cut', () => {
    const call = callOf('denied', 0).map((entry) => ({ ...entry, error: 'permission denied '.repeat(1000) }));
    const event = theEvent(call);
    expect(event.error?.message).toHaveLength(limits.textCharsMax);
    expect(event.event.reason).toBe('policy_denied');
  });
});

describe('text', () => {
  it('NUL does not reach the fields that are searched', () => {
    const event = theEvent(
      withRequest(callOf('kv-v1-read', 0), {
        path: 'legacy/a\0b',
        remote_address: '10.0\0.0.1',
        remote_port: 1,
      }),
    );
    expect(event.vault.request.path).toBe('legacy/a\u{fffd}b');
    expect(event.vault.secret?.path).toBe('legacy/a\u{fffd}b');
    expect(event.source?.ip).toBe('10.0\u{fffd}.0.1');
  });

  it('any characters come through', () => {
    const path = 'legacy/ä/秘密/🔐/"\\/\u{2028}\u{7f}\u{e000}';
    const { events, texts } = made(withRequest(callOf('kv-v1-read', 0), { path }));
    expect(events[0]?.vault.secret?.path).toBe(path);
    expect(JSON.parse(texts[0] ?? '')).toMatchObject({ vault: { secret: { path } } });
  });

  it('carriage return and newline end a line alike', () => {
    const lines = fixtureLines('kv-v2');
    expect(made(lines.map((line) => `${line}\r`))).toEqual(made(lines));
  });
});

/** What a member may turn into. Names of object members are among the words: none of them is a plain value. */
const oddValue = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1.5,
    1e300,
    '',
    'x',
    [],
    {},
    ['x'],
    { a: 1 },
    [[]],
    'a'.repeat(5000),
  ),
  fc.constantFrom<unknown>('root', 'hmac-sha256:', '\0', '../..', 'auth/', 'sys/', '*', '$1', '\u{d800}'),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.array(fc.integer(), { maxLength: 3 }),
);

/** Every place in an entry, as a path of keys. */
function placesOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, member]) => placesOf(member, [...path, key]))];
}

function setAt(value: unknown, path: string[], to: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return to;
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  (copy as Record<string, unknown>)[key] = setAt((value as Record<string, unknown>)[key], rest, to);
  return copy;
}

const scenes = [
  'kv-v2',
  'login-approle',
  'wrapping',
  'token-life',
  'database-lease',
  'denied',
  'audit-device',
];
const realCall = fc.constantFrom(...scenes).map((scene): EntryLine[] => callOf(scene, 0));

/** What must hold of an event whatever the line was. */
function expectSound(event: AuditEvent, text: string): void {
  expect(text).toBe(canonicalJson(event));
  expect(event['@timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  expect(event.user.id).not.toBe('');
  expect(event.event.action).not.toBe('');
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(event)));
}

describe('wrong types', () => {
  it('anywhere in a call: an event or a reject, and the text is the event', () => {
    fc.assert(
      fc.property(
        realCall.chain((call) => {
          const places = placesOf(call[1]).filter((path) => path.length > 0);
          return fc.tuple(
            fc.constant(call),
            fc.array(fc.tuple(fc.constantFrom(...places), oddValue), { minLength: 1, maxLength: 4 }),
            fc.boolean(),
          );
        }),
        ([call, edits, both]) => {
          const edited = call.map((entry, i) => {
            if (i === 0 && !both) return entry;
            return edits.reduce<unknown>((at, [path, to]) => setWhereItIs(at, path, to), entry);
          });
          const { versions, texts, rejects, counts } = made(edited.map((entry) => JSON.stringify(entry)));
          expect(versions.length + rejects.length).toBeGreaterThan(0);
          for (const [i, event] of versions.entries()) expectSound(event, texts[i] ?? '');
          for (const { reason } of rejects) expect(lineFaults).toContain(reason);
          expect(counts['file']?.received).toBe(2);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('any JSON for a line', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const { versions, rejects } = made([text.replaceAll('\n', ' ')]);
        expect(versions.length + rejects.length).toBe(1);
      }),
      { numRuns: 200 },
    );
  });

  it('any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), (bytes) => {
        const line = Buffer.from(bytes.filter((byte) => byte !== 10 && byte !== 13));
        const { versions, rejects } = made([line]);
        expect(versions.length).toBe(0);
        expect(rejects.length).toBe(line.length === 0 ? 0 : 1);
      }),
    );
  });
});

/** An earlier edit may have taken the place away. */
function setWhereItIs(value: unknown, path: string[], to: unknown): unknown {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | null)?.[key], value);
  return typeof parent === 'object' && parent !== null ? setAt(value, path, to) : value;
}
