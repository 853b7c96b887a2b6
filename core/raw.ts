// The payload of a `line` record on vault.audit.raw: which device it came on, where it lay in its file, the scrubbed line.

import { limits } from './limits.ts';

/** Why the scrubber took something out of a line: its device hashes nothing, or a token stood where Vault does not hash. */
export type Scrub = 'log_raw' | 'token_in_plain';

export interface LineHead {
  device: string;
  /** The Vault node that wrote the line, when the input says so. */
  node: string | undefined;
  scrub: Scrub | undefined;
  spans: Spans;
  /** For lines of a file: where the line began, where the next begins, and what was durable when it was read. */
  file: FilePosition | undefined;
}

/**
 * Where request id, time and type lie in the line, counted from its first byte; an end of 0 means absent. Found once by the
 * collector, so that pairing needs no second look at the bytes.
 */
export interface Spans {
  /** First byte of the JSON object: a `prefix` may stand before it (vault-audit.md 2, Options). */
  start: number;
  idStart: number;
  idEnd: number;
  timeStart: number;
  timeEnd: number;
  typeStart: number;
  typeEnd: number;
}

export const noSpans = (): Spans => ({
  start: 0,
  idStart: 0,
  idEnd: 0,
  timeStart: 0,
  timeEnd: 0,
  typeStart: 0,
  typeEnd: 0,
});

export interface FilePosition {
  /** Inode number of the file. */
  inode: number;
  /** Counts up each time the device's file is another one or begins anew. */
  generation: number;
  start: number;
  end: number;
  /** Every line before this byte was durable when the record was made. */
  durable: number;
  /** CRC-32 of the `limits.fileMarkBytes` before `durable`. */
  mark: number;
  /** See `FilePlace`. */
  writtenMs: number;
}

const SPAN_BYTES = 28;
const FILE_BYTES = 52;
const LOG_RAW = 1;
const FROM_FILE = 2;
const TOKEN_IN_PLAIN = 4;
const scrubFlags = { log_raw: LOG_RAW, token_in_plain: TOKEN_IN_PLAIN };

/** Device and node as they stand in a head; made once per input. */
export function encodeSource(device: string, node = ''): Buffer {
  const names = [Buffer.from(device, 'utf8').subarray(0, 255), Buffer.from(node, 'utf8').subarray(0, 255)];
  return Buffer.concat(names.flatMap((name) => [Buffer.of(name.length), name]));
}

export interface NewHead {
  /** Made by `encodeSource`. */
  source: Buffer;
  spans: Spans;
  scrub: Scrub | undefined;
  file?: FilePosition | undefined;
}

/** What stands before the line in a record's payload: flags, device, node, spans, and the place in its file. */
export function encodeHead({ source, spans, scrub, file }: NewHead): Buffer {
  const spansAt = 1 + source.length;
  const fileAt = spansAt + SPAN_BYTES;
  const out = Buffer.allocUnsafe(fileAt + (file === undefined ? 0 : FILE_BYTES));
  out[0] = (scrub === undefined ? 0 : scrubFlags[scrub]) | (file === undefined ? 0 : FROM_FILE);
  out.set(source, 1);
  writeSpans(out, spansAt, spans);
  if (file === undefined) return out;
  out.writeDoubleLE(file.inode, fileAt);
  out.writeDoubleLE(file.generation, fileAt + 8);
  out.writeDoubleLE(file.start, fileAt + 16);
  out.writeDoubleLE(file.end, fileAt + 24);
  out.writeDoubleLE(file.durable, fileAt + 32);
  out.writeUInt32LE(file.mark, fileAt + 40);
  out.writeDoubleLE(file.writtenMs, fileAt + 44);
  return out;
}

function writeSpans(out: Buffer, at: number, spans: Spans): void {
  out.writeUInt32LE(spans.start, at);
  out.writeUInt32LE(spans.idStart, at + 4);
  out.writeUInt32LE(spans.idEnd, at + 8);
  out.writeUInt32LE(spans.timeStart, at + 12);
  out.writeUInt32LE(spans.timeEnd, at + 16);
  out.writeUInt32LE(spans.typeStart, at + 20);
  out.writeUInt32LE(spans.typeEnd, at + 24);
}

interface Source {
  device: string;
  node: string | undefined;
}
const sources = new Map<string, Source>();

function decodeSource(payload: Buffer, from: number, to: number): Source {
  const key = payload.toString('latin1', from, to);
  let source = sources.get(key);
  if (source === undefined) {
    const nodeAt = from + 1 + (payload[from] as number);
    const node = payload.toString('utf8', nodeAt + 1, to);
    source = { device: payload.toString('utf8', from + 1, nodeAt), node: node === '' ? undefined : node };
    if (sources.size < limits.sourcesMax) sources.set(key, source);
  }
  return source;
}

/** The head of a payload and where its line begins. */
export function decodeLine(payload: Buffer): { head: LineHead; at: number } {
  const flags = payload[0] as number;
  const nodeAt = 2 + (payload[1] as number);
  const at = nodeAt + 1 + (payload[nodeAt] as number);
  const { device, node } = decodeSource(payload, 1, at);
  const spans: Spans = {
    start: payload.readUInt32LE(at),
    idStart: payload.readUInt32LE(at + 4),
    idEnd: payload.readUInt32LE(at + 8),
    timeStart: payload.readUInt32LE(at + 12),
    timeEnd: payload.readUInt32LE(at + 16),
    typeStart: payload.readUInt32LE(at + 20),
    typeEnd: payload.readUInt32LE(at + 24),
  };
  const head: LineHead = { device, node, scrub: scrubOf(flags), spans, file: undefined };
  const fileAt = at + SPAN_BYTES;
  if ((flags & FROM_FILE) === 0) return { head, at: fileAt };
  head.file = {
    inode: payload.readDoubleLE(fileAt),
    generation: payload.readDoubleLE(fileAt + 8),
    start: payload.readDoubleLE(fileAt + 16),
    end: payload.readDoubleLE(fileAt + 24),
    durable: payload.readDoubleLE(fileAt + 32),
    mark: payload.readUInt32LE(fileAt + 40),
    writtenMs: payload.readDoubleLE(fileAt + 44),
  };
  return { head, at: fileAt + FILE_BYTES };
}

function scrubOf(flags: number): Scrub | undefined {
  if ((flags & LOG_RAW) !== 0) return 'log_raw';
  return (flags & TOKEN_IN_PLAIN) === 0 ? undefined : 'token_in_plain';
}
