// What encoded text looks like: base64 and UTF-16 of the modifiers appendix, and the dashes of Windows.

import type { Pattern } from './text.ts';

const utf16le = (bytes: Buffer): Buffer => Buffer.from(bytes.toString('utf8'), 'utf16le');

const base64 = (bytes: Buffer): Buffer => Buffer.from(bytes.toString('base64'));

/** Each encoding as bytes to the byte texts that it may be. */
export const encodings: Record<string, (bytes: Buffer) => Buffer[]> = {
  base64: (bytes) => [base64(bytes)],
  base64offset: (bytes) => [0, 1, 2].map((offset) => base64At(bytes, offset)),
  utf16le: (bytes) => [utf16le(bytes)],
  wide: (bytes) => [utf16le(bytes)],
  utf16be: (bytes) => [utf16le(bytes).swap16()],
  utf16: (bytes) => [Buffer.concat([Buffer.from([0xff, 0xfe]), utf16le(bytes)])],
};

/** The part of the base64 of `bytes` that is the same whatever stands before and after, `offset` bytes into a group of three. */
function base64At(bytes: Buffer, offset: number): Buffer {
  const whole = Buffer.concat([Buffer.alloc(offset), bytes]);
  const from = [0, 2, 3][offset] as number;
  const cut = [0, 3, 2][whole.length % 3] as number;
  const text = whole.toString('base64');
  return Buffer.from(text.slice(from, text.length - cut));
}

/** The texts that `pattern` becomes by `names`, one after the other. Throws an Error for wildcards, what is no text, and nothing. */
export function encodedTexts(pattern: Pattern, names: readonly string[]): string[] {
  const [only] = pattern;
  if (only === undefined || pattern.length > 1 || only.any !== undefined)
    throw new Error(`wildcards cannot be encoded: put ${names.at(-1)} before |contains`);
  let found: Buffer[] = [Buffer.from(only.text)];
  for (const name of names) found = found.flatMap(encodings[name] ?? (() => []));
  // An empty text is in every text.
  if (found.some(({ length }) => length === 0))
    throw new Error(
      `${names.join(', ')} of so short a value would match everything: write two characters or more`,
    );
  return found.map((bytes) => textOf(bytes, names));
}

/** Bytes as the text of a log: a mark of byte order stands as U+FEFF. */
function textOf(bytes: Buffer, names: readonly string[]): string {
  const marked = bytes[0] === 0xff && bytes[1] === 0xfe;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      bytes.subarray(marked ? 2 : 0),
    );
    return marked ? `\ufeff${text}` : text;
  } catch {
    throw new Error(`${names.join(', ')} of this value is no text: put base64 or base64offset behind it`);
  }
}

const dashes = ['-', '/', '\u2013', '\u2014', '\u2015'];
const flagDash = /\B[-/\u2013-\u2015]\b/;

/** `text` with each dash or slash before a word as any of those that Windows takes for it, in all ways to mix them. */
export function windashes(text: string): string[] {
  let found = [''];
  let rest = text;
  for (let at = rest.search(flagDash); at >= 0; at = rest.search(flagDash)) {
    const head = rest.slice(0, at);
    found = found.flatMap((before) => dashes.map((dash) => before + head + dash));
    if (found.length > 5 ** 4) throw new Error('windash stands for too many values: at most four dashes');
    // What follows a dash is a letter, so that looking on behind it changes no word boundary.
    rest = rest.slice(at + 1);
  }
  return found.map((before) => before + rest);
}
