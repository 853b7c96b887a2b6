// Alerts as JSON lines in a file: the first output, and the one that needs nothing.

import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import type { Alert } from '../../core/alert.ts';
import { SealwatchError, systemCode } from '../../core/errors.ts';
import type { AlertOutput } from './output.ts';

/** Bytes at the end of the file that are looked through for alerts it already has. */
const LOOK_BACK_BYTES = 1024 * 1024;

/** Appends to `path`. A line that a crash cut off is taken away, and what is there is not written again. */
export function fileOutput(path: string): AlertOutput & Disposable {
  const file = openOrFail(path);
  const { known, end } = readEnd(file);
  let position = end;
  return {
    name: 'file',
    known,
    async send(alert: Alert) {
      try {
        const line = Buffer.from(`${JSON.stringify(alert)}\n`);
        if (writeSync(file, line, 0, line.length, position) < line.length)
          return { result: 'later', why: 'short write' };
        fsyncSync(file);
        position += line.length;
        return { result: 'done' };
      } catch (error) {
        return { result: 'later', why: systemCode(error) ?? String(error) };
      }
    },
    [Symbol.dispose]: () => closeSync(file),
  };
}

function openOrFail(path: string): number {
  try {
    return openSync(path, existsSync(path) ? 'r+' : 'w+', 0o600);
  } catch (error) {
    throw new SealwatchError(
      'OUTPUT_UNWRITABLE',
      `cannot write alerts to ${path} (${systemCode(error) ?? error})`,
      'Set SEALWATCH_OUTPUTS_FILE_PATH to a file that this user can write.',
      { cause: error },
    );
  }
}

function readEnd(file: number): { known: Set<string>; end: number } {
  const { size } = fstatSync(file);
  const from = Math.max(0, size - LOOK_BACK_BYTES);
  const bytes = Buffer.alloc(size - from);
  readSync(file, bytes, 0, bytes.length, from);
  const whole = bytes.lastIndexOf(10) + 1;
  if (whole < bytes.length) ftruncateSync(file, from + whole);
  const ids = bytes.toString('utf8', 0, whole).matchAll(/"alert":\{[^{}]*?"id":"([^"]+)"/g);
  return { known: new Set([...ids].map((match) => match[1] as string)), end: from + whole };
}
