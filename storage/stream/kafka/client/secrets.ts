// How sealwatch shows a broker who it is. Files are read again at each connection, so that what is in them can change.

import { readFileSync } from 'node:fs';
import type { KafkaSettings } from '../../../../core/config-scale.ts';
import { SealwatchError } from '../../../../core/errors.ts';
import { readSecretFile } from '../../../../core/secret-file.ts';

export interface TlsFiles {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

export type Sasl =
  | { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; readonly password: string }
  | { mechanism: 'oauthbearer'; oauthBearerProvider: () => Promise<{ value: string }> };

/** What kafkajs copies into each connection's options: getters, so that each connection reads the files. */
export function tlsOf({ tls }: KafkaSettings): TlsFiles | undefined {
  if (!tls.enabled) return undefined;
  const { caFile, certFile, keyFile } = tls;
  const files: TlsFiles = {};
  const define = (name: 'ca' | 'cert' | 'key', path: string | undefined) => {
    if (path === undefined) return;
    const get = () => read(`kafka.tls.${name}File`, path);
    // A file that is not there is told at the start.
    get();
    Object.defineProperty(files, name, { enumerable: true, get });
  };
  define('ca', caFile);
  define('cert', certFile);
  define('key', keyFile);
  return files;
}

export function saslOf({ sasl }: KafkaSettings): Sasl | undefined {
  if (sasl === undefined) return undefined;
  if (sasl.mechanism === 'oauthbearer') {
    const token = () => readSecretFile(sasl.tokenFile, 'kafka.sasl.tokenFile');
    token();
    const oauthBearerProvider = async () => ({ value: token() });
    return { mechanism: 'oauthbearer', oauthBearerProvider };
  }
  const { mechanism, username, passwordFile } = sasl;
  const password = () => readSecretFile(passwordFile, 'kafka.sasl.passwordFile');
  password();
  return {
    mechanism,
    username,
    get password() {
      return password();
    },
  };
}

function read(what: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new SealwatchError(
      'CONFIG_INVALID',
      `${what} ${path} cannot be read (${(cause as Error).message})`,
      'Check the path and its rights.',
      { cause },
    );
  }
}
