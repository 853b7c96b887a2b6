// Who made the call and which token the call gave out, from what the entry itself shows (vault-audit.md 5).

import type { Caller, CallerKind, Credential, Issued, JsonObject } from '../../core/event.ts';
import { addSeconds, utcTime } from '../../core/time.ts';
import { integerOf, objectOf, stringOf, stringsOf } from './entry.ts';
import type { Place } from './place.ts';

/** Auth methods by who uses them. A `token` says nothing: people and programs create them. */
const humanMethods = new Set(['userpass', 'ldap', 'okta', 'github', 'radius', 'kerberos', 'oidc']);
const workloadMethods = new Set([
  'approle',
  'kubernetes',
  'aws',
  'gcp',
  'azure',
  'cert',
  'jwt',
  'alicloud',
  'oci',
  'cf',
]);

export interface Identity {
  caller: Caller;
  /** `user.name`: role, service account, user name, display name, in that order. */
  name?: string;
}

export interface CallerInput {
  auth: JsonObject;
  request: JsonObject;
  place: Place;
  /** A login's own entry: `auth` is then the token that was given out, not one that called. */
  isLogin: boolean;
  time: string;
}

export function identify(input: CallerInput): Identity {
  const { auth, isLogin, time } = input;
  const policies = stringsOf(auth, 'policies');
  const shown = methodOf(input);
  const credential = credentialOf(input, policies);
  const caller: Caller = { credential, kind: kindOf(credential, shown.method, auth, isLogin) };
  const set = <K extends keyof Caller>(key: K, value: Caller[K] | undefined) => {
    if (value !== undefined) caller[key] = value;
  };
  if (!isLogin)
    set('accessor', stringOf(auth, 'accessor') ?? stringOf(input.request, 'client_token_accessor'));
  set('auth_method', shown.method);
  set('auth_mount', shown.mount);
  set('display_name', stringOf(auth, 'display_name'));
  set('entity_id', stringOf(auth, 'entity_id'));
  set('policies', policies);
  set('role', shown.role);
  set('subject', shown.subject);
  if (!isLogin) setLifetime(caller, auth, time);
  const name = shown.role ?? shown.subject ?? stringOf(auth, 'display_name');
  return { caller: sorted(caller), ...(name === undefined ? {} : { name: shown.name ?? name }) };
}

/** Canonical JSON wants keys in order; a handful of keys is sorted faster than inserted in order with conditions. */
const sorted = (caller: Caller): Caller =>
  Object.fromEntries(Object.entries(caller).sort(([a], [b]) => (a < b ? -1 : 1))) as unknown as Caller;

interface Shown {
  method?: string;
  mount?: string;
  role?: string;
  subject?: string;
  name?: string;
}

/** Method, mount, role and subject, as path, metadata and display name show them. */
function methodOf({ auth, place, isLogin }: CallerInput): Shown {
  const metadata = objectOf(auth, 'metadata');
  const display = stringOf(auth, 'display_name') ?? '';
  const shown = fromMetadata(metadata, display);
  if (isLogin) {
    if (place.mount.startsWith('auth/')) {
      shown.mount = place.mount;
      if (place.mountType !== '') shown.method = place.mountType;
    }
    const name = shown.subject ?? loginName(place);
    if (name !== undefined) shown.subject = name;
  }
  for (const key of Object.keys(shown) as (keyof Shown)[]) if (shown[key] === undefined) delete shown[key];
  return shown;
}

/** The name in the path of a login: `auth/userpass/login/bob`. Other methods hide it in the hashed body. */
export const loginName = (place: Place): string | undefined => /^login\/(.+)$/.exec(place.rest)?.[1];

function fromMetadata(
  metadata: JsonObject | undefined,
  display: string,
): Partial<Record<keyof Shown, string | undefined>> & Shown {
  const get = (key: string) => stringOf(metadata, key);
  const account = get('service_account_name');
  if (account !== undefined) {
    const subject = `${get('service_account_namespace') ?? ''}/${account}`;
    return defined({
      method: 'kubernetes',
      mount: mountIn(display, `-${subject.replace('/', '-')}`),
      role: get('role'),
      subject,
    });
  }
  const approle = get('role_name');
  if (approle !== undefined)
    return defined({ method: 'approle', mount: mountIn(display, ''), role: approle });
  if (get('account_id') !== undefined && get('auth_type') !== undefined) return fromAws(display, get('role'));
  const user = get('username') ?? get('user');
  if (user !== undefined) {
    const mount = mountIn(display, `-${user}`);
    return defined({
      method:
        get('org') !== undefined ? 'github' : get('domain') !== undefined ? 'kerberos' : methodIn(mount),
      mount,
      subject: user,
    });
  }
  const certificate = get('common_name') ?? get('cert_name');
  if (certificate !== undefined)
    return defined({
      method: 'cert',
      mount: mountIn(display, `-${certificate}`),
      role: get('cert_name'),
      subject: certificate,
    });
  return fromDisplay(display, get('role'));
}

/** `aws-<role>/<session>`: the method puts the name of the assumed IAM role and its session there. */
function fromAws(display: string, role: string | undefined): Shown {
  const subject = display.startsWith('aws-') ? display.slice(4) : undefined;
  const mount = subject === undefined ? undefined : 'auth/aws/';
  return defined({ method: 'aws', mount, role, subject, name: role ?? subject?.split('/')[0] });
}

/** Tokens without metadata: only the display name is left, and only its first word is certain. */
function fromDisplay(display: string, role: string | undefined): Shown {
  const [, method, subject] =
    /^(oidc|jwt|token|github|kerberos|cert|gcp|azure)(?:-(.+))?$/.exec(display) ?? [];
  if (method === undefined) return defined({ role });
  return defined({
    method,
    mount: `auth/${method}/`,
    role,
    subject: method === 'token' ? undefined : subject,
  });
}

const defined = (shown: { [K in keyof Shown]?: string | undefined }): Shown =>
  Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined));

/** The mount that a display name begins with. Vault writes `/` as `-` there, so one with a dash is not certain. */
function mountIn(display: string, suffix: string): string | undefined {
  if (!display.endsWith(suffix)) return undefined;
  const mount = display.slice(0, display.length - suffix.length);
  return mount === '' || mount.includes('-') ? undefined : `auth/${mount}/`;
}

/** A mount that carries a method's own name is taken for that method. */
function methodIn(mount: string | undefined): string | undefined {
  const name = mount?.slice('auth/'.length, -1);
  return name !== undefined && (humanMethods.has(name) || workloadMethods.has(name)) ? name : undefined;
}

function credentialOf({ auth, request, isLogin }: CallerInput, policies: string[] | undefined): Credential {
  if (isLogin) return 'none';
  if (policies?.includes('root')) return 'root';
  if (policies?.includes('response-wrapping')) return 'wrapping';
  const type = stringOf(auth, 'token_type');
  if (type === 'batch' || type === 'service') return type;
  const known = policies !== undefined || stringOf(auth, 'accessor') !== undefined;
  if (known) return 'unknown';
  return stringOf(request, 'client_token') === undefined && stringOf(auth, 'client_token') === undefined
    ? 'none'
    : 'unknown';
}

function kindOf(
  credential: Credential,
  method: string | undefined,
  auth: JsonObject,
  isLogin: boolean,
): CallerKind {
  if (credential === 'root') return 'root';
  const proven =
    stringOf(auth, 'display_name') !== undefined ||
    stringOf(auth, 'entity_id') !== undefined ||
    stringsOf(auth, 'policies') !== undefined;
  if (!proven) return 'anonymous';
  if (method !== undefined && humanMethods.has(method)) return 'human';
  if (method !== undefined && workloadMethods.has(method)) return 'workload';
  // A user name in the metadata comes from a method for people, whatever its mount is called.
  return !isLogin && stringOf(objectOf(auth, 'metadata'), 'username') !== undefined ? 'human' : 'unknown';
}

/** `token_ttl` is what the token was created with; once renewals have carried it past that, its end is not known. */
function setLifetime(caller: Caller, auth: JsonObject, time: string): void {
  const ttl = integerOf(auth, 'token_ttl');
  const issued = utcTime(stringOf(auth, 'token_issue_time') ?? '');
  if (ttl !== undefined && ttl > 0) caller.token_ttl_s = ttl;
  if (issued !== undefined) caller.token_issued_at = issued;
  if (issued === undefined || ttl === undefined || ttl <= 0 || ttl > 10 ** 10) return;
  const end = addSeconds(issued, ttl);
  if (end >= time) caller.token_expires_at = end;
}

/** The token in `response.auth`, or in the wrapping of one; undefined when the call gave out none. */
export function issuedOf(response: JsonObject | undefined): Issued | undefined {
  const auth = objectOf(response, 'auth');
  if (
    auth === undefined ||
    (stringOf(auth, 'accessor') === undefined && stringOf(auth, 'client_token') === undefined)
  )
    return undefined;
  const accessor = stringOf(auth, 'accessor');
  const entity = stringOf(auth, 'entity_id');
  const uses = integerOf(auth, 'num_uses');
  const policies = stringsOf(auth, 'policies');
  const ttl = integerOf(auth, 'token_ttl');
  const type = stringOf(auth, 'token_type');
  return {
    ...(accessor === undefined ? {} : { accessor }),
    ...(entity === undefined ? {} : { entity_id: entity }),
    ...(uses === undefined ? {} : { num_uses: uses }),
    ...(policies === undefined ? {} : { policies }),
    ...(ttl === undefined ? {} : { ttl_s: ttl }),
    ...(type === undefined ? {} : { type }),
  };
}

/** `user.id`: the key of partitions, baselines and de-duplication; from the call's own lines alone (design section 4). */
export function userId(
  caller: Caller,
  auth: JsonObject,
  request: JsonObject,
  place: Place,
  isLogin: boolean,
): string {
  if (caller.entity_id !== undefined) return caller.entity_id;
  if (caller.kind === 'root') return 'root';
  const token = isLogin
    ? undefined
    : (caller.accessor ?? stringOf(auth, 'client_token') ?? stringOf(request, 'client_token'));
  if (token !== undefined) return `token:${token}`;
  const name = isLogin ? loginName(place) : undefined;
  if (name !== undefined) return `user:${place.namespace}${place.mount}${name}`;
  return `address:${stringOf(request, 'remote_address') ?? 'unknown'}`;
}
