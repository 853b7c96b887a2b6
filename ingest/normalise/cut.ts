// A line of tens of MB (vault-audit.md 7.8) without what makes it long: to parse all of it would take seconds and many times
// its bytes, and no event could hold it.

import {
  CLOSE,
  CLOSE_LIST,
  COLON,
  COMMA,
  OPEN,
  OPEN_LIST,
  QUOTE,
  skipSpace,
  stringEnd,
} from '../../core/json-bytes.ts';
import { limits } from '../../core/limits.ts';

export interface Cut {
  text: string;
  /** Paths of the members that were replaced. */
  parts: string[];
}

const objects = new Set(['auth', 'request', 'response']);

/**
 * The object that begins at `start` of `line`, with `{}` for a `data` and `null` for any other member of it, or of its auth,
 * request and response, that is longer than an event's data may be. Undefined when it is no object or still too long.
 */
export function cutLine(line: Buffer, start: number): Cut | undefined {
  const parts: string[] = [];
  const pieces: Buffer[] = [];
  let kept = start;
  const shorten = (path: string, from: number, to: number) => {
    if (to - from <= limits.eventDataBytesMax) return;
    pieces.push(line.subarray(kept, from), path.endsWith('.data') ? emptyObject : nothing);
    parts.push(path);
    kept = to;
  };
  const end = eachMember(line, start, (key, from) => {
    if (objects.has(key) && line[from] === OPEN)
      return eachMember(line, from, (inner, at) => {
        const to = valueEnd(line, at);
        shorten(`${key}.${inner}`, at, to);
        return to;
      });
    const to = valueEnd(line, from);
    shorten(key, from, to);
    return to;
  });
  if (end < 0) return undefined;
  const text = Buffer.concat([...pieces, line.subarray(kept)]);
  return text.length > limits.parseBytesMax ? undefined : { text: text.toString('utf8'), parts };
}

const emptyObject = Buffer.from('{}');
const nothing = Buffer.from('null');
const KEY_CHARS_MAX = 256;

/** Calls `visit` with each key and where its value begins; it returns where the value ends. The end of the object, or -1. */
function eachMember(line: Buffer, open: number, visit: (key: string, from: number) => number): number {
  if (line[open] !== OPEN) return -1;
  const skip = (from: number) => skipSpace(line, from, line.length);
  let at = skip(open + 1);
  while (line[at] === QUOTE) {
    const keyEnd = stringEnd(line, at + 1, line.length);
    const key = line.toString('utf8', at + 1, Math.min(keyEnd, at + KEY_CHARS_MAX));
    const colon = skip(keyEnd + 1);
    if (line[colon] !== COLON) return -1;
    const end = visit(key, skip(colon + 1));
    if (end < 0) return -1;
    at = skip(end);
    if (line[at] === COMMA) at = skip(at + 1);
  }
  return line[at] === CLOSE ? at + 1 : -1;
}

/** Where the value that begins at `at` ends. */
function valueEnd(line: Buffer, at: number): number {
  if (line[at] === QUOTE) return stringEnd(line, at + 1, line.length) + 1;
  let depth = 0;
  for (let i = at; i < line.length; i++) {
    const c = line[i];
    if (c === QUOTE) i = stringEnd(line, i + 1, line.length);
    else if (c === OPEN || c === OPEN_LIST) depth++;
    else if (c === CLOSE || c === CLOSE_LIST) {
      if (depth === 0) return i;
      if (--depth === 0) return i + 1;
    } else if (c === COMMA && depth === 0) return i;
  }
  return -1;
}
