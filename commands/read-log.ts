// A recorded file as a stream of bytes: plain, compressed, or standard input.

import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SealwatchError, systemCode } from '../core/errors.ts';

const CHUNK_BYTES = 256 * 1024;

/** `-` is standard input; what ends in `.gz` is unpacked. Reading it throws what the system says: see `unreadable`. */
export function openLog(file: string): Readable {
  const raw = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: CHUNK_BYTES });
  if (!file.endsWith('.gz')) return raw;
  const plain = createGunzip({ chunkSize: CHUNK_BYTES });
  raw.on('error', (error: Error) => plain.destroy(error));
  return raw.pipe(plain);
}

export const unreadable = (name: string, error: unknown): SealwatchError =>
  new SealwatchError(
    'INPUT_UNREADABLE',
    `cannot read ${name} (${systemCode(error) ?? String(error)})`,
    'Check the path, its rights, and that a .gz file is whole.',
    { cause: error },
  );
