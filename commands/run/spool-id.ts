// The name of a spool: what was drained from it onto Kafka carries it, and is known by it. Readers drop what they have seen of a spool,
// so two spools must never share a name: lines of the one would be dropped for those of the other.

import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { systemCode } from '../../core/errors.ts';
import { writeOnce } from '../keys.ts';

/**
 * The id in the file `path`, made at the first start. The file says which inode it is: in a data folder that was copied, or put back
 * from a backup, it is another one, and the spool there gets an id of its own.
 */
export function ensureSpoolId(path: string): string {
  const found = read(path);
  if (found !== undefined) return found;
  rmSync(path, { force: true });
  const id = randomUUID();
  return writeOnce(path, (inode) => `${id} ${inode}\n`) ? id : ensureSpoolId(path);
}

/** From here on the spool is another one: its offsets do not go on where they were. */
export function renewSpoolId(path: string): string {
  rmSync(path, { force: true });
  return ensureSpoolId(path);
}

function read(path: string): string | undefined {
  try {
    const [, id, inode] = /^([0-9a-f-]{36}) (\d+)\n$/.exec(readFileSync(path, 'utf8')) ?? [];
    return Number(inode) === statSync(path).ino ? id : undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
