// A fake Kubernetes API: it answers the TokenReview that Vault asks for, by the service account that the token names.

import { decodeJwt } from './jwt.ts';
import { type Fake, listen } from './listen.ts';

interface Review {
  spec: { token: string };
}

/** Every token of a service account is taken for genuine but those signed for `stranger`. */
export const fakeKubernetes = (): Promise<Fake> =>
  listen(({ body }) => {
    const { token } = (JSON.parse(body) as Review).spec;
    const subject = String(decodeJwt(token)['sub']);
    const [, , namespace, name] = subject.split(':');
    const status =
      name === 'stranger'
        ? { authenticated: false, error: 'invalid bearer token' }
        : {
            authenticated: true,
            user: {
              username: subject,
              uid: `uid-of-${name}`,
              groups: [`system:serviceaccounts:${namespace}`],
            },
          };
    return { status: 201, body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status } };
  });
