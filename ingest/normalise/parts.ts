// The parts of an event that come from one member of the entry each.

import type { AuditEvent, JsonObject } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { Action } from './action.ts';
import { isKv, isKv2 } from './action.ts';
import { integerOf, isObject, objectOf, stringOf, stringsOf } from './entry.ts';
import type { Place } from './place.ts';

type Vault = AuditEvent['vault'];

const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const WITH_PORT = /^\[?([0-9a-fA-F.:]+?)\]?:(\d{1,5})$/;

/** `kmip-*` entries have `ip:port` or `[ip]:port` as address (vault-audit.md 1). */
export function sourceOf(request: JsonObject): AuditEvent['source'] {
  const shown = stringOf(request, 'remote_address');
  if (shown === undefined) return undefined;
  const port = integerOf(request, 'remote_port');
  if (port !== undefined || IPV4.test(shown)) return { ip: shown, port };
  const [, ip, written] = (shown.includes('.') || shown.startsWith('[') ? WITH_PORT.exec(shown) : null) ?? [];
  return ip === undefined ? { ip: shown, port: undefined } : { ip, port: Number(written) };
}

/** Names that somebody may search for, sorted; absent when there is none. */
export function relatedUsers(
  name: string | undefined,
  display: string | undefined,
  subject: string | undefined,
): string[] | undefined {
  if (name === undefined && display === undefined && subject === undefined) return undefined;
  const users: string[] = [];
  for (const user of [name, display, subject])
    if (user !== undefined && !users.includes(user)) users.push(user);
  return users.sort();
}

export function userAgentOf(request: JsonObject): AuditEvent['user_agent'] {
  const agent = stringsOf(objectOf(request, 'headers'), 'user-agent')?.[0];
  return agent === undefined || agent.startsWith('hmac-')
    ? undefined
    : { original: agent.slice(0, limits.textCharsMax) };
}

/** Vault 1.17 and later write empty leading elements (vault-audit.md 1): a policy without a name is none. */
export function authorizationOf(results: JsonObject | undefined): Vault['authorization'] {
  const allowed = results?.['allowed'];
  if (typeof allowed !== 'boolean') return undefined;
  const list = results?.['granting_policies'];
  const granting: string[] = [];
  if (Array.isArray(list)) {
    for (const policy of list) {
      const name = isObject(policy) ? stringOf(policy, 'name') : undefined;
      if (name !== undefined) granting.push(name);
    }
  }
  return { allowed, granting_policies: granting.length === 0 ? undefined : granting };
}

export function leaseOf(response: JsonObject | undefined): Vault['lease'] {
  const id = stringOf(objectOf(response, 'secret'), 'lease_id');
  return id === undefined ? undefined : { id };
}

export function wrapOf(response: JsonObject | undefined): Vault['wrap'] {
  const info = objectOf(response, 'wrap_info');
  if (info === undefined) return undefined;
  return { accessor: stringOf(info, 'accessor'), creation_path: stringOf(info, 'creation_path') };
}

/** The token in `response.auth`, or in a wrapped answer; undefined when the call gave out none. */
export function issuedOf(
  response: JsonObject | undefined,
  auth: JsonObject,
  action: Action,
): Vault['issued'] {
  const given = objectOf(response, 'auth') ?? wrappedToken(response, auth, action);
  const accessor = stringOf(given, 'accessor');
  if (accessor === undefined && stringOf(given, 'client_token') === undefined) return undefined;
  return {
    accessor,
    entity_id: stringOf(given, 'entity_id'),
    num_uses: integerOf(given, 'num_uses'),
    policies: stringsOf(given, 'policies'),
    ttl_s: integerOf(given, 'token_ttl'),
    type: stringOf(given, 'token_type'),
  };
}

/** A wrapped login shows the new token as its caller's, a wrapped `token create` only its accessor (vault-audit.md 7.12). */
function wrappedToken(
  response: JsonObject | undefined,
  auth: JsonObject,
  { name }: Action,
): JsonObject | undefined {
  const accessor = stringOf(objectOf(response, 'wrap_info'), 'wrapped_accessor');
  if (accessor === undefined) return undefined;
  if (name === 'user-login') return { ...auth, accessor };
  return name === 'token-create' ? { accessor } : undefined;
}

const DYNAMIC = /^(credential|certificate)-/;

/** The secret that the call is about: KV secrets, and what an engine issues. Two namespaces make two secrets. */
export function secretOf(place: Place, action: Action, response: JsonObject | undefined): Vault['secret'] {
  if (place.operation === 'help') return undefined;
  const root = place.namespace + place.mount;
  if (DYNAMIC.test(action.name))
    return { engine: place.mountType || 'unknown', path: root + place.rest, version: undefined };
  if (!isKv(place.mountType) || place.rest === '') return undefined;
  if (place.mountType !== 'kv' || !isKv2(place.rest)) {
    return {
      engine: place.mountType === 'kv' ? 'kv-v1' : place.mountType,
      path: root + place.rest,
      version: undefined,
    };
  }
  const slash = place.rest.indexOf('/');
  if (slash < 0) return undefined;
  const data = objectOf(response, 'data');
  const version = integerOf(data, 'version') ?? integerOf(objectOf(data, 'metadata'), 'version');
  return { engine: 'kv-v2', path: root + place.rest.slice(slash + 1), version };
}
