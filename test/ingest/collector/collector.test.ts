// The collector from the wire to the spool on disk: each line once, over restarts, and reading never stops.

import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadConfig } from '../../../core/config.ts';
import { limits } from '../../../core/limits.ts';
import type { NewRecord, Stream } from '../../../core/ports.ts';
import { topics } from '../../../core/records.ts';
import type { Logger } from '../../../core/telemetry.ts';
import { Collector } from '../../../ingest/collector/collector.ts';
import { EmbeddedStream } from '../../../storage/stream/embedded/stream.ts';
import { leaveSocket } from '../../left-socket.ts';
import { deviceLines } from './real-lines.ts';
import { MemorySpool, type SpooledLine, spooledLine } from './spool.ts';

let folder: string;
const logged: string[] = [];
const logger = {
  error: (_: unknown, text: string) => logged.push(text),
  warn() {},
  info() {},
} as unknown as Logger;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwatch-collector-'));
  logged.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

const socketPath = () => join(folder, 'audit.sock');
const filePath = () => join(folder, 'audit.log');
const openStream = () =>
  EmbeddedStream.open({ dir: join(folder, 'stream'), partitions: 3, writes: [topics.raw] });

function start(stream: Stream, env: NodeJS.ProcessEnv): Promise<Collector> {
  const config = loadConfig({ SEALWATCH_DATA_DIR: folder, SEALWATCH_TCP_PORT: '0', ...env });
  return Collector.start({
    config,
    stream,
    redactKey: Buffer.alloc(32, 1),
    logger,
    now: Date.now,
    onDurable: () => {},
  });
}

const portOf = (collector: Collector) =>
  collector.listeners.find(({ port }) => port !== undefined)?.port ?? 0;

async function dial(where: { port: number } | { path: string }): Promise<Socket> {
  const socket = connect('port' in where ? { ...where, host: '127.0.0.1' } : where);
  await once(socket, 'connect');
  return socket;
}

const send = (socket: Socket, bytes: string | Buffer) =>
  new Promise<void>((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve())));

async function spooled(stream: Stream): Promise<SpooledLine[]> {
  const found: SpooledLine[] = [];
  for (let partition = 0; partition < stream.partitions; partition++) {
    for (let next = 0; next < stream.end(topics.raw, partition); ) {
      const records = await stream.read(topics.raw, partition, next, 1024 * 1024);
      for (const record of records) {
        const copy = { ...record, bytes: Buffer.from(record.bytes) };
        if (record.kind === 'line') found.push(spooledLine(copy, partition));
      }
      next += records.length;
    }
  }
  return found;
}

const of = (lines: SpooledLine[], device: string) =>
  lines
    .filter(({ head }) => head.device === device)
    .map(({ text }) => text)
    .sort();
const until = (check: () => Promise<void> | void) => vi.waitFor(check, { timeout: 20_000, interval: 20 });
const joined = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');

test('TCP, Unix and file together: each line is in the stream once, with its device', async () => {
  const lines = deviceLines('default');
  const expected = [...lines].sort();
  writeFileSync(filePath(), joined(lines.slice(0, 50)));
  await using stream = await openStream();
  {
    await using collector = await start(stream, {
      SEALWATCH_UNIX_PATH: socketPath(),
      SEALWATCH_FILE_PATH: filePath(),
    });
    const tcp = await dial({ port: portOf(collector) });
    const unix = await dial({ path: socketPath() });
    const bytes = Buffer.from(joined(lines));
    for (let at = 0; at < bytes.length; at += 9973) await send(tcp, bytes.subarray(at, at + 9973));
    for (const line of lines) unix.write(`${line}\n`);
    appendFileSync(filePath(), joined(lines.slice(50)));
    await until(async () => expect(await spooled(stream)).toHaveLength(3 * lines.length));
    tcp.destroy();
    unix.end();
  }
  const all = await spooled(stream);
  for (const device of ['tcp', 'unix', 'file']) expect([device, of(all, device)]).toEqual([device, expected]);
});

test('over restarts the file is read once, and what was written meanwhile is found', async () => {
  const lines = deviceLines('default');
  writeFileSync(filePath(), '');
  let written = 0;
  for (const count of [10, 40, 3, lines.length]) {
    const more = lines.slice(written, count === lines.length ? undefined : written + count);
    appendFileSync(filePath(), joined(more));
    written += more.length;
    await using stream = await openStream();
    await using _collector = await start(stream, {
      SEALWATCH_FILE_PATH: filePath(),
      SEALWATCH_TCP_ENABLED: 'false',
    });
    await until(async () => expect((await spooled(stream)).length).toBeGreaterThanOrEqual(written));
  }
  await using stream = await openStream();
  expect(of(await spooled(stream), 'file')).toEqual([...lines].sort());
});

test('a full stop takes what has arrived: a line that was written just before it is in the stream', async () => {
  await using stream = await openStream();
  const collector = await start(stream, {});
  const socket = await dial({ port: portOf(collector) });
  socket.on('error', () => {});
  await send(socket, 'the last line\n');
  await collector[Symbol.asyncDispose]();
  expect((await spooled(stream)).map(({ text }) => text)).toEqual(['the last line']);
});

describe('where it listens', () => {
  test('a port that is taken is an error the user can mend, and nothing is left open', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    const spool = new MemorySpool();
    await expect(start(spool, { SEALWATCH_TCP_PORT: port })).rejects.toMatchObject({
      name: 'SealwatchError',
      code: 'PORT_TAKEN',
      exitCode: 1,
    });
    other.close();
    await once(other, 'close');
    await using collector = await start(spool, { SEALWATCH_TCP_PORT: port });
    expect(String(portOf(collector))).toBe(port);
  });

  test('an address that is not there is LISTEN_FAILED', async () => {
    await expect(start(new MemorySpool(), { SEALWATCH_TCP_HOST: '127.0.0.999' })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
    });
  });

  test('a socket file that a killed process left behind is replaced', async () => {
    await leaveSocket(socketPath());
    const spool = new MemorySpool(1);
    await using _collector = await start(spool, { SEALWATCH_UNIX_PATH: socketPath() });
    const socket = await dial({ path: socketPath() });
    await send(socket, 'hello\n');
    await until(() => expect(spool.lines().map(({ text }) => text)).toEqual(['hello']));
    socket.destroy();
  });

  test('a socket that somebody listens on is left to him', async () => {
    const other = createServer().listen(socketPath());
    await once(other, 'listening');
    await expect(start(new MemorySpool(), { SEALWATCH_UNIX_PATH: socketPath() })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
    });
    other.close();
  });

  test('a file of that name that is no socket is not removed', async () => {
    writeFileSync(socketPath(), 'mine');
    await expect(start(new MemorySpool(), { SEALWATCH_UNIX_PATH: socketPath() })).rejects.toMatchObject({
      name: 'SealwatchError',
    });
  });
});

/** A spool whose disk does not answer; it counts what it is given and keeps none of it. */
class StalledSpool extends MemorySpool {
  bytes = 0;
  release: () => void = () => {};
  private readonly stalled = new Promise<void>((resolve) => {
    this.release = resolve;
  });

  override append(_topic: string, _partition: number, records: readonly NewRecord[]): void {
    for (const { head, bytes } of records) this.bytes += (head?.length ?? 0) + (bytes?.length ?? 0);
  }

  override flush(): Promise<void> {
    return this.stalled;
  }
}

test('a disk that stalls does not stop reading: writes end, memory is bounded, the rest is counted', async () => {
  const spool = new StalledSpool();
  const collector = await start(spool, {});
  const socket = await dial({ port: portOf(collector) });
  const line = Buffer.alloc(8 * 1024 * 1024, 'x');
  line[line.length - 1] = 10;
  const count = Math.ceil((1.5 * limits.spoolQueueBytesMax) / line.length);
  for (let i = 0; i < count; i++) await send(socket, line);
  await send(socket, 'end\n');
  const { counters } = collector.intake;
  await until(() => expect(counters.lines + counters.dropped).toBe(count + 1));
  expect(counters.dropped).toBeGreaterThan(count / 4);
  expect(spool.bytes).toBeGreaterThan(limits.spoolQueuePerInputBytesMax);
  expect(spool.bytes).toBeLessThan(limits.spoolQueuePerInputBytesMax + 2 * line.length);
  socket.destroy();
  spool.release();
  await collector[Symbol.asyncDispose]();
});

test('a disk that refuses for a while: it is said, and the lines come when it takes them', async () => {
  await using stream = await openStream();
  const collector = await start(stream, {});
  const failing = vi.spyOn(stream, 'flush').mockRejectedValueOnce(new Error('no space'));
  const socket = await dial({ port: portOf(collector) });
  await send(socket, 'one\ntwo\n');
  await until(async () =>
    expect((await spooled(stream)).map(({ text }) => text).sort()).toEqual(['one', 'two']),
  );
  expect(failing.mock.calls.length).toBeGreaterThan(1);
  expect(logged).toContain('the spool cannot be written; trying again');
  socket.destroy();
  failing.mockRestore();
  await collector[Symbol.asyncDispose]();
});
