// The detectors' memory on SQLite against the contract, and what only a file can do.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { limits } from '../../core/limits.ts';
import { openDetectorMemory, temporaryDetectorMemory } from '../../storage/detectors/memory.ts';
import { MapMemory } from '../ingest/ledger/memory.ts';
import { detectorMemoryContract } from './detector-memory.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'sealwatch-detector-'));

detectorMemoryContract('SQLite', () => {
  const dir = folder();
  return {
    open: () => openDetectorMemory(join(dir, 'events-0.db')),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
});

detectorMemoryContract('Maps', () => ({ open: () => new MapMemory(), remove: () => {} }));

test('a commit keeps what was set with its place; what came after is gone with the process', async () => {
  const dir = folder();
  const first = openDetectorMemory(join(dir, 'events-0.db'));
  first.set('s', 'kept', 1);
  await first.commit({ next: 5 });
  // More than waits in memory: the transaction has begun.
  for (let n = 0; n < 2 * limits.ledgerUnwrittenMax; n++) first.set('s', `gone-${n}`, n);
  first.set('s', 'kept', 2);
  first[Symbol.dispose]();
  const second = openDetectorMemory(join(dir, 'events-0.db'));
  expect([second.place(), second.get('s', 'kept'), second.list('s', 'gone', 1)]).toEqual([
    { next: 5 },
    1,
    [],
  ]);
  second[Symbol.dispose]();
  rmSync(dir, { recursive: true });
});

test('a temporary memory leaves nothing behind', async () => {
  const dir = folder();
  const memory = temporaryDetectorMemory(join(dir, 'x.tmp'));
  memory.set('s', 'k', 1);
  await memory.commit(null);
  expect(readdirSync(dir)).toEqual([]);
  memory[Symbol.dispose]();
  rmSync(dir, { recursive: true });
});
