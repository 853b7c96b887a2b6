// Login by AppRole: role id and secret id from files; a wrapped secret id is opened once and then kept in memory only.

import { dataOf, isFinal, isToken } from '../answers.ts';
import type { VaultClient } from '../client.ts';
import type { Login } from '../login-keeper.ts';
import { readSecretFile } from './files.ts';

export interface AppRoleOptions {
  client: Pick<VaultClient, 'call'>;
  mount: string;
  namespace?: string | undefined;
  roleIdFile: string;
  /** Absent for a role that binds no secret id. */
  secretIdFile?: string | undefined;
  /** Holds a wrapping token instead of the secret id. */
  wrappedSecretIdFile?: string | undefined;
}

type Read = { text: string } | { fault: string };

export function appRoleLogin(options: AppRoleOptions): Login {
  const { mount, roleIdFile, secretIdFile, wrappedSecretIdFile } = options;
  const unwrap = unwrapper(options);
  return {
    path: `auth/${mount}/login`,
    async body() {
      const roleId = readSecretFile(roleIdFile, 'role_id');
      if ('fault' in roleId) return roleId;
      if (secretIdFile === undefined && wrappedSecretIdFile === undefined)
        return { body: { role_id: roleId.text } };
      const secretId =
        secretIdFile === undefined
          ? await unwrap(wrappedSecretIdFile ?? '')
          : readSecretFile(secretIdFile, 'secret_id');
      return 'fault' in secretId ? secretId : { body: { role_id: roleId.text, secret_id: secretId.text } };
    },
  };
}

/** Opens a wrapping token when it is new in the file; a token that was opened is not tried again. */
function unwrapper(options: AppRoleOptions): (file: string) => Promise<Read> {
  let last: { wrapping: string; opened: Read } | undefined;
  return async (file) => {
    const wrapping = readSecretFile(file, 'wrapped_secret_id');
    if ('fault' in wrapping) return last?.opened ?? wrapping;
    if (last?.wrapping === wrapping.text) return last.opened;
    if (!isToken(wrapping.text)) return { fault: 'wrapped_secret_id_file_odd' };
    const { opened, isDone } = await unwrapOnce(options, wrapping.text);
    if (isDone) last = { wrapping: wrapping.text, opened };
    return opened;
  };
}

/**
 * `secret_id_wrapping_used`: somebody else has opened it before, or it has ended. `secret_id_wrapping_foreign`: it was not made
 * by an AppRole of this mount, so somebody put another one in its place; it is not opened.
 */
async function unwrapOnce(
  { client, mount, namespace }: AppRoleOptions,
  token: string,
): Promise<{ opened: Read; isDone: boolean }> {
  const about = await client.call({
    method: 'POST',
    path: 'sys/wrapping/lookup',
    body: { token },
    namespace,
  });
  if (about.status !== 200)
    return isFinal(about)
      ? { opened: { fault: 'secret_id_wrapping_used' }, isDone: true }
      : { opened: { fault: about.fault ?? 'failed' }, isDone: false };
  if (!isOfSecretId(dataOf(about)?.['creation_path'], mount, namespace))
    return { opened: { fault: 'secret_id_wrapping_foreign' }, isDone: true };
  const answer = await client.call({ method: 'POST', path: 'sys/wrapping/unwrap', namespace, token });
  const secretId = dataOf(answer)?.['secret_id'];
  if (typeof secretId === 'string') return { opened: { text: secretId }, isDone: true };
  return isFinal(answer)
    ? { opened: { fault: 'secret_id_wrapping_used' }, isDone: true }
    : { opened: { fault: answer.fault ?? 'failed' }, isDone: false };
}

/** `auth/approle/role/sealwatch/secret-id`, with its namespace before it or not; a path of KV may end alike. */
function isOfSecretId(path: unknown, mount: string, namespace = ''): boolean {
  const text = String(path);
  const home = namespace.replace(/\/?$/, '/');
  const rest = text.startsWith(home) ? text.slice(home.length) : text;
  const roles = `auth/${mount}/role/`;
  return rest.startsWith(roles) && /^[^/]+\/secret-id$/.test(rest.slice(roles.length));
}
