// One sealwatch per data folder: an exclusive SQLite lock, which the system lets go when the process ends, however it ends.

import { statSync } from 'node:fs';
import { dataFiles } from '../core/config.ts';
import { SealwatchError, systemCode } from '../core/errors.ts';
import { openDatabase } from '../storage/sqlite.ts';

/** Holds the data folder until disposed. Throws DATA_DIR_LOCKED. */
export function lockDataDir(dataDir: string): Disposable {
  const database = openDatabase(dataFiles(dataDir).lock, { readOnly: false });
  try {
    // The journal in memory: a lock needs no room on a disk that may be full.
    database.exec(
      'PRAGMA busy_timeout = 200; PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;',
    );
  } catch (error) {
    database.close();
    // The low byte is the plain code of an extended one.
    if (((error as { errcode?: number }).errcode ?? 0) % 256 !== SQLITE_BUSY)
      throw new SealwatchError(
        'DATA_DIR_UNUSABLE',
        `cannot lock the data folder ${dataDir} (${error instanceof Error ? error.message : error})`,
        'Check free space and rights, and that its file system knows locks.',
        { cause: error },
      );
    throw new SealwatchError(
      'DATA_DIR_LOCKED',
      `another sealwatch uses the data folder ${dataDir}`,
      'Stop it first, or set SEALWATCH_DATA_DIR to another folder.',
      { cause: error },
    );
  }
  return { [Symbol.dispose]: () => database.close() };
}

const SQLITE_BUSY = 5;

/** Resolves when the folder is no longer the one that was locked: deleted, moved, or another disk in its place. */
export function dataDirGone(dataDir: string): Promise<SealwatchError> & Disposable {
  const path = dataFiles(dataDir).lock;
  const { ino } = statSync(path);
  const isGone = () => {
    try {
      return statSync(path).ino !== ino;
    } catch (error) {
      // A disk that does not answer is not a folder that is gone.
      return systemCode(error) === 'ENOENT';
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const gone = new Promise<SealwatchError>((resolve) => {
    timer = setInterval(() => {
      if (!isGone()) return;
      resolve(
        new SealwatchError(
          'DATA_DIR_UNUSABLE',
          `the data folder ${dataDir} was taken away while sealwatch ran`,
          'Put it back and start again. When it is lost, a new folder is filled from the file device, from the begin of the file.',
        ),
      );
    }, LOOK_MS);
  });
  return Object.assign(gone, { [Symbol.dispose]: () => clearInterval(timer) });
}

const LOOK_MS = 1_000;
