// Halves that have no other half by design (vault-audit.md 6 and 7.3): they go out at once instead of waiting for one.

import { parseEntry, stringOf } from './entry.ts';
import type { Copy, Half } from './pairing.ts';
import { isProbe } from './place.ts';

/** The end of `"path":"sys/`: a search for a letter that hashes do not hold is three times as fast. */
const SYS_PATH = Buffer.from('h":"sys/');
const MAYBE = /"sys\/(?:seal|step-down|audit\/test)"|wrapping token is not valid/;
const lonePaths = new Set(['sys/seal', 'sys/step-down']);

/** `sys/seal` and `sys/step-down` write only a request; so do the probe of a new device and a refused unwrap. */
export function isLoneHalf({ line, start }: Copy, half: Half): boolean {
  if (half !== 'request' || line.length > LONE_LINE_BYTES || !line.includes(SYS_PATH)) return false;
  if (!MAYBE.test(line.toString('latin1'))) return false;
  // Metadata of a token may say the same words: only the entry's own path and error count.
  const parsed = parseEntry(line, start);
  if (!parsed.ok) return false;
  const { request, error } = parsed.entry;
  if (isProbe(request) || lonePaths.has(stringOf(request, 'path') ?? '')) return true;
  return error?.startsWith('wrapping token is not valid') === true;
}

/** None of these calls carries a body. */
const LONE_LINE_BYTES = 16 * 1024;
