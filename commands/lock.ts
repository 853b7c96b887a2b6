// Who uses a data folder: SQLite locks, which the system lets go when their process ends, however it ends. `run` has the folder
// alone. Stages that run alone share it, but no two of the same kind: each has files of its own in it.

import { statSync } from 'node:fs';
import { dataFiles, stageLockFile } from '../core/config.ts';
import { SealwatchError, systemCode } from '../core/errors.ts';
import type { StageName } from '../core/records.ts';
import { openDatabase } from '../storage/sqlite.ts';

/** Holds the whole data folder until disposed. Throws DATA_DIR_LOCKED. */
export const lockDataDir = (dataDir: string): Disposable =>
  hold(dataFiles(dataDir).lock, 'BEGIN EXCLUSIVE;', dataDir, 'another sealwatch');

/** Holds the part of the data folder that `stage` writes, beside other stages. Throws DATA_DIR_LOCKED. */
export function lockStage(dataDir: string, stage: StageName): Disposable {
  // What reads is shared with other stages, and keeps out `run`, an older one too: it wants this file for itself.
  const folder = hold(
    dataFiles(dataDir).lock,
    'BEGIN; SELECT count(*) FROM sqlite_master;',
    dataDir,
    'a `sealwatch run`',
  );
  try {
    const who = `another \`sealwatch ${stage}\``;
    const own = hold(stageLockFile(dataDir, stage), 'BEGIN EXCLUSIVE;', dataDir, who);
    return {
      [Symbol.dispose]: () => {
        own[Symbol.dispose]();
        folder[Symbol.dispose]();
      },
    };
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
}

function hold(path: string, begin: string, dataDir: string, who: string): Disposable {
  const database = openDatabase(path, { readOnly: false });
  try {
    // The journal in memory: a lock needs no room on a disk that may be full.
    database.exec(
      `PRAGMA busy_timeout = 200; PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; ${begin}`,
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
      `${who} uses the data folder ${dataDir}`,
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
