// One audit entry: the JSON of a line, read tolerantly. A member of an unexpected type counts as absent.

import type { Json, JsonObject } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { RejectReason } from '../../core/records.ts';
import { utcTime } from '../../core/time.ts';

export interface Entry {
  /** Canonical time of the entry. */
  time: string;
  /** `request`, `response`, or a plugin's own such as `kmip-request` (vault-audit.md 1): an open set. */
  type: string;
  auth: JsonObject;
  request: JsonObject;
  response: JsonObject | undefined;
  error: string | undefined;
}

export type ParseResult = { ok: true; entry: Entry } | { ok: false; reason: RejectReason };

const reject = (reason: RejectReason): ParseResult => ({ ok: false, reason });
const none: JsonObject = {};

/** Parses the entry whose object begins at `start` of `line`; a prefix may stand before it. */
export function parseEntry(line: Buffer, start: number): ParseResult {
  if (start < 0) return reject(line[0] === 60 ? 'jsonx' : 'not_json');
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8', start));
  } catch {
    // A broken line is a normal input; the reject says so. `[` begins a list.
    return reject(line[0] === 60 ? 'jsonx' : line[0] === 91 ? 'not_object' : 'not_json');
  }
  if (!isObject(value)) return reject('not_object');
  const request = objectOf(value, 'request');
  if (request === undefined) return reject('no_request');
  const type = stringOf(value, 'type');
  if (type === undefined) return reject('bad_type');
  const time = utcTime(stringOf(value, 'time') ?? '');
  if (time === undefined) return reject('bad_time');
  const entry = {
    time,
    type,
    request,
    auth: objectOf(value, 'auth') ?? none,
    response: objectOf(value, 'response'),
    error: stringOf(value, 'error'),
  };
  return { ok: true, entry };
}

/** Whether a call's event needs the request's line as well: `answered` repeats it, but for a login's verdict and an error of the request alone. */
export const needsRequest = (answered: Entry, line: Buffer): boolean =>
  answered.auth['policy_results'] === undefined || (answered.error === undefined && line.includes(ERROR_KEY));

/** The end of `"error":`: a search for a letter that hashes do not hold is three times as fast. */
const ERROR_KEY = Buffer.from('rror":');

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
