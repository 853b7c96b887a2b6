// Login with the TLS certificate that the client shows anyway.

import type { Login } from '../login-keeper.ts';

/** `role` is the name of the certificate role; without one Vault tries all of them. */
export const certLogin = ({ mount, role }: { mount: string; role?: string | undefined }): Login => ({
  path: `auth/${mount}/login`,
  body: async () => ({ body: role === undefined ? {} : { name: role } }),
});
