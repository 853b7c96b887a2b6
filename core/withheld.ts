// A line that may hold something secret and cannot be walked is not kept. What stands in its place on the spool still says
// what was wrong with it and how long it was, so that its reject can.

import { type LineFault, lineFaults } from './records.ts';

const SHAPE = /^sealwatch withheld a line: ([a-z_]+), (\d{1,12}) bytes, sealwatch-hmac:[0-9a-f]{64}$/;
const BEGIN = Buffer.from('sealwatch withheld a line: ');
const BYTES_MAX = 200;

/** `pseudonym` tells the same line from others. */
export const withheldLine = (reason: LineFault, bytes: number, pseudonym: string): Buffer =>
  Buffer.from(`${BEGIN}${reason}, ${bytes} bytes, ${pseudonym}`);

/** What a withheld line was; undefined for any other line. Whoever writes such a line himself has said something of nothing. */
export function withheldOf(line: Buffer): { reason: LineFault; bytes: number } | undefined {
  if (line.length > BYTES_MAX || !line.subarray(0, BEGIN.length).equals(BEGIN)) return undefined;
  const [, word, bytes] = SHAPE.exec(line.toString('latin1')) ?? [];
  const reason = lineFaults.find((known) => known === word);
  return reason === undefined ? undefined : { reason, bytes: Number(bytes) };
}
