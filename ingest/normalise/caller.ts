// Who made the call and which token the call gave out, from what the entry itself shows (vault-audit.md 5).

import type { Caller, Credential, JsonObject } from '../../core/event.ts';
import { addSeconds, utcTime } from '../../core/time.ts';
import { integerOf, objectOf, stringOf, stringsOf } from './entry.ts';
import { asDisplayed, type CallerKinds } from './kinds.ts';
import { type Shown, shownBy } from './methods.ts';
import { sourceOf } from './parts.ts';
import type { Place } from './place.ts';

export interface Identity {
  caller: Caller;
  /** `user.name`: of a workload its role, of a person her own name, else the display name. */
  name: string | undefined;
}

export interface CallerInput {
  auth: JsonObject;
  request: JsonObject;
  place: Place;
  /** A login's own entry: `auth` is then the token that was given out, not one that called. */
  isLogin: boolean;
  time: string;
  kinds: CallerKinds;
}

export function identify(input: CallerInput): Identity {
  const { auth, isLogin } = input;
  const policies = stringsOf(auth, 'policies');
  const display = stringOf(auth, 'display_name');
  const credential = credentialOf(input, policies);
  const shown = shownIn(input, credential, display ?? '');
  const life = lifetimeOf(input);
  const name = nameOf(shown, credential, display);
  const entity = stringOf(auth, 'entity_id');
  // Of a wrapping token nothing is known that could fit.
  const who = { mount: shown.called, role: shown.role, name, entity };
  const caller: Caller = {
    accessor: isLogin
      ? undefined
      : (stringOf(auth, 'accessor') ?? stringOf(input.request, 'client_token_accessor')),
    auth_method: shown.method,
    auth_mount: shown.mount,
    credential,
    display_name: display,
    entity_id: entity,
    kind: isProven(auth) ? input.kinds.of(shown.kind, who) : 'anonymous',
    policies,
    role: shown.role,
    subject: shown.subject,
    token_expires_at: life.expires,
    token_issued_at: life.issued,
    token_ttl_s: life.ttl,
  };
  return { caller, name };
}

/** The auth of a login is the new token's; after a second factor only the response has it (`sys/mfa/validate`). */
export const loginAuth = (auth: JsonObject, response: JsonObject | undefined): JsonObject =>
  stringOf(auth, 'display_name') === undefined ? (objectOf(response, 'auth') ?? auth) : auth;

interface ShownCaller extends Shown {
  /** The mount as display names write it, also where that may be of two. */
  called?: string | undefined;
}

/** Kind, method, mount, role and subject, as path, metadata and display name show them. */
function shownIn(
  { auth, place, isLogin }: CallerInput,
  credential: Credential,
  display: string,
): ShownCaller {
  // Whoever opens a wrapped answer is not the one who wrapped it.
  if (credential === 'wrapping') return { kind: 'unknown' };
  if (credential === 'root') return { kind: 'root', ...token };
  // Metadata of a token that a token made is whatever its maker wrote.
  if (!isLogin && TOKEN.test(display)) return { kind: 'unknown', ...token };
  const metadata = objectOf(auth, 'metadata') ?? {};
  if (!isLogin || !place.mount.startsWith('auth/')) return shownLater(display, metadata);
  const mount = asDisplayed(place.mount);
  const shown = shownBy({ metadata, display, mount, method: place.mountType || undefined });
  return {
    ...shown,
    subject: shown.subject ?? (place.mountType === 'oci' ? undefined : loginName(place)),
    role: shown.role ?? (place.mountType === 'oci' ? loginName(place) : undefined),
    mount: place.mount,
    called: mount,
    method: place.mountType || shown.method,
  };
}

/** A token makes many calls, and looking at its metadata costs several times more than looking the result up. */
const seen = new Map<string, ShownCaller>();
const SEEN_MAX = 10_000;
const KEY_CHARS_MAX = 1000;

/** What a token shows in the calls after its login. */
function shownLater(display: string, metadata: JsonObject): ShownCaller {
  const key = keyOf(display, metadata);
  const known = seen.get(key);
  if (known !== undefined) return known;
  const shown = shownBy({ metadata, display });
  const made = { ...shown, mount: mountCalled(shown.mount), called: shown.mount };
  // Whoever makes tokens chooses their metadata: neither many nor long ones may fill the memory.
  if (seen.size >= SEEN_MAX) seen.clear();
  if (key.length <= KEY_CHARS_MAX) seen.set(key, made);
  return made;
}

/** Unambiguous, whatever the texts hold; members that are no text show nothing. */
function keyOf(display: string, metadata: JsonObject): string {
  let key = display;
  for (const name in metadata) {
    const value = metadata[name];
    if (typeof value === 'string') key += ` ${name.length}:${name} ${value.length}:${value}`;
  }
  return key;
}

/** `token create` calls its tokens `token` or `token-<given name>`; a root token is made without a login as well. */
const TOKEN = /^token(?:-|$)/;
const token = { method: 'token', mount: 'auth/token/', called: 'token' };

/** Vault writes `/` as `-` in display names, so a mount with a dash may be either. */
const mountCalled = (text: string | undefined): string | undefined =>
  text === undefined || text === '' || text.includes('-') ? undefined : `auth/${text}/`;

/** People share a role, so only a workload goes by it; the display name of a wrapping token would be of who wrapped. */
function nameOf(shown: Shown, credential: Credential, display: string | undefined): string | undefined {
  if (credential === 'wrapping') return undefined;
  const { kind, name, role, subject } = shown;
  return name ?? (kind === 'workload' ? (role ?? subject) : (subject ?? role)) ?? display;
}

/** Methods that take a user name in any case, and show it in lower case or as it was typed. */
const caseless = new Set(['userpass', 'ldap', 'okta', 'radius']);

/** The name in the path of a login: `auth/userpass/login/bob`. Other methods hide it in the hashed body. */
export function loginName({ rest, mountType }: Place): string | undefined {
  const name = /^login\/(.+)$/.exec(rest)?.[1];
  return caseless.has(mountType) ? name?.toLowerCase() : name;
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

/** Nobody is proven by a bad token, or before a login has been answered. */
const isProven = (auth: JsonObject): boolean =>
  stringOf(auth, 'display_name') !== undefined ||
  stringOf(auth, 'entity_id') !== undefined ||
  stringsOf(auth, 'policies') !== undefined;

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
