// The ledger's task on a real stream: what a lost memory, a lost stream and a refusing disk do to it. Kills: the permuter.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { normaliseLines } from '../../commands/replay-lines.ts';
import { LedgerStage } from '../../commands/run/stages/ledger.ts';
import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import type { StreamRecord } from '../../core/ports.ts';
import { type CredentialCall, LEDGER_PARTITION, type Question, topics } from '../../core/records.ts';
import { openLedgerMemory } from '../../storage/ledger/memory.ts';
import { openDatabase } from '../../storage/sqlite.ts';
import { EmbeddedStream } from '../../storage/stream/embedded/stream.ts';
import { at } from '../builders.ts';
import { fixtureLines } from '../ingest/normalise/lines.ts';

let dir: string;
let stream: EmbeddedStream;
let asked: Question[];
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sealwatch-ledger-task-'));
  stream = await EmbeddedStream.open({
    dir: join(dir, 'stream'),
    partitions: 1,
    writes: Object.values(topics),
  });
  asked = [];
});
afterEach(async () => {
  await stream[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

const file = () => join(dir, 'ledger.db');
async function load(open = () => openLedgerMemory(file())): Promise<LedgerStage> {
  const ledger = new LedgerStage({
    stream,
    cluster: 'vault',
    auditPathOf: () => 'file',
    ranks: ['file'],
    openLedger: async () => open(),
    now: () => 0,
    ask: (question) => asked.push(question),
  });
  await ledger.assign([LEDGER_PARTITION]);
  return ledger;
}

/** Calls of a real Vault that take leases and give them back. */
const calls: CredentialCall[] = normaliseLines(fixtureLines('database-lease')).map((event) => ({ event }));

function put(some: CredentialCall[], watermark = '2040-01-01T00:00:00.000000000Z'): void {
  const value = { source: 0, time: watermark };
  stream.append(topics.credentials, 0, [
    ...some.map((value) => ({ kind: 'credential' as const, value })),
    { kind: 'watermark', value },
  ]);
}

async function work(ledger: LedgerStage): Promise<void> {
  await stream.flush();
  for (let count = 1; count > 0; ) {
    count = await ledger.step();
    await stream.flush();
    await ledger.commit();
  }
}

async function leases(): Promise<{ revision: number; body: Lease }[]> {
  const records: StreamRecord[] = [];
  for (let at = 0; at < stream.end(topics.leases, 0); at = records.length)
    records.push(...(await stream.read(topics.leases, 0, at, limits.readBytesMax)));
  return records
    .filter(({ kind }) => kind === 'lease')
    .map(({ value }) => value as { revision: number; body: Lease });
}

/** The last of each id, by revision. */
const last = (rows: { revision: number; body: Lease }[]) =>
  Object.fromEntries([...rows].sort((a, b) => a.revision - b.revision).map(({ body }) => [body.id, body]));

describe('the ledger of run', () => {
  it('tells the leases, how many are open, and how far it has come', async () => {
    await using ledger = await load();
    put(calls, at(0));
    await work(ledger);
    const waiting = ledger.metrics();
    expect(waiting['sealwatch_ledger_waiting_records']).toBe(calls.length);
    put([]);
    await work(ledger);
    const rows = Object.values(last(await leases()));
    expect(rows.filter(({ kind }) => kind === 'lease').length).toBeGreaterThan(1);
    expect(ledger.metrics()).toMatchObject({
      sealwatch_ledger_records_total: calls.length,
      sealwatch_ledger_waiting_records: 0,
      sealwatch_ledger_lag_records: 0,
      sealwatch_ledger_failed_total: 0,
      sealwatch_ledger_failing: 0,
    });
  });

  it('a memory that is lost is built again, and is not taken for older than what it told before', async () => {
    const first = await load();
    put(calls);
    await work(first);
    await first[Symbol.asyncDispose]();
    const told = await leases();
    for (const suffix of ['', '-wal', '-shm']) rmSync(file() + suffix, { force: true });
    await using second = await load();
    await work(second);
    const again = (await leases()).slice(told.length);
    expect(last(again)).toEqual(last(told));
    const highest = Math.max(...told.map(({ revision }) => revision));
    expect(Math.min(...again.map(({ revision }) => revision))).toBeGreaterThan(highest);
  });

  it('a second crash before the first one’s work is made again tells nothing twice', async () => {
    const first = await load();
    put(calls);
    await stream.flush();
    await first.step();
    await stream.flush();
    await first[Symbol.asyncDispose]();
    const second = await load();
    await second.commit();
    await second[Symbol.asyncDispose]();
    await using third = await load();
    await work(third);
    const told = (await leases()).map(({ revision, body }) => `${revision} ${body.id}`);
    expect(told.length).toBeGreaterThan(2);
    expect(told).toEqual([...new Set(told)]);
  });

  it('a disk that refuses is waited for, and nothing is told twice', async () => {
    await using ledger = await load();
    put(calls, at(0));
    await work(ledger);
    const other = openDatabase(file(), { readOnly: false });
    other.exec('begin immediate');
    put([]);
    await stream.flush();
    await expect(work(ledger)).rejects.toThrow(/locked/);
    await expect(ledger.step()).rejects.toThrow(/locked/);
    expect(ledger.metrics()['sealwatch_ledger_failing']).toBe(1);
    other.exec('rollback');
    other.close();
    await work(ledger);
    const rows = await leases();
    expect(rows.length).toBeGreaterThan(2);
    const told = rows.map(({ revision, body }) => `${revision} ${body.id}`);
    expect(told).toEqual([...new Set(told)]);
  });

  it('a file that cannot be opened again for a while is waited for, too', async () => {
    let isAway = false;
    await using ledger = await load(() => {
      if (isAway) throw new Error('away');
      return openLedgerMemory(file());
    });
    const other = openDatabase(file(), { readOnly: false });
    other.exec('begin immediate');
    put(calls);
    await expect(work(ledger)).rejects.toThrow(/locked/);
    other.exec('rollback');
    other.close();
    isAway = true;
    await expect(ledger.step()).rejects.toThrow('away');
    await expect(ledger.step()).rejects.toThrow('away');
    isAway = false;
    await work(ledger);
    expect((await leases()).length).toBeGreaterThan(2);
  });

  it('what nobody answered is asked again after a restart', async () => {
    const first = await load();
    put(calls);
    await work(first);
    const lasting = asked.filter(({ need }) => need !== 'end' && need !== 'sample');
    expect(lasting.length).toBeGreaterThan(0);
    await first[Symbol.asyncDispose]();
    asked = [];
    await using _second = await load();
    expect(new Set(asked.map(({ path }) => path))).toEqual(new Set(lasting.map(({ path }) => path)));
  });
});
