// The name of a spool: the same at each start, another one in a copy of the data folder.

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureSpoolId, renewSpoolId } from '../../../commands/run/spool-id.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-spool-id-'));
  mkdirSync(join(folder, 'data'));
  path = join(folder, 'data', 'spool-id');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('is random, for its owner only, and stays, also where the folder is moved', () => {
  const id = ensureSpoolId(path);
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(ensureSpoolId(path)).toBe(id);
  renameSync(join(folder, 'data'), join(folder, 'moved'));
  expect(ensureSpoolId(join(folder, 'moved', 'spool-id'))).toBe(id);
  expect(ensureSpoolId(join(folder, 'other'))).not.toBe(id);
});

test('a folder that was copied has an id of its own; the original keeps its', () => {
  const id = ensureSpoolId(path);
  cpSync(join(folder, 'data'), join(folder, 'copy'), { recursive: true, preserveTimestamps: true });
  const copy = join(folder, 'copy', 'spool-id');
  expect(readFileSync(copy, 'utf8')).toBe(readFileSync(path, 'utf8'));
  const other = ensureSpoolId(copy);
  expect(other).not.toBe(id);
  expect(ensureSpoolId(copy)).toBe(other);
  expect(ensureSpoolId(path)).toBe(id);
});

test('a damaged one is made anew, and one that is renewed is another', () => {
  writeFileSync(path, 'half');
  const id = ensureSpoolId(path);
  expect(ensureSpoolId(path)).toBe(id);
  const renewed = renewSpoolId(path);
  expect(renewed).not.toBe(id);
  expect(ensureSpoolId(path)).toBe(renewed);
});
