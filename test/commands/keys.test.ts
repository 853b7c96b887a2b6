// Keys that the first start makes: for the owner only, made once, and never taken when they are too short.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureKey, makeDataDir } from '../../commands/keys.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const mode = (path: string) => statSync(path).mode & 0o777;

test('a new key is random, in a file and folder for the owner only', () => {
  const path = join(folder, 'data', 'admin-key');
  const { key, isNew } = ensureKey(path);
  expect(isNew).toBe(true);
  expect(key).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(readFileSync(path, 'utf8')).toBe(`${key}\n`);
  expect([mode(path), mode(join(folder, 'data'))]).toEqual([0o600, 0o700]);
  expect(readdirSync(join(folder, 'data'))).toEqual(['admin-key']);
  expect(ensureKey(join(folder, 'data', 'other')).key).not.toBe(key);
});

test('the same key comes back the second time', () => {
  const path = join(folder, 'key');
  const first = ensureKey(path);
  expect(ensureKey(path)).toEqual({ key: first.key, isNew: false });
});

test('a file that a crash left half-written is no key', () => {
  const path = join(folder, 'key');
  writeFileSync(`${path}.new`, 'half');
  const { key, isNew } = ensureKey(path);
  expect([isNew, key.length]).toEqual([true, 43]);
});

test.each(['', '\n', 'short', `${'x'.repeat(31)}\n`])(
  'a key that is too short is refused and stays: %j',
  (text) => {
    const path = join(folder, 'key');
    writeFileSync(path, text);
    expect(() => ensureKey(path)).toThrow(expect.objectContaining({ code: 'DATA_DIR_UNUSABLE' }));
    expect(readFileSync(path, 'utf8')).toBe(text);
  },
);

test('a key of an operator of 32 characters is taken without its newline', () => {
  const path = join(folder, 'key');
  writeFileSync(path, `${'k'.repeat(32)}\n`);
  expect(ensureKey(path)).toEqual({ key: 'k'.repeat(32), isNew: false });
});

test('a data folder that was open to others is closed; one that cannot be made is an error the user can mend', () => {
  const open = mkdtempSync(join(folder, 'open-'));
  makeDataDir(open);
  expect(mode(open)).toBe(0o700);
  writeFileSync(join(folder, 'file'), '');
  expect(() => makeDataDir(join(folder, 'file', 'data'))).toThrow(
    expect.objectContaining({ code: 'DATA_DIR_UNUSABLE' }),
  );
});
