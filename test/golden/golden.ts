// Golden files: what the code makes of recorded input, reviewed by a person, kept as text. UPDATE=1 writes them anew.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'vitest';

/** `lines` must be the lines of the golden file at `path`. */
export function expectGolden(path: string, lines: string[]): void {
  if (process.env['UPDATE'] === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  }
  expect(lines, `${path}: if the change is wanted, review it and run again with UPDATE=1`).toEqual(
    readFileSync(path, 'utf8').split('\n').slice(0, -1),
  );
}
