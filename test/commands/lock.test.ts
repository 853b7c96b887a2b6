// Who may share a data folder: `run` has it alone, stages share it, each kind once; a lock ends with its holder.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockDataDir, lockStage } from '../../commands/lock.ts';
import { dataFiles } from '../../core/config.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const locked = expect.objectContaining({ code: 'DATA_DIR_LOCKED' });

test('a second holder is refused; after dispose the folder is free', () => {
  const first = lockDataDir(folder);
  expect(() => lockDataDir(folder)).toThrow(locked);
  expect(() => lockDataDir(folder)).toThrow(folder);
  first[Symbol.dispose]();
  const second = lockDataDir(folder);
  expect(() => lockDataDir(folder)).toThrow(locked);
  second[Symbol.dispose]();
});

test('folders do not lock each other', () => {
  const other = mkdtempSync(join(folder, 'other-'));
  using _first = lockDataDir(folder);
  using _second = lockDataDir(other);
  expect(() => lockDataDir(other)).toThrow(locked);
});

const holder = (path: string) => `
  const { DatabaseSync } = require('@photostructure/sqlite');
  const database = new DatabaseSync(${JSON.stringify(path)});
  database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
  process.stdout.write('held');
  setInterval(() => database, 1000);`;

test('another process that holds the folder keeps it until it is killed', async () => {
  const child = spawn(process.execPath, ['-e', holder(dataFiles(folder).lock)]);
  await once(child.stdout, 'data');
  expect(() => lockDataDir(folder)).toThrow(locked);
  child.kill('SIGKILL');
  await once(child, 'exit');
  lockDataDir(folder)[Symbol.dispose]();
});

test('stages share a folder, two of the same do not, and none shares it with `run`', () => {
  const index = lockStage(folder, 'index');
  {
    using _serve = lockStage(folder, 'serve');
    expect(() => lockStage(folder, 'index')).toThrow(locked);
    expect(() => lockStage(folder, 'index')).toThrow('another `sealwatch index`');
    expect(() => lockDataDir(folder)).toThrow(locked);
  }
  // The refused ones have let go of what they had.
  expect(() => lockDataDir(folder)).toThrow(locked);
  index[Symbol.dispose]();
  using _run = lockDataDir(folder);
  expect(() => lockStage(folder, 'serve')).toThrow(locked);
  expect(() => lockStage(folder, 'serve')).toThrow('`sealwatch run`');
});

const shared = (path: string) => `
  const { DatabaseSync } = require('@photostructure/sqlite');
  const database = new DatabaseSync(${JSON.stringify(path)});
  database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN; SELECT count(*) FROM sqlite_master;');
  process.stdout.write('held');
  setInterval(() => database, 1000);`;

test('a stage in another process is seen, and lets go when it is killed', async () => {
  const child = spawn(process.execPath, ['-e', shared(dataFiles(folder).lock)]);
  await once(child.stdout, 'data');
  expect(() => lockDataDir(folder)).toThrow(locked);
  lockStage(folder, 'detect')[Symbol.dispose]();
  child.kill('SIGKILL');
  await once(child, 'exit');
  lockDataDir(folder)[Symbol.dispose]();
});
