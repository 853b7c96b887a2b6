// Login by AWS IAM: Vault sends our signed request to AWS and learns from the answer who signed it.

import type { Login } from '../login-keeper.ts';
import { findCredentials } from './aws-credentials.ts';
import { signedIdentity } from './aws-sign.ts';

export interface AwsOptions {
  mount: string;
  /** Absent: Vault takes the role that is called as the AWS role or user. */
  role?: string | undefined;
  region: string;
  serverId?: string | undefined;
  env: NodeJS.ProcessEnv;
  now: () => number;
}

export const awsLogin = ({ mount, role, region, serverId, env, now }: AwsOptions): Login => ({
  path: `auth/${mount}/login`,
  async body() {
    const found = await findCredentials({ env, region });
    if ('fault' in found) return found;
    const { credentials } = found;
    const signed = signedIdentity({ credentials, region, serverId, nowMs: now() });
    return { body: role === undefined ? signed : { role, ...signed } };
  },
});
