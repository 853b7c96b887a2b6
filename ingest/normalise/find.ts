// Finds what the pairing needs of a line without parsing it, where the collector saw it lie.

import { createHash } from 'node:crypto';
import { limits } from '../../core/limits.ts';
import type { LineHead, Spans } from '../../core/raw.ts';
import { utcTime } from '../../core/time.ts';
import type { Copy, Half } from './pairing.ts';

export interface Found {
  /** `event.id`: the request id, else of the line's own bytes. */
  id: string;
  requestId: string | undefined;
  half: Half;
  copy: Copy;
}

const RESPONSE = 'response';
const TIME_CHARS_MAX = 64;
const PLAIN_ID = /^[A-Za-z0-9._:-]+$/;

/** SHA-256 of a line as it stands in a log, with its newline: `grep TEXT audit.log | sha256sum` gives the same. */
export const lineHash = (line: Buffer): string =>
  createHash('sha256').update(line).update('\n').digest('hex');

/**
 * Looks into the line of the record at `offset`. Undefined when it is no audit entry. `keepsLine`: the bytes stay as they
 * are; else the copy gets its own.
 */
export function findCopy(
  line: Buffer,
  { spans, device, node, scrub }: LineHead,
  offset: number,
  keepsLine: boolean,
): Found | undefined {
  if (spans.timeEnd === 0 || spans.typeEnd === 0 || spans.timeEnd - spans.timeStart > TIME_CHARS_MAX)
    return undefined;
  const time = utcTime(line.toString('latin1', spans.timeStart, spans.timeEnd));
  if (time === undefined) return undefined;
  const requestId = requestIdOf(line, spans);
  const kept = keepsLine ? line : Buffer.from(line);
  const id = requestId ?? `line-${lineHash(kept)}`;
  return {
    id,
    requestId,
    half: halfOf(line, spans),
    copy: {
      device,
      node,
      scrub,
      late: false,
      line: kept,
      offset,
      start: spans.start,
      body: bodyOf(line, spans),
      time,
    },
  };
}

/** `{"time":"` and `","type":"`. */
const TIME_KEY_CHARS = 9;
const TYPE_KEY_CHARS = 10;

/** Time and type stand first or last, as the version has it (vault-audit.md 1, Key order). */
function bodyOf(line: Buffer, { start, timeStart, timeEnd, typeStart, typeEnd }: Spans): Copy['body'] {
  if (typeStart !== timeEnd + TYPE_KEY_CHARS) return nowhere;
  if (timeStart === start + TIME_KEY_CHARS) return { from: typeEnd + 1, to: line.length - 1 };
  return typeEnd === line.length - 2 ? { from: start, to: timeStart - TIME_KEY_CHARS } : nowhere;
}

const nowhere = { from: 0, to: 0 };

/** `response` and a plugin's own `kmip-response` are answers, all else is a request. */
function halfOf(line: Buffer, { typeStart, typeEnd }: Spans): Half {
  return line.toString('latin1', Math.max(typeStart, typeEnd - RESPONSE.length), typeEnd) === RESPONSE
    ? 'response'
    : 'request';
}

function requestIdOf(line: Buffer, { idStart, idEnd }: Spans): string | undefined {
  if (idEnd === 0 || idEnd - idStart > limits.requestIdCharsMax) return undefined;
  const id = line.toString('latin1', idStart, idEnd);
  return PLAIN_ID.test(id) ? id : undefined;
}
