// The ledger's memory on SQLite against the contract, and what only a file can do.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SealwatchError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { openLedgerMemory, temporaryLedgerMemory } from '../../storage/ledger/memory.ts';
import { openDatabase } from '../../storage/sqlite.ts';
import { aHeld, ledgerMemoryContract } from './ledger-memory.ts';

ledgerMemoryContract('SQLite', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sealwatch-ledger-'));
  return {
    open: () => openLedgerMemory(join(dir, 'ledger.db')),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
});

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

  test('a temporary memory leaves nothing behind, and holds more than waits in memory', () => {
    using memory = temporaryLedgerMemory(join(dir, 'ledger.tmp'));
    for (let n = 0; n < 3 * limits.ledgerUnwrittenMax; n++) memory.put(aHeld({ id: `lease/${n}` }));
    memory.commit(1);
    expect(memory.held('lease/0')?.lease.id).toBe('lease/0');
    expect(memory.openUnder('', 'lease/')).toHaveLength(3 * limits.ledgerUnwrittenMax);
    expect(readdirSync(dir)).toEqual([]);
  });

  test('each question is answered by an index', () => {
    const path = join(dir, 'ledger.db');
    openLedgerMemory(path)[Symbol.dispose]();
    const database = openDatabase(path, { readOnly: true });
    const plan = (sql: string) =>
      (database.prepare(`explain query plan ${sql}`).all() as { detail: string }[])
        .map(({ detail }) => detail)
        .join('; ');
    const open = 'select body from rows where is_open';
    expect(plan(`${open} and holder_token = ? order by id`)).toMatch(
      /^SEARCH rows USING INDEX rows_of_token/,
    );
    expect(plan(`${open} and is_lease and namespace = ? and id >= ? order by id`)).toMatch(
      /^SEARCH rows USING INDEX rows_under \(namespace=\? AND id>\?\)$/,
    );
    expect(plan(`${open} and expires_at <= ? order by expires_at, id limit ?`)).toMatch(
      /rows_expiring[^;]*$/,
    );
    expect(plan('select min(expires_at) from rows where is_open and expires_at is not null')).toMatch(
      /rows_expiring[^;]*$/,
    );
    expect(plan(`${open} and is_lease and holder_id = ? order by issued_at desc, id desc limit ?`)).toMatch(
      /rows_newest_of[^;]*$/,
    );
    expect(plan(`${open} and is_lease order by issued_at desc, id desc limit ?`)).toMatch(
      /rows_newest[^;]*$/,
    );
    database.close();
  });
});
