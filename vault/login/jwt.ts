// Login with a signed token from a file: of a Kubernetes service account, or of any issuer that the JWT method trusts.

import type { Login } from '../login-keeper.ts';
import { readSecretFile } from './files.ts';

export interface JwtOptions {
  mount: string;
  role: string;
  jwtFile: string;
}

export const jwtLogin = ({ mount, role, jwtFile }: JwtOptions): Login => ({
  path: `auth/${mount}/login`,
  async body() {
    const jwt = readSecretFile(jwtFile, 'jwt');
    return 'fault' in jwt ? jwt : { body: { role, jwt: jwt.text } };
  },
});
