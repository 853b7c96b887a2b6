// Files that sealwatch reads: secrets that only it should read, and certificates that should not end soon.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Tls } from '../../core/devices.ts';
import { systemCode } from '../../core/errors.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** A key or a token: readable for sealwatch, and for nobody else. */
export function checkSecret(what: string, path: string): Finding {
  try {
    if (readFileSync(path, 'utf8').trim() === '')
      return fail(`${what} ${path} is empty`, 'Put the secret there.');
  } catch (error) {
    return fail(`${what} ${path} cannot be read (${systemCode(error)})`, 'Check the path and its rights.');
  }
  const isOpen = (statSync(path).mode & 0o007) !== 0;
  return isOpen
    ? warn(`anybody on this host can read ${what} ${path}`, `chmod 600 ${path}`)
    : ok(`${what} ${path}`);
}

/** A secret that the first start makes. */
export const checkOwnSecret = (what: string, path: string): Finding[] =>
  existsSync(path) ? [checkSecret(what, path)] : [];

const SOON_DAYS = 14;
const DAY_MS = 86_400_000;

/** Certificate, key and authority of a listener: readable, belonging together, not at their end. */
export function checkTls(name: string, { certFile, keyFile, caFile }: Tls, nowMs: number): Finding[] {
  const certificate = readCertificate(certFile);
  if (!(certificate instanceof X509Certificate))
    return [
      fail(
        `the certificate of ${name} cannot be used: ${certFile} (${certificate})`,
        'It must be a PEM chain.',
      ),
    ];
  return [
    checkKey(name, certificate, keyFile),
    checkEnd(`the certificate of ${name}`, certificate, nowMs),
    ...(caFile === undefined
      ? []
      : [checkCertificate(`the authority of the senders of ${name}`, caFile, nowMs)]),
  ];
}

/** A certificate of which sealwatch needs the file alone. */
export function checkCertificate(what: string, path: string, nowMs: number): Finding {
  const certificate = readCertificate(path);
  return certificate instanceof X509Certificate
    ? checkEnd(what, certificate, nowMs)
    : fail(`${what} cannot be used: ${path} (${certificate})`, 'It must be PEM.');
}

/** The first certificate of a file; else why there is none. */
function readCertificate(path: string): X509Certificate | string {
  try {
    return new X509Certificate(readFileSync(path));
  } catch (error) {
    return systemCode(error) ?? 'not a certificate';
  }
}

function checkKey(name: string, certificate: X509Certificate, keyFile: string): Finding {
  try {
    if (certificate.checkPrivateKey(createPrivateKey(readFileSync(keyFile))))
      return checkSecret(`the key of ${name}`, keyFile);
    return fail(
      `the key of ${name} is not that of its certificate: ${keyFile}`,
      'Set keyFile to the key it was made with.',
    );
  } catch (error) {
    return fail(
      `the key of ${name} cannot be used: ${keyFile} (${systemCode(error)})`,
      'It must be PEM, without a password.',
    );
  }
}

function checkEnd(what: string, certificate: X509Certificate, nowMs: number): Finding {
  const days = Math.floor((Date.parse(certificate.validTo) - nowMs) / DAY_MS);
  const todo = 'Renew it: the new file is read while sealwatch runs.';
  if (days < 0) return fail(`${what} ended on ${certificate.validTo}`, todo);
  return days < SOON_DAYS
    ? warn(`${what} ends in ${days} day(s)`, todo)
    : ok(`${what} is good for ${days} days`);
}
