// Loopback servers that the fakes are made of.

import { createServer, type IncomingMessage } from 'node:http';

export interface Fake extends AsyncDisposable {
  url: string;
}

/** What a fake answers: an object as JSON, a text as XML. */
export interface Reply {
  status?: number;
  body: object | string;
}

/** A request that a fake got. */
export interface Asked {
  method: string;
  url: URL;
  headers: IncomingMessage['headers'];
  body: string;
}

/** An HTTP server on a free loopback port. */
export async function listen(answer: (asked: Asked, self: string) => Reply): Promise<Fake> {
  let self = '';
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const url = new URL(self + (incoming.url ?? '/'));
      const body = Buffer.concat(chunks).toString();
      const { status = 200, body: reply } = answer(
        { method: incoming.method ?? '', url, headers: incoming.headers, body },
        self,
      );
      const isText = typeof reply === 'string';
      outgoing.writeHead(status, { 'content-type': isText ? 'text/xml' : 'application/json' });
      outgoing.end(isText ? reply : JSON.stringify(reply));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  self = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return {
    url: self,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
