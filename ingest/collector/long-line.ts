// Redaction of lines of megabytes without parsing them: tokens are replaced in the bytes, or the data is cut out as a whole.

import { stringEnd } from './scan.ts';
import { Spots } from './spots.ts';

const QUOTE = 34;
const DOT = 46;
const COLON = 58;
const OPEN = 123;
const CLOSE = 125;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;

const spots = new Spots();

/** The line with `hide` done to each stretch that may hold a token; the same buffer when nothing changed. */
export function hideInBytes(line: Buffer, hide: (text: string) => string): Buffer {
  const parts: Buffer[] = [];
  let kept = 0;
  for (let at = spots.find(line, 0, line.length); at >= 0; at = spots.find(line, at + 1, line.length)) {
    if (line[at] !== DOT || at < kept) continue;
    const from = Math.max(kept, at - LOOK_BACK);
    const to = tokenEnd(line, at + 1);
    const text = line.toString('latin1', from, to);
    const clean = hide(text);
    if (clean === text) continue;
    parts.push(line.subarray(kept, from), Buffer.from(clean, 'latin1'));
    kept = to;
  }
  return kept === 0 ? line : Buffer.concat([...parts, line.subarray(kept)]);
}

/** Enough for `\u003chvs`. */
const LOOK_BACK = 12;

/** Behind the token whose text begins at `from`, its namespace with it. */
function tokenEnd(line: Buffer, from: number): number {
  let i = from;
  while (isTokenChar(line[i])) i++;
  if (line[i] === DOT)
    do i++;
    while (isTokenChar(line[i]));
  return i;
}

const isTokenChar = (c: number | undefined): boolean =>
  c !== undefined &&
  ((c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= 48 && c <= 57) || c === 95 || c === 45);

/** The line with each `data` of request and response replaced by its length; undefined when its braces do not match. */
export function cutData(line: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  let kept = 0;
  let depth = 0;
  let dataAt = 0;
  for (let i = line.indexOf(OPEN); i >= 0 && i < line.length; i++) {
    const c = line[i];
    if (c === QUOTE) {
      const end = stringEnd(line, i + 1, line.length);
      if (
        depth === 2 &&
        line[end + 1] === COLON &&
        (line[end + 2] === OPEN || line[end + 2] === OPEN_LIST) &&
        isDataKey(line, i, end)
      )
        dataAt = end + 2;
      i = end;
    } else if (c === OPEN || c === OPEN_LIST) depth++;
    else if ((c === CLOSE || c === CLOSE_LIST) && --depth === 2 && dataAt > 0) {
      const marker = `{"sealwatch_withheld":"${i + 1 - dataAt} bytes"}`;
      parts.push(line.subarray(kept, dataAt), Buffer.from(marker));
      kept = i + 1;
      dataAt = 0;
    }
  }
  return depth === 0 ? Buffer.concat([...parts, line.subarray(kept)]) : undefined;
}

function isDataKey(line: Buffer, quote: number, end: number): boolean {
  const name = end - quote < 32 ? line.toString('latin1', quote + 1, end) : '';
  return name === 'data' || name === 'supplemental_audit_data';
}
