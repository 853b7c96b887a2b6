// Realistic rules for the bench: twelve kinds of detection that people write for Vault, varied over the names of an
// organisation. From a seed, so that a run can be repeated.

/** A Sigma rule's `detection`. */
export type Detection = Record<string, unknown>;

/** What rules are made of: `sample` is what the events hold, the rest are names of an organisation that it does not. */
const teams =
  'billing shop reports payments payroll orders search ledger risk fraud mobile web data ml infra ops crm tax hr legal'.split(
    ' ',
  );
const apps =
  'api worker cron gateway portal batch etl sync export import mailer pdf cache auth proxy admin'.split(' ');
const keys = 'database api-key tls smtp ssh signing oauth stripe backup root-ca'.split(' ');
const mounts = ['secret/data/', 'kv/data/', 'apps/data/', 'legacy/', 'platform/data/'];
const engines = ['database', 'postgres', 'aws', 'pki', 'rabbitmq', 'ldap', 'consul', 'ssh'];
const methods = ['userpass', 'approle', 'kubernetes', 'oidc', 'ldap', 'cert', 'aws', 'github'];
const admin = [
  'sys/policies/acl/',
  'sys/auth/',
  'sys/mounts/',
  'sys/audit/',
  'identity/entity/',
  'sys/rotate/',
];
const writes = ['create', 'update', 'patch', 'delete'];

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Pick = <T>(list: readonly T[]) => T;
const kinds: ((pick: Pick) => Detection)[] = [
  // Somebody else reads a team's secrets.
  (pick) => {
    const team = pick(teams);
    return {
      selection: {
        'event.action': 'secret-read',
        'vault.request.path|startswith': `${pick(mounts)}${team}/`,
      },
      filter: { 'user.name': [team, `${team}-${pick(apps)}`, 'backup'] },
      condition: 'selection and not filter',
    };
  },
  // One secret is touched.
  (pick) => ({
    selection: {
      'vault.request.path': `${pick(mounts)}${pick(teams)}/${pick(apps)}/${pick(keys)}`,
      'vault.request.operation': ['read', ...writes],
    },
    condition: 'selection',
  }),
  // What administrates Vault is changed.
  (pick) => ({
    selection: {
      'vault.request.path|startswith': [`${pick(admin)}${pick(teams)}`, `${pick(admin)}${pick(apps)}`],
      'vault.request.operation': writes,
      'event.outcome': 'success',
    },
    condition: 'selection',
  }),
  // Secrets of a kind are read by people.
  (pick) => ({
    selection: {
      'event.action': ['secret-read', 'secret-list'],
      'vault.request.path|contains': `/${pick(apps)}/${pick(keys)}`,
      'vault.caller.kind': 'human',
    },
    condition: 'selection',
  }),
  // A policy is in use.
  (pick) => ({
    selection: { 'vault.caller.policies': `${pick(teams)}-${pick(apps)}-admin`, 'event.outcome': 'success' },
    condition: 'selection',
  }),
  // A role gives out credentials outside of its networks.
  (pick) => ({
    selection: { 'vault.request.path': `${pick(engines)}/creds/${pick(teams)}-${pick(apps)}` },
    filter_net: { 'source.ip|cidr': ['10.0.0.0/8', '192.168.0.0/16'] },
    filter_user: { 'user.name|startswith': `${pick(teams)}-` },
    condition: 'selection and not 1 of filter_*',
  }),
  // Logins fail on one mount.
  (pick) => ({
    selection: {
      'event.action': 'user-login',
      'event.outcome': 'failure',
      'vault.request.path|startswith': `auth/${pick(methods)}/login/${pick(teams)}`,
    },
    condition: 'selection',
  }),
  // A path of a shape.
  (pick) => ({
    selection: {
      'event.action': 'secret-read',
      'vault.request.path|re': `^${pick(mounts)}${pick(teams)}/[a-z]+/v[0-9]+$`,
    },
    condition: 'selection',
  }),
  // Names with wildcards.
  (pick) => ({
    selection: {
      'vault.request.path': [
        `*/${pick(teams)}/${pick(apps)}/*`,
        `${pick(mounts)}${pick(teams)}-*/${pick(keys)}`,
      ],
      'vault.request.operation': writes,
    },
    condition: 'selection',
  }),
  // A client that should not be there.
  (pick) => ({
    selection: {
      'user_agent.original|contains': pick(['curl', 'python-requests', 'Wget', 'PostmanRuntime', 'Java/']),
      'vault.request.path|startswith': `${pick(mounts)}${pick(teams)}/${pick(apps)}`,
    },
    condition: 'selection',
  }),
  // A credential lives too long.
  (pick) => ({
    selection: {
      'event.action': 'user-login',
      'vault.issued.ttl_s|gte': pick([3_600, 28_800, 86_400, 604_800]),
      'vault.caller.role': `${pick(teams)}-${pick(apps)}`,
    },
    condition: 'selection',
  }),
  // A service does what it never should.
  (pick) => ({
    selection: { 'user.name': `${pick(teams)}-${pick(apps)}` },
    read: {
      'vault.request.path|startswith': ['secret/', 'kv/'],
      'vault.request.operation': ['read', 'list'],
    },
    own: { 'vault.request.path|contains': pick(teams) },
    condition: 'selection and not (read and own)',
  }),
];

/** `count` detections: each kind in turn. */
export function makeDetections(count: number, seed = 1): Detection[] {
  const random = seeded(seed);
  const pick: Pick = (list) => list[Math.floor(random() * list.length)] as (typeof list)[number];
  return Array.from({ length: count }, (_, i) =>
    (kinds[i % kinds.length] as (pick: Pick) => Detection)(pick),
  );
}
