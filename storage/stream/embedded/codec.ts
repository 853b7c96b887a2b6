// A record on disk: u32 length of what follows the checksum, u32 CRC-32 of it, u8 kind, u8 flags, [cause], payload.

import { crc32 } from 'node:zlib';
import type { Cause, NewRecord, StreamRecord } from '../../../core/ports.ts';
import { type Kind, kinds } from '../../../core/records.ts';

export const MAGIC = Buffer.from('SWSTRM01');
const FRAME_BYTES = 8;
const CAUSE_BYTES = 14;
const HAS_CAUSE = 1;
const nameOf = new Map<number, Kind>(Object.entries(kinds).map(([name, code]) => [code, name as Kind]));

/** Bytes that a record with `payloadBytes` takes on disk. */
export const sizeOf = (record: NewRecord, payloadBytes: number): number =>
  FRAME_BYTES + 2 + (record.cause === undefined ? 0 : CAUSE_BYTES) + payloadBytes;

/** Writes a record to `out[at, at + size)`; its payload is the record's `bytes`, else `text` in UTF-8. */
export function encodeRecord(record: NewRecord, text: string, out: Buffer, at: number, size: number): void {
  const { cause, head, bytes } = record;
  out.writeUInt32LE(size - FRAME_BYTES, at);
  out[at + 8] = kinds[record.kind];
  out[at + 9] = cause === undefined ? 0 : HAS_CAUSE;
  let payload = at + FRAME_BYTES + 2;
  if (cause !== undefined) {
    out.writeUInt16LE(cause.partition, payload);
    out.writeDoubleLE(cause.offset, payload + 2);
    out.writeUInt32LE(cause.index, payload + 10);
    payload += CAUSE_BYTES;
  }
  if (head !== undefined) {
    head.copy(out, payload);
    payload += head.length;
  }
  if (bytes !== undefined) bytes.copy(out, payload);
  else out.write(text, payload, 'utf8');
  out.writeUInt32LE(crc32(out.subarray(at + FRAME_BYTES, at + size)), at + 4);
}

/** Bytes of the whole record that begins at `at`; undefined when its frame is not all there or cannot be one. */
export function recordBytes(bytes: Buffer, at: number, to: number): number | undefined {
  if (to - at < FRAME_BYTES) return undefined;
  return FRAME_BYTES + bytes.readUInt32LE(at);
}

/** Whether the record in `[at, at + size)` is as it was written. */
export const isWhole = (bytes: Buffer, at: number, size: number): boolean =>
  size >= FRAME_BYTES + 2 &&
  nameOf.has(bytes[at + 8] as number) &&
  crc32(bytes.subarray(at + FRAME_BYTES, at + size)) === bytes.readUInt32LE(at + 4);

export function decodeCause(bytes: Buffer, at: number): Cause | undefined {
  if (((bytes[at + 9] ?? 0) & HAS_CAUSE) === 0) return undefined;
  return {
    partition: bytes.readUInt16LE(at + 10),
    offset: bytes.readDoubleLE(at + 12),
    index: bytes.readUInt32LE(at + 20),
  };
}

const empty = Buffer.alloc(0);

/** The record in `[at, at + size)`, whose checksum must have been looked at. `line` payloads are views into `bytes`. */
export function decodeRecord(bytes: Buffer, at: number, size: number, offset: number): StreamRecord {
  const kind = nameOf.get(bytes[at + 8] as number) as Kind;
  const cause = decodeCause(bytes, at);
  const from = at + FRAME_BYTES + 2 + (cause === undefined ? 0 : CAUSE_BYTES);
  if (kind === 'line')
    return { kind, offset, cause, bytes: bytes.subarray(from, at + size), value: undefined, text: '' };
  const text = bytes.toString('utf8', from, at + size);
  return { kind, offset, cause, bytes: empty, value: JSON.parse(text), text };
}
