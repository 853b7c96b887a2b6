// Record batches of Kafka (magic 2) as bytes: kafkajs spends several times as long on an encoder for each record and header
// (decision 0034). Layout: kafka.apache.org/documentation, message format.

import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { compressFrame, decompressFrame } from 'lz4-napi';
import type { Message } from '../link.ts';

const LZ4 = 3;
const GZIP = 1;
const CODEC_MASK = 7;
const CONTROL = 32;
/** Of a batch: offset, length; then leader epoch, magic, CRC; then what the CRC is of, up to the records. */
const FRAME_BYTES = 12;
const CRC_AT = 17;
const SUMMED_AT = 21;
const COUNT_AT = 57;
export const BATCH_HEAD_BYTES = 61;

export interface Producing {
  producerId: bigint;
  epoch: number;
  /** Number of the first message, for this producer and partition. */
  sequence: number;
}

/** The records of a batch, compressed with LZ4. */
export const compressRecords = (messages: readonly Message[]): Promise<Buffer> =>
  compressFrame(encodeRecords(messages));

/** `count` records as a batch of this producer, written at `now` (ms). */
export function frameBatch(
  records: Buffer,
  count: number,
  { producerId, epoch, sequence }: Producing,
  now: number,
): Buffer {
  const out = Buffer.allocUnsafe(BATCH_HEAD_BYTES + records.length);
  out.writeBigInt64BE(0n, 0);
  out.writeInt32BE(out.length - FRAME_BYTES, 8);
  out.writeInt32BE(-1, 12);
  out[16] = 2;
  out.writeInt16BE(LZ4, 21);
  out.writeInt32BE(count - 1, 23);
  out.writeBigInt64BE(BigInt(now), 27);
  out.writeBigInt64BE(BigInt(now), 35);
  out.writeBigInt64BE(producerId, 43);
  out.writeInt16BE(epoch, 51);
  out.writeInt32BE(sequence, 53);
  out.writeInt32BE(count, COUNT_AT);
  records.copy(out, BATCH_HEAD_BYTES);
  out.writeUInt32BE(crc32c(out, SUMMED_AT, out.length), CRC_AT);
  return out;
}

function encodeRecords(messages: readonly Message[]): Buffer {
  const names = new Map<string, Buffer>();
  const sizes = messages.map((message, i) => sizeOfRecord(message, i, names));
  const total = sizes.reduce((sum, size) => sum + sizeOfVarint(size) + size, 0);
  const writer = new Writer(Buffer.allocUnsafe(total));
  for (const [i, message] of messages.entries()) {
    writer.varint(sizes[i] as number);
    // Attributes and time since the first record: both 0.
    writer.byte(0);
    writer.byte(0);
    writer.varint(i);
    writer.bytes(message.key);
    writer.bytes(message.value);
    const headers = Object.entries(message.headers);
    writer.varint(headers.length);
    for (const [name, value] of headers) {
      writer.bytes(names.get(name) as Buffer);
      writer.bytes(value);
    }
  }
  return writer.out;
}

function sizeOfRecord({ key, value, headers }: Message, index: number, names: Map<string, Buffer>): number {
  const entries = Object.entries(headers);
  let size = 2 + sizeOfVarint(index) + sizeOfBytes(key) + sizeOfBytes(value) + sizeOfVarint(entries.length);
  for (const [name, content] of entries) {
    let bytes = names.get(name);
    if (bytes === undefined) {
      bytes = Buffer.from(name);
      names.set(name, bytes);
    }
    size += sizeOfBytes(bytes) + sizeOfBytes(content);
  }
  return size;
}

const sizeOfBytes = (bytes: Buffer | null): number =>
  bytes === null ? 1 : sizeOfVarint(bytes.length) + bytes.length;

/** Of a number from 0 to 2^31: its zigzag form is its double. */
function sizeOfVarint(value: number): number {
  let size = 1;
  for (let left = value * 2; left >= 128; left = Math.floor(left / 128)) size++;
  return size;
}

class Writer {
  readonly out: Buffer;
  private at = 0;

  constructor(out: Buffer) {
    this.out = out;
  }

  byte(value: number): void {
    this.out[this.at++] = value;
  }

  varint(value: number): void {
    let left = value * 2;
    for (; left >= 128; left = Math.floor(left / 128)) this.out[this.at++] = (left % 128) | 128;
    this.out[this.at++] = left;
  }

  bytes(bytes: Buffer | null): void {
    if (bytes === null) {
      // -1 in zigzag.
      this.byte(1);
      return;
    }
    this.varint(bytes.length);
    bytes.copy(this.out, this.at);
    this.at += bytes.length;
  }
}

export interface Decoded {
  messages: (Message & { offset: number })[];
  /** Behind the last record of the last whole batch, whether it has records or not; undefined when none is whole. */
  next: number | undefined;
}

/**
 * The messages of what a broker gave, from `offset` on, until `bytesMax` are unpacked. It may end inside a batch: that one is
 * left. A batch that is damaged or in a form nobody here writes gives one message without value at its last offset.
 */
export async function decodeBatches(bytes: Buffer, offset: number, bytesMax: number): Promise<Decoded> {
  const messages: Decoded['messages'] = [];
  let next: number | undefined;
  let unpacked = 0;
  for (let at = 0; at + BATCH_HEAD_BYTES <= bytes.length && unpacked < bytesMax; ) {
    const end = at + FRAME_BYTES + bytes.readInt32BE(at + 8);
    if (end > bytes.length || end < at + BATCH_HEAD_BYTES) break;
    const batch = bytes.subarray(at, end);
    const first = Number(batch.readBigInt64BE(0));
    const last = first + batch.readInt32BE(23);
    if (last >= offset && !isControl(batch))
      unpacked += await decodeBatch(batch, first, last, offset, messages);
    next = last + 1;
    at = end;
  }
  return { messages, next };
}

const isControl = (batch: Buffer): boolean => batch[16] === 2 && (batch.readInt16BE(21) & CONTROL) !== 0;

/** Returns how many bytes were unpacked. */
async function decodeBatch(
  batch: Buffer,
  first: number,
  last: number,
  from: number,
  into: Decoded['messages'],
): Promise<number> {
  const before = into.length;
  try {
    if (batch[16] !== 2 || crc32c(batch, SUMMED_AT, batch.length) !== batch.readUInt32BE(CRC_AT))
      throw new Error('damaged');
    const records = await decompress(batch.readInt16BE(21) & CODEC_MASK, batch.subarray(BATCH_HEAD_BYTES));
    const reader = new Reader(records);
    for (let left = batch.readInt32BE(COUNT_AT); left > 0; left--) readRecord(reader, first, from, into);
    return records.length;
  } catch {
    into.length = before;
    into.push({ offset: last, key: null, value: null, headers: {} });
    return batch.length;
  }
}

const inflate = promisify(gunzip);

function decompress(codec: number, bytes: Buffer): Buffer | Promise<Buffer> {
  if (codec === 0) return bytes;
  if (codec === LZ4) return decompressFrame(bytes);
  if (codec === GZIP) return inflate(bytes);
  throw new Error('a codec that is not used here');
}

function readRecord(reader: Reader, first: number, from: number, into: Decoded['messages']): void {
  const end = reader.within(reader.varint());
  // Attributes are unused; the time is not asked for.
  reader.at += 1;
  reader.varint();
  const offset = first + reader.varint();
  if (offset < from) {
    reader.at = end;
    return;
  }
  const key = reader.bytes();
  const value = reader.bytes();
  const headers: Record<string, Buffer> = {};
  for (let left = reader.varint(); left > 0; left--) {
    const name = reader.name();
    headers[name] = reader.bytes() ?? empty;
  }
  reader.at = end;
  into.push({ offset, key, value, headers });
}

const empty = Buffer.alloc(0);
/** Our headers have names of one letter; they are the same text each time. */
const letters = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

class Reader {
  at = 0;
  private readonly from: Buffer;

  constructor(from: Buffer) {
    this.from = from;
  }

  /** A zigzag number; exact to 2^53. */
  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.from[this.at++];
      if (byte === undefined) throw new RangeError('the records end too early');
      value += (byte & 127) * factor;
      if (byte < 128) break;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A view into the batch. */
  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const from = this.at;
    this.at = this.within(length);
    return this.from.subarray(from, this.at);
  }

  /** Where `length` more bytes end; whoever may write here may have written any number. */
  within(length: number): number {
    const end = this.at + length;
    if (length < 0 || end > this.from.length) throw new RangeError('the records end too early');
    return end;
  }

  name(): string {
    const length = this.varint();
    const from = this.at;
    this.at = this.within(length);
    const letter = length === 1 ? letters[this.from[from] as number] : undefined;
    return letter ?? this.from.toString('utf8', from, this.at);
  }
}

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ 0x82f63b78;
  return value;
});

/** CRC-32C of `bytes[from, to)`. */
function crc32c(bytes: Buffer, from: number, to: number): number {
  let crc = -1;
  for (let i = from; i < to; i++) crc = (table[(crc ^ (bytes[i] as number)) & 255] as number) ^ (crc >>> 8);
  return (crc ^ -1) >>> 0;
}
