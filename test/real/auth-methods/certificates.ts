// Certificates for one run, made with openssl: an authority, Vault's TLS listener, clients, and one that signs for EC2.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  cert: string;
  key: string;
  certFile: string;
  keyFile: string;
}

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });

const read = (certFile: string, keyFile: string): Certificate => ({
  cert: readFileSync(certFile, 'utf8'),
  key: readFileSync(keyFile, 'utf8'),
  certFile,
  keyFile,
});

const files = (folder: string, name: string): [cert: string, key: string] => [
  join(folder, `${name}.pem`),
  join(folder, `${name}.key`),
];

/** A certificate that signs itself. */
export function makeAuthority(folder: string, name: string): Certificate {
  const [cert, key] = files(folder, name);
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    '-out',
    cert,
    '-keyout',
    key,
  );
  return read(cert, key);
}

/** A certificate of `authority` for clients, and for servers on loopback and called `hosts`. */
export function issue(
  folder: string,
  authority: Certificate,
  name: string,
  commonName: string,
  hosts: string[] = [],
): Certificate {
  const [cert, key] = files(folder, name);
  const request = join(folder, `${name}.csr`);
  const extensions = join(folder, `${name}.ext`);
  const names = ['IP:127.0.0.1', ...hosts.map((host) => `DNS:${host}`)].join();
  writeFileSync(extensions, `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`);
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    `/CN=${commonName}`,
    '-out',
    request,
    '-keyout',
    key,
  );
  openssl(
    ...['x509', '-req', '-in', request, '-CA', authority.certFile, '-CAkey', authority.keyFile],
    ...['-CAcreateserial', '-days', '2', '-extfile', extensions, '-out', cert],
  );
  return read(cert, key);
}
