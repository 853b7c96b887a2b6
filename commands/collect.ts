// `sealwatch collect --drain`: accepts what Vault writes and throws it away, to get a Vault going again that waits for its
// socket device.

import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { Config } from '../core/config.ts';
import { SealwatchError, systemCode } from '../core/errors.ts';
import { clearLeftOver } from '../ingest/collector/listening.ts';

/** Drains until SIGINT or SIGTERM. Nothing is stored. */
export async function drain(config: Config): Promise<number> {
  let bytes = 0;
  const servers: Server[] = [];
  const accept = () =>
    createServer((socket) => {
      socket.on('data', (chunk) => {
        bytes += chunk.length;
      });
      // Vault leaves by reset.
      socket.on('error', () => {});
    });
  const listen = async (where: { host: string; port: number } | { path: string }, name: string) => {
    const server = accept().listen(where);
    try {
      await once(server, 'listening');
    } catch (error) {
      throw new SealwatchError(
        systemCode(error) === 'EADDRINUSE' ? 'PORT_TAKEN' : 'LISTEN_FAILED',
        `cannot listen on ${name} (${systemCode(error)})`,
        'Stop the sealwatch that still runs there, then drain.',
        { cause: error },
      );
    }
    servers.push(server);
    process.stdout.write(`draining ${name}: everything is accepted, NOTHING IS KEPT\n`);
  };
  if (config.tcp.enabled)
    await listen({ host: config.tcp.host, port: config.tcp.port }, `${config.tcp.host}:${config.tcp.port}`);
  if (config.unix.path !== undefined) {
    await clearLeftOver(config.unix.path, 'unix');
    await listen({ path: config.unix.path }, config.unix.path);
  }
  if (servers.length === 0)
    throw new SealwatchError(
      'USAGE',
      'no socket is configured',
      'Set SEALWATCH_TCP_ENABLED=true or SEALWATCH_UNIX_PATH.',
    );
  const showing = setInterval(() => process.stdout.write(`thrown away so far: ${bytes} bytes\n`), 10_000);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  clearInterval(showing);
  process.stdout.write(`thrown away: ${bytes} bytes\n`);
  process.exit(0);
}
