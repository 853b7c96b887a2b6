// Reads request id, type and time out of a line's bytes without parsing it: the partition key, the watermark and the
// pairing need no more, and a full parse costs five times as much.
//
// Only members of the line's own object and of its `request` object count. A key of the same name deeper down is a
// caller's data, and an attacker writes that.

import {
  BACKSLASH,
  CLOSE,
  CLOSE_LIST,
  COLON,
  COMMA,
  OPEN,
  OPEN_LIST,
  QUOTE,
  skipSpace,
  standsAt,
  stringEnd,
} from '../../core/json-bytes.ts';
import { noSpans, type Spans } from '../../core/raw.ts';
import { Finder } from './finder.ts';

const requestKey = '"request":{';
const timeFirst = Buffer.from('{"time":"');
const timeKey = Buffer.from(',"time":"');
const typeKey = Buffer.from('","type":"');

export class LineScanner {
  /** What the last scan found, in positions of the scanned buffer. Used again for the next line. */
  readonly found = noSpans();
  private readonly open = new Finder('{');
  private readonly request = new Finder(requestKey, 3);

  /** Looks into the line in `bytes[from, to)`. False when it holds no object. */
  scan(bytes: Buffer, from: number, to: number): boolean {
    const { found } = this;
    found.start = found.idEnd = found.timeEnd = found.typeEnd = 0;
    const start = bytes[from] === OPEN ? from : this.open.find(bytes, from, to);
    if (start < 0) return false;
    found.start = start;
    if (bytes[to - 1] === CLOSE && (tailTime(bytes, start, to, found) || headTime(bytes, start, to, found))) {
      const request = this.request.find(bytes, start, to);
      // Two places that look like the request object: let the careful walk decide.
      if (request > 0 && isTopLevel(bytes, start, request) && this.request.find(bytes, request + 1, to) < 0) {
        findId(bytes, request + requestKey.length - 1, to, found);
        if (found.idEnd > 0) return true;
      }
    }
    found.idEnd = found.timeEnd = found.typeEnd = 0;
    walkTop(bytes, start, to, found);
    return true;
  }
}

/**
 * Whether a key at `at` seems to be the line's own: as many objects closed before it as opened, but for the line itself.
 * Braces inside strings count too, so this may send a line to the careful walk, never the other way for what Vault writes.
 */
function isTopLevel(bytes: Buffer, start: number, at: number): boolean {
  let depth = 0;
  for (let i = start; i >= 0 && i < at; i = bytes.indexOf(OPEN, i + 1)) depth++;
  for (let i = bytes.indexOf(CLOSE, start); i >= 0 && i < at; i = bytes.indexOf(CLOSE, i + 1)) depth--;
  return depth === 1;
}

/** Vault 1.17 to 1.21: keys in order, so the line ends in `,"time":"T","type":"request"}`, which is the top object's end. */
function tailTime(bytes: Buffer, start: number, to: number, scan: Spans): boolean {
  if (bytes[to - 2] !== QUOTE) return false;
  const typeEnd = to - 2;
  const typeStart = backToQuote(bytes, typeEnd, start);
  const timeEnd = typeStart - typeKey.length;
  if (timeEnd <= start || !standsAt(bytes, timeEnd, typeKey)) return false;
  const timeStart = backToQuote(bytes, timeEnd, start);
  if (timeStart - timeKey.length < start || !standsAt(bytes, timeStart - timeKey.length, timeKey))
    return false;
  setTimeAndType(scan, timeStart, timeEnd, typeStart, typeEnd);
  return true;
}

/** Other versions and OpenBao: the line begins with `{"time":"T","type":"request"`. */
function headTime(bytes: Buffer, start: number, to: number, scan: Spans): boolean {
  if (!standsAt(bytes, start, timeFirst)) return false;
  const timeStart = start + timeFirst.length;
  const timeEnd = bytes.indexOf(QUOTE, timeStart);
  if (timeEnd < 0 || timeEnd >= to || !standsAt(bytes, timeEnd, typeKey)) return false;
  const typeStart = timeEnd + typeKey.length;
  const typeEnd = bytes.indexOf(QUOTE, typeStart);
  if (typeEnd < 0 || typeEnd >= to) return false;
  setTimeAndType(scan, timeStart, timeEnd, typeStart, typeEnd);
  return true;
}

function setTimeAndType(
  scan: Spans,
  timeStart: number,
  timeEnd: number,
  typeStart: number,
  typeEnd: number,
): void {
  scan.timeStart = timeStart;
  scan.timeEnd = timeEnd;
  scan.typeStart = typeStart;
  scan.typeEnd = typeEnd;
}

/** First byte of the plain string that ends at `end`; times and types are short and hold no escapes. */
function backToQuote(bytes: Buffer, end: number, start: number): number {
  const stop = Math.max(start, end - 64);
  for (let i = end - 1; i > stop; i--) {
    if (bytes[i] === QUOTE) return i + 1;
    if (bytes[i] === BACKSLASH) return 0;
  }
  return 0;
}

/** The string member `id` of the object that opens at `at`. */
function findId(bytes: Buffer, at: number, to: number, scan: Spans): void {
  let depth = 0;
  for (let i = at; i < to; i++) {
    const c = bytes[i];
    if (c === QUOTE) {
      const end = stringEnd(bytes, i + 1, to);
      if (
        depth === 1 &&
        end - i === 3 &&
        bytes[i + 1] === 105 &&
        bytes[i + 2] === 100 &&
        bytes[end + 1] === COLON
      ) {
        takeString(bytes, skipSpace(bytes, end + 2, to), to, scan, 'id');
        return;
      }
      i = end;
    } else if (c === OPEN || c === OPEN_LIST) depth++;
    else if (c === CLOSE || c === CLOSE_LIST) {
      if (--depth === 0) return;
    }
  }
}

function takeString(bytes: Buffer, at: number, to: number, scan: Spans, name: 'id' | 'time' | 'type'): void {
  if (bytes[at] !== QUOTE) return;
  const end = stringEnd(bytes, at + 1, to);
  if (end >= to || end === at + 1) return;
  scan[`${name}Start`] = at + 1;
  scan[`${name}End`] = end;
}

/** The careful walk over the whole line, for every layout that the quick looks do not know. */
function walkTop(bytes: Buffer, start: number, to: number, scan: Spans): void {
  let depth = 0;
  let keyNext = false;
  let inRequest = false;
  for (let i = start; i < to; i++) {
    const c = bytes[i];
    if (c === QUOTE) {
      const end = stringEnd(bytes, i + 1, to);
      const value = keyNext ? skipSpace(bytes, end + 1, to) + 1 : 0;
      const isKey = keyNext && bytes[value - 1] === COLON;
      if (isKey && depth === 1) {
        const key = bytes.toString('latin1', i + 1, end);
        inRequest = key === 'request';
        if (key === 'time' || key === 'type') takeString(bytes, skipSpace(bytes, value, to), to, scan, key);
      } else if (
        isKey &&
        depth === 2 &&
        inRequest &&
        end - i === 3 &&
        bytes[i + 1] === 105 &&
        bytes[i + 2] === 100
      ) {
        takeString(bytes, skipSpace(bytes, value, to), to, scan, 'id');
      }
      keyNext = false;
      i = isKey ? value - 1 : end;
    } else if (c === OPEN) {
      depth++;
      keyNext = true;
    } else if (c === OPEN_LIST) depth++;
    else if (c === CLOSE || c === CLOSE_LIST) depth--;
    else if (c === COMMA) keyNext = true;
  }
}
