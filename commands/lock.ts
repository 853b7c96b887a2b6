// One sealwatch per data folder: an exclusive SQLite lock, which the system lets go when the process ends, however it ends.

import { dataFiles } from '../core/config.ts';
import { SealwatchError } from '../core/errors.ts';
import { openDatabase } from '../storage/evidence/embedded/sqlite.ts';

/** Holds the data folder until disposed. Throws DATA_DIR_LOCKED. */
export function lockDataDir(dataDir: string): Disposable {
  const database = openDatabase(dataFiles(dataDir).lock, { readOnly: false });
  try {
    database.exec('PRAGMA busy_timeout = 200; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
  } catch (error) {
    database.close();
    throw new SealwatchError(
      'DATA_DIR_LOCKED',
      `another sealwatch uses the data folder ${dataDir}`,
      'Stop it first, or set SEALWATCH_DATA_DIR to another folder.',
      { cause: error },
    );
  }
  return { [Symbol.dispose]: () => database.close() };
}
