// One audit entry: the JSON of a line, read tolerantly. A member of an unexpected type counts as absent.

import type { Json, JsonObject } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { LineFault } from '../../core/records.ts';
import { utcTime } from '../../core/time.ts';
import { cutLine } from './cut.ts';

export interface Entry {
  line: Buffer;
  /** Where the object begins in the line. */
  start: number;
  /** Paths of members that were too long to be parsed. */
  cut: readonly string[];
  /** The whole entry. */
  top: JsonObject;
  /** Canonical time of the entry. */
  time: string;
  /** `request`, `response`, or a plugin's own such as `kmip-request` (vault-audit.md 1): an open set. */
  type: string;
  auth: JsonObject;
  request: JsonObject;
  response: JsonObject | undefined;
  error: string | undefined;
}

export type ParseResult = { ok: true; entry: Entry } | { ok: false; reason: LineFault };

const reject = (reason: LineFault): ParseResult => ({ ok: false, reason });
const none: JsonObject = {};

/** Parses the entry whose object begins at `start` of `line`; a prefix may stand before it. */
export function parseEntry(line: Buffer, start: number): ParseResult {
  if (start < 0) return reject(line[0] === LESS_THAN ? 'jsonx' : 'not_json');
  if (line.length - start <= limits.parseBytesMax)
    return parse(line, start, line.toString('utf8', start), []);
  const cut = cutLine(line, start);
  return cut === undefined ? reject('line_too_long') : parse(line, start, cut.text, cut.parts);
}

function parse(line: Buffer, start: number, text: string, cut: readonly string[]): ParseResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A broken line is a normal input; the reject says so. `[` begins a list.
    return reject(line[0] === LESS_THAN ? 'jsonx' : line[0] === OPEN_LIST ? 'not_object' : 'not_json');
  }
  if (!isObject(value)) return reject('not_object');
  const request = objectOf(value, 'request');
  if (request === undefined) return reject('no_request');
  const type = stringOf(value, 'type');
  if (type === undefined) return reject('bad_type');
  const time = utcTime(stringOf(value, 'time') ?? '');
  if (time === undefined) return reject('bad_time');
  const entry = {
    line,
    start,
    cut,
    top: value,
    time,
    type,
    request,
    auth: objectOf(value, 'auth') ?? none,
    response: objectOf(value, 'response'),
    error: stringOf(value, 'error'),
  };
  return { ok: true, entry };
}

const LESS_THAN = 60;
const OPEN_LIST = 91;

/** A string, passed over, or a number. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;

/** The entry read anew, with each number that JavaScript cannot hold as the text that stands in the line. */
export function withExactNumbers(entry: Entry): Entry {
  const { line, start, cut } = entry;
  const text = cut.length > 0 ? cutLine(line, start)?.text : line.toString('utf8', start);
  const quoted = text?.replace(STRING_OR_NUMBER, (found) =>
    found.startsWith('"') || Math.abs(Number(found)) <= Number.MAX_SAFE_INTEGER ? found : `"${found}"`,
  );
  const result = parse(line, start, quoted ?? '', cut);
  return result.ok ? result.entry : entry;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function objectOf(from: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = from?.[key];
  return isObject(value) ? value : undefined;
}

/** A text that is not empty: at most `limits.textCharsMax` characters, without NUL, which stores cannot hold. */
export function stringOf(from: JsonObject | undefined, key: string): string | undefined {
  const value = from?.[key];
  if (typeof value !== 'string' || value === '') return undefined;
  return bounded(value);
}

function bounded(value: string): string {
  const text = value.length > limits.textCharsMax ? value.slice(0, limits.textCharsMax) : value;
  return text.includes('\0') ? text.replaceAll('\0', '\u{fffd}') : text;
}

export function integerOf(from: JsonObject | undefined, key: string): number | undefined {
  const value = from?.[key];
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}

/** A list of texts, at most `limits.listTextsMax`, each cut at `limits.textCharsMax`; undefined when absent or empty. */
export function stringsOf(from: JsonObject | undefined, key: string): string[] | undefined {
  const value: Json | undefined = from?.[key];
  if (!Array.isArray(value)) return undefined;
  const texts: string[] = [];
  for (const item of value) {
    if (typeof item !== 'string' || item === '' || texts.length >= limits.listTextsMax) continue;
    texts.push(bounded(item));
  }
  return texts.length === 0 ? undefined : texts;
}
