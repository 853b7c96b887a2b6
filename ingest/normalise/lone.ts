// Halves that have no other half by design (vault-audit.md 6 and 7.3): they go out at once instead of waiting for one.

import type { Half } from './pairing.ts';

/** The end of `"path":"sys/`: a search for a letter that hashes do not hold is three times as fast. */
const SYS_PATH = Buffer.from('h":"sys/');
const LONE_REQUESTS = /"path":"sys\/(?:seal|step-down|audit\/test)"/;
const REFUSED_UNWRAP = '"error":"wrapping token is not valid';

/** `sys/seal` and `sys/step-down` write only a request; so do the probe of a new device and a refused unwrap. */
export function isLoneHalf(line: Buffer, half: Half): boolean {
  if (half !== 'request' || !line.includes(SYS_PATH)) return false;
  if (line.includes(REFUSED_UNWRAP)) return true;
  return line.length < LONE_LINE_BYTES && LONE_REQUESTS.test(line.toString('latin1'));
}

/** A seal or step-down carries no body: a long line is another call whose data only looks like one. */
const LONE_LINE_BYTES = 16 * 1024;
