// From the configuration to a session: the client, the way to a token, and calls with it.

import type { VaultSettings } from '../core/config-vault.ts';
import type { Answer } from '../core/records.ts';
import type { Logger } from '../core/telemetry.ts';
import { VaultClient } from './client.ts';
import { FileKeeper } from './file-keeper.ts';
import { appRoleLogin } from './login/approle.ts';
import { awsLogin } from './login/aws.ts';
import { certLogin } from './login/cert.ts';
import { jwtLogin } from './login/jwt.ts';
import { type Login, LoginKeeper } from './login-keeper.ts';
import { VaultSession } from './session.ts';

export interface OpenOptions {
  logger: Logger;
  now: () => number;
  random: () => number;
  env: NodeJS.ProcessEnv;
  /** Gets the id of the call that began each token of ours. */
  onLogin: (answer: Answer) => void;
}

export interface OpenVault {
  client: VaultClient;
  keeper: LoginKeeper | FileKeeper;
  session: VaultSession;
}

/** Where a pod finds the token of its service account. */
const SERVICE_ACCOUNT_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** Asks nothing yet; undefined without a Vault in the configuration. */
export function openVault(settings: VaultSettings, options: OpenOptions): OpenVault | undefined {
  const { address, caFile, namespace, tokenFile, login } = settings;
  if (address === undefined) return undefined;
  const { env, ...rest } = options;
  const client = new VaultClient({ address, caFile, certFile: login.certFile, keyFile: login.keyFile });
  const common = { ...rest, client, namespace };
  const keeper =
    tokenFile === undefined
      ? new LoginKeeper({ ...common, login: loginOf(settings, client, options) })
      : new FileKeeper({ ...common, tokenFile });
  return { client, keeper, session: new VaultSession({ client, keeper, namespace }) };
}

/** The schema has checked that each method has what it needs. */
function loginOf({ login, namespace }: VaultSettings, client: VaultClient, options: OpenOptions): Login {
  const { role = '', jwtFile = SERVICE_ACCOUNT_FILE, region, serverId } = login;
  const { roleIdFile = '', secretIdFile, wrappedSecretIdFile } = login;
  const method = login.method ?? 'approle';
  const mount = login.mount ?? method;
  const { env, now } = options;
  switch (method) {
    case 'approle':
      return appRoleLogin({ client, mount, namespace, roleIdFile, secretIdFile, wrappedSecretIdFile });
    case 'kubernetes':
    case 'jwt':
      return jwtLogin({ mount, role, jwtFile });
    case 'aws':
      return awsLogin({ mount, role: login.role, region, serverId, env, now });
    case 'cert':
      return certLogin({ mount, role: login.role });
  }
}
