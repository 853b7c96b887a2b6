// The TLS of a listener: its certificate, and the authority of those who may send.

import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls';
import type { Tls } from '../../core/devices.ts';
import { SealwatchError, systemCode } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';

/** Reads the files of `tls`, and tries them. With an authority senders must show a certificate of it. Throws CONFIG_INVALID. */
export function tlsOptions(tls: Tls, device: string): TlsOptions {
  const context: SecureContextOptions = {
    cert: read(tls.certFile, 'tls.certFile', device),
    key: read(tls.keyFile, 'tls.keyFile', device),
    ...(tls.caFile === undefined ? {} : { ca: read(tls.caFile, 'tls.caFile', device) }),
    minVersion: 'TLSv1.2',
  };
  try {
    createSecureContext(context);
  } catch (error) {
    throw unusable(
      `the TLS files of the audit device ${device} do not fit together or are not PEM (${reasonOf(error)})`,
      'certFile must hold the certificate of keyFile, then what signed it; a key with a passphrase cannot be used.',
      error,
    );
  }
  const isMutual = tls.caFile !== undefined;
  return {
    ...context,
    requestCert: isMutual,
    rejectUnauthorized: isMutual,
    handshakeTimeout: limits.tlsHandshakeMs,
  };
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

/** What went wrong, without what stands in the files. */
const reasonOf = (error: unknown): string => systemCode(error) ?? 'unknown reason';
