// Files that logins read: each time anew, because somebody else rotates them.

import { readFileSync } from 'node:fs';
import { faultOf } from '../client.ts';

/** Longest of these: a token of a service account has 1 to 4 KiB. */
const CHARS_MAX = 65_536;

/** The one line of `path`; or `<what>_...`, why it is of no use. */
export function readSecretFile(path: string, what: string): { text: string } | { fault: string } {
  try {
    const text = readFileSync(path, 'utf8').trim();
    if (text === '') return { fault: `${what}_file_empty` };
    return text.length > CHARS_MAX || /\s/.test(text) ? { fault: `${what}_file_odd` } : { text };
  } catch (error) {
    return { fault: `${what}_file_${faultOf(error)}` };
  }
}
