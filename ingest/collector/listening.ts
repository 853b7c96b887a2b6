// Opens a place to listen, or says which input cannot have it and why.

import { once } from 'node:events';
import { chmodSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { SealwatchError, systemCode } from '../../core/errors.ts';

export interface Listener extends AsyncDisposable {
  /** The device whose lines come here. */
  readonly device: string;
  readonly address: string;
  readonly port?: number;
}

/** Listens on `where`; `device` stands in the errors. The port that it got, if it is one. Throws PORT_TAKEN or LISTEN_FAILED. */
export async function listening(
  server: Server,
  where: { host: string; port: number } | { path: string },
  device: string,
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    // It stays: a connection that the system could not give us later (too many files) must not end the process.
    server.on('error', (error) => reject(cannotListen(nameOf(where), device, error)));
    server.listen(where, () => resolve());
  });
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

const nameOf = (where: { host: string; port: number } | { path: string }) =>
  'path' in where ? where.path : `${where.host}:${where.port}`;

export function cannotListen(name: string, device: string, cause: unknown): SealwatchError {
  const code = systemCode(cause);
  if (code === 'EADDRINUSE')
    return new SealwatchError(
      'PORT_TAKEN',
      `${name} is already in use`,
      `It is for the audit device ${device}. Stop what listens there, or set another: SEALWATCH_TCP_PORT, SEALWATCH_UNIX_PATH, or the device's port in the configuration.`,
      { cause },
    );
  return new SealwatchError(
    'LISTEN_FAILED',
    `cannot listen on ${name} for the audit device ${device} (${code ?? String(cause)})`,
    'Check the address, the folder and the rights.',
    { cause },
  );
}

/**
 * Makes the folder of the socket `path`, and removes a socket there that nobody listens on. Throws PORT_TAKEN when somebody
 * does.
 */
export async function clearLeftOver(path: string, device: string): Promise<void> {
  const made = mkdirSync(dirname(path), { recursive: true });
  if (made !== undefined) chmodSync(dirname(path), 0o750);
  if (!statSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  const socket = connect({ path });
  const answers = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  if (answers) throw cannotListen(path, device, { code: 'EADDRINUSE' });
  rmSync(path, { force: true });
}

/** Stops accepting, lets what has arrived be read, then closes what is left. */
export async function shut(server: Server, closeAll: () => void): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
  closeAll();
  await closed;
  // The connections tell of their unfinished lines when they close, which may be a turn later.
  await new Promise((resolve) => setImmediate(resolve));
}

const DRAIN_MS = 100;
