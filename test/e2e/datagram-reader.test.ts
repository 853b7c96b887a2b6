// The process that reads the syslog socket, as it is built. Its socket is a stream here: Node can make no Unix datagram socket.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { until } from './sealwatch.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function start() {
  // Paused, or this process would read it.
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sender = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
  const child = spawn(process.execPath, ['dist/ingest/collector/datagram-reader.js'], {
    stdio: ['pipe', 'pipe', 'inherit', fd],
  });
  closing.push(
    () => child.kill('SIGKILL'),
    () => socket.destroy(),
    () => sender.destroy(),
    () => server.close(),
  );
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return { child, sender, output: () => output };
}

test('it passes each read on with its octet count', async () => {
  const { sender, output } = await start();
  sender.write('<38>one\n');
  await until('the first', async () => (output() === '8 <38>one\n' ? true : undefined));
  sender.write('é');
  await until('the second', async () => (output() === '8 <38>one\n2 é' ? true : undefined));
});

test('it ends when whoever started it is gone, though it waits for its socket', async () => {
  const { child, sender, output } = await start();
  sender.write('ready');
  await until('it reads', async () => (output() === '' ? undefined : true));
  child.stdin?.end();
  await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
});
