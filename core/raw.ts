// The payload of a `line` record on vault.audit.raw: which device it came on, where it lay in its file, the scrubbed line.

export interface LineHead {
  device: string;
  /** The scrubber took something out of this line. */
  scrubbed: boolean;
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
}

const SPAN_BYTES = 28;
const FILE_BYTES = 40;
const SCRUBBED = 1;
const FROM_FILE = 2;

export interface NewHead {
  /** Name of the device in UTF-8, at most 255 bytes. */
  device: Buffer;
  spans: Spans;
  scrubbed: boolean;
  file?: FilePosition | undefined;
}

/** What stands before the line in a record's payload. */
export function encodeHead({ device, spans, scrubbed, file }: NewHead): Buffer {
  const spansAt = 2 + device.length;
  const fileAt = spansAt + SPAN_BYTES;
  const out = Buffer.allocUnsafe(fileAt + (file === undefined ? 0 : FILE_BYTES));
  out[0] = (scrubbed ? SCRUBBED : 0) | (file === undefined ? 0 : FROM_FILE);
  out[1] = device.length;
  out.set(device, 2);
  writeSpans(out, spansAt, spans);
  if (file === undefined) return out;
  out.writeDoubleLE(file.inode, fileAt);
  out.writeDoubleLE(file.generation, fileAt + 8);
  out.writeDoubleLE(file.start, fileAt + 16);
  out.writeDoubleLE(file.end, fileAt + 24);
  out.writeDoubleLE(file.durable, fileAt + 32);
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

const names = new Map<string, string>();
const NAMES_MAX = 1000;

/** The head of a payload and where its line begins. */
export function decodeLine(payload: Buffer): { head: LineHead; at: number } {
  const flags = payload[0] ?? 0;
  const at = 2 + (payload[1] ?? 0);
  const raw = payload.toString('latin1', 2, at);
  let device = names.get(raw);
  if (device === undefined) {
    device = payload.toString('utf8', 2, at);
    if (names.size < NAMES_MAX) names.set(raw, device);
  }
  const spans: Spans = {
    start: payload.readUInt32LE(at),
    idStart: payload.readUInt32LE(at + 4),
    idEnd: payload.readUInt32LE(at + 8),
    timeStart: payload.readUInt32LE(at + 12),
    timeEnd: payload.readUInt32LE(at + 16),
    typeStart: payload.readUInt32LE(at + 20),
    typeEnd: payload.readUInt32LE(at + 24),
  };
  const head: LineHead = { device, scrubbed: (flags & SCRUBBED) !== 0, spans, file: undefined };
  const fileAt = at + SPAN_BYTES;
  if ((flags & FROM_FILE) === 0) return { head, at: fileAt };
  head.file = {
    inode: payload.readDoubleLE(fileAt),
    generation: payload.readDoubleLE(fileAt + 8),
    start: payload.readDoubleLE(fileAt + 16),
    end: payload.readDoubleLE(fileAt + 24),
    durable: payload.readDoubleLE(fileAt + 32),
  };
  return { head, at: fileAt + FILE_BYTES };
}
