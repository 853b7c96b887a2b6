// Walking JSON as bytes: what several stages need to find a member without parsing the line.

export const QUOTE = 34;
export const COMMA = 44;
export const COLON = 58;
export const OPEN_LIST = 91;
export const BACKSLASH = 92;
export const CLOSE_LIST = 93;
export const OPEN = 123;
export const CLOSE = 125;

/** Whether `text` stands in `bytes` from `at` on; nothing stands before the begin. */
export function standsAt(bytes: Buffer, at: number, text: Buffer): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

/** Index of the quote that closes the string whose first byte is at `i`; `to` when it does not close. */
export function stringEnd(bytes: Buffer, i: number, to: number): number {
  // Keys are short: a loop finds their end sooner than a native search begins.
  const short = Math.min(i + SHORT_BYTES, to);
  while (i < short) {
    const c = bytes[i];
    if (c === QUOTE) return i;
    i += c === BACKSLASH ? 2 : 1;
  }
  for (
    let quote = bytes.indexOf(QUOTE, i);
    quote >= 0 && quote < to;
    quote = bytes.indexOf(QUOTE, quote + 1)
  ) {
    if (!isEscaped(bytes, quote, i)) return quote;
  }
  return to;
}

const SHORT_BYTES = 16;

/** Whether the byte at `at` is escaped: an odd number of backslashes stands right before it, not before `from`. */
function isEscaped(bytes: Buffer, at: number, from: number): boolean {
  let count = 0;
  while (at - 1 - count >= from && bytes[at - 1 - count] === BACKSLASH) count++;
  return count % 2 === 1;
}

const isSpace = (c: number | undefined): boolean => c === 32 || c === 9 || c === 13 || c === 10;

/** The first place from `i` on, before `to`, that is no white space. */
export function skipSpace(bytes: Buffer, i: number, to: number): number {
  while (i < to && isSpace(bytes[i])) i++;
  return i;
}
