// What comes so late that nobody remembers whether it went out before: it is kept, and never makes evidence worse.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../../core/event.ts';
import { addSeconds } from '../../../core/time.ts';
import { openEvidenceReader } from '../../../storage/evidence/embedded/reader.ts';
import { openEvidenceWriter } from '../../../storage/evidence/embedded/writer.ts';
import { batchOf } from '../../contract/evidence-store.ts';
import { callOf, type EntryLine } from './lines.ts';
import { device, resalted, Several } from './several.ts';

const [request, response] = callOf('kv-v2', 2);
const tcp = [request, response].map((entry) => resalted(entry, 3)) as [EntryLine, EntryLine];
const at = (seconds: number) => addSeconds('2026-11-23T02:01:46.000000000Z', seconds);
const two = () => new Several({ devices: [device('file', { isFile: true }), device('tcp')] });
const shown = ({ versions }: Several) =>
  versions.map(({ vault }) => [vault.pair, vault.revision, vault.devices.join(), vault.flags?.join() ?? '']);

async function stored(run: Several): Promise<AuditEvent | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'sealwatch-late-'));
  const path = join(folder, 'evidence.db');
  await using writer = openEvidenceWriter(path);
  for (const [i, event] of run.versions.entries())
    await writer.write(batchOf({ events: [{ event, text: run.texts[i] ?? '' }] }));
  await using reader = openEvidenceReader(path);
  const event = await reader.get('events', run.versions[0]?.event.id ?? '');
  rmSync(folder, { recursive: true });
  return event;
}

describe('a copy of a call that went out', () => {
  it('within dedupeSeconds is a duplicate', () => {
    const run = two();
    for (const entry of [request, response]) run.line('file', entry);
    run.tick(at(10));
    run.tick(at(590));
    for (const entry of tcp) run.line('tcp', entry);
    run.tick(at(600));
    expect(shown(run)).toEqual([['both', 2, 'file', '']]);
    expect(run.counts['tcp']).toMatchObject({ received: 2, late: 2, duplicate: 2, gaps: 1 });
  });

  it.each([false, true])('later than that it takes the place of nothing; restarted: %s', async (restarts) => {
    const run = two();
    for (const entry of [request, response]) run.line('file', entry);
    run.tick(at(10));
    run.tick(at(800));
    if (restarts) run.restart();
    for (const entry of tcp) {
      run.line('tcp', entry);
      if (restarts) run.restart();
    }
    run.tick(at(801));
    expect(shown(run)).toEqual([
      ['both', 2, 'file', ''],
      ['both', 1, 'tcp', 'late'],
    ]);
    expect((await stored(run))?.vault.devices).toEqual(['file']);
    // The file showed it then: no gap of it now.
    expect(run.counts['file']).toMatchObject({ paired: 1, gaps: 0 });
  });

  it('and its copies after that are duplicates again', () => {
    const run = two();
    run.tick(at(800));
    for (const entry of [request, response]) run.line('file', entry);
    run.tick(at(801));
    for (const entry of tcp) run.line('tcp', entry);
    run.tick(at(1300));
    expect(shown(run)).toEqual([['both', 1, 'file', 'late']]);
  });

  it('a half that comes so late is less than the half that went out, and its whole is more', async () => {
    const run = two();
    run.line('file', request);
    run.tick(at(10));
    // The half is given up, and forgotten.
    run.tick(at(400));
    run.tick(at(1200));
    run.line('tcp', tcp[0]);
    run.tick(at(1201));
    expect(shown(run)).toEqual([
      ['request_only', 1, 'file', ''],
      ['request_only', 0, 'tcp', 'late'],
    ]);
    expect((await stored(run))?.vault.devices).toEqual(['file']);
    run.line('tcp', tcp[1]);
    run.tick(at(1202));
    expect(shown(run).at(-1)).toEqual(['both', 1, 'tcp', 'late']);
    expect((await stored(run))?.vault.pair).toBe('both');
  });
});

it('a clock that is ahead does not keep what is behind it from being forgotten', () => {
  const run = new Several({ devices: [device('file')] });
  for (const entry of [request, response])
    run.line('file', { ...entry, time: at(3600), request: { ...entry.request, id: 'ahead' } } as EntryLine);
  for (const entry of [request, response]) run.line('file', entry);
  for (let seconds = 0; seconds < 1200; seconds += 60) run.tick(at(seconds));
  for (const entry of [request, response]) run.line('file', entry);
  run.tick(at(1200));
  expect(run.versions.filter(({ event }) => event.id !== 'ahead').map(({ vault }) => vault.revision)).toEqual(
    [2, 1],
  );
  for (const entry of [request, response])
    run.line('file', { ...entry, time: at(3600), request: { ...entry.request, id: 'ahead' } } as EntryLine);
  expect(run.versions).toHaveLength(3);
});
