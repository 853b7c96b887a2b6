// Regular expressions in time that grows with the text alone: all ways through the expression are followed at once (Thompson's
// construction), so that there is nothing to go back to. For what V8's backtracking could run away on.

/** States of one expression, after `{n,m}` is written out. */
const statesMax = 500;
/** Times that parts are written out for `{n,m}`: one that matches nothing, `(((){400}){400}){400}`, makes no state. */
const copiesMax = 10_000;

type State =
  | { kind: 'char'; test: (code: number) => boolean; next: number }
  | { kind: 'split'; nexts: number[] }
  | { kind: 'assert'; holds: (text: string, at: number) => boolean; next: number }
  | { kind: 'match' };

/** What a part of the expression becomes when `next` follows it. */
type Part = (next: number) => number;

interface Reader {
  at: number;
  copies: number;
  flags: string;
  source: string;
  states: State[];
}

/** A test for `source`, which V8 has read without an error. Throws an Error for what the construction cannot say. */
export function linearTest(source: string, flags: string): (text: string) => boolean {
  const reader: Reader = { at: 0, copies: 0, flags, source, states: [{ kind: 'match' }] };
  const whole = readAlternatives(reader);
  if (reader.at < source.length) throw new Error('a ) closes nothing');
  const start = whole(0);
  const { states } = reader;
  return (text) => runs(states, start, text);
}

function add(reader: Reader, state: State): number {
  if (reader.states.length >= statesMax)
    throw new Error(`the expression is too large: over ${statesMax} steps when its {n,m} are written out`);
  return reader.states.push(state) - 1;
}

function readAlternatives(reader: Reader): Part {
  const parts = [readSequence(reader)];
  while (reader.source[reader.at] === '|') {
    reader.at++;
    parts.push(readSequence(reader));
  }
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return (next) => add(reader, { kind: 'split', nexts: parts.map((part) => part(next)) });
}

function readSequence(reader: Reader): Part {
  const parts: Part[] = [];
  while (reader.at < reader.source.length && !'|)'.includes(reader.source[reader.at] as string))
    parts.push(readQuantified(reader));
  return (next) => parts.reduceRight((after, part) => part(after), next);
}

const quantifier = /(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/y;

function readQuantified(reader: Reader): Part {
  const part = readAtom(reader);
  quantifier.lastIndex = reader.at;
  const found = quantifier.exec(reader.source);
  if (found === null) return part;
  reader.at += found[0].length;
  const [, sign, from = '0', comma, to = ''] = found;
  if (sign !== undefined) return repeated(reader, part, sign === '+' ? 1 : 0, sign === '?' ? 1 : undefined);
  return repeated(
    reader,
    part,
    Number(from),
    comma === '' ? Number(from) : to === '' ? undefined : Number(to),
  );
}

/** `part` from `least` to `most` times; without `most` as often as it likes. */
function repeated(reader: Reader, part: Part, least: number, most: number | undefined): Part {
  if (Math.max(least, most ?? 0) > statesMax) throw new Error('the expression is too large');
  return (next) => {
    let start = most === undefined ? loop(reader, part, next) : next;
    for (let i = least; i < (most ?? least); i++)
      start = add(reader, { kind: 'split', nexts: [copied(reader, part)(start), next] });
    for (let i = 0; i < least; i++) start = copied(reader, part)(start);
    return start;
  };
}

function copied(reader: Reader, part: Part): Part {
  if (++reader.copies > copiesMax) throw new Error('the expression is too large');
  return part;
}

function loop(reader: Reader, part: Part, next: number): number {
  const nexts = [next];
  const again = add(reader, { kind: 'split', nexts });
  nexts.push(part(again));
  return again;
}

function readAtom(reader: Reader): Part {
  const { flags, source } = reader;
  const char = source[reader.at] as string;
  if (char === '(') return readGroup(reader);
  const atom = atomAt(source, reader.at);
  reader.at += atom.length;
  const holds = assertionOf(atom, flags.includes('m'));
  if (holds !== undefined) return (next) => add(reader, { kind: 'assert', holds, next });
  const test = charTest(atom, flags);
  return (next) => add(reader, { kind: 'char', test, next });
}

function readGroup(reader: Reader): Part {
  reader.at += reader.source.startsWith('(?:', reader.at) ? 3 : 1;
  const part = readAlternatives(reader);
  if (reader.source[reader.at] !== ')') throw new Error('a ( is not closed');
  reader.at++;
  return part;
}

/** One character, class or escape. */
function atomAt(source: string, at: number): string {
  const found = /(?:\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|c[A-Za-z]|[\s\S])|\[(?:\\[\s\S]|[^\]\\])*\]|[\s\S])/y;
  found.lastIndex = at;
  return found.exec(source)?.[0] ?? '';
}

const wordAt = (text: string, at: number): boolean =>
  at >= 0 && at < text.length && /\w/.test(text[at] as string);

function assertionOf(atom: string, lines: boolean): ((text: string, at: number) => boolean) | undefined {
  const isEnd = (text: string, at: number) => /[\n\r\u2028\u2029]/.test(text[at] ?? '');
  if (atom === '^') return (text, at) => at === 0 || (lines && isEnd(text, at - 1));
  if (atom === '$') return (text, at) => at === text.length || (lines && isEnd(text, at));
  if (atom === '\\b') return (text, at) => wordAt(text, at - 1) !== wordAt(text, at);
  if (atom === '\\B') return (text, at) => wordAt(text, at - 1) === wordAt(text, at);
  return undefined;
}

/** V8 itself says what one character may be; its answers for ASCII are kept. */
function charTest(atom: string, flags: string): (code: number) => boolean {
  const regex = new RegExp(`^${atom}$`, flags.replace('m', ''));
  const ascii = Array.from({ length: 128 }, (_, code) => regex.test(String.fromCharCode(code)));
  return (code) => (code < 128 ? (ascii[code] as boolean) : regex.test(String.fromCharCode(code)));
}

function runs(states: State[], start: number, text: string): boolean {
  const seen = new Int32Array(states.length).fill(-1);
  let now: number[] = [];
  for (let at = 0; at <= text.length; at++) {
    const then: number[] = [];
    if (closes(states, [...now, start], text, at, seen, then)) return true;
    now = [];
    const code = text.charCodeAt(at);
    for (const id of then) {
      const state = states[id] as Extract<State, { kind: 'char' }>;
      if (at < text.length && state.test(code)) now.push(state.next);
    }
  }
  return false;
}

/** Puts the characters that may come at `at` into `found`; true when the expression has matched. */
function closes(
  states: State[],
  from: number[],
  text: string,
  at: number,
  seen: Int32Array,
  found: number[],
): boolean {
  const todo = from;
  for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
    if (seen[id] === at) continue;
    seen[id] = at;
    const state = states[id] as State;
    if (state.kind === 'match') return true;
    if (state.kind === 'char') found.push(id);
    else if (state.kind === 'split') for (const next of state.nexts) todo.push(next);
    else if (state.holds(text, at)) todo.push(state.next);
  }
  return false;
}
