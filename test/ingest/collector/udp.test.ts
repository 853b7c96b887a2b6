// A datagram is a line, whoever sent it; a datagram from elsewhere is counted and not read.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { OpenInput, until } from './inputs.ts';
import { deviceLines } from './real-lines.ts';

async function sender(port: number): Promise<(bytes: string | Buffer) => Promise<void>> {
  const socket: Socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.unref();
  return (bytes) =>
    new Promise((resolve, reject) => {
      socket.send(bytes, (error) => (error ? reject(error) : resolve()));
    });
}

describe('a datagram', () => {
  test('is a line, with a newline or without, and several in one are several', async () => {
    await using input = await OpenInput.open({ type: 'udp' });
    const send = await sender(input.port);
    for (const datagram of ['one\n', 'two', '', '\n', 'three\nfour', 'five\r\nsix\n', 'seven']) {
      await send(datagram);
      if (datagram !== '') await send(`after ${datagram.trim().split('\n').join('-')}`);
    }
    await until(() => expect(input.lines.at(-1)).toBe('after seven'));
    expect(input.lines.filter((line) => !line.startsWith('after'))).toEqual([
      'one',
      'two',
      'three',
      'four',
      'five',
      'six',
      'seven',
    ]);
    expect(input.nodes.every((node) => node === undefined)).toBe(true);
  });

  test('of the largest size comes whole, and so do real lines', async () => {
    await using input = await OpenInput.open({ type: 'udp', nodes: { '127.0.0.1': 'vault-1' } });
    const send = await sender(input.port);
    const largest = 'x'.repeat(65_507);
    const lines = [largest, ...deviceLines('default').filter((line) => line.length < 60_000)];
    for (const [i, line] of lines.entries()) {
      await send(line);
      await until(() => expect(input.spool.lengths()[0]).toBe(i + 1));
    }
    expect(input.lines).toEqual(lines);
    expect(new Set(input.nodes)).toEqual(new Set(['vault-1']));
  });

  test('from an address that may not send is counted and not read', async () => {
    await using input = await OpenInput.open({ type: 'udp', allow: ['10.0.0.0/8'] });
    const send = await sender(input.port);
    for (let i = 0; i < 5; i++) await send('forged');
    await until(() => expect(input.count('refused')).toBe(5));
    expect(input.lines).toEqual([]);
  });
});

test('a port that is taken is an error that names the device', async () => {
  await using first = await OpenInput.open({ type: 'udp' });
  await expect(OpenInput.open({ type: 'udp', port: first.port })).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    advice: expect.stringContaining('audit device d') as string,
  });
  await expect(
    OpenInput.open({ type: 'udp', host: '203.0.113.9', allowPlain: true, allow: ['10.0.0.0/8'] }),
  ).rejects.toMatchObject({ code: 'LISTEN_FAILED', message: expect.stringContaining('device d') as string });
});
