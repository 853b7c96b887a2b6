// Syslog inputs as they are configured: TCP and TLS, UDP, and the socket that systemd hands over, read by a process of its own.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { readDatagrams } from '../../../ingest/collector/datagrams.ts';
import type { Listener } from '../../../ingest/collector/listening.ts';
import { certificate, mutual, OpenInput, until } from './inputs.ts';
import { deviceLines } from './real-lines.ts';

const [first = '', second = ''] = deviceLines('default');
const message = (line: string) => `<38>Nov 23 05:31:27 vault[21757]: ${line}\n`;

test('TCP: both framings on one connection, the lines as Vault wrote them', async () => {
  await using input = await OpenInput.open({ type: 'syslog' });
  const socket = await input.dial();
  socket.end(`${message(first)}${Buffer.byteLength(message(second))} ${message(second)}`);
  await until(() => expect(input.lines).toEqual([first, second]));
});

test('TLS: as a socket device', async () => {
  await using input = await OpenInput.open({ type: 'syslog', tls: mutual });
  const tls = { ca: readFileSync(mutual.caFile), cert: readFileSync(certificate('sender.crt')) };
  const key = readFileSync(certificate('sender.key'));
  const socket = connectTls({
    ...tls,
    key,
    port: input.port,
    host: '127.0.0.1',
    checkServerIdentity: () => undefined,
  });
  await once(socket, 'secureConnect');
  socket.end(message(first));
  await until(() => expect(input.lines).toEqual([first]));
});

test('UDP: a datagram may be a syslog message', async () => {
  await using input = await OpenInput.open({ type: 'udp' });
  const socket = createSocket('udp4');
  for (const text of [message(first), second]) socket.send(text, input.port, '127.0.0.1');
  await until(() => expect([...input.lines].sort()).toEqual([first, second].sort()));
  socket.close();
});

test('a message that a forwarder cut is no line of Vault: nobody knows what it holds, and it is withheld', async () => {
  await using input = await OpenInput.open({ type: 'syslog' });
  const socket = await input.dial();
  socket.end(`${message(first).slice(0, 200)}\n`);
  const bytes = 200 - message(first).indexOf('{');
  await until(() => expect(input.lines.length).toBe(1));
  expect(input.lines[0]).toContain(`withheld a line: not_json, ${bytes} bytes`);
});

describe('the socket that systemd hands over', () => {
  const opened: Listener[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((listener) => listener[Symbol.asyncDispose]()));
  });

  /** Some socket of this process, in place of the one of systemd. */
  async function someSocket(): Promise<{ fd: number; close: () => void }> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
    return {
      fd,
      close: () => {
        socket.destroy();
        server.close();
      },
    };
  }

  /** Reads with `script` in place of the reader; `script` sees the socket as file descriptor 3. */
  async function read(script: string): Promise<{ input: OpenInput; close: () => void }> {
    const input = new OpenInput();
    const { intake, budget } = input;
    const { fd, close } = await someSocket();
    opened.push(readDatagrams({ intake, budget, now: Date.now }, { device: 'd', fd }, ['-e', script]));
    return { input, close };
  }

  const written = (line: string) => JSON.stringify(`${Buffer.byteLength(message(line))} ${message(line)}`);

  test('is read by a child process, which ends with the listener', async () => {
    const { input, close } = await read(
      `process.stdout.write(${written(first)} + ${written(String(process.pid))} + process.pid + ' {'); setInterval(() => {}, 1000)`,
    );
    await until(() => expect(input.lines[0]).toBe(first));
    await opened[0]?.[Symbol.asyncDispose]();
    expect(input.count('truncated')).toBe(1);
    close();
  });

  test('has a new reader when one ends, and what it left unfinished is counted', async () => {
    const { input, close } = await read(
      `process.stdout.write(${written(first)} + '100 {"a', () => process.exit(1))`,
    );
    await until(() => expect(input.lines.length).toBeGreaterThan(1));
    expect(new Set(input.lines)).toEqual(new Set([first]));
    expect(input.count('truncated')).toBeGreaterThan(0);
    close();
  });

  test.each([
    ['is a file', () => openSync('package.json', 'r')],
    ['is not open', () => 1023],
  ])('is LISTEN_FAILED when it %s', (_, open) => {
    const fd = open();
    const { intake, budget } = new OpenInput();
    expect(() => readDatagrams({ intake, budget, now: Date.now }, { device: 'd', fd })).toThrow(
      expect.objectContaining({ code: 'LISTEN_FAILED' }),
    );
  });
});
