// Lines over TLS: who shows a certificate of the authority is heard, nobody else, and nothing that comes ends the process.

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { certificate, mutual, OpenInput, until } from './inputs.ts';

const read = (name: string) => readFileSync(certificate(name));
const shown = (name: string) => ({ cert: read(`${name}.crt`), key: read(`${name}.key`) });

/** Dials as a TLS proxy in front of Vault does. */
function dial(input: OpenInput, options: ConnectionOptions): TLSSocket {
  const socket = connect({
    host: '127.0.0.1',
    port: input.port,
    ca: read('ca.crt'),
    servername: 'localhost',
    ...options,
  });
  return socket.on('error', () => {});
}

const closed = (socket: TLSSocket) => new Promise<void>((resolve) => socket.once('close', () => resolve()));

describe('with an authority', () => {
  const open = () => OpenInput.open({ type: 'tcp', tls: mutual });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('a sender of it is heard by %s', async (version) => {
    await using input = await open();
    const socket = dial(input, { ...shown('sender'), minVersion: version, maxVersion: version });
    await once(socket, 'secureConnect');
    const long = 'x'.repeat(100_000);
    socket.write('one\ntw');
    socket.write(`o\n${long}\n`);
    await until(() => expect(input.lines).toEqual(['one', 'two', long]));
    socket.destroy();
  });

  test.each([
    ['of another authority', shown('stranger')],
    ['without a certificate', {}],
    ['with an old TLS', { ...shown('sender'), minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const],
  ])('a sender %s is not, and the next one is', async (_, options) => {
    await using input = await open();
    const socket = dial(input, options);
    socket.on('secureConnect', () => socket.write('forged\n'));
    await closed(socket);
    const next = dial(input, shown('sender'));
    next.write('true\n');
    await until(() => expect(input.lines).toEqual(['true']));
    next.destroy();
  });

  test('plain bytes on its port are no line and end nothing', async () => {
    await using input = await open();
    const beginnings = [
      '{"type":"request"}\n',
      'GET / HTTP/1.1\r\n\r\n',
      '\u0016\u0003\u0001\u0000\u0001\n',
      '\n',
    ];
    const sockets = await Promise.all(beginnings.map(() => input.dial()));
    for (const [i, socket] of sockets.entries()) socket.write(beginnings[i] ?? '');
    const next = dial(input, shown('sender'));
    next.write('true\n');
    await until(() => expect(input.lines).toEqual(['true']));
    for (const socket of [...sockets, next]) socket.destroy();
  });

  test('who is silent, before the handshake or after it, makes room for a sender', async () => {
    await using input = await open();
    const half = dial(input, shown('sender'));
    half.write('half');
    await until(() => expect(input.budget.used).toBe(4));
    const silent = await Promise.all(Array.from({ length: limits.connectionsMax }, () => input.dial()));
    await closed(half);
    await until(() => expect(input.budget.used).toBe(0));
    const socket = dial(input, shown('sender'));
    socket.write('true\n');
    await until(() => expect(input.lines).toEqual(['true']));
    expect([input.count('refused'), input.count('truncated')]).toEqual([2, 1]);
    for (const one of [...silent, socket]) one.destroy();
  });

  test('an address that may not send is closed before its handshake', async () => {
    await using input = await OpenInput.open({ type: 'tcp', tls: mutual, allow: ['10.0.0.0/8'] });
    const socket = dial(input, shown('sender'));
    await closed(socket);
    expect(socket.authorized).toBe(false);
    expect([input.lines, input.count('refused')]).toEqual([[], 1]);
  });

  test('a connection that is cut in a line gives its memory back', async () => {
    await using input = await open();
    const socket = dial(input, shown('sender'));
    socket.write('half');
    await until(() => expect(input.budget.used).toBe(4));
    socket.destroy();
    await until(() => expect(input.budget.used).toBe(0));
    expect(input.count('truncated')).toBe(1);
  });
});

test('without an authority, on this host, everybody is heard', async () => {
  const { certFile, keyFile } = mutual;
  await using input = await OpenInput.open({ type: 'tcp', tls: { certFile, keyFile } });
  const socket = dial(input, {});
  socket.write('one\n');
  await until(() => expect(input.lines).toEqual(['one']));
  socket.destroy();
});

describe('files that cannot be used are refused at the start, with their name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealwatch-tls-'));
  const file = (text: string) => {
    const path = join(folder, `${text.length}.pem`);
    writeFileSync(path, text);
    return path;
  };

  test.each([
    [
      'a certificate that is not there',
      { certFile: join(folder, 'none') },
      /certFile .*device d.*none.*ENOENT/,
    ],
    ['a key that is a folder', { keyFile: folder }, /keyFile .*EISDIR/],
    ['an authority that is empty', { caFile: file('') }, /caFile .*not PEM/],
    ['the key of another certificate', { keyFile: certificate('sender.key') }, /do not fit together/],
    [
      'a broken certificate',
      { certFile: file('-----BEGIN CERTIFICATE-----\nAAAA\n') },
      /do not fit together/,
    ],
  ])('%s', async (_, wrong, message) => {
    await expect(OpenInput.open({ type: 'tcp', tls: { ...mutual, ...wrong } })).rejects.toMatchObject({
      name: 'SealwatchError',
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(message) as string,
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));
});
