// Where a call went: namespace, mount, and the path below the mount.

import type { JsonObject } from '../../core/event.ts';
import { objectOf, stringOf } from './entry.ts';

export interface Place {
  /** Path of the namespace with a closing slash; empty for the root namespace (vault-audit.md 1, `namespace`). */
  namespace: string;
  /** Path as Vault shows it, relative to the namespace. */
  path: string;
  /** The mount relative to the namespace, with a closing slash: `secret/`, `auth/userpass/`, `sys/`. */
  mount: string;
  mountType: string;
  /** The path below the mount. */
  rest: string;
  operation: string;
  /** The entry that Vault writes to try a new device: the one call of `sys/audit/test` without a token. */
  isProbe: boolean;
}

/** `mount_point` holds the namespace, `path` does not; before Vault 1.13 there is no `mount_point`. */
export function placeOf(request: JsonObject, response: JsonObject | undefined): Place {
  const path = stringOf(request, 'path') ?? '';
  const namespace = withSlash(stringOf(objectOf(request, 'namespace'), 'path') ?? '');
  const shown = stringOf(request, 'mount_point') ?? stringOf(response, 'mount_point') ?? '';
  const below = shown.startsWith(namespace) ? shown.slice(namespace.length) : shown;
  const mount = below !== '' && path.startsWith(below) ? below : guessMount(path);
  const mountType = stringOf(request, 'mount_type') ?? stringOf(response, 'mount_type') ?? typeOfMount(mount);
  return {
    namespace,
    path,
    mount,
    mountType,
    rest: path.slice(mount.length),
    operation: stringOf(request, 'operation') ?? '',
    isProbe: isProbe(request),
  };
}

const withSlash = (path: string) => (path === '' || path.endsWith('/') ? path : `${path}/`);

/** Without `mount_point`: auth mounts are taken as one part deep, others as their first part. */
function guessMount(path: string): string {
  const parts = path.split('/');
  const depth = parts[0] === 'auth' ? 2 : 1;
  return parts.length > depth ? `${parts.slice(0, depth).join('/')}/` : '';
}

/** The mounts that always are what they are called. */
const fixedTypes = new Map([
  ['sys/', 'system'],
  ['auth/token/', 'token'],
  ['identity/', 'identity'],
  ['cubbyhole/', 'cubbyhole'],
]);
const typeOfMount = (mount: string) => fixedTypes.get(mount) ?? '';

export const isProbe = (request: JsonObject): boolean =>
  request['path'] === 'sys/audit/test' && request['client_token'] === undefined;
