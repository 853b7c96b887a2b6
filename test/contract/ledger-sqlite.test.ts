// The ledger's memory on SQLite against the contract, and what only a file can do.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SealwatchError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { openLedgerMemory, temporaryLedgerMemory } from '../../storage/ledger/memory.ts';
import { rowSql } from '../../storage/ledger/statements.ts';
import { openDatabase } from '../../storage/sqlite.ts';
import { at } from '../builders.ts';
import { MapMemory } from '../ingest/ledger/memory.ts';
import { aHeld, ledgerMemoryContract } from './ledger-memory.ts';

ledgerMemoryContract('SQLite', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sealwatch-ledger-'));
  return {
    open: () => openLedgerMemory(join(dir, 'ledger.db')),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
});

ledgerMemoryContract('Maps', () => ({ open: () => new MapMemory(), remove: () => {} }));

describe('the file of the ledger', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sealwatch-ledger-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const codeOf = (open: () => unknown): string => {
    try {
      open();
    } catch (error) {
      return error instanceof SealwatchError ? error.code : String(error);
    }
    return 'opened';
  };

  test('a file of another layout, and one that is none, are refused', () => {
    const path = join(dir, 'ledger.db');
    openLedgerMemory(path)[Symbol.dispose]();
    const database = openDatabase(path, { readOnly: false });
    database.exec('pragma user_version = 99');
    database.close();
    expect(codeOf(() => openLedgerMemory(path))).toBe('DATA_DIR_OTHER_LAYOUT');
    const other = join(dir, 'other.db');
    writeFileSync(other, 'no database at all'.repeat(1000));
    expect(codeOf(() => openLedgerMemory(other))).toBe('DATA_DIR_UNUSABLE');
  });

  test('a temporary memory leaves nothing behind, and holds more than waits in memory', async () => {
    using memory = temporaryLedgerMemory(join(dir, 'ledger.tmp'));
    for (let n = 0; n < 3 * limits.ledgerUnwrittenMax; n++) memory.put(aHeld({ id: `lease/${n}` }));
    await memory.commit(1);
    expect(memory.held('lease/0')?.lease.id).toBe('lease/0');
    expect(memory.aliveUnder('', 'lease/', at(0), '', 20_000)).toHaveLength(3 * limits.ledgerUnwrittenMax);
    expect(readdirSync(dir)).toEqual([]);
  });

  test('a commit keeps everything with its place; what came after is gone with the process', async () => {
    const path = join(dir, 'ledger.db');
    const first = openLedgerMemory(path);
    first.put(aHeld({ id: 'kept', expires_at: at(5) }));
    first.set('life/x', 'k', 1);
    await first.commit({ next: 5 });
    first.put(aHeld({ id: 'gone' }));
    first.put(aHeld({ id: 'kept', ended_at: at(1) }, 2));
    first.set('life/x', 'k', 2);
    // Whoever asks for an order has it written.
    expect(first.newestOpen(undefined, 5)).toHaveLength(1);
    first[Symbol.dispose]();
    using memory = openLedgerMemory(path);
    expect(memory.place()).toEqual({ next: 5 });
    expect(memory.held('kept')?.revision).toBe(1);
    expect(memory.held('gone')).toBeUndefined();
    expect(memory.get('life/x', 'k')).toBe(1);
    expect(memory.expired(at(5), 5)).toHaveLength(1);
  });

  test('no question sorts what it does not answer with', () => {
    const path = join(dir, 'ledger.db');
    openLedgerMemory(path)[Symbol.dispose]();
    const database = openDatabase(path, { readOnly: true });
    const sorted = Object.entries(rowSql)
      .filter(([name]) => name !== 'put' && name !== 'countOpen')
      .filter(([, sql]) => {
        const plan = database.prepare(`explain query plan ${sql}`).all() as { detail: string }[];
        return plan.some(({ detail }) => /TEMP B-TREE|^SCAN rows$/.test(detail));
      });
    // What has ended since a time is little.
    expect(sorted.map(([name]) => name)).toEqual(['endedOf', 'endedUnder']);
    database.close();
  });
});
