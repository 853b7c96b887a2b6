// What a call does, as noun-verb, and its ECS category and type. Paths: vault-audit.md section 6.

import type { Place } from './place.ts';

export interface Action {
  name: string;
  category: string[];
  type: string[];
}

type Verb = 'read' | 'list' | 'write' | 'delete';

const verbs = new Map<string, Verb>([
  ['read', 'read'],
  ['list', 'list'],
  ['scan', 'list'],
  ['create', 'write'],
  ['update', 'write'],
  ['patch', 'write'],
  ['delete', 'delete'],
]);
const plain = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, NAME_CHARS_MAX);
const verbOf = (operation: string): string => verbs.get(operation) ?? plain(operation);
const NAME_CHARS_MAX = 64;

/** Rows of (path below the mount, action); `*` in an action is the verb. The first that fits is taken. */
type Row = [RegExp, string, operations?: RegExp];

const kv2: Row[] = [
  [/^data\//, 'secret-patch', /^patch$/],
  [/^data\//, 'secret-*'],
  [/^metadata(\/|$)/, 'secret-list', /^(list|scan)$/],
  [/^metadata(\/|$)/, 'secret-metadata-*'],
  [/^detailed-metadata(\/|$)/, 'secret-list'],
  [/^delete\//, 'secret-delete'],
  [/^undelete\//, 'secret-undelete'],
  [/^destroy\//, 'secret-destroy'],
  [/^subkeys\//, 'secret-subkeys-read'],
  [/^config$/, 'engine-config-*'],
];
const kv1: Row[] = [[/^/, 'secret-*']];

const engine: Row[] = [
  [/^(creds|sts)\//, 'credential-issue'],
  [/^static-creds?\//, 'credential-read', /^read$/],
  [/^rotate-role\//, 'credential-rotate'],
  [/^(rotate-root(\/|$)|config\/rotate-root$)/, 'root-credential-rotate'],
  [/^library\/.+\/check-out$/, 'credential-checkout'],
  [/^library\/.+\/check-in$/, 'credential-checkin'],
  [/^(static-)?roles?(\/|$)/, 'role-*'],
  [/^config(\/|$)/, 'engine-config-*'],
];
const pki: Row[] = [
  [/(^|\/)(issue|sign|sign-verbatim)(\/|$)/, 'certificate-issue'],
  [/^revoke/, 'certificate-revoke'],
  [/^(root|intermediate)\//, 'ca-*'],
  ...engine,
];
const transit: Row[] = [
  [/^encrypt\//, 'data-encrypt'],
  [/^decrypt\//, 'data-decrypt'],
  [/^rewrap\//, 'data-rewrap'],
  [/^sign\//, 'data-sign'],
  [/^verify\//, 'data-verify'],
  [/^hmac\//, 'data-hmac'],
  [/^datakey\//, 'data-key-issue'],
  [/^(byok-)?export\//, 'key-export'],
  [/^backup\//, 'key-backup'],
  [/^restore/, 'key-restore'],
  [/^keys\/.+\/rotate$/, 'key-rotate'],
  [/^keys\/.+\/config$/, 'key-config-*'],
  [/^keys(\/|$)/, 'key-*'],
];
const ssh: Row[] = [[/^(sign|issue)\//, 'certificate-issue'], ...engine];

const token: Row[] = [
  [/^create/, 'token-create'],
  [/^renew/, 'token-renew'],
  [/^revoke/, 'token-revoke'],
  [/^lookup/, 'token-lookup'],
  [/^accessors/, 'token-list'],
  [/^roles(\/|$)/, 'role-*'],
];
const auth: Row[] = [
  [
    /^((cel\/)?login(\/|$)|oidc\/(callback|poll)$|callback$)/,
    'user-login',
    /^(create|update|read|resolve-role)$/,
  ],
  [/^oidc\/auth_url$/, 'login-url-read'],
  [/^role\/[^/]+\/(custom-)?secret-id$/, 'secret-id-create', /^(create|update)$/],
  [/^role\/[^/]+\/secret-id(-accessor)?\/destroy$/, 'secret-id-destroy'],
  [/^role\/[^/]+\/(custom-)?secret-id/, 'secret-id-*'],
  [/^roles?(\/|$)/, 'role-*'],
  [/^users?(\/|$)/, 'user-*'],
  [/^groups?(\/|$)/, 'group-*'],
  [/^config(\/|$)/, 'auth-config-*'],
];

const sys: Row[] = [
  [/^(policy|policies\/(acl|rgp|egp|password))(\/|$)/, 'policy-*'],
  [/^audit(\/|$)/, 'audit-device-enable', /^(create|update)$/],
  [/^audit(\/|$)/, 'audit-device-disable', /^delete$/],
  [/^audit(\/|$)/, 'audit-device-*'],
  [/^audit-hash\//, 'audit-hash'],
  [/^config\/auditing\//, 'audit-header-*'],
  [/^mounts\/.+\/tune$/, 'mount-tune', /^(create|update)$/],
  [/^mounts\/./, 'mount-enable', /^(create|update)$/],
  [/^mounts\/./, 'mount-disable', /^delete$/],
  [/^mounts(\/|$)/, 'mount-*'],
  [/^auth\/.+\/tune$/, 'auth-tune', /^(create|update)$/],
  [/^auth\/./, 'auth-enable', /^(create|update)$/],
  [/^auth\/./, 'auth-disable', /^delete$/],
  [/^auth(\/|$)/, 'auth-*'],
  [/^remount/, 'mount-move', /^(create|update)$/],
  [/^(leases\/)?renew(\/|$)/, 'lease-renew'],
  [/^(leases\/)?revoke(\/|$)/, 'lease-revoke'],
  [/^(leases\/)?revoke-prefix\//, 'lease-revoke-prefix'],
  [/^(leases\/)?revoke-force\//, 'lease-revoke-force'],
  [/^leases\/lookup(\/|$)/, 'lease-list', /^list$/],
  [/^leases\/lookup(\/|$)/, 'lease-lookup'],
  [/^seal$/, 'vault-seal'],
  [/^step-down$/, 'vault-step-down'],
  [/^generate-(root|recovery-token)(-token)?\/attempt$/, 'root-generation-start', /^(create|update)$/],
  [/^generate-(root|recovery-token)(-token)?\/attempt$/, 'root-generation-cancel', /^delete$/],
  [/^generate-(root|recovery-token)(-token)?\/update$/, 'root-generation-update'],
  [/^generate-(root|recovery-token)/, 'root-generation-status'],
  [/^(rekey(-recovery-key)?|rotate\/(root|recovery))\/init$/, 'rekey-start', /^(create|update)$/],
  [/^(rekey(-recovery-key)?|rotate\/(root|recovery))\/init$/, 'rekey-cancel', /^delete$/],
  [/^(rekey(-recovery-key)?|rotate\/(root|recovery))\/(update|verify)$/, 'rekey-update', /^(create|update)$/],
  [/^(rekey(-recovery-key)?|rotate\/(root|recovery))\//, 'rekey-*'],
  [/^rotate(\/|$)/, 'barrier-rotate'],
  [/^wrapping\/(wrap|unwrap|rewrap)$/, 'response-$1'],
  [/^wrapping\/lookup$/, 'response-wrap-lookup'],
  [/^raw(\/|$)/, 'storage-raw-*'],
  [/^storage\/raft\/snapshot/, 'snapshot-*'],
  [/^plugins\//, 'plugin-*'],
  [/^mfa\/validate$/, 'user-login'],
  [/^capabilities/, 'capabilities-read'],
  [/^namespaces(\/|$)/, 'namespace-*'],
  [/^quotas(\/|$)/, 'quota-*'],
  [/^internal\/ui\//, 'ui-read'],
];
const identity: Row[] = [
  [/^(entity|group)-alias(\/|$)/, '$1-alias-*'],
  [/^entity\/merge$/, 'entity-merge'],
  [/^(entity|group)(\/|$)/, '$1-*'],
  [/^lookup\/(entity|group)$/, '$1-lookup'],
  [/^mfa\//, 'mfa-*'],
  [/^oidc\//, 'oidc-*'],
];

const KV2_PATH = /^(data|metadata|delete|undelete|destroy|subkeys|detailed-metadata)\/|^(config|metadata)$/;

/** Whether a path below a kv mount is one of KV v2's. A KV v1 secret called `data/...` looks the same and is taken for v2. */
export const isKv2 = (rest: string): boolean => KV2_PATH.test(rest);

export const isKv = (mountType: string): boolean =>
  mountType === 'kv' || mountType === 'generic' || mountType === 'cubbyhole';

function rowsOf({ mount, mountType, rest }: Place): Row[] {
  if (mount === 'sys/') return sys;
  if (mount === 'identity/') return identity;
  if (mount === 'auth/token/') return token;
  if (mount.startsWith('auth/')) return auth;
  if (isKv(mountType)) return mountType === 'kv' && isKv2(rest) ? kv2 : kv1;
  if (mountType === 'pki') return pki;
  if (mountType === 'transit') return transit;
  if (mountType === 'ssh') return ssh;
  return engine;
}

/** Names seen so far: an audit log repeats few calls often, and the table costs more than a look. */
const known = new Map<string, Action>();
const KNOWN_MAX = 10_000;
const KEY_CHARS_MAX = 300;

/** The action of a call. One that no row knows is called by its mount type and operation. */
export function actionOf(place: Place): Action {
  if (place.isProbe) return probe;
  const key = `${place.operation} ${place.mountType} ${place.mount} ${place.rest}`;
  let action = known.get(key);
  if (action === undefined) {
    action = describe(nameOf(place));
    // An attacker chooses paths: neither many nor long ones may fill the memory.
    if (known.size >= KNOWN_MAX) known.clear();
    if (key.length <= KEY_CHARS_MAX) known.set(key, action);
  }
  return action;
}

function nameOf(place: Place): string {
  const { operation, rest } = place;
  if (operation === 'help') return 'help-read';
  for (const [pattern, name, operations] of rowsOf(place)) {
    if (operations !== undefined && !operations.test(operation)) continue;
    const match = pattern.exec(rest);
    if (match !== null) return name.replace('$1', () => match[1] ?? '').replace('*', () => verbOf(operation));
  }
  const noun = place.mountType || (place.path.split('/')[0] ?? '') || 'call';
  return plain(`${noun}-${operation || 'unknown'}`);
}

/** ECS categories and types by the action's first word (ECS 8.17, `event.category`). */
const categories: [RegExp, string[]][] = [
  [/^user-login$/, ['authentication']],
  [/^token-/, ['session']],
  [/^(secret|credential|data|certificate|key|response)-/, ['database']],
  [/^lease-/, ['session']],
  [/^(policy|role|user|group|entity|secret-id|auth|mfa|oidc|namespace)-/, ['iam']],
  [/^(audit|mount|engine|plugin|quota|vault|rekey|root|barrier|storage|snapshot|ca)-/, ['configuration']],
];
const types: [RegExp, string[]][] = [
  [/^user-login$/, ['start']],
  [/^(token|lease)-revoke/, ['end']],
  [/-(create|enable|issue|start)$/, ['creation']],
  [/-(delete|disable|destroy|revoke|cancel)$/, ['deletion']],
  [/-(read|list|lookup|status|export|checkout|unwrap|decrypt)$/, ['access']],
  [/-(write|patch|tune|move|rotate|update|undelete|merge|renew|restore|checkin)$/, ['change']],
];
const firstOf = (rows: [RegExp, string[]][], name: string): string[] =>
  rows.find(([pattern]) => pattern.test(name))?.[1] ?? [];

function describe(name: string): Action {
  const type = firstOf(types, name);
  return {
    name,
    category: [...firstOf(categories, name.startsWith('secret-id-') ? 'role-' : name), 'api'],
    type: type.length > 0 ? type : ['info'],
  };
}

const probe = describe('audit-device-test');
