// Whether the answer's line says all that the request's line says: then that one need not be parsed, which is half the work.

import type { Entry } from './entry.ts';
import type { Copy } from './pairing.ts';

/**
 * Nearly every answer repeats its request byte for byte, with `mount_accessor` put in when the router has set it
 * (vault-audit.md 1). A login does not: its `auth` is the token that was given out, and only the request has the verdict.
 */
export function repeats(request: Copy, answer: Copy, answered: Entry): boolean {
  if (answered.auth['policy_results'] === undefined) return false;
  const from = request.body.from;
  const bytes = request.body.to - from;
  if (bytes <= 0 || answer.body.to === 0) return false;
  if (same(request, from, answer, answer.body.from, bytes)) return true;
  const added = answer.line.indexOf(ACCESSOR, answer.body.from);
  const before = added - answer.body.from;
  if (added < 0 || before > bytes) return false;
  const after = answer.line.indexOf(CLOSING, added + ACCESSOR.length) + CLOSING.length;
  return (
    after > added &&
    same(request, from, answer, answer.body.from, before) &&
    same(request, from + before, answer, after, bytes - before)
  );
}

const ACCESSOR = Buffer.from('"mount_accessor":"');
const CLOSING = Buffer.from('",');

function same(a: Copy, fromA: number, b: Copy, fromB: number, bytes: number): boolean {
  if (fromB + bytes > b.line.length) return false;
  return a.line.compare(b.line, fromB, fromB + bytes, fromA, fromA + bytes) === 0;
}
