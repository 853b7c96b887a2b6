// Which path of Vault is about what: mounts, roles and where the settings of what a call gives out stand (vault-audit.md 6).

import type { AuditEvent } from '../../../core/event.ts';

/** The mount of a call as its namespace sees it, with a closing slash; undefined when the entry does not show it. */
export function mountOf({ vault: { request } }: AuditEvent): string | undefined {
  const { mount_point: shown, namespace = '' } = request;
  if (shown === undefined || shown === '') return undefined;
  return shown.startsWith(namespace) ? shown.slice(namespace.length) : shown;
}

export interface RolePath {
  /** Path of the role, the key of its facts. */
  key: string;
  mount: string;
  role: string;
  /** `token-ttl` of AppRole's `role/orders/token-ttl`: one setting of the role; empty for the whole role. */
  setting: string;
}

/** Folders of roles below an auth mount: of most methods, of the token store, and of those that keep users, certificates or teams. */
const AUTH_ROLE = /^(?:roles?|users?|groups?|certs|map\/(?:teams|users))\/([^/]+)(?:\/(.+))?$/;
const ENGINE_ROLE = /^(?:static-)?roles?\/(.+)$/;
/** What AppRole keeps below a role that is none of its settings. */
const NO_SETTING = /^(?:custom-secret-id|secret-id|secret-id-accessor|role-id)(?:\/|$)/;
/** Mounts where a path that looks like a role's is something else: a secret, a key, an OIDC role. */
const NO_ROLES = /^(?:kv|generic|cubbyhole|transit|identity|system)$/;

/** The role that a path is about, whatever is done to it. */
export function roleAt(path: string, mount: string, mountType: string): RolePath | undefined {
  if (!path.startsWith(mount) || NO_ROLES.test(mountType)) return undefined;
  const rest = path.slice(mount.length);
  if (!mount.startsWith('auth/')) {
    const role = ENGINE_ROLE.exec(rest)?.[1];
    return role === undefined ? undefined : { key: path, mount, role, setting: '' };
  }
  const [, role, setting = ''] = AUTH_ROLE.exec(rest) ?? [];
  if (role === undefined || NO_SETTING.test(setting)) return undefined;
  const key = setting === '' ? path : path.slice(0, -setting.length - 1);
  return { key, mount, role, setting };
}

/** Methods whose roles are at another place than `role/`; those without an entry at all have no roles. */
const folders = new Map([
  ...['approle', 'kubernetes', 'jwt', 'oidc', 'aws', 'azure', 'gcp', 'alicloud', 'oci'].map(
    (method) => [method, 'role'] as const,
  ),
  ['cf', 'roles'],
  ['cert', 'certs'],
  ['userpass', 'users'],
]);
/** Engines whose roles are in `role/`. */
const ROLE_ENGINES = /^(?:ldap|openldap|ad|alicloud|terraform)$/;
const ISSUING = /^(?:creds|sts|issue|sign)\/(.+)$/;

/**
 * Path of the role whose settings decide the lifetime of what a call gave out, `auth/approle/role/orders-api` or
 * `database/roles/readonly`; undefined when it gave nothing out, by no role, or by one that the entry hides.
 */
export function issuingRole(event: AuditEvent): RolePath | undefined {
  const { vault } = event;
  const mount = mountOf(event);
  const path = vault.request.path ?? '';
  if (mount === undefined || !path.startsWith(mount)) return undefined;
  const rest = path.slice(mount.length);
  if (!mount.startsWith('auth/')) return engineRole(mount, vault.request.mount_type ?? '', rest);
  if (vault.issued === undefined) return undefined;
  if (mount === 'auth/token/') {
    const role = /^create\/(.+)$/.exec(rest)?.[1];
    return role === undefined ? undefined : roleOf(mount, 'roles', role);
  }
  if (event.event.action !== 'user-login') return undefined;
  const folder = folders.get(vault.request.mount_type ?? '');
  const role = folder === 'users' ? vault.caller.subject : vault.caller.role;
  return folder === undefined || role === undefined ? undefined : roleOf(mount, folder, role);
}

function engineRole(mount: string, type: string, rest: string): RolePath | undefined {
  const role = NO_ROLES.test(type) ? undefined : ISSUING.exec(rest)?.[1];
  return role === undefined ? undefined : roleOf(mount, ROLE_ENGINES.test(type) ? 'role' : 'roles', role);
}

const roleOf = (mount: string, folder: string, role: string): RolePath => ({
  key: `${mount}${folder}/${role}`,
  mount,
  role,
  setting: '',
});
