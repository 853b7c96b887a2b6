// `run --replay FILE`: the recorded log becomes the file device of a sealwatch with a data folder of its own.

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Config } from '../../core/config.ts';
import { SealwatchError, systemCode } from '../../core/errors.ts';

/** The configuration that shows `file` (absolute path, plain or .gz) and listens to nothing. Throws INPUT_UNREADABLE. */
export async function replayConfig(config: Config, file: string): Promise<Config> {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats?.isFile())
    throw new SealwatchError(
      'INPUT_UNREADABLE',
      `${file} is not a file`,
      'Give the path of a recorded audit log.',
    );
  // Another file of the same name, or a file that has changed, gets a folder of its own.
  const which = createHash('sha256')
    .update(`${file} ${stats.ino} ${stats.size} ${stats.mtimeMs}`)
    .digest('hex')
    .slice(0, 8);
  const dataDir = join(
    config.dataDir,
    'replay',
    `${basename(file).replace(/[^A-Za-z0-9._-]/g, '_')}-${which}`,
  );
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = file.endsWith('.gz') ? await unpacked(file, join(dataDir, 'audit.jsonl')) : file;
  const { address: _, tokenFile: _file, login, ...vault } = config.vault;
  return {
    ...config,
    // Nothing of it belongs among what is live.
    stream: 'embedded',
    evidence: 'embedded',
    dataDir,
    file: { path },
    tcp: { ...config.tcp, enabled: false },
    unix: {},
    devices: [],
    // A look-up of today would never come back in a log of the past.
    vault: { ...vault, login: { region: login.region } },
  };
}

async function unpacked(file: string, to: string): Promise<string> {
  if (existsSync(to)) return to;
  try {
    await pipeline(createReadStream(file), createGunzip(), createWriteStream(`${to}.new`, { mode: 0o600 }));
  } catch (error) {
    throw new SealwatchError(
      'INPUT_UNREADABLE',
      `cannot unpack ${file} (${systemCode(error) ?? error})`,
      'Check that it is a whole gzip file.',
      { cause: error },
    );
  }
  renameSync(`${to}.new`, to);
  return to;
}
