// Finds what the pairing needs of a line without parsing it, where the collector saw it lie.

import { hash } from 'node:crypto';
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
const newline = Buffer.from('\n');

/** SHA-256 of a line as it stands in a log, with its newline: `grep TEXT audit.log | sha256sum` gives the same. */
export const lineHash = (line: Buffer): string => hash('sha256', Buffer.concat([line, newline]), 'hex');

/** Undefined when the line is no audit entry. `keepsLine`: the bytes stay as they are; else the copy gets its own. */
export function findCopy(
  line: Buffer,
  { spans, device, node, scrub }: LineHead,
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
    copy: { device, node, scrub, late: false, line: kept, start: spans.start, time },
  };
}

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
