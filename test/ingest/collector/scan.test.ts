// The scanner reads request id, time and type where a full parse finds them, whatever else the line holds.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineScanner } from '../../../ingest/collector/scan.ts';
import { everyLine } from './real-lines.ts';

interface Parts {
  id?: string | undefined;
  time?: string | undefined;
  type?: string | undefined;
}

function scanned(scanner: LineScanner, bytes: Buffer, from: number, to: number): Parts | undefined {
  if (!scanner.scan(bytes, from, to)) return undefined;
  const { idStart, idEnd, timeStart, timeEnd, typeStart, typeEnd } = scanner.found;
  const text = (start: number, end: number) => (end === 0 ? undefined : bytes.toString('utf8', start, end));
  return { id: text(idStart, idEnd), time: text(timeStart, timeEnd), type: text(typeStart, typeEnd) };
}

const scanText = (text: string, scanner = new LineScanner()) => {
  const bytes = Buffer.from(text);
  return scanned(scanner, bytes, 0, bytes.length);
};

const plain = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

function parsed(json: string): Parts {
  const entry = JSON.parse(json) as { request?: { id?: unknown } | null; time?: unknown; type?: unknown };
  return { id: plain(entry.request?.id), time: plain(entry.time), type: plain(entry.type) };
}

describe('real lines', () => {
  const lines = everyLine();

  test('give what JSON.parse gives, line by line', () => {
    expect(lines.length).toBeGreaterThan(700);
    expect(lines.filter((line) => parsed(line).id !== undefined).length).toBeGreaterThan(600);
    const scanner = new LineScanner();
    for (const line of lines) expect(scanText(line, scanner)).toEqual(parsed(line));
  });

  test('give the same in one chunk, and in a buffer that is filled anew', () => {
    const scanner = new LineScanner();
    const buffer = Buffer.alloc(256 * 1024);
    for (let i = 0; i < lines.length; i += 7) {
      const group = lines.slice(i, i + 1 + (i % 7));
      const length = buffer.write(group.map((line) => `${line}\n`).join(''));
      let from = 0;
      for (const line of group) {
        const to = buffer.indexOf(10, from);
        expect(scanned(scanner, buffer, from, to)).toEqual(parsed(line));
        from = to + 1;
      }
      expect(from).toBe(length);
    }
  });

  test('and the first byte of the object is found behind a prefix', () => {
    const scanner = new LineScanner();
    const line = lines[5] as string;
    expect(scanText(`vault-audit: ${line}`, scanner)).toEqual(parsed(line));
    expect(scanner.found.start).toBe(13);
  });
});

const key = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('request', 'id', 'time', 'type', 'data', 'auth') },
  fc.string({ maxLength: 4 }),
);
const words = fc.oneof(
  fc.constantFrom(
    '"id":"evil"',
    ',"time":"evil","type":"evil"}',
    '"request":{"id":"evil"}',
    '\\',
    '\\"',
    '{',
    '}',
  ),
  // Long strings that end in backslashes and quotes, odd and even.
  fc.tuple(fc.nat(40), fc.stringMatching(/^[\\"]{0,6}$/)).map(([length, end]) => 'x'.repeat(length) + end),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const { value: hostile } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    words,
    fc.constantFrom(null, 1, true, ''),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
}));
/** A string without escapes, as ids, times and types are. */
const simple = fc.stringMatching(/^[a-zA-Z0-9:.+-]{1,40}$/);
const shuffled = <T>(list: T[]) => fc.shuffledSubarray(list, { minLength: list.length });
const members = (known: Record<string, fc.Arbitrary<unknown>>) =>
  fc
    .tuple(
      fc.record(known, { requiredKeys: [] }),
      fc.dictionary(fc.constantFrom('auth', 'data', 'response', 'error', 'x'), hostile, { maxKeys: 3 }),
    )
    .chain(([own, other]) => shuffled(Object.entries({ ...other, ...own })))
    .map((entries) => Object.fromEntries(entries));
const request = fc.oneof({ weight: 5, arbitrary: members({ id: simple }) }, hostile);
const entry = members({ request, time: simple, type: simple });

/** JSON with white space at random places between tokens. */
function spaced(value: unknown, spaces: () => string): string {
  if (Array.isArray(value))
    return `[${value.map((item) => spaces() + spaced(item, spaces) + spaces()).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, member]) =>
      `${spaces()}${JSON.stringify(name)}${spaces()}:${spaces()}${spaced(member, spaces)}${spaces()}`,
  );
  return `{${members.join(',')}}`;
}

/** Whether the parts are strings that stand in the text as they are; the scanner takes no others for granted. */
const isPlain = (parts: Parts) =>
  Object.values(parts).every((part) => part === undefined || !/["\\\p{C}]/u.test(part));

/** A line without a request of its own that carries one in a caller's data is a case of its own, below. */
const hasRequest = (value: Record<string, unknown>) =>
  typeof value['request'] === 'object' && value['request'] !== null && !Array.isArray(value['request']);

const prefix = fc.stringMatching(/^[a-z :-]{0,8}$/);

describe('any object', () => {
  test('in the compact form that Vault writes: top members and request.id only', () => {
    fc.assert(
      fc.property(entry.filter(hasRequest), prefix, (value, before) => {
        const text = JSON.stringify(value);
        fc.pre(isPlain(parsed(text)));
        expect(scanText(before + text)).toEqual(parsed(text));
      }),
      { numRuns: 3000 },
    );
  });

  test('with white space between its tokens', () => {
    fc.assert(
      fc.property(
        entry.filter(hasRequest),
        fc.infiniteStream(fc.constantFrom('', '', ' ', '\t ', '\r')),
        (value, gaps) => {
          const text = spaced(value, () => gaps.next().value as string);
          fc.pre(isPlain(parsed(text)));
          expect(scanText(text)).toEqual(parsed(text));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('as several lines of one chunk, and of a chunk that is filled anew', () => {
    const scanner = new LineScanner();
    const buffer = Buffer.alloc(64 * 1024);
    fc.assert(
      fc.property(fc.array(entry.filter(hasRequest), { minLength: 1, maxLength: 4 }), (values) => {
        const texts = values.map((value) => JSON.stringify(value)).filter((text) => isPlain(parsed(text)));
        buffer.write(texts.map((text) => `${text}\n`).join(''));
        let from = 0;
        for (const text of texts) {
          const to = from + Buffer.byteLength(text);
          expect(scanned(scanner, buffer, from, to)).toEqual(parsed(text));
          from = to + 1;
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('without a request of its own has no id, though its data looks like one', () => {
    const data = { request: { id: 'evil' } };
    for (const value of [
      { response: { data }, time: '2026-09-07T00:00:00Z', type: 'response' },
      { request: null, response: { data }, time: '2026-09-07T00:00:00Z', type: 'response' },
      { time: '2026-09-07T00:00:00Z', type: 'response', response: { data } },
    ])
      expect(scanText(JSON.stringify(value))?.id).toBeUndefined();
  });
});

test('what is no object, or none that ends, gives no id and does not throw', () => {
  for (const text of ['', 'x', '[1]', '"request"']) expect(scanText(text)).toBeUndefined();
  for (const text of [
    '{',
    '{"request":{"id":',
    '{"request":{"id":"a',
    '{"time":"',
    '{"request":{"id":"a\\',
    '}{',
  ])
    expect(scanText(text)?.id).toBeUndefined();
});

test('any bytes: nothing outside the line is ever named', () => {
  const scanner = new LineScanner();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(20), fc.boolean(), (random, from, asJson) => {
      const around = Buffer.from(`{"request":{"id":"${'z'.repeat(30)}"},"time":"t","type":"t"}`);
      const inner = asJson
        ? Buffer.concat([Buffer.from('{"request":{"id":"a'), random])
        : Buffer.from(random);
      const bytes = Buffer.concat([around.subarray(0, from), inner, around]);
      const to = from + inner.length;
      if (!scanner.scan(bytes, from, to)) return;
      const { found } = scanner;
      for (const [start, end] of [
        [found.idStart, found.idEnd],
        [found.timeStart, found.timeEnd],
        [found.typeStart, found.typeEnd],
      ] as const) {
        if (end === 0) continue;
        expect(start).toBeGreaterThan(from);
        expect(end).toBeLessThan(to);
        expect(end).toBeGreaterThan(start);
      }
    }),
    { numRuns: 2000 },
  );
});
