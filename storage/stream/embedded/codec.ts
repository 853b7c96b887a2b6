// A record on disk: u32 length of what follows the checksum, u32 CRC-32 of it, u32 low bits of its offset, u8 kind, u8 flags,
// [cause], payload.

import { crc32 } from 'node:zlib';
import type { Cause, NewRecord, StreamRecord } from '../../../core/ports.ts';
import { type Kind, kinds } from '../../../core/records.ts';

export const MAGIC = Buffer.from('SWSTRM02');
const FRAME_BYTES = 8;
const FIXED_BYTES = FRAME_BYTES + 6;
const CAUSE_BYTES = 14;
const HAS_CAUSE = 1;
const BEGINS_GROUP = 2;
const FLAGS_MAX = HAS_CAUSE | BEGINS_GROUP;
const nameOf = new Map<number, Kind>(Object.entries(kinds).map(([name, code]) => [code, name as Kind]));

/** Bytes that a record with `payloadBytes` takes on disk. */
export const sizeOf = (record: NewRecord, payloadBytes: number): number =>
  FIXED_BYTES + (record.cause === undefined ? 0 : CAUSE_BYTES) + payloadBytes;

/** A record's place in the partition. */
export interface Numbered {
  offset: number;
  /** The first of a group commit: when it is there, all before it was on disk before it was written. */
  beginsGroup: boolean;
}

/** Writes a record to `out[at, at + size)`; its payload is the record's `bytes`, else `text` in UTF-8. */
export function encodeRecord(
  record: NewRecord,
  { offset, beginsGroup }: Numbered,
  text: string,
  out: Buffer,
  at: number,
  size: number,
): void {
  const { cause, head, bytes } = record;
  out.writeUInt32LE(size - FRAME_BYTES, at);
  out.writeUInt32LE(offset >>> 0, at + 8);
  out[at + 12] = kinds[record.kind];
  out[at + 13] = (cause === undefined ? 0 : HAS_CAUSE) | (beginsGroup ? BEGINS_GROUP : 0);
  let payload = at + FIXED_BYTES;
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

/** Bytes at the begin of a record that `recordBytes`, `numberOf` and `looksLikeRecord` read. */
export const HEAD_BYTES = FIXED_BYTES;

/** Bytes of the whole record that begins at `at`; undefined when its head is not all there. */
export function recordBytes(bytes: Buffer, at: number, to: number): number | undefined {
  if (to - at < HEAD_BYTES) return undefined;
  return FRAME_BYTES + bytes.readUInt32LE(at);
}

/** The offset of the record at `at` and whether it begins a group; it lies at or behind `from`. */
export const numberOf = (bytes: Buffer, at: number, from: number): Numbered => ({
  offset: from + ((bytes.readUInt32LE(at + 8) - from) >>> 0),
  beginsGroup: ((bytes[at + 13] as number) & BEGINS_GROUP) !== 0,
});

/** Whether a record may begin at `at`: cheap, for a search byte by byte. */
export const looksLikeRecord = (bytes: Buffer, at: number): boolean =>
  nameOf.has(bytes[at + 12] as number) &&
  (bytes[at + 13] as number) <= FLAGS_MAX &&
  bytes.readUInt32LE(at) >= FIXED_BYTES - FRAME_BYTES;

/** Whether the record in `[at, at + size)` is as it was written. */
export const isWhole = (bytes: Buffer, at: number, size: number): boolean =>
  looksLikeRecord(bytes, at) &&
  crc32(bytes.subarray(at + FRAME_BYTES, at + size)) === bytes.readUInt32LE(at + 4);

function decodeCause(bytes: Buffer, at: number): Cause | undefined {
  if (((bytes[at + 13] ?? 0) & HAS_CAUSE) === 0) return undefined;
  const from = at + FIXED_BYTES;
  return {
    partition: bytes.readUInt16LE(from),
    offset: bytes.readDoubleLE(from + 2),
    index: bytes.readUInt32LE(from + 10),
  };
}

const empty = Buffer.alloc(0);

/** The record in `[at, at + size)`, whose checksum must have been looked at. `line` payloads are views into `bytes`. */
export function decodeRecord(bytes: Buffer, at: number, size: number, offset: number): StreamRecord {
  const kind = nameOf.get(bytes[at + 12] as number) as Kind;
  const cause = decodeCause(bytes, at);
  const from = at + FIXED_BYTES + (cause === undefined ? 0 : CAUSE_BYTES);
  if (kind === 'line')
    return { kind, offset, cause, bytes: bytes.subarray(from, at + size), value: undefined, text: '' };
  const text = bytes.toString('utf8', from, at + size);
  return { kind, offset, cause, bytes: empty, value: JSON.parse(text), text };
}
