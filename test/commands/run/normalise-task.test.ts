// New settings begin behind what the stream already has: that stretch is made again as it was.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { NormaliseTask } from '../../../commands/run/normalise-task.ts';
import type { Config } from '../../../core/config.ts';
import { recordedDevice } from '../../../core/devices.ts';
import type { AuditEvent } from '../../../core/event.ts';
import { topics } from '../../../core/records.ts';
import { Framer } from '../../../ingest/collector/framer.ts';
import { Intake } from '../../../ingest/collector/intake.ts';
import { Redactor } from '../../../ingest/collector/redact.ts';
import { EmbeddedStream } from '../../../storage/stream/embedded/stream.ts';
import { fixtureLines } from '../../ingest/normalise/lines.ts';

const dir = mkdtempSync(join(tmpdir(), 'sealwatch-task-'));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const person: Config['callers'] = [{ name: 'alice', kind: 'human' }];
const program: Config['callers'] = [{ name: 'alice', kind: 'workload' }];

it('what an operator says of callers holds from the restart on, and for nothing before it', async () => {
  await using stream = await EmbeddedStream.open({ dir, partitions: 1, writes: Object.values(topics) });
  const intake = new Intake(stream, new Redactor(Buffer.alloc(32)));
  const source = intake.source({ device: 'file' });
  const framer = new Framer({
    line: (bytes, from, to) => intake.line(source, bytes, from, to, Number.MAX_SAFE_INTEGER),
    lost: () => {},
  });
  const lines = fixtureLines('kv-v2').filter((line) => line.includes('userpass-alice'));
  const push = async (from: number, to: number) => {
    for (const line of lines.slice(from, to)) framer.push(Buffer.from(`${line}\n`));
    await stream.flush();
    intake.settleAll();
  };
  const load = (callers: Config['callers']) =>
    NormaliseTask.load({
      stream,
      partition: 0,
      cluster: 'test',
      devices: [recordedDevice('file', 'test')],
      time: { pairWaitSeconds: 6, allowedLatenessSeconds: 3, dedupeSeconds: 600 },
      callers,
    });
  const kinds = async () => {
    const records = await stream.read(topics.events, 0, 0, 1e9);
    return records.flatMap(({ kind, value }) =>
      kind === 'event' ? [(value as AuditEvent).vault.caller.kind] : [],
    );
  };
  const takeAll = async (task: NormaliseTask) => {
    while ((await task.step()) > 0);
    await stream.flush();
    await task.save();
  };
  const kept = async () => (await stream.loadSnapshot('normalise', '0'))?.state;
  const task = await load(person);
  expect(await kept()).toMatchObject({ settings: { callers: person } });
  await push(0, 4);
  while ((await task.step()) > 0);
  await stream.flush();
  const before = await kinds();
  expect(before).toEqual(['human', 'human']);
  // Killed before its snapshot: the same is made again, and as it was, though the settings are others now.
  await push(4, 8);
  const next = await load(program);
  expect(await kept()).toMatchObject({ settings: { callers: person } });
  await takeAll(next);
  expect(await kept()).toMatchObject({ settings: { callers: program } });
  await takeAll(next);
  expect(await kinds()).toEqual([...before, 'workload', 'workload']);
});
