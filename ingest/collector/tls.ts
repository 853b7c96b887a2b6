// The TLS of a listener: its certificate, and the authority of those who may send. New files are taken while it runs.

import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions, type Server, type TlsOptions } from 'node:tls';
import type { Tls } from '../../core/devices.ts';
import { SealwatchError, systemCode } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';

/** Reads the files of `tls`, and tries them. With an authority senders must show a certificate of it. Throws CONFIG_INVALID. */
export function tlsOptions(tls: Tls, device: string): TlsOptions {
  const context = contextOf(filesOf(tls).map(([key, path]) => [key, read(path, `tls.${key}File`, device)]));
  const fault = faultOf(context);
  if (fault !== undefined)
    throw unusable(
      `the TLS files of the audit device ${device} do not fit together or are not PEM (${fault})`,
      'certFile must hold the certificate of keyFile, then what signed it; a key with a passphrase cannot be used.',
    );
  const isMutual = tls.caFile !== undefined;
  return {
    ...context,
    requestCert: isMutual,
    rejectUnauthorized: isMutual,
    handshakeTimeout: limits.tlsHandshakeMs,
  };
}

/** Gives `server` new certificates when the files change; `warn` hears of files that cannot be used, and the old ones stay. */
export function followTls(
  server: Pick<Server, 'setSecureContext'>,
  tls: Tls,
  device: string,
  warn: (text: string) => void,
): Disposable {
  const files = filesOf(tls);
  const take = async () => {
    const read = files.map(async ([key, path]) => [key, await readFile(path)] as const);
    const context = contextOf(await Promise.all(read));
    const fault = faultOf(context);
    // One file of two may be new already; the other one comes with a change of its own.
    if (fault === undefined) server.setSecureContext(context);
    else warn(`new TLS files of the audit device ${device} cannot be used, the old ones stay (${fault})`);
  };
  const onChange = () => {
    take().catch((error: unknown) =>
      warn(`the TLS files of the audit device ${device} cannot be read, the old ones stay (${error})`),
    );
  };
  // Looked at beside the collector's thread: a file system that hangs must not hold up a Vault.
  for (const [, path] of files)
    watchFile(path, { interval: limits.secretPollMs, persistent: false }, onChange);
  return {
    [Symbol.dispose]: () => {
      for (const [, path] of files) unwatchFile(path, onChange);
    },
  };
}

type Part = 'cert' | 'key' | 'ca';

const filesOf = ({ certFile, keyFile, caFile }: Tls): [Part, string][] => [
  ['cert', certFile],
  ['key', keyFile],
  ...(caFile === undefined ? [] : ([['ca', caFile]] as [Part, string][])),
];

const contextOf = (parts: Iterable<readonly [Part, Buffer]>): SecureContextOptions => ({
  ...Object.fromEntries(parts),
  minVersion: 'TLSv1.2',
});

/** Why the files cannot be used together, without what stands in them. */
function faultOf(context: SecureContextOptions): string | undefined {
  try {
    createSecureContext(context);
    return undefined;
  } catch (error) {
    return systemCode(error) ?? 'unknown reason';
  }
}

function read(path: string, key: string, device: string): Buffer {
  try {
    const bytes = readFileSync(path);
    if (bytes.includes('-----BEGIN ')) return bytes;
  } catch (error) {
    throw unusable(
      `${key} of the audit device ${device} cannot be read: ${path} (${systemCode(error) ?? String(error)})`,
      'Check the path, and that the user of sealwatch may read the file.',
      error,
    );
  }
  throw unusable(
    `${key} of the audit device ${device} is not PEM: ${path}`,
    'It must hold a `-----BEGIN` line; convert DER with `openssl x509 -inform der`.',
  );
}

const unusable = (message: string, advice: string, cause?: unknown) =>
  new SealwatchError('CONFIG_INVALID', message, advice, { cause });
