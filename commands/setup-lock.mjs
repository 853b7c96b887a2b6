// Lets one process at a time install and build, also after a process that died in the middle of it.

import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, say } from './setup-process.mjs';

/** A folder is made by exactly one process; the owner's pid in it tells a left-over lock from a held one. */
export async function lock(lockDir) {
  for (let tries = 0; !takeLock(lockDir); tries++) {
    if (tries === 0) say('waiting for another install or build here (if there is none, delete .setup-lock)');
    await new Promise((wake) => setTimeout(wake, 200));
  }
  const unlock = () => rmSync(lockDir, { recursive: true, force: true });
  process.once('exit', unlock);
  return unlock;
}

function takeLock(lockDir) {
  if (makeFolder(lockDir)) {
    writeFileSync(join(lockDir, 'pid'), String(process.pid));
    return true;
  }
  // A left-over lock is taken over in place, by one process at a time, so that nobody deletes a lock in use.
  const takeover = join(lockDir, 'takeover');
  if (!isLeftOver(lockDir) || !makeFolder(takeover)) return false;
  const free = isLeftOver(lockDir);
  if (free) writeFileSync(join(lockDir, 'pid'), String(process.pid));
  rmSync(takeover, { recursive: true });
  return free;
}

function makeFolder(path) {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST' || error.code === 'ENOENT') return false;
    throw new Fault(`cannot make ${path}: ${error.message}`);
  }
}

function isLeftOver(lockDir) {
  const made = statSync(lockDir, { throwIfNoEntry: false })?.mtimeMs;
  const pid = Number(stampOf(join(lockDir, 'pid')));
  // Without a pid the owner is between its two steps, unless it died there.
  if (pid === 0) return made !== undefined && Date.now() - made > 5000;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** The text of a small file, empty if there is none. */
export function stampOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
