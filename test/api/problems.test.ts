// Errors are RFC 9457 problems, whatever goes wrong.

import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import { problemSchema } from '../../api/problem.ts';
import { SealwatchError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import { Harness } from './harness.ts';

const cases: [url: string, status: number, detail: RegExp][] = [
  ['/v1/nothing', 404, /openapi/],
  ['/nothing', 404, /openapi/],
  ['/v1/events/none', 404, /id/],
  ['/v1/identities/none', 404, /never seen/],
  ['/v1/evidence/CC9.9?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z', 404, /CC6\.1/],
  ['/v1/events?limit=0', 400, /limit/],
  ['/v1/events?limit=1001', 400, /limit/],
  ['/v1/events?from=yesterday', 400, /RFC 3339/],
  ['/v1/events?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z', 400, /later than from/],
  ['/v1/events?usr=alice', 400, /usr/],
  ['/v1/events?cursor=nonsense', 400, /parameter/],
  ['/v1/alerts?level=urgent', 400, /level/],
  ['/v1/evidence/CC6.1?from=2026-01-01T00:00:00Z', 400, /to/],
  ['/%E0%A4%A', 400, /./],
];

test.each(cases)('%s answers %i', async (url, status, detail) => {
  await using harness = await Harness.open();
  const response = await harness.get(url);
  expect(response.headers['content-type']).toContain('application/problem+json');
  const problem = problemSchema.parse(response.json());
  expect(problem.status).toBe(status);
  expect(response.statusCode).toBe(status);
  expect(problem.detail).toMatch(detail);
  expect(problem.instance).toBe(url.split('?')[0]);
});

test.each([
  [
    'headers that are too long',
    `GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(limits.apiHeaderBytesMax)}\r\n\r\n`,
    431,
  ],
  ['what is no HTTP', 'nonsense\r\n\r\n', 400],
  ['an address with a blank', 'GET /v1/ events HTTP/1.1\r\nhost: a\r\n\r\n', 400],
])('%s', async (_, text, status) => {
  await using harness = await Harness.open();
  await harness.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = harness.app.server.address() as AddressInfo;
  const [head, body = ''] = (await said(port, text)).split('\r\n\r\n');
  expect(head).toContain(`HTTP/1.1 ${status} `);
  expect(head).toContain('application/problem+json');
  expect(problemSchema.parse(JSON.parse(body)).status).toBe(status);
});

/** All that comes back on a connection. */
async function said(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(text);
  let answer = '';
  socket.setEncoding('utf8').on('data', (part) => {
    answer += part;
  });
  await once(socket, 'close');
  return answer;
}

test('a fault of ours shows nothing of the inside', async () => {
  await using harness = await Harness.open(undefined, {
    metrics: () => Promise.reject(new Error('/var/lib/secret/path')),
  });
  const response = await harness.get('/metrics');
  expect(problemSchema.parse(response.json()).status).toBe(500);
  expect(response.body).not.toContain('/var/lib');
  expect(harness.log.join('')).toContain('/var/lib/secret/path');
});

test('a body that is too large, or of a wrong method, is refused', async () => {
  await using harness = await Harness.open();
  const post = (payload: string) => harness.app.inject({ method: 'POST', url: '/v1/events', payload });
  expect(problemSchema.parse((await post('x')).json()).status).toBe(404);
});

test('not ready is 503 with reasons', async () => {
  await using harness = await Harness.open(undefined, {
    ready: () => ({ ready: false, reasons: ['the spool is full'] }),
  });
  const response = await harness.app.inject('/readyz');
  expect([response.statusCode, response.json()]).toEqual([
    503,
    { ready: false, reasons: ['the spool is full'] },
  ]);
});

test('a store that does not answer is 503, says when to ask again, and is not ready', async () => {
  const away = () => {
    throw new SealwatchError('ELASTICSEARCH_UNREACHABLE', 'no answer from host-a:9200', 'Check it.');
  };
  const reader = { find: away, get: away, group: away } as unknown as EvidenceReader;
  await using harness = await Harness.open(undefined, { reader });
  const response = await harness.get('/v1/events');
  expect(problemSchema.parse(response.json()).type).toBe('urn:sealwatch:problem:unavailable');
  expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '5']);
  expect(response.body).not.toContain('host-a');
  expect(harness.log.join('')).toContain('host-a');
  const readiness = await harness.app.inject('/readyz');
  expect([readiness.statusCode, readiness.json()]).toEqual([
    503,
    { ready: false, reasons: ['the evidence store does not answer (ELASTICSEARCH_UNREACHABLE)'] },
  ]);
});
