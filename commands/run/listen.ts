// Opens the port of an HTTP app, and says in the user's words why it cannot be opened.

import type { FastifyInstance } from 'fastify';
import { SealwatchError, systemCode } from '../../core/errors.ts';

/**
 * The address that `app` listens on. Throws PORT_TAKEN or LISTEN_FAILED.
 * @param key of the configuration that has host and port: `api`
 */
export function listenOn(
  app: FastifyInstance,
  { host, port }: { host: string; port: number },
  key: 'api' | 'stage',
): Promise<string> {
  return app.listen({ host, port }).catch((error: unknown) => {
    throw systemCode(error) === 'EADDRINUSE'
      ? new SealwatchError(
          'PORT_TAKEN',
          `${host}:${port} is already in use`,
          `Stop what listens there, or set another port with SEALWATCH_${key.toUpperCase()}_PORT.`,
          { cause: error },
        )
      : new SealwatchError(
          'LISTEN_FAILED',
          `cannot listen on ${host}:${port} (${systemCode(error) ?? error})`,
          `Check ${key}.host and ${key}.port.`,
          { cause: error },
        );
  });
}
