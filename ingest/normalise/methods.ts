// The auth methods: what each leaves of a caller in a token's metadata and display name (docs/operating/callers.md has the
// table with its sources). Whoever makes tokens or secret ids writes metadata of their own, so the order here matters.

import type { CallerKind, JsonObject } from '../../core/event.ts';
import { stringOf } from './entry.ts';

/** What a token shows. Vault makes the display name as `<mount>-<name>`, with `-` for each `/` of the mount. */
export interface Look {
  metadata: JsonObject;
  display: string;
  /** Method and mount (written as in display names), where the entry says them: at a login. */
  method?: string | undefined;
  mount?: string | undefined;
}

export interface Shown {
  kind: CallerKind;
  method?: string | undefined;
  /** The mount as display names write it; undefined when it cannot be told from the name after it. */
  mount?: string | undefined;
  role?: string | undefined;
  subject?: string | undefined;
  /** `user.name`, when it is neither role nor subject as they stand. */
  name?: string | undefined;
}

interface Method {
  /** Mount types, for logins. */
  types: string[];
  /** Whether a token of which only metadata and display name are known is of this method. */
  is(look: Look): boolean;
  show(look: Look): Shown;
}

const get = ({ metadata }: Look, key: string) => stringOf(metadata, key);
const has = ({ metadata }: Look, ...keys: string[]) => keys.every((key) => typeof metadata[key] === 'string');

const endsWith = ({ display }: Look, name: string | undefined): name is string =>
  name !== undefined && display.endsWith(`-${name}`);

/** The mount of a display name that ends with `name`. */
const mountBefore = (look: Look, name: string | undefined): string | undefined =>
  look.mount ?? (endsWith(look, name) ? look.display.slice(0, -name.length - 1) : undefined);

/** What follows the mount in a display name, if the mount is known. */
const nameAfter = ({ display }: Look, mount: string | undefined): string | undefined =>
  mount !== undefined && display.startsWith(`${mount}-`) ? display.slice(mount.length + 1) : undefined;

/** The first of `words` that stands in `text` between dashes: a mount called after a method is taken for that method. */
const wordIn = (text: string | undefined, words: string[]): string | undefined =>
  text?.split(/[-_./]/).find((word) => words.includes(word));

const alicloud: Method = {
  types: ['alicloud'],
  // Whoever makes an AppRole's secret id writes its metadata: the mount must be called so.
  is: (look) =>
    has(look, 'role_name', 'arn') &&
    wordIn(mountBefore(look, get(look, 'principal_id')), ['alicloud']) !== undefined,
  show: (look) => ({
    kind: 'workload',
    method: 'alicloud',
    mount: mountBefore(look, get(look, 'principal_id')),
    role: get(look, 'role_name'),
    subject: /:([^:]+)$/.exec(get(look, 'arn') ?? '')?.[1],
  }),
};

/** OCI and AppRole tokens look alike but for the role at the end of OCI's display name: an OCI mount must be called so. */
const oci: Method = {
  types: ['oci'],
  is: (look) =>
    has(look, 'role_name') && wordIn(mountBefore(look, get(look, 'role_name')), ['oci']) !== undefined,
  show: (look) => {
    const role = get(look, 'role_name');
    return { kind: 'workload', method: 'oci', mount: mountBefore(look, role), role };
  },
};

/** AppRole gives no name, and writes `role_name` over whatever the metadata of the secret id says. */
const approle: Method = {
  types: ['approle'],
  is: (look) => has(look, 'role_name'),
  show: ({ display, ...look }) => ({
    kind: 'workload',
    method: 'approle',
    mount: look.mount ?? display,
    role: get({ display, ...look }, 'role_name'),
  }),
};

const kubernetes: Method = {
  types: ['kubernetes'],
  is: (look) => endsWith(look, accountIn(look)?.join('-')),
  show: (look) => ({
    kind: 'workload',
    method: 'kubernetes',
    mount: mountBefore(look, accountIn(look)?.join('-')),
    role: get(look, 'role'),
    subject: accountIn(look)?.join('/'),
  }),
};

/** Namespace and name of the service account. */
function accountIn(look: Look): [namespace: string, name: string] | undefined {
  const namespace = get(look, 'service_account_namespace');
  const name = get(look, 'service_account_name');
  return namespace === undefined || name === undefined ? undefined : [namespace, name];
}

/** EC2 shows Vault's role; IAM hides it behind an id, and shows the IAM role with its session, or the IAM user. */
const aws: Method = {
  types: ['aws'],
  is: (look) => has(look, 'account_id', 'auth_type') || has(look, 'role_tag_max_ttl') || has(look, 'role_id'),
  show: (look) => {
    const role = get(look, 'role');
    if (role !== undefined) {
      const mount = look.mount ?? look.display;
      return { kind: 'workload', method: 'aws', mount, role, subject: get(look, 'instance_id') };
    }
    const shown = /:(?:assumed-role|user|role)\/(.+)$/.exec(
      get(look, 'client_arn') ?? get(look, 'canonical_arn') ?? '',
    )?.[1];
    const mount = mountBefore(look, shown) ?? (look.display.startsWith('aws-') ? 'aws' : undefined);
    const subject = nameAfter(look, mount) ?? shown;
    return { kind: 'workload', method: 'aws', mount, subject, name: subject?.split('/')[0] };
  },
};

const gcp: Method = {
  types: ['gcp'],
  is: (look) => has(look, 'service_account_email') || has(look, 'service_account_id', 'project_id'),
  show: (look) => {
    const subject = get(look, 'instance_name') ?? get(look, 'service_account_email');
    const mount = mountBefore(look, subject);
    return { kind: 'workload', method: 'gcp', mount, role: get(look, 'role'), subject };
  },
};

/** Cloud Foundry's instances have shorter ones: their last part has four digits. */
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{4,12}$/;

const azure: Method = {
  types: ['azure'],
  is: (look) => has(look, 'subscription_id', 'resource_group_name'),
  show: (look) => {
    const object = UUID.exec(look.display)?.[0];
    const machine = get(look, 'vm_name') ?? get(look, 'vmss_name');
    const subject = machine ?? get(look, 'resource_id') ?? get(look, 'app_id') ?? object;
    return {
      kind: 'workload',
      method: 'azure',
      mount: mountBefore(look, object),
      role: get(look, 'role'),
      subject,
    };
  },
};

/** The display name ends with the role's, or with one the operator gave it. A name that is an address is a person's. */
const cert: Method = {
  types: ['cert'],
  is: (look) => has(look, 'cert_name'),
  show: (look) => {
    const role = get(look, 'cert_name');
    const subject = get(look, 'common_name');
    const kind = subject?.includes('@') ? 'human' : 'workload';
    return { kind, method: 'cert', mount: mountBefore(look, role), role, subject };
  },
};

const kerberos: Method = {
  types: ['kerberos'],
  is: (look) => has(look, 'user', 'domain'),
  show: (look) => {
    const subject = get(look, 'user');
    return { kind: 'human', method: 'kerberos', mount: mountBefore(look, subject), subject };
  },
};

const github: Method = {
  types: ['github'],
  is: (look) => has(look, 'username', 'org') && !has(look, 'role'),
  show: (look) => {
    const subject = get(look, 'username');
    return { kind: 'human', method: 'github', mount: mountBefore(look, subject), subject };
  },
};

/** Four methods leave a user name alone; RADIUS and Okta also write `policies`. Which one it is only the mount's name says. */
const directory: Method = {
  types: ['userpass', 'ldap', 'radius', 'okta'],
  is: (look) => has(look, 'username') && !has(look, 'role'),
  show: (look) => {
    const subject = get(look, 'username');
    const mount = mountBefore(look, subject);
    const methods = has(look, 'policies') ? ['radius', 'okta'] : ['userpass', 'ldap'];
    return { kind: 'human', method: look.method ?? wordIn(mount, methods), mount, subject };
  },
};

/** Subjects that CI systems and clusters give their jobs. */
const JOB = /(?:^|-)((?:repo|project_path|pipeline|organization|system:serviceaccount):.+)$/;

/** One plugin for both: programs show a signed token, people come back from a provider; only mount and subject tell them apart. */
const jwt: Method = {
  types: ['jwt', 'oidc'],
  is: (look) => has(look, 'role'),
  show: (look) => {
    const [, called] = /^(?:.*?-)??(oidc|jwt)-/.exec(look.display) ?? [];
    const subject = subjectOf(look);
    const mount = mountBefore(look, subject);
    const isJob = subject !== undefined && (JOB.test(subject) || subject.endsWith('.gserviceaccount.com'));
    const method = look.method ?? called ?? (isJob ? 'jwt' : undefined);
    const kind = isJob || method === 'jwt' ? 'workload' : method === 'oidc' ? 'human' : 'unknown';
    return { kind, method, mount, role: get(look, 'role'), subject: accountIn(look)?.join('/') ?? subject };
  },
};

/** The user claim: what follows the mount; a claim that is in the metadata as well; a subject of a known shape. */
function subjectOf(look: Look): string | undefined {
  const { display, metadata } = look;
  const known = nameAfter(look, look.mount) ?? JOB.exec(display)?.[1];
  if (known !== undefined) return known;
  const claims = Object.keys(metadata).flatMap((key) => (key === 'role' ? [] : (get(look, key) ?? [])));
  const claim = claims.sort((a, b) => b.length - a.length).find((value) => display.endsWith(`-${value}`));
  return claim ?? /^(?:.*?-)??(?:oidc|jwt)-(.+)$/.exec(display)?.[1];
}

/** Cloud Foundry leaves no metadata, and the instance's id as name. */
const cf: Method = {
  types: ['cf'],
  is: (look) => {
    const instance = UUID.exec(look.display)?.[0];
    return endsWith(look, instance) && wordIn(mountBefore(look, instance), ['cf', 'pcf']) !== undefined;
  },
  show: (look) => {
    const subject = UUID.exec(look.display)?.[0];
    return { kind: 'workload', method: 'cf', mount: mountBefore(look, subject), subject };
  },
};

const methods = [
  ...[alicloud, oci, approle, kubernetes, aws, gcp, azure, cert],
  ...[kerberos, github, directory, jwt, cf],
];

/** Who the token of a login is, or was: by the mount's type where the entry says it, else by what the token shows. */
export function shownBy(look: Look): Shown {
  const typed = methods.find(({ types }) => look.method !== undefined && types.includes(look.method));
  const method = typed ?? methods.find(({ is }) => is(look));
  return { kind: 'unknown', ...method?.show(look) };
}
