// The embedded evidence store against the contract, and what only a file has: layouts and files that are no database.

import { mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { incidentOf } from '../../core/incident.ts';
import { openEvidenceReader } from '../../storage/evidence/embedded/reader.ts';
import { openEvidenceWriter } from '../../storage/evidence/embedded/writer.ts';
import { openDatabase } from '../../storage/sqlite.ts';
import { anAlert, anEvent, at } from '../builders.ts';
import { batchOf, eventsOf, evidenceStoreContract } from './evidence-store.ts';

async function embedded() {
  const folder = await mkdtemp(join(tmpdir(), 'sealwatch-evidence-'));
  const path = join(folder, 'evidence.db');
  return {
    path,
    openWriter: async () => openEvidenceWriter(path),
    openReader: async () => openEvidenceReader(path),
    refresh: async () => {},
    remove: () => rm(folder, { recursive: true }),
  };
}

evidenceStoreContract('embedded', embedded);

test('a file of another layout is refused by name, by writer and reader', async () => {
  const store = await embedded();
  const database = openDatabase(store.path, { readOnly: false });
  database.exec('create table events (id text); pragma user_version = 99');
  database.close();
  await expect(store.openWriter()).rejects.toMatchObject({ code: 'DATA_DIR_OTHER_LAYOUT' });
  await expect(store.openReader()).rejects.toMatchObject({ code: 'DATA_DIR_OTHER_LAYOUT' });
  await store.remove();
});

test('a file of the layout before is taken over: its alerts become incidents, and it goes on', async () => {
  const store = await embedded();
  const alert = anAlert({ id: 'a' });
  {
    await using writer = await store.openWriter();
    await writer.write(batchOf({ alerts: [{ revision: 1, body: alert }] }));
  }
  const database = openDatabase(store.path, { readOnly: false });
  for (const table of ['incidents', 'triage', 'changes', 'baselines']) database.exec(`drop table ${table}`);
  database.exec('drop index alerts_incident; pragma user_version = 3');
  database.close();
  await using writer = await store.openWriter();
  await using reader = await store.openReader();
  expect(await reader.get('incidents', alert.incident.id)).toEqual(incidentOf([alert]));
  await writer.write(batchOf({ alerts: [{ revision: 1, body: anAlert({ id: 'b' }) }] }));
  expect(await reader.get('incidents', alert.incident.id)).toMatchObject({ alerts: 2 });
  await store.remove();
});

test('a file that is no database, or a missing one, is an error the user can mend', async () => {
  const store = await embedded();
  await expect(store.openReader()).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' });
  await writeFile(store.path, 'not a database, but long enough to look at it as one '.repeat(100));
  await expect(store.openWriter()).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' });
  await store.remove();
});

test('a NUL in a field neither cuts it nor lets two values fall together', async () => {
  const store = await embedded();
  await using writer = await store.openWriter();
  await using reader = await store.openReader();
  await writer.write(
    eventsOf(anEvent({ id: 'a', secret: 's/x\u0000y' }), anEvent({ id: 'b', secret: 's/x\u0000z' })),
  );
  const where = [{ field: 'vault.secret.path' as const, op: 'eq' as const, value: 's/x\u0000y' }];
  expect(await reader.count('events', { where })).toBe(1);
  const period = { from: '2000', to: '3000', where: [], collect: [], limit: 10 };
  const { groups } = await reader.group({ ...period, by: ['vault.secret.path'] });
  expect(groups.map((group) => group.by)).toEqual([['s/x\uFFFDy'], ['s/x\uFFFDz']]);
});

// Plain JavaScript, as a worker of Node 20 runs no TypeScript; the reader's two lines are the same as in the adapter.
const countInAnotherThread = `
  const { workerData: path, parentPort } = require('node:worker_threads');
  const { DatabaseSync } = require('@photostructure/sqlite');
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  const counts = [];
  const timer = setInterval(() => counts.push(database.prepare('select count(*) as n from events').get().n), 1);
  parentPort.on('message', () => { clearInterval(timer); database.close(); parentPort.postMessage(counts); parentPort.close(); });
  parentPort.postMessage('open');`;

test('a reader in another thread never blocks the writer and sees only whole transactions', async () => {
  const store = await embedded();
  await using writer = await store.openWriter();
  const worker = new Worker(countInAnotherThread, { eval: true, workerData: store.path });
  const answer = () =>
    new Promise<unknown>((resolve, reject) => worker.once('message', resolve).once('error', reject));
  expect(await answer()).toBe('open');
  for (let round = 0; round < 100; round++)
    await writer.write(eventsOf(...Array.from({ length: 7 }, (_, i) => anEvent({ id: `e${round}-${i}` }))));
  worker.postMessage('stop');
  const counts = (await answer()) as number[];
  expect(counts.length).toBeGreaterThan(0);
  for (const [i, count] of counts.entries()) {
    expect(count % 7).toBe(0);
    expect(count).toBeGreaterThanOrEqual(counts[i - 1] ?? 0);
  }
  await store.remove();
});

test('two readers see whole transactions while the writer goes on', async () => {
  const store = await embedded();
  {
    await using writer = await store.openWriter();
    await using first = await store.openReader();
    await using second = await store.openReader();
    for (let round = 1; round <= 20; round++) {
      const events = [0, 1, 2].map((i) => anEvent({ id: `e${round}-${i}`, time: at(round) }));
      const writing = writer.write(eventsOf(...events));
      const counts = await Promise.all([first, second].map((r) => r.count('events', { where: [] })));
      for (const count of counts) expect(count % 3).toBe(0);
      await writing;
    }
    expect(await second.count('events', { where: [] })).toBe(60);
  }
  await store.remove();
});

test('a file that is damaged while it is open is an error the user can mend', async () => {
  const store = await embedded();
  const events = Array.from({ length: 2000 }, (_, i) => anEvent({ id: `e${i}`, path: `p${i}`.repeat(99) }));
  {
    await using writer = await store.openWriter();
    await writer.write(eventsOf(...events));
  }
  const database = openDatabase(store.path, { readOnly: false });
  database.exec('pragma wal_checkpoint(truncate)');
  database.close();
  {
    await using reader = await store.openReader();
    const { size } = await stat(store.path);
    const file = await open(store.path, 'r+');
    await file.write(Buffer.alloc(size - 16_384, 0xff), 0, size - 16_384, 16_384);
    await file.close();
    const all = { kind: 'events', where: [], order: 'asc', limit: 5000 } as const;
    await expect(reader.find({ ...all, where: [] })).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' });
  }
  await store.remove();
});
