// Tells from a line's bytes whether it may hold something secret. A clean line costs a few native searches; only a
// suspect one is parsed and redacted (guarantee 4).

const DOT = 46;
const QUOTE = 34;
const BACKSLASH = 92;
const clientToken = Buffer.from('client_token"');
const hmacValue = Buffer.from(':"hmac-sha256:');
const unicodeEscape = Buffer.from('\\u00');
const dataKey = Buffer.from('"data":{');
const hmacPrefix = Buffer.from('"hmac-sha256:');

/** A service, batch or recovery token of Vault 1.10 and later has at least this many characters behind its dot. */
const TOKEN_CHARS_MIN = 20;

/** Whether the line in `bytes[from, to)` must go through redaction. */
export function isSuspect(bytes: Buffer, from: number, to: number): boolean {
  return (
    hasTokenShape(bytes, from, to) || hasPlainClientToken(bytes, from, to) || hasHiddenText(bytes, from, to)
  );
}

/** `hvs.` `hvb.` `hvr.` `s.` `b.` followed by enough token characters, anywhere. */
function hasTokenShape(bytes: Buffer, from: number, to: number): boolean {
  for (let dot = bytes.indexOf(DOT, from); dot >= 0 && dot < to; dot = bytes.indexOf(DOT, dot + 1)) {
    const before = bytes[dot - 1];
    const letter =
      before === 115 || before === 98 || (before === 114 && bytes[dot - 2] === 118 && bytes[dot - 3] === 104);
    if (letter && dot > from && tokenChars(bytes, dot + 1, to) >= TOKEN_CHARS_MIN) return true;
  }
  return false;
}

function tokenChars(bytes: Buffer, from: number, to: number): number {
  let i = from;
  while (i < to && i - from < TOKEN_CHARS_MIN && isTokenChar(bytes[i] as number)) i++;
  return i - from;
}

const isTokenChar = (c: number) =>
  (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= 48 && c <= 57) || c === 95 || c === 45;

/**
 * A `client_token` that is not hashed means a device with `log_raw=true`, whose `data` is plain as well. A line without any
 * client token is a login or another open call: there the `data` itself shows whether the device hashes.
 */
function hasPlainClientToken(bytes: Buffer, from: number, to: number): boolean {
  let seen = false;
  for (
    let at = bytes.indexOf(clientToken, from);
    at >= 0 && at < to;
    at = bytes.indexOf(clientToken, at + 1)
  ) {
    seen = true;
    const value = at + clientToken.length;
    for (let i = 0; i < hmacValue.length; i++) if (bytes[value + i] !== hmacValue[i]) return true;
  }
  return !seen && hasPlainData(bytes, from, to);
}

/** Whether a `data` object of the line holds a string value that is not a hash. */
function hasPlainData(bytes: Buffer, from: number, to: number): boolean {
  for (let at = bytes.indexOf(dataKey, from); at >= 0 && at < to; at = bytes.indexOf(dataKey, at + 1)) {
    if (objectHasPlainValue(bytes, at + dataKey.length - 1, to)) return true;
  }
  return false;
}

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
      if (bytes[end + 1] !== 58 && !startsWithHmac(bytes, i)) return true;
      i = end;
    }
  }
  return false;
}

const startsWithHmac = (bytes: Buffer, at: number): boolean => {
  for (let i = 0; i < hmacPrefix.length; i++) if (bytes[at + i] !== hmacPrefix[i]) return false;
  return true;
};

/** Letters written as `\u0068`: Go escapes only `< > &` and control characters, so somebody hides something. */
function hasHiddenText(bytes: Buffer, from: number, to: number): boolean {
  for (
    let at = bytes.indexOf(unicodeEscape, from);
    at >= 0 && at < to;
    at = bytes.indexOf(unicodeEscape, at + 1)
  ) {
    const high = bytes[at + 4] as number;
    const low = (bytes[at + 5] as number) | 32;
    const goEscape = (high === 51 && (low === 99 || low === 101)) || (high === 50 && low === 54);
    if (high >= 50 && !goEscape) return true;
  }
  return false;
}
