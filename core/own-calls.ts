// The calls of Vault that sealwatch makes: the one list. The asker asks nothing else, deploy/vault/ allows nothing else (a test
// compares), and what its identity does beyond them is not sealwatch (guarantee 9).

/** Which policy of deploy/vault/ allows it; `none` needs a call to be allowed by no policy: a login has no token yet. */
export type OwnCallPolicy = 'sealwatch' | 'sealwatch-directory' | 'none';

export interface OwnCall {
  /** As audit lines write it (vault-audit.md 2). */
  operation: 'read' | 'update';
  /** As Vault's policies write paths: `+` is one segment. Relative to the namespace. */
  path: string;
  policy: OwnCallPolicy;
}

/** Mounts may have one or two segments: `+` of a policy is one, so each length has a path of its own. */
const onMounts = (before: string, after: string): string[] => [
  `${before}+/${after}`,
  `${before}+/+/${after}`,
];

const by = (policy: OwnCallPolicy, operation: OwnCall['operation'], paths: string[]): OwnCall[] =>
  paths.map((path) => ({ operation, path, policy }));

/** Every call but those of the configured secrets (`secretCalls`). */
export const ownCalls: readonly OwnCall[] = [
  ...by('sealwatch', 'read', [
    'auth/token/lookup-self',
    'identity/entity/id/+',
    'identity/group/id/+',
    'sys/mounts',
    'sys/auth',
  ]),
  ...by('sealwatch', 'update', [
    'auth/token/renew-self',
    'auth/token/revoke-self',
    'auth/token/lookup-accessor',
    'sys/leases/lookup',
    'sys/audit-hash/+',
    'sys/capabilities-self',
  ]),
  // What roles and policies say. Who reads them sees no secret, but how Vault is guarded: so they are a policy of their own.
  ...by('sealwatch-directory', 'read', [
    'sys/policies/acl/+',
    ...['role/+', 'roles/+', 'certs/+', 'users/+', 'groups/+'].flatMap((role) => onMounts('auth/', role)),
    ...['roles/+', 'role/+'].flatMap((role) => onMounts('', role)),
  ]),
  ...by('none', 'update', onMounts('auth/', 'login')),
];

/** Reading one secret of sealwatch's own in KV v2, given as `<mount>/data/<path>`: its value, and whether it has a new one. */
export const secretCalls = (dataPath: string): OwnCall[] =>
  by('none', 'read', [dataPath, dataPath.replace('/data/', '/metadata/')]);

/** A client or proxy would take `..` for a step up. */
const SEGMENT = '(?!\\.\\.?(?:/|$))[^/]+';

/** Of each operation one expression: every call of every caller is asked about. */
const declared = new Map(
  (['read', 'update'] as const).map((operation) => {
    const paths = ownCalls.filter((call) => call.operation === operation).map(({ path }) => sourceOf(path));
    return [operation as string, new RegExp(`^(?:${paths.join('|')})$`)];
  }),
);

/**
 * Whether a call is one that sealwatch makes. `operation` and `path` as in an event, relative to the namespace; `secrets` are the
 * configured `<mount>/data/<path>` of its own secrets.
 */
export function isOwnCall(operation: string, path: string, secrets: readonly string[] = []): boolean {
  return declared.get(operation)?.test(path) === true || isOwnSecret(operation, path, secrets);
}

/** Whether it is the reading of a configured secret. */
export const isOwnSecret = (operation: string, path: string, secrets: readonly string[]): boolean =>
  secrets.some((secret) =>
    secretCalls(secret).some((call) => call.operation === operation && call.path === path),
  );

function sourceOf(path: string): string {
  return path.replace(/[.\\^$()[\]{}|?*]/g, '\\$&').replaceAll('+', SEGMENT);
}
