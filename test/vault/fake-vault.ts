// A fake Vault on loopback: answers as it is told and keeps what it was asked. A real one runs in test/real.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

interface FakeCall {
  method: string;
  path: string;
  token: string | undefined;
  namespace: string | undefined;
  body: unknown;
}

export class FakeVault implements AsyncDisposable {
  readonly asked: { path: string; token: string | undefined }[] = [];
  readonly calls: FakeCall[] = [];
  readonly address: string;
  private readonly server: Server;

  private constructor(server: Server, port: number) {
    this.server = server;
    this.address = `http://127.0.0.1:${port}`;
  }

  static async start(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<FakeVault> {
    const server = createServer((request, response) => {
      const path = request.url ?? '';
      const token = request.headers['x-vault-token'] as string | undefined;
      const namespace = request.headers['x-vault-namespace'] as string | undefined;
      fake.asked.push({ path, token });
      let text = '';
      request.on('data', (chunk: Buffer) => {
        text += chunk;
      });
      request.on('end', () => {
        const body: unknown = text === '' ? undefined : JSON.parse(text);
        fake.calls.push({ method: request.method ?? '', path, token, namespace, body });
        answer(request, response);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const fake = new FakeVault(server, (server.address() as { port: number }).port);
    return fake;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
