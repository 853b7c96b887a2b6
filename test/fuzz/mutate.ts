// Breaks lines of a real Vault as bytes: what a broken disk, a hostile sender or a version that nobody knows could send.

/** A broken copy of `line`, which `other` may lend bytes to; `random` gives numbers from 0 to 1. */
export type Mutation = (line: Buffer, random: () => number, other: Buffer) => Buffer;

const below = (random: () => number, n: number) => Math.floor(random() * n);
const one = <T>(random: () => number, list: readonly T[]): T => list[below(random, list.length)] as T;
const insert = (line: Buffer, at: number, what: Buffer | string) =>
  Buffer.concat([line.subarray(0, at), Buffer.from(what as string), line.subarray(at)]);

/** Values that a member may have instead of its own. */
const values = [
  'null',
  'true',
  '{}',
  '[]',
  '""',
  '0',
  '-1',
  '1e400',
  '-0.0',
  '9007199254740993',
  '9'.repeat(400),
  '"\\u0000"',
  '"\\ud800"',
  '"__proto__"',
  '"hmac-sha256:"',
  '[null,{},[[]]]',
  '{"__proto__":{"x":1},"constructor":1,"toString":2}',
  '"2026-02-30T25:61:61Z"',
  `"${'../'.repeat(2000)}"`,
] as const;
const times = [
  '9999-12-31T23:59:59.999999999Z',
  '0000-01-01T00:00:00Z',
  '1969-12-31T23:59:59Z',
  '2026-09-14T10:00:00.1234567890123Z',
  '2026-09-14T10:00:00+14:00',
  '2026-09-14t10:00:00z',
  '',
] as const;

/** Replaces the value of a member somewhere in the text. */
function withValue(line: Buffer, random: () => number, value: string): Buffer {
  const text = line.toString('latin1');
  const members = [...text.matchAll(/":("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null)/g)];
  const member = members[below(random, members.length)];
  if (member === undefined) return line;
  const from = member.index + 2;
  const to = from + (member[1] as string).length;
  return Buffer.concat([line.subarray(0, from), Buffer.from(value), line.subarray(to)]);
}

const deep = (random: () => number) => {
  const depth = one(random, [50, 99, 100, 101, 1000, 20_000]);
  return random() < 0.5
    ? '['.repeat(depth) + ']'.repeat(depth)
    : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
};

export const mutations: Record<string, Mutation> = {
  'flipped bits': (line, random) => {
    const copy = Buffer.from(line);
    for (let n = 1 + below(random, 8); n > 0; n--) {
      const at = below(random, copy.length);
      copy[at] = (copy[at] as number) ^ (1 << below(random, 8));
    }
    return copy;
  },
  'a cut': (line, random) => line.subarray(0, below(random, line.length)),
  'a hole': (line, random) => {
    const at = below(random, line.length);
    return Buffer.concat([line.subarray(0, at), line.subarray(at + below(random, 200))]);
  },
  'two lines in one': (line, random, other) =>
    Buffer.concat([
      line.subarray(0, below(random, line.length)),
      other.subarray(below(random, other.length)),
    ]),
  'a part twice': (line, random) => {
    const from = below(random, line.length);
    const part = line.subarray(from, from + below(random, 300));
    return insert(line, from, part);
  },
  'a key twice': (line, _, other) => {
    const text = other.toString('utf8');
    const member = /"(?:request|auth|response|type|time|error)":(?:"[^"]*"|\{[^{}]*\})/.exec(text)?.[0];
    return insert(line, Math.max(0, line.indexOf(123) + 1), `${member ?? '"type":"request"'},`);
  },
  'another value': (line, random) => withValue(line, random, one(random, values)),
  'another time': (line, random) =>
    Buffer.from(
      line.toString('latin1').replace(/"time":"[^"]*"/, `"time":"${one(random, times)}"`),
      'latin1',
    ),
  'another type': (line, random) =>
    Buffer.from(
      line
        .toString('latin1')
        .replace(
          /"type":"re[a-z]*"/,
          `"type":"${one(random, ['kmip-response', '', 'x'.repeat(300), 'request'])}"`,
        ),
      'latin1',
    ),
  'deep nesting': (line, random) => withValue(line, random, deep(random)),
  'a long text': (line, random) => withValue(line, random, `"${'x\\n'.repeat(below(random, 40_000))}"`),
  'bytes that are no UTF-8': (line, random) =>
    insert(
      line,
      below(random, line.length),
      Buffer.from(
        one(random, [[0xff, 0xfe], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x80], [0xf5, 0x80, 0x80, 0x80]]),
      ),
    ),
  'NUL bytes': (line, random) =>
    insert(line, below(random, line.length), Buffer.alloc(1 + below(random, 64))),
  'a mark before it': (line, random) =>
    insert(line, 0, one(random, ['\ufeff', 'prefix ', '{', '}', '[', '<134>1 ', '\r', '\\'])),
  'a carriage return': (line, random) =>
    insert(line, one(random, [line.length, below(random, line.length)]), '\r'),
  'a line end inside': (line, random) => insert(line, below(random, line.length), '\n'),
  'noise alone': (_, random) =>
    Buffer.from(Array.from({ length: below(random, 400) }, () => below(random, 256))),
};
const list = Object.values(mutations);

/** `line` with one to three mutations. */
export function mutated(line: Buffer, random: () => number, other: Buffer): Buffer {
  let bytes = line;
  for (let n = one(random, [1, 1, 1, 2, 3]); n > 0 && bytes.length > 0; n--)
    bytes = one(random, list)(bytes, random, other);
  return bytes;
}
