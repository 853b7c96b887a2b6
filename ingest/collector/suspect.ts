// Tells from a line's bytes whether it may hold something secret. A clean line costs one pass of `Spots`; only a suspect
// one is parsed and redacted (guarantee 4).

import {
  BACKSLASH,
  CLOSE,
  CLOSE_LIST,
  COLON,
  OPEN,
  OPEN_LIST,
  QUOTE,
  standsAt,
  stringEnd,
} from '../../core/json-bytes.ts';
import { Spots } from './spots.ts';

const PERCENT = 37;
const DOT = 46;
const LETTER_W = 119;
const HEX_CHARS = 64;

const hashValue = Buffer.from('"hmac-sha256:');
const clientToken = Buffer.from('client_token');
const token = Buffer.from('token');
const rawBody = Buffer.from('http_raw_body":');
const rawPath = Buffer.from('sys/raw/');
const authFirst = Buffer.from('{"auth":{"');

/** A service, batch or recovery token has at least this many characters behind its dot. */
const TOKEN_CHARS_MIN = 20;
/** A `prefix` is a word or two. */
const PREFIX_BYTES_MAX = 256;

export class Suspicion {
  private readonly spots = new Spots();

  /** Whether the line in `bytes[from, to)` must go through redaction. */
  of(bytes: Buffer, from: number, to: number): boolean {
    if (!isWhole(bytes, from, to) && bytes.subarray(from, to).includes(QUOTE)) return true;
    let isSession = false;
    for (let at = this.spots.find(bytes, from, to); at >= 0; at = this.spots.find(bytes, at + 1, to)) {
      const c = bytes[at];
      if (c === QUOTE) {
        if (!standsAt(bytes, at - token.length, token)) continue;
        if (isPlainToken(bytes, at, to)) return true;
        if (!isSession) isSession = isClientToken(bytes, at) && !isInData(bytes, from, at);
      } else if (c === DOT) {
        if (isToken(bytes, at, at + 1, from, to)) return true;
      } else if (c === LETTER_W) {
        if (showsRaw(bytes, at, to)) return true;
      } else if (c === PERCENT) {
        if (hidesByPercent(bytes, at)) return true;
      } else if (c !== BACKSLASH || hidesByEscape(bytes, at)) return true;
    }
    // Without a client token it is a login or another open call: there the data itself shows whether the device hashes.
    return !isSession && hasPlainData(bytes, from, to);
  }
}

/** The end of `"data":{`, and of `"supplemental_audit_data":{`, which Vault 2.0 and later hash like it. */
const dataKey = Buffer.from('ata":{');
const beforeData = [Buffer.from('"d'), Buffer.from('"supplemental_audit_d')];

/** Where the next object opens that Vault hashes, or -1. */
function nextData(bytes: Buffer, from: number, to: number): number {
  for (let at = bytes.indexOf(dataKey, from); at >= 0 && at < to; at = bytes.indexOf(dataKey, at + 1))
    for (const before of beforeData)
      if (standsAt(bytes, at - before.length, before)) return at + dataKey.length - 1;
  return -1;
}

/** Whether the member that ends at `at` may be a caller's own, inside a `data` object: those are no proof of anything. */
function isInData(bytes: Buffer, from: number, at: number): boolean {
  // In `auth` the token comes before everything that callers name.
  return !standsAt(bytes, from, authFirst) && nextData(bytes, from, at) >= 0;
}

function hasPlainData(bytes: Buffer, from: number, to: number): boolean {
  for (let open = nextData(bytes, from, to); open >= 0; ) {
    const end = endOfHashed(bytes, open, to);
    if (end < 0) return true;
    // On behind it: what is nested in it has been looked at, and looking again for each level is what an attacker asks for.
    open = nextData(bytes, end, to);
  }
  return false;
}

/** Whether the line may be one whole JSON object, with a `prefix` before it at most: nobody knows what a fragment of one holds. */
function isWhole(bytes: Buffer, from: number, to: number): boolean {
  if (bytes[to - 1] !== CLOSE) return false;
  const stop = Math.min(to, from + PREFIX_BYTES_MAX);
  for (let i = from; i < stop; i++) {
    if (bytes[i] === OPEN) return true;
    if (bytes[i] === QUOTE) return false;
  }
  return false;
}

/** Whether the text that ends in `token` before the quote at `at` names a member whose value is not a hash. */
function isPlainToken(bytes: Buffer, at: number, to: number): boolean {
  if (isHashAt(bytes, at + 2, to) && bytes[at + 1] === COLON) return false;
  let next = at + 1;
  while (isSpace(bytes[next])) next++;
  if (bytes[next] !== COLON) return false;
  if (isClientToken(bytes, at)) return true;
  next++;
  while (isSpace(bytes[next])) next++;
  const value = bytes[next];
  // A text, or the list of a header's texts.
  return (value === QUOTE || value === OPEN_LIST) && !isHashAt(bytes, value === QUOTE ? next : next + 1, to);
}

const isClientToken = (bytes: Buffer, at: number) => standsAt(bytes, at - clientToken.length, clientToken);

/** `"hmac-sha256:` and 64 characters up to the next quote. */
const isHashAt = (bytes: Buffer, at: number, to: number): boolean =>
  standsAt(bytes, at, hashValue) && bytes[at + hashValue.length + HEX_CHARS] === QUOTE && at < to;

/**
 * `hv?.`, `s.`, `b.` or `r.` and enough token characters behind it. `dot` is where the dot or what stands for it begins. The
 * short ones must begin a word; `TOKEN` in redact.ts says the same.
 */
function isToken(bytes: Buffer, dot: number, body: number, from: number, to: number): boolean {
  const letter = bytes[dot - 1];
  if (letter !== 115 && letter !== 98 && letter !== 114) return false;
  return (
    dot > from &&
    tokenChars(bytes, body, to) >= TOKEN_CHARS_MIN &&
    (isVault(bytes, dot) || beginsWord(bytes, dot - 1))
  );
}

const isVault = (bytes: Buffer, dot: number) => bytes[dot - 2] === 118 && bytes[dot - 3] === 104;

function beginsWord(bytes: Buffer, at: number): boolean {
  const before = bytes[at - 1] as number;
  if (!isLetterOrDigit(before)) return true;
  // The letter before may be the end of `\n`, of `%2F` or of `\u003c`.
  return (
    bytes[at - 2] === BACKSLASH ||
    bytes[at - 3] === PERCENT ||
    (bytes[at - 6] === BACKSLASH && bytes[at - 5] === 117)
  );
}

function tokenChars(bytes: Buffer, from: number, to: number): number {
  let i = from;
  while (i < to && i - from < TOKEN_CHARS_MIN && isTokenChar(bytes[i] as number)) i++;
  return i - from;
}

const isLetterOrDigit = (c: number) => (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= 48 && c <= 57);
const isTokenChar = (c: number) => isLetterOrDigit(c) || c === 95 || c === 45;
const isSpace = (c: number | undefined) => c === 32 || c === 9;

/** Letters written as `\u0068`: Go escapes only `< > &` and control characters, so somebody hides something. */
function hidesByEscape(bytes: Buffer, at: number): boolean {
  if (bytes[at + 1] !== 117 || bytes[at + 2] !== 48 || bytes[at + 3] !== 48) return false;
  const high = bytes[at + 4] as number;
  const low = (bytes[at + 5] as number) | 32;
  const goEscape = (high === 51 && (low === 99 || low === 101)) || (high === 50 && low === 54);
  return high >= 50 && !goEscape;
}

/** Letters, digits, `-`, `.`, `_` and the percent sign itself written as `%2E`: no client needs to. */
function hidesByPercent(bytes: Buffer, at: number): boolean {
  const code = Number.parseInt(bytes.toString('latin1', at + 1, at + 3), 16);
  return isTokenChar(code) || code === DOT || code === PERCENT;
}

/**
 * What some OpenBao versions left plain on devices that hash: raw bodies, and the values of sys/raw (vault-audit.md 2,
 * Leaks). `at` is the last letter of `raw`.
 */
function showsRaw(bytes: Buffer, at: number, to: number): boolean {
  if (bytes[at + 1] === 47) return standsAt(bytes, at - 6, rawPath);
  const value = at - 7 + rawBody.length;
  return standsAt(bytes, at - 7, rawBody) && bytes[value] === QUOTE && !isHashAt(bytes, value, to);
}

/** Where the object that begins at `open` ends; -1 when it holds a text that is not a hash, or a number. */
function endOfHashed(bytes: Buffer, open: number, to: number): number {
  let depth = 0;
  for (let i = open; i < to; i++) {
    const c = bytes[i] as number;
    if (c === OPEN || c === OPEN_LIST) depth++;
    else if (c === CLOSE || c === CLOSE_LIST) {
      if (--depth === 0) return i;
    } else if (c >= 48 && c <= 57) return -1;
    else if (c === QUOTE) {
      if (isHashAt(bytes, i, to) && bytes[i + hashValue.length + HEX_CHARS + 1] !== COLON) {
        i += hashValue.length + HEX_CHARS;
        continue;
      }
      const end = stringEnd(bytes, i + 1, to);
      if (bytes[end + 1] !== COLON) return -1;
      i = end;
    }
  }
  return to;
}
