// Alerts in a file: one line each, a line that a crash cut off is taken away, and what is there is known.

import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileOutput } from '../../outputs/alerts/file.ts';
import { anAlert } from '../builders.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-alerts-'));
  path = join(folder, 'alerts.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const linesThere = () => readFileSync(path, 'utf8').split('\n');
const texts = (...ids: string[]) => [...ids.map((id) => JSON.stringify(anAlert({ id }))), ''];

test('each alert is one line, in a file for its owner only', async () => {
  using output = fileOutput(path);
  expect(output.known.size).toBe(0);
  for (const id of ['a', 'b']) expect(await output.send(anAlert({ id }))).toEqual({ result: 'done' });
  expect(linesThere()).toEqual(texts('a', 'b'));
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('what is there is known after a restart, and new alerts go behind it', async () => {
  const first = fileOutput(path);
  const strange = {
    ...anAlert({ id: 'b"\\é' }),
    message: '"alert":{"id":"no"} \n {"alert":{"id":"neither"}}',
  };
  await first.send(anAlert({ id: 'a' }));
  await first.send(strange);
  first[Symbol.dispose]();
  using second = fileOutput(path);
  expect(second.known.has('a')).toBe(true);
  expect([...second.known]).not.toContain('no');
  await second.send(anAlert({ id: 'c' }));
  expect(
    linesThere().map((line) => line && (JSON.parse(line) as { alert: { id: string } }).alert.id),
  ).toEqual(['a', 'b"\\é', 'c', '']);
});

test('a last line that is torn at any byte is cut off, is not known, and is written again as a whole', async () => {
  const [a = '', b = ''] = texts('a', 'b');
  const whole = `${a}\n${b}\n`;
  for (let bytes = 0; bytes < Buffer.byteLength(whole); bytes += 7) {
    writeFileSync(path, whole.slice(0, bytes));
    const kept = bytes > a.length ? ['a'] : [];
    using output = fileOutput(path);
    expect([bytes, [...output.known]]).toEqual([bytes, kept]);
    for (const id of ['a', 'b'].filter((name) => !output.known.has(name))) await output.send(anAlert({ id }));
    expect([bytes, linesThere()]).toEqual([bytes, texts('a', 'b')]);
  }
});

test('in a long file the newest alerts are known, and nothing of it is cut off', async () => {
  const filler = `${JSON.stringify(anAlert({ id: 'old' }))}\n`.repeat(3000);
  writeFileSync(path, filler);
  appendFileSync(path, `${texts('newest')[0]}\ntorn`);
  using output = fileOutput(path);
  expect(output.known.has('newest')).toBe(true);
  expect(readFileSync(path, 'utf8')).toBe(`${filler}${texts('newest')[0]}\n`);
});

test('a full disk means later, and the next try writes the line where it belongs', async () => {
  using full = fileOutput('/dev/full');
  expect(await full.send(anAlert({ id: 'a' }))).toEqual({ result: 'later', why: 'ENOSPC' });
});

test('a file that cannot be written is an error the user can mend', () => {
  expect(() => fileOutput(join(folder, 'missing', 'alerts.jsonl'))).toThrow(
    expect.objectContaining({ code: 'OUTPUT_UNWRITABLE' }),
  );
  expect(() => fileOutput(folder)).toThrow(expect.objectContaining({ code: 'OUTPUT_UNWRITABLE' }));
});
