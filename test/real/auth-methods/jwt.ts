// Signed tokens for the scenes: RS256, with keys made for the run.

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface SigningKey {
  id: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
  /** The public key as PEM. */
  pem: string;
}

export function makeKey(id = 'example'): SigningKey {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { id, ...pair, pem: String(pair.publicKey.export({ type: 'spki', format: 'pem' })) };
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token with `claims`, good for ten minutes. */
export function signJwt(key: { id: string; privateKey: KeyObject }, claims: Record<string, unknown>): string {
  const now = Math.floor(Date.now() / 1000);
  const head = part({ alg: 'RS256', typ: 'JWT', kid: key.id });
  const text = `${head}.${part({ iat: now, nbf: now - 5, exp: now + 600, ...claims })}`;
  return `${text}.${sign('sha256', Buffer.from(text), key.privateKey).toString('base64url')}`;
}

export const decodeJwt = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
