// The payload of a `line` record on vault.audit.raw: which device it came on, where it lay in its file, the scrubbed line.

export interface LineHead {
  device: string;
  /** The scrubber took something out of this line. */
  scrubbed: boolean;
  /** For lines of a file: where the line began, where the next begins, and what was durable when it was read. */
  file?: FilePosition;
}

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

const FILE_BYTES = 40;
const SCRUBBED = 1;
const FROM_FILE = 2;

const headBytes = (deviceBytes: number, fromFile: boolean): number =>
  2 + deviceBytes + (fromFile ? FILE_BYTES : 0);

/** A record's payload: head, then the line. `device` is the device's name in UTF-8, at most 255 bytes. */
export function encodeLine(device: Buffer, line: Uint8Array, scrubbed: boolean, file?: FilePosition): Buffer {
  const head = headBytes(device.length, file !== undefined);
  const out = Buffer.allocUnsafe(head + line.length);
  out[0] = (scrubbed ? SCRUBBED : 0) | (file === undefined ? 0 : FROM_FILE);
  out[1] = device.length;
  out.set(device, 2);
  if (file !== undefined) {
    const at = 2 + device.length;
    out.writeDoubleLE(file.inode, at);
    out.writeDoubleLE(file.generation, at + 8);
    out.writeDoubleLE(file.start, at + 16);
    out.writeDoubleLE(file.end, at + 24);
    out.writeDoubleLE(file.durable, at + 32);
  }
  out.set(line, head);
  return out;
}

const names = new Map<string, string>();

/** The head of a payload and where its line begins. */
export function decodeLine(payload: Buffer): { head: LineHead; at: number } {
  const flags = payload[0] ?? 0;
  const deviceEnd = 2 + (payload[1] ?? 0);
  const raw = payload.toString('latin1', 2, deviceEnd);
  let device: string | undefined = names.get(raw);
  if (device === undefined) {
    device = payload.toString('utf8', 2, deviceEnd);
    if (names.size < 1000) names.set(raw, device);
  }
  const head: LineHead = { device, scrubbed: (flags & SCRUBBED) !== 0 };
  if ((flags & FROM_FILE) === 0) return { head, at: deviceEnd };
  head.file = {
    inode: payload.readDoubleLE(deviceEnd),
    generation: payload.readDoubleLE(deviceEnd + 8),
    start: payload.readDoubleLE(deviceEnd + 16),
    end: payload.readDoubleLE(deviceEnd + 24),
    durable: payload.readDoubleLE(deviceEnd + 32),
  };
  return { head, at: deviceEnd + FILE_BYTES };
}
