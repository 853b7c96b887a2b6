// Tells from a line's bytes whether it may hold something secret. A clean line costs a few native searches; only a
// suspect one is parsed and redacted (guarantee 4).

import { Finder } from './finder.ts';

const QUOTE = 34;
const BACKSLASH = 92;
const hmacValue = Buffer.from(':"hmac-sha256:');
const hmacPrefix = Buffer.from('"hmac-sha256:');

/** A service, batch or recovery token of Vault 1.10 and later has at least this many characters behind its dot. */
const TOKEN_CHARS_MIN = 20;

export class Suspicion {
  private readonly dot = new Finder('.');
  private readonly clientToken = new Finder('client_token"', 6);
  private readonly escape = new Finder('\\u00');
  private readonly data = new Finder('"data":{', 3);

  /** Whether the line in `bytes[from, to)` must go through redaction. */
  of(bytes: Buffer, from: number, to: number): boolean {
    return (
      this.hasTokenShape(bytes, from, to) ||
      this.hasPlainClientToken(bytes, from, to) ||
      this.hasHiddenText(bytes, from, to)
    );
  }

  /** `hvs.` `hvb.` `hvr.` `s.` `b.` followed by enough token characters, anywhere. */
  private hasTokenShape(bytes: Buffer, from: number, to: number): boolean {
    for (let dot = this.dot.find(bytes, from, to); dot >= 0; dot = this.dot.find(bytes, dot + 1, to)) {
      const before = bytes[dot - 1];
      const letter =
        before === 115 ||
        before === 98 ||
        (before === 114 && bytes[dot - 2] === 118 && bytes[dot - 3] === 104);
      if (letter && dot > from && tokenChars(bytes, dot + 1, to) >= TOKEN_CHARS_MIN) return true;
    }
    return false;
  }

  /**
   * A `client_token` that is not hashed means a device with `log_raw=true`, whose `data` is plain as well. A line without
   * any client token is a login or another open call: there the `data` itself shows whether the device hashes.
   */
  private hasPlainClientToken(bytes: Buffer, from: number, to: number): boolean {
    let at = this.clientToken.find(bytes, from, to);
    if (at < 0) return this.hasPlainData(bytes, from, to);
    for (; at >= 0; at = this.clientToken.find(bytes, at + 1, to)) {
      if (!standsAt(bytes, at + this.clientToken.length, hmacValue)) return true;
    }
    return false;
  }

  /** Whether a `data` object of the line holds a string value that is not a hash. */
  private hasPlainData(bytes: Buffer, from: number, to: number): boolean {
    for (let at = this.data.find(bytes, from, to); at >= 0; at = this.data.find(bytes, at + 1, to)) {
      if (objectHasPlainValue(bytes, at + this.data.length - 1, to)) return true;
    }
    return false;
  }

  /** Letters written as `\u0068`: Go escapes only `< > &` and control characters, so somebody hides something. */
  private hasHiddenText(bytes: Buffer, from: number, to: number): boolean {
    for (let at = this.escape.find(bytes, from, to); at >= 0; at = this.escape.find(bytes, at + 1, to)) {
      const high = bytes[at + 4] as number;
      const low = (bytes[at + 5] as number) | 32;
      const goEscape = (high === 51 && (low === 99 || low === 101)) || (high === 50 && low === 54);
      if (high >= 50 && !goEscape) return true;
    }
    return false;
  }
}

function tokenChars(bytes: Buffer, from: number, to: number): number {
  let i = from;
  while (i < to && i - from < TOKEN_CHARS_MIN && isTokenChar(bytes[i] as number)) i++;
  return i - from;
}

const isTokenChar = (c: number) =>
  (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= 48 && c <= 57) || c === 95 || c === 45;

function objectHasPlainValue(bytes: Buffer, open: number, to: number): boolean {
  let depth = 0;
  for (let i = open; i < to; i++) {
    const c = bytes[i];
    if (c === 123 || c === 91) depth++;
    else if (c === 125 || c === 93) {
      if (--depth === 0) return false;
    } else if (c === QUOTE) {
      let end = i + 1;
      while (end < to && bytes[end] !== QUOTE) end += bytes[end] === BACKSLASH ? 2 : 1;
      if (bytes[end + 1] !== 58 && !standsAt(bytes, i, hmacPrefix)) return true;
      i = end;
    }
  }
  return false;
}

function standsAt(bytes: Buffer, at: number, text: Buffer): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}
