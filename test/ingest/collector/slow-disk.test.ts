// A disk that takes seconds for an fsync: whoever writes to the socket does not notice, and each line is kept once.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { loadConfig } from '../../../core/config.ts';
import { topics } from '../../../core/records.ts';
import type { Logger } from '../../../core/telemetry.ts';
import { Collector } from '../../../ingest/collector/collector.ts';
import { EmbeddedStream } from '../../../storage/stream/embedded/stream.ts';
import { deviceLines } from './real-lines.ts';
import { spooledLine } from './spool.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealwatch-slow-'));
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** Every fsync of this process waits until the disk is let go. */
async function holdDisk(): Promise<{ held: () => number; letGo: () => void }> {
  const file = await open(folder, 'r');
  await file.close();
  const prototype = Object.getPrototypeOf(file) as { datasync: () => Promise<void> };
  let held = 0;
  let letGo = () => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const sync = prototype.datasync;
  vi.spyOn(prototype, 'datasync').mockImplementation(async function (this: unknown) {
    held++;
    await gate;
    return sync.call(this);
  });
  return { held: () => held, letGo };
}

test('lines are taken while the disk is busy with the first of them', async () => {
  const stream = await EmbeddedStream.open({
    dir: join(folder, 'stream'),
    partitions: 3,
    writes: [topics.raw],
  });
  const path = join(folder, 'socket');
  const collector = await Collector.start({
    config: loadConfig({
      SEALWATCH_DATA_DIR: folder,
      SEALWATCH_TCP_ENABLED: 'false',
      SEALWATCH_UNIX_PATH: path,
    }),
    stream,
    redactKey: Buffer.alloc(32, 1),
    logger: {} as unknown as Logger,
    now: Date.now,
    onDurable: () => {},
  });
  const { held, letGo } = await holdDisk();
  const socket = connect(path);
  await once(socket, 'connect');
  // Ten times what the socket's own buffers hold.
  const lines = Array.from({ length: 20 }, () => deviceLines('default')).flat();
  for (const line of lines)
    await new Promise<void>((resolve, reject) =>
      socket.write(`${line}\n`, (error) => (error ? reject(error) : resolve())),
    );
  await vi.waitFor(() => expect(collector.intake.counters.lines).toBe(lines.length), { timeout: 20_000 });
  expect(held()).toBeGreaterThan(0);
  expect(collector.intake.counters.dropped).toBe(0);
  expect(stream.end(topics.raw, 0) + stream.end(topics.raw, 1) + stream.end(topics.raw, 2)).toBe(0);
  letGo();
  socket.destroy();
  await collector[Symbol.asyncDispose]();
  const kept: string[] = [];
  for (let partition = 0; partition < 3; partition++)
    for (let next = 0; next < stream.end(topics.raw, partition); ) {
      const records = await stream.read(topics.raw, partition, next, 65_536);
      for (const record of records)
        if (record.kind === 'line') kept.push(spooledLine(record, partition).text);
      next += records.length;
    }
  expect(kept.sort()).toEqual([...lines].sort());
  await stream[Symbol.asyncDispose]();
});
