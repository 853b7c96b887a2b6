// Cuts the data out of lines of megabytes without parsing them: an event would not hold it anyway.

import { CLOSE, CLOSE_LIST, COLON, OPEN, OPEN_LIST, QUOTE, stringEnd } from '../../core/json-bytes.ts';

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
