// A fake OIDC provider: discovery, keys, and a token endpoint that gives the id token of whoever the code names.

import { makeKey, signJwt } from './jwt.ts';
import { type Fake, listen } from './listen.ts';

export const clientId = 'example-client';

/** A code is `<user>|<nonce>`: the page where a person would log in is skipped. */
export const codeFor = (user: string, authUrl: string): string =>
  `${user}|${new URL(authUrl).searchParams.get('nonce') ?? ''}`;

export async function fakeOidc(): Promise<Fake> {
  const key = makeKey();
  const jwk = { ...key.publicKey.export({ format: 'jwk' }), kid: key.id, alg: 'RS256', use: 'sig' };
  return listen(({ url, body }, self) => {
    if (url.pathname === '/.well-known/openid-configuration') {
      return {
        body: {
          issuer: self,
          authorization_endpoint: `${self}/authorize`,
          token_endpoint: `${self}/token`,
          jwks_uri: `${self}/keys`,
          userinfo_endpoint: `${self}/userinfo`,
          id_token_signing_alg_values_supported: ['RS256'],
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
        },
      };
    }
    if (url.pathname === '/keys') return { body: { keys: [jwk] } };
    const [user = '', nonce] = (new URLSearchParams(body).get('code') ?? '').split('|');
    if (url.pathname !== '/token' || user === 'nobody')
      return { status: 400, body: { error: 'invalid_grant' } };
    const claims = { iss: self, aud: clientId, sub: `id-of-${user}`, email: `${user}@example.com`, nonce };
    return { body: { access_token: 'example', token_type: 'Bearer', id_token: signJwt(key, claims) } };
  });
}
