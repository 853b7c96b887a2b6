// Listens where a Vault socket device dials: TCP or a Unix stream. Reads whatever comes, answers nothing, never closes
// first: a collector that stops reading blocks Vault (vault-audit.md 3).

import { once } from 'node:events';
import { chmodSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { SealwatchError, systemCode } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { Framer, type PartialBudget } from './framer.ts';
import type { Intake, Source } from './intake.ts';

export interface ListenerOptions {
  source: Source;
  intake: Intake;
  budget: PartialBudget;
  now: () => number;
}

export interface Listener extends AsyncDisposable {
  readonly address: string;
  readonly port?: number;
}

/** Listens on `host:port`. Throws PORT_TAKEN or LISTEN_FAILED. */
export async function listenTcp(options: ListenerOptions, host: string, port: number): Promise<Listener> {
  const { server, sockets } = createReceiver(options);
  await listening(server, { host, port }, `${host}:${port}`);
  const bound = server.address();
  const actual = typeof bound === 'object' && bound !== null ? bound.port : port;
  return { address: `${host}:${actual}`, port: actual, [Symbol.asyncDispose]: () => shut(server, sockets) };
}

/** Listens on the Unix socket `path`; a socket that a killed sealwatch left behind is replaced. */
export async function listenUnix(options: ListenerOptions, path: string): Promise<Listener> {
  await clearLeftOver(path);
  const { server, sockets } = createReceiver(options);
  await listening(server, { path }, path);
  // To connect one must be able to write: sealwatch and Vault share a group.
  chmodSync(path, 0o660);
  return { address: path, [Symbol.asyncDispose]: () => shut(server, sockets) };
}

/** Makes the folder of the socket `path`, and removes a socket there that nobody listens on. Throws PORT_TAKEN when somebody does. */
export async function clearLeftOver(path: string): Promise<void> {
  const made = mkdirSync(dirname(path), { recursive: true });
  if (made !== undefined) chmodSync(dirname(path), 0o750);
  if (!statSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  const socket = connect({ path });
  const answers = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  if (answers) throw taken(path);
  rmSync(path, { force: true });
}

const taken = (name: string, cause?: unknown) =>
  new SealwatchError(
    'PORT_TAKEN',
    `${name} is already in use`,
    'Stop what listens there, or set another: SEALWATCH_TCP_PORT or SEALWATCH_UNIX_PATH for audit devices, SEALWATCH_API_PORT for the API.',
    { cause },
  );

function createReceiver(options: ListenerOptions): { server: Server; sockets: Set<Socket> } {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    receive(socket, options, () => sockets.delete(socket));
  });
  server.maxConnections = limits.connectionsMax;
  return { server, sockets };
}

function receive(
  socket: Socket,
  { source, intake, budget, now }: ListenerOptions,
  onClose: () => void,
): void {
  let nowMs = 0;
  const framer = new Framer(
    {
      line: (bytes, from, to) => intake.line(source, bytes, from, to, nowMs),
      lost: (reason, bytes) => intake.lost(source.feed, reason, bytes),
    },
    budget,
  );
  socket.on('data', (chunk) => {
    nowMs = now();
    framer.push(chunk as Buffer);
  });
  // A reset is how Vault leaves; what was read stays, and the file device has the rest.
  socket.on('error', () => {});
  socket.on('close', () => {
    framer.end();
    onClose();
  });
}

function listening(
  server: Server,
  where: { host: string; port: number } | { path: string },
  name: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        systemCode(error) === 'EADDRINUSE'
          ? taken(name, error)
          : new SealwatchError(
              'LISTEN_FAILED',
              `cannot listen on ${name} (${systemCode(error) ?? error.message})`,
              'Check the address, the folder and the rights.',
              { cause: error },
            ),
      );
    });
    server.listen(where, () => resolve());
  });
}

/** Stops accepting, lets what has arrived be read, then closes. */
async function shut(server: Server, sockets: Set<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
  for (const socket of sockets) socket.destroy();
  await closed;
}

const DRAIN_MS = 100;
