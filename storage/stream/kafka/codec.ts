// A record as a message of Kafka, so that others can read our topics: the payload is the value; kind, cause and the head of a
// line are headers `k`, `c` and `h` (decision 0035).

import type { Cause, NewRecord, StreamRecord } from '../../../core/ports.ts';
import { type Kind, kinds } from '../../../core/records.ts';
import type { Message } from './link.ts';

const kindBytes = new Map(Object.keys(kinds).map((kind) => [kind, Buffer.from(kind)]));
const isKind = (text: string): text is Kind => kindBytes.has(text);
const empty = Buffer.alloc(0);

/** Copies the line: its buffer is used again. */
export function encodeMessage({ kind, cause, head, bytes, value, text }: NewRecord): Message {
  const headers: Record<string, Buffer> = { k: kindBytes.get(kind) as Buffer };
  if (cause !== undefined) headers['c'] = Buffer.from(encodeCause(cause), 'latin1');
  if (head !== undefined) headers['h'] = Buffer.from(head);
  const payload = bytes === undefined ? Buffer.from(text ?? JSON.stringify(value)) : Buffer.from(bytes);
  return { key: null, value: payload, headers };
}

/** About what a message takes in memory and in a batch. */
export const messageBytes = ({ value, headers }: Message): number =>
  (value?.length ?? 0) + (headers['h']?.length ?? 0) + 40;

/** Undefined: no record of ours. */
export function decodeMessage({
  offset,
  value,
  headers,
}: Message & { offset: number }): StreamRecord | undefined {
  const kind = headers['k']?.toString('latin1') ?? '';
  if (value === null || !isKind(kind)) return undefined;
  const cause = decodeCause(headers['c']);
  if (kind === 'line') {
    const { h: head } = headers;
    const bytes = head === undefined || head.length === 0 ? value : Buffer.concat([head, value]);
    return { kind, offset, cause, bytes, value: undefined, text: '' };
  }
  try {
    const text = value.toString();
    return { kind, offset, cause, bytes: empty, value: JSON.parse(text) as unknown, text };
  } catch {
    return undefined;
  }
}

/** `partition/offset/index`, and `/spool` behind it when it is of a spool. */
const encodeCause = ({ partition, offset, index, spool }: Cause): string =>
  spool === undefined ? `${partition}/${offset}/${index}` : `${partition}/${offset}/${index}/${spool}`;

const SLASH = 0x2f;
const ZERO = 0x30;

/** Byte by byte: every record has one, and taking a text apart costs a tenth of all reading. */
function decodeCause(bytes: Buffer | undefined): Cause | undefined {
  if (bytes === undefined) return undefined;
  const numbers = [0, 0, 0];
  let at = 0;
  for (let i = 0; i < numbers.length; i++) {
    const from = at;
    let number = 0;
    for (; at < bytes.length && bytes[at] !== SLASH; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) return undefined;
      number = number * 10 + digit;
    }
    if (at === from || !Number.isSafeInteger(number)) return undefined;
    numbers[i] = number;
    // Behind the slash.
    at++;
  }
  const [partition, offset, index] = numbers as [number, number, number];
  if (at > bytes.length) return { partition, offset, index };
  return { partition, offset, index, spool: bytes.toString('latin1', at) };
}
