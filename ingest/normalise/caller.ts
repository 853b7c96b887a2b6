// Who made the call and which token the call gave out, from what the entry itself shows (vault-audit.md 5).

import type { Caller, CallerKind, Credential, JsonObject } from '../../core/event.ts';
import { addSeconds, utcTime } from '../../core/time.ts';
import { integerOf, objectOf, stringOf, stringsOf } from './entry.ts';
import { sourceOf } from './parts.ts';
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
  name: string | undefined;
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
  const { auth, isLogin } = input;
  const policies = stringsOf(auth, 'policies');
  const shown = methodOf(input);
  const display = stringOf(auth, 'display_name');
  const credential = credentialOf(input, policies);
  const life = lifetimeOf(input);
  const caller: Caller = {
    accessor: isLogin
      ? undefined
      : (stringOf(auth, 'accessor') ?? stringOf(input.request, 'client_token_accessor')),
    auth_method: shown.method,
    auth_mount: shown.mount,
    credential,
    display_name: display,
    entity_id: stringOf(auth, 'entity_id'),
    kind: kindOf(credential, shown.method, auth, isLogin),
    policies,
    role: shown.role,
    subject: shown.subject,
    token_expires_at: life.expires,
    token_issued_at: life.issued,
    token_ttl_s: life.ttl,
  };
  return { caller, name: shown.name ?? shown.role ?? shown.subject ?? display };
}

interface Shown {
  method?: string | undefined;
  mount?: string | undefined;
  role?: string | undefined;
  subject?: string | undefined;
  /** `user.name`, when it is neither role nor subject as they stand. */
  name?: string | undefined;
}

/** Method, mount, role and subject, as path, metadata and display name show them. */
function methodOf({ auth, place, isLogin }: CallerInput): Shown {
  const shown = fromMetadata(objectOf(auth, 'metadata'), stringOf(auth, 'display_name') ?? '');
  if (!isLogin) return shown;
  const subject = shown.subject ?? loginName(place);
  if (!place.mount.startsWith('auth/')) return { ...shown, subject };
  return { ...shown, subject, mount: place.mount, method: place.mountType || shown.method };
}

/** The name in the path of a login: `auth/userpass/login/bob`. Other methods hide it in the hashed body. */
export const loginName = (place: Place): string | undefined => /^login\/(.+)$/.exec(place.rest)?.[1];

function fromMetadata(metadata: JsonObject | undefined, display: string): Shown {
  if (metadata === undefined) return fromDisplay(display, undefined);
  const get = (key: string) => stringOf(metadata, key);
  const account = get('service_account_name');
  if (account !== undefined) {
    const space = get('service_account_namespace') ?? '';
    return {
      method: 'kubernetes',
      mount: mountIn(display, `-${space}-${account}`),
      role: get('role'),
      subject: `${space}/${account}`,
    };
  }
  const approle = get('role_name');
  if (approle !== undefined) return { method: 'approle', mount: mountIn(display, ''), role: approle };
  if (get('account_id') !== undefined && get('auth_type') !== undefined) return fromAws(display, get('role'));
  const user = get('username') ?? get('user');
  if (user !== undefined) {
    const mount = mountIn(display, `-${user}`);
    return {
      method:
        get('org') !== undefined ? 'github' : get('domain') !== undefined ? 'kerberos' : methodIn(mount),
      mount,
      subject: user,
    };
  }
  const certificate = get('common_name') ?? get('cert_name');
  if (certificate === undefined) return fromDisplay(display, get('role'));
  return {
    method: 'cert',
    mount: mountIn(display, `-${certificate}`),
    role: get('cert_name'),
    subject: certificate,
  };
}

/** `aws-<role>/<session>`: the method puts the name of the assumed IAM role and its session there. */
function fromAws(display: string, role: string | undefined): Shown {
  if (!display.startsWith('aws-')) return { method: 'aws', role };
  const subject = display.slice('aws-'.length);
  return { method: 'aws', mount: 'auth/aws/', role, subject, name: role ?? subject.split('/')[0] };
}

/** Tokens without metadata: only the display name is left, and only its first word is certain. */
function fromDisplay(display: string, role: string | undefined): Shown {
  const [, method, subject] =
    /^(oidc|jwt|token|github|kerberos|cert|gcp|azure)(?:-(.+))?$/.exec(display) ?? [];
  if (method === undefined) return { role };
  return { method, mount: `auth/${method}/`, role, subject: method === 'token' ? undefined : subject };
}

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

interface Lifetime {
  ttl?: number | undefined;
  issued?: string | undefined;
  expires?: string | undefined;
}

/** `token_ttl` is what the token was created with; once renewals have carried it past that, its end is not known. */
function lifetimeOf({ auth, isLogin, time }: CallerInput): Lifetime {
  if (isLogin) return {};
  const shown = integerOf(auth, 'token_ttl');
  const ttl = shown !== undefined && shown > 0 && shown <= TTL_SECONDS_MAX ? shown : undefined;
  const written = stringOf(auth, 'token_issue_time');
  const issued = written === undefined ? undefined : utcTime(written);
  if (issued === undefined || ttl === undefined) return { ttl, issued };
  const expires = endOf(issued, ttl);
  return { ttl, issued, expires: expires >= time ? expires : undefined };
}

/** A token makes many calls, and adding to a date costs more than looking the sum up. */
const ends = new Map<string, string>();
const ENDS_MAX = 10_000;

function endOf(issued: string, ttl: number): string {
  const key = issued + ttl;
  let end = ends.get(key);
  if (end === undefined) {
    end = addSeconds(issued, ttl);
    if (ends.size >= ENDS_MAX) ends.clear();
    ends.set(key, end);
  }
  return end;
}

/** Over 300 years is no lifetime, and its end would be no date. */
const TTL_SECONDS_MAX = 10 ** 10;

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
  return `address:${sourceOf(request)?.ip ?? 'unknown'}`;
}
