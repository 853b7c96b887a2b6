// OpenBao's HTTP device: what each answer means, that no answer waits for a disk for long, and that nobody without the token
// costs more than a connection.

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { Commits } from '../../../ingest/collector/commits.ts';
import { certificate, mutual, OpenInput, until } from './inputs.ts';
import { deviceLines } from './real-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealwatch-http-'));
afterAll(() => rmSync(folder, { recursive: true }));
const tokenFile = join(folder, 'token');
const token = 'a'.repeat(40);
const bearer = `Bearer ${token}`;
beforeEach(() => writeFileSync(tokenFile, `${token}\n`));

const open = (more: Record<string, unknown> = {}) =>
  OpenInput.open({ type: 'http', tokenFile, httpDurableWaitMs: 2000, ...more });

interface Sent extends RequestOptions {
  authorization?: string;
  body?: string | Buffer;
  chunks?: string[];
}

/** Sends as OpenBao does: no content type, a length unless it comes in chunks. */
async function post(input: OpenInput, sent: Sent): Promise<number> {
  const { authorization = bearer, body = '', chunks, ...options } = sent;
  const outgoing = request({
    host: '127.0.0.1',
    port: input.port,
    method: 'POST',
    path: '/audit',
    ...options,
    headers: {
      ...(authorization === '' ? {} : { authorization }),
      ...(chunks === undefined ? { 'content-length': Buffer.byteLength(body) } : {}),
      ...options.headers,
    },
  });
  for (const chunk of chunks ?? []) outgoing.write(chunk);
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

describe('a line by POST', () => {
  test('is answered with 200 and is the line that came, whole or in chunks, one or several', async () => {
    await using input = await open();
    const [line = ''] = deviceLines('default');
    expect(await post(input, { body: `${line}\n` })).toBe(200);
    expect(await post(input, { body: line })).toBe(200);
    expect(await post(input, { chunks: [line.slice(0, 100), line.slice(100), '\nsecond\nthi', 'rd'] })).toBe(
      200,
    );
    expect(await post(input, { body: '' })).toBe(200);
    expect(input.lines).toEqual([line, line, line, 'second', 'third']);
    expect(input.count('unconfirmed')).toBe(0);
  });

  test('many on one connection, one after the other and all at once, come in their order', async () => {
    await using input = await open();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 50; i++) expect(await post(input, { body: `line ${i}`, agent })).toBe(200);
    agent.destroy();
    const socket = await input.dial();
    const piped = Array.from({ length: 50 }, (_, i) => `piped ${i}`);
    socket.write(
      piped
        .map(
          (line) =>
            `POST / HTTP/1.1\r\nHost: a\r\nAuthorization: ${bearer}\r\nContent-Length: ${line.length}\r\n\r\n${line}`,
        )
        .join(''),
    );
    let answers = '';
    socket.on('data', (chunk) => {
      answers += String(chunk);
    });
    await until(() => expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(50));
    socket.destroy();
    expect(input.lines.slice(50)).toEqual(piped);
  });

  test('by TLS, as it must be from another host', async () => {
    const { certFile, keyFile } = mutual;
    await using input = await open({ tls: { certFile, keyFile } });
    const outgoing = secureRequest({
      host: '127.0.0.1',
      servername: 'localhost',
      port: input.port,
      method: 'POST',
      ca: readFileSync(certificate('ca.crt')),
      headers: { authorization: bearer },
    });
    outgoing.end('by TLS\n');
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect([response.statusCode, input.lines]).toEqual([200, ['by TLS']]);
    response.resume();
    // Plain bytes are no request there.
    const socket = await input.dial();
    socket.write('POST / HTTP/1.1\r\n\r\n');
    await once(socket.resume(), 'close');
  });
});

describe('what is refused', () => {
  test.each<[name: string, status: number, sent: Sent]>([
    ['no token', 401, { authorization: '' }],
    ['a wrong token', 401, { authorization: `Bearer ${'b'.repeat(40)}` }],
    ['a part of the token', 401, { authorization: bearer.slice(0, -1) }],
    ['another scheme', 401, { authorization: `Basic ${token}` }],
    ['a wrong token in a long body', 401, { authorization: 'Bearer x', body: Buffer.alloc(5_000_000, 'x') }],
    ['a GET', 405, { method: 'GET' }],
    ['a PUT', 405, { method: 'PUT' }],
    ['a GET without a token', 401, { method: 'GET', authorization: '' }],
  ])('%s: %i', async (_, status, sent) => {
    await using input = await open();
    expect(await post(input, { body: 'forged\n', ...sent })).toBe(status);
    expect(input.lines).toEqual([]);
    expect(await post(input, { body: 'true' })).toBe(200);
  });

  test('an address that may not send: 403, counted', async () => {
    await using input = await open({ allow: ['10.0.0.0/8'] });
    expect(await post(input, { body: 'forged\n' })).toBe(403);
    expect([input.lines, input.count('refused')]).toEqual([[], 1]);
  });

  test('a body that says it is too long: 413 before it comes', async () => {
    await using input = await open();
    const socket = await input.dial();
    socket.write(
      `POST / HTTP/1.1\r\nHost: a\r\nAuthorization: ${bearer}\r\nContent-Length: ${limits.lineBytesMax + 3}\r\n\r\n`,
    );
    const [answered] = (await once(socket, 'data')) as [Buffer];
    expect(answered.toString()).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
    expect(input.count('line_too_long')).toBe(1);
  });

  test('a body that is too long and did not say so: 413, counted once, its memory given back', async () => {
    await using input = await open();
    const chunk = 'x'.repeat(8 * 1024 * 1024);
    const chunks = Array.from({ length: limits.lineBytesMax / chunk.length + 1 }, () => chunk);
    expect(await post(input, { chunks })).toBe(413);
    expect([input.lines, input.count('line_too_long'), input.budget.used]).toEqual([[], 1, 0]);
    expect(await post(input, { body: 'next' })).toBe(200);
  }, 60_000);

  test('no HTTP at all closes the connection and nothing else', async () => {
    await using input = await open();
    const socket = await input.dial();
    socket.write('{"type":"request"}\n\n');
    await once(socket.resume(), 'close');
    expect(await post(input, { body: 'true' })).toBe(200);
  });
});

describe('the answer and the disk', () => {
  test('it comes when the line is durable, not before', async () => {
    await using input = await open();
    input.commit = () => {};
    let status = 0;
    const answered = post(input, { body: 'line' }).then((code) => {
      status = code;
    });
    await until(() => expect(input.commits.size).toBe(1));
    // A commit that the disk refused wakes nobody.
    input.commits.begin()(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect([status, input.commits.size]).toEqual([0, 1]);
    input.commits.begin()(true);
    await answered;
    expect([status, input.count('unconfirmed')]).toEqual([200, 0]);
  });

  test('a commit that began before the line came does not count for it', async () => {
    const commits = new Commits(() => {});
    const early = commits.within(60_000);
    const end = commits.begin();
    const seen: string[] = [];
    const late = commits.within(60_000).then(() => seen.push('late'));
    end(true);
    expect(await early).toBe(true);
    expect([seen, commits.size]).toEqual([[], 1]);
    commits.begin()(true);
    await late;
    expect(seen).toEqual(['late']);
  });

  test('a disk that stands still holds up nobody: 200, counted as unconfirmed, and nobody is left waiting', async () => {
    await using input = await open({ httpDurableWaitMs: 20 });
    let end = (_: boolean) => {};
    input.commit = () => {
      end = input.commits.begin();
      input.commit = () => {};
    };
    const statuses = await Promise.all(['a', 'b', 'c'].map((body) => post(input, { body })));
    expect(statuses).toEqual([200, 200, 200]);
    expect([input.count('unconfirmed'), input.commits.size]).toEqual([3, 0]);
    end(false);
    expect(input.commits.size).toBe(0);
    expect([...input.lines].sort()).toEqual(['a', 'b', 'c']);
  });

  test('a line that the full spool dropped is the only one that is answered with 503', async () => {
    await using input = await open();
    input.intake.queued = limits.spoolQueueBytesMax + 1;
    expect(await post(input, { body: 'dropped' })).toBe(503);
    input.intake.queued = 0;
    expect(await post(input, { body: 'kept' })).toBe(200);
    expect([input.lines, input.count('dropped')]).toEqual([['kept'], 1]);
  });
});

describe('a sender that is slow', () => {
  test('holds up nobody, and its line comes when it is whole', async () => {
    await using input = await open();
    const slow = request({
      host: '127.0.0.1',
      port: input.port,
      method: 'POST',
      headers: { authorization: bearer, 'content-length': 10 },
    });
    slow.write('01234');
    await until(() => expect(input.budget.used).toBe(5));
    expect(await post(input, { body: 'other' })).toBe(200);
    slow.end('56789');
    const [response] = (await once(slow, 'response')) as [IncomingMessage];
    expect([response.statusCode, input.lines]).toEqual([200, ['other', '0123456789']]);
    response.resume();
  });

  test('and leaves in the middle is counted once and holds no memory', async () => {
    await using input = await open();
    const socket = await input.dial();
    socket.write(
      `POST / HTTP/1.1\r\nHost: a\r\nAuthorization: ${bearer}\r\nContent-Length: 100\r\n\r\nwhole\nhalf`,
    );
    await until(() => expect(input.budget.used).toBe(4));
    socket.resetAndDestroy();
    await until(() => expect(input.count('truncated')).toBe(1));
    expect([input.lines, input.budget.used]).toEqual([['whole'], 0]);
  });

  test('makes room: connections without a request, without a token, or with half a body', async () => {
    await using input = await open();
    const beginnings = ['', 'POST / HT', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123'];
    const sockets = [];
    for (let i = 0; i < limits.httpConnectionsMax; i++) {
      const socket = await input.dial();
      socket.write(beginnings[i % 3] ?? '');
      sockets.push(socket);
    }
    expect(await post(input, { body: 'true' })).toBe(200);
    expect([input.lines, input.count('refused')]).toEqual([['true'], 1]);
    for (const socket of sockets) socket.destroy();
  });
});

describe('the token', () => {
  test('is read again when its file changes; two are valid at a time; a broken file changes nothing', async () => {
    await using input = await open();
    const next = 'b'.repeat(40);
    const sends = (text: string) => post(input, { body: 'x', authorization: `Bearer ${text}` });
    expect([await sends(token), await sends(next)]).toEqual([200, 401]);
    writeFileSync(tokenFile, `${token}\n${next}\n`);
    await until(async () => expect(await sends(next)).toBe(200));
    expect(await sends(token)).toBe(200);
    writeFileSync(tokenFile, `${next}\n# ${'c'.repeat(10)}\n`);
    await until(async () => expect(await sends(token)).toBe(401));
    expect(await sends(next)).toBe(200);
    writeFileSync(tokenFile, 'short');
    await until(() => expect(input.warnings.at(-1)).toMatch(/device d .*old ones stay .*holds none/));
    rmSync(tokenFile);
    await until(() => expect(input.warnings.at(-1)).toMatch(/ENOENT/));
    expect(await sends(next)).toBe(200);
  });

  test.each([
    ['is not there', join(folder, 'none'), /cannot be read \(ENOENT\)/],
    ['is too short', join(folder, 'short'), /holds no token of 32 characters/],
  ])('that %s is refused at the start', async (_, path, message) => {
    writeFileSync(join(folder, 'short'), 'short\n');
    await expect(open({ tokenFile: path })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(message) as string,
    });
  });
});
