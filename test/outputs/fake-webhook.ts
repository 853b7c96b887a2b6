// fake-webhook: a real HTTP server on the loopback that answers as it is told and remembers what it got.

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Call {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface FakeWebhook extends AsyncDisposable {
  url: string;
  calls: Call[];
  /** Statuses of the next answers; then 200. */
  answers: number[];
}

export async function startFakeWebhook(): Promise<FakeWebhook> {
  const calls: Call[] = [];
  const answers: number[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url: path = '', headers } = request;
    calls.push({ method, path, headers, body: Buffer.concat(chunks).toString() });
    const status = path === '/elsewhere' ? 200 : (answers.shift() ?? 200);
    response
      .writeHead(status, status >= 300 && status < 400 ? { location: '/elsewhere' } : {})
      .end('fake-webhook');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    calls,
    answers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
