// The keys that the first start makes in the data folder: the admin's API key, and the key that hides secrets.

import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { SealwatchError, systemCode } from '../core/errors.ts';

/** Makes the data folder, for its owner only. Throws DATA_DIR_UNUSABLE. */
export function makeDataDir(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    chmodSync(dir, 0o700);
  } catch (error) {
    throw new SealwatchError(
      'DATA_DIR_UNUSABLE',
      `cannot use the data folder ${dir} (${systemCode(error) ?? error})`,
      'Set SEALWATCH_DATA_DIR to a folder that this user can write.',
      { cause: error },
    );
  }
}

/** The key in `path`, made at the first start with mode 0600. `isNew` says that it was made now. */
export function ensureKey(path: string): { key: string; isNew: boolean } {
  try {
    const key = readFileSync(path, 'utf8').trim();
    if (key.length >= KEY_CHARS_MIN) return { key, isNew: false };
    throw new SealwatchError(
      'DATA_DIR_UNUSABLE',
      `${path} holds no usable key`,
      'Put the key back from a backup, or remove the file to make a new one.',
    );
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  makeDataDir(dirname(path));
  const key = randomBytes(32).toString('base64url');
  return writeOnce(path, () => `${key}\n`) ? { key, isNew: true } : ensureKey(path);
}

/**
 * Makes the file `path` durable with what `text` gives for its inode; false when another process has just made it. Under another name
 * first: what a crash has cut off must never be taken for it.
 */
export function writeOnce(path: string, text: (inode: number) => string): boolean {
  const made = `${path}.${process.pid}.new`;
  const file = openSync(made, 'w', 0o600);
  try {
    writeSync(file, text(fstatSync(file).ino));
    fsyncSync(file);
    linkOrRename(made, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    closeSync(file);
    rmSync(made, { force: true });
  }
}

/** Only a link says that somebody else was first; not every file system has them. */
function linkOrRename(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'ENOSYS'].includes(systemCode(error) ?? '')) throw error;
    renameSync(from, to);
  }
}

const KEY_CHARS_MIN = 32;
