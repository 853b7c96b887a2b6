// The keys that the API takes: the admin's, those of files, and those that are read from Vault.

import { readFileSync } from 'node:fs';
import { type ApiKey, keyDigest } from '../../api/auth.ts';
import { type Config, dataFiles } from '../../core/config.ts';
import { SealwatchError } from '../../core/errors.ts';
import { secretRef } from '../../core/secret-ref.ts';

const KEY_CHARS_MIN = 32;

/** The keys of files; those that lie in Vault come when they are read. */
export function keysOf(config: Config): ApiKey[] {
  const admin = {
    name: 'admin',
    role: 'admin' as const,
    digest: keyDigest(readFileSync(dataFiles(config.dataDir).adminKey, 'utf8').trim()),
  };
  const inFiles = config.keys.filter(({ file }) => secretRef(file) === undefined);
  return [
    admin,
    ...inFiles.map(({ name, role, file }) => ({ name, role, digest: keyDigest(readKey(name, file)) })),
  ];
}

/** A key was read from Vault; what it was before is good no more. A short one is not taken. */
export function takeKey(
  keys: ApiKey[],
  config: Config,
  { ref, value }: { ref: string; value: string },
): void {
  if (value.length < KEY_CHARS_MIN) return;
  for (const { name, role, file } of config.keys) {
    if (file !== ref) continue;
    const key = { name, role, digest: keyDigest(value) };
    // The first is the admin's, whatever the others are called.
    const at = keys.findIndex((known, i) => i > 0 && known.name === name);
    if (at < 0) keys.push(key);
    else keys[at] = key;
  }
}

function readKey(name: string, file: string): string {
  let key = '';
  try {
    key = readFileSync(file, 'utf8').trim();
  } catch {
    // An unreadable file and a short key are mended alike.
  }
  if (key.length >= KEY_CHARS_MIN) return key;
  throw new SealwatchError(
    'CONFIG_INVALID',
    `the key of ${name} in ${file} cannot be read or has under ${KEY_CHARS_MIN} characters`,
    'Make one with `openssl rand -base64 32`.',
  );
}
