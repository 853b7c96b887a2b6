// Builds the event of a call from its entries. Keys are set in order, so that JSON.stringify is canonical JSON.

import { hash } from 'node:crypto';
import { canonicalJson, isSorted } from '../../core/canonical.ts';
import { type AuditEvent, ECS_VERSION, EVENT_SCHEMA, type JsonObject, type Pair } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import { nanosBetween } from '../../core/time.ts';
import { type Action, actionOf, isKv, isKv2 } from './action.ts';
import { identify, issuedOf, userId } from './caller.ts';
import { type Entry, integerOf, isObject, objectOf, stringOf, stringsOf } from './entry.ts';
import { type Verdict, verdictOf } from './outcome.ts';
import { type Place, placeOf } from './place.ts';

export interface Call {
  /** `event.id`. */
  id: string;
  requestId: string | undefined;
  cluster: string;
  /** Devices that showed the call, in order of name. */
  devices: string[];
  /** Time of the request's entry, when there is one. */
  requestTime: string | undefined;
  /** The request's entry; for a whole call only when the response's does not say all of it. */
  request: Entry | undefined;
  response: Entry | undefined;
  /** The scrubbed lines, request first. */
  lines: Buffer[];
}

export interface BuiltEvent {
  event: AuditEvent;
  /** Canonical JSON of the event. */
  text: string;
}

/** A part of an object literal that is there only when its value is. */
const part = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]: V });

/** The event of `call`. The response's entry repeats the request, so it is read first; the request's gives time and error. */
export function buildEvent(call: Call): BuiltEvent {
  const main = (call.response ?? call.request) as Entry;
  const { request } = main;
  const response = call.response === undefined ? undefined : (call.response.response ?? {});
  const place = placeOf(request, response);
  const action = actionOf(place);
  const isLogin = action.name === 'user-login';
  const time = call.requestTime ?? main.time;
  const { auth } = main;
  const { caller, name } = identify({ auth, request, place, isLogin, time });
  const results = objectOf(auth, 'policy_results') ?? objectOf(call.request?.auth, 'policy_results');
  const allowed = results?.['allowed'] === undefined ? undefined : results['allowed'] === true;
  const error = call.response?.error ?? call.request?.error;
  const verdict = verdictOf({
    response,
    hasResponseEntry: call.response !== undefined,
    error,
    allowed,
    callerKnown: caller.kind !== 'anonymous',
    isLogin,
    place,
  });
  const truncated: string[] = [];
  const data = {
    request: boundedData(request, call, 'request.data', truncated),
    response: boundedData(response, call, 'response.data', truncated),
  };
  const ip = addressOf(request);
  const event: AuditEvent = {
    '@timestamp': time,
    ecs: { version: ECS_VERSION },
    ...part('error', error === undefined ? undefined : { message: error }),
    event: eventPart(call, action, verdict, time),
    related: {
      ...part('ip', ip.ip === undefined ? undefined : [ip.ip]),
      ...part('user', relatedUsers(name, caller.display_name, caller.subject)),
    },
    ...part('source', ip.ip === undefined ? undefined : { ip: ip.ip, ...part('port', ip.port) }),
    user: {
      ...part('domain', place.namespace === '' ? undefined : place.namespace),
      id: userId(caller, auth, request, place, isLogin),
      ...part('name', name),
      ...part('roles', caller.policies),
    },
    ...part('user_agent', userAgentOf(request)),
    vault: {
      ...part('authorization', authorizationOf(allowed, results)),
      caller,
      cluster: call.cluster,
      devices: call.devices,
      ...part('issued', issuedOf(response)),
      ...part('lease', leaseOf(response)),
      pair: pairOf(call),
      request: {
        ...part('data', data.request),
        ...part('id', call.requestId),
        ...part('mount_point', stringOf(request, 'mount_point')),
        ...part('mount_type', stringOf(request, 'mount_type')),
        ...part('namespace', place.namespace === '' ? undefined : place.namespace),
        ...part('operation', place.operation === '' ? undefined : place.operation),
        ...part('path', place.path === '' ? undefined : place.path),
        ...part('wrap_ttl_s', integerOf(request, 'wrap_ttl')),
      },
      ...part('response', responsePart(data.response, response)),
      revision: pairOf(call) === 'both' ? 2 : 1,
      schema: EVENT_SCHEMA,
      ...part('secret', secretOf(place, action, response)),
      ...part('truncated', truncated.length === 0 ? undefined : truncated),
      ...part('wrap', wrapOf(response)),
    },
  };
  const sorted = isSorted(data.request) && isSorted(data.response);
  return { event, text: sorted ? JSON.stringify(event) : canonicalJson(event) };
}

const pairOf = (call: Call): Pair =>
  call.response === undefined ? 'request_only' : call.requestTime === undefined ? 'response_only' : 'both';

function eventPart(call: Call, action: Action, verdict: Verdict, time: string): AuditEvent['event'] {
  const answered =
    call.response !== undefined && call.requestTime !== undefined ? call.response.time : undefined;
  return {
    action: action.name,
    category: action.category,
    dataset: 'vault.audit',
    // Node clocks can be set back between the two entries; a negative time is no duration.
    ...part(
      'duration',
      answered !== undefined && answered >= time ? nanosBetween(time, answered) : undefined,
    ),
    hash: hashLines(call.lines),
    id: call.id,
    kind: 'event',
    outcome: verdict.outcome,
    ...part('reason', verdict.reason),
    type: verdict.denied ? [...action.type, 'denied'] : action.type,
  };
}

const NEWLINE = Buffer.from('\n');

/** SHA-256 of the lines as they stand in a log, each with its newline: `grep ID audit.log | sha256sum` gives the same. */
function hashLines(lines: Buffer[]): string {
  return hash('sha256', Buffer.concat(lines.flatMap((line) => [line, NEWLINE])), 'hex');
}

/** The `data` of a part of the entry, unless it is over its bound. Only a long line can hold that much. */
function boundedData(
  from: JsonObject | undefined,
  call: Call,
  name: string,
  truncated: string[],
): JsonObject | undefined {
  const data = objectOf(from, 'data');
  if (data === undefined) return undefined;
  const long = call.lines.some((line) => line.length > limits.eventDataBytesMax);
  if (!long || JSON.stringify(data).length <= limits.eventDataBytesMax) return data;
  truncated.push(name);
  return undefined;
}

/** `kmip-*` entries have `ip:port` or `[ip]:port` as address (vault-audit.md 1). */
function addressOf(request: JsonObject): { ip?: string; port?: number } {
  const shown = stringOf(request, 'remote_address');
  if (shown === undefined) return {};
  const [, ip, port] =
    /^\[?([0-9a-fA-F.:]+?)\]?(?::(\d+))?$/.exec(shown.includes('.') || shown.startsWith('[') ? shown : '') ??
    [];
  const plain = ip ?? shown;
  const number = integerOf(request, 'remote_port') ?? (port === undefined ? undefined : Number(port));
  return { ip: plain, ...part('port', number) };
}

function relatedUsers(...names: (string | undefined)[]): string[] | undefined {
  const users = [...new Set(names.filter((name) => name !== undefined))].sort();
  return users.length === 0 ? undefined : users;
}

function userAgentOf(request: JsonObject): { original: string } | undefined {
  const [agent] = stringsOf(objectOf(request, 'headers'), 'user-agent') ?? [];
  return agent === undefined || agent.startsWith('hmac-')
    ? undefined
    : { original: agent.slice(0, limits.textCharsMax) };
}

/** Vault 1.17 and later write empty leading elements (vault-audit.md 1): a policy without a name is none. */
function authorizationOf(
  allowed: boolean | undefined,
  results: JsonObject | undefined,
): AuditEvent['vault']['authorization'] {
  if (allowed === undefined) return undefined;
  const list = results?.['granting_policies'];
  const names = Array.isArray(list) ? list.filter(isObject).map((policy) => stringOf(policy, 'name')) : [];
  const granting = names.filter((name) => name !== undefined);
  return { allowed, ...part('granting_policies', granting.length === 0 ? undefined : granting) };
}

function leaseOf(response: JsonObject | undefined): { id: string } | undefined {
  const id = stringOf(objectOf(response, 'secret'), 'lease_id');
  return id === undefined ? undefined : { id };
}

function responsePart(
  data: JsonObject | undefined,
  response: JsonObject | undefined,
): AuditEvent['vault']['response'] {
  const warnings = stringsOf(response, 'warnings');
  if (data === undefined && warnings === undefined) return undefined;
  return { ...part('data', data), ...part('warnings', warnings) };
}

function wrapOf(response: JsonObject | undefined): AuditEvent['vault']['wrap'] {
  const info = objectOf(response, 'wrap_info');
  if (info === undefined) return undefined;
  return {
    ...part('accessor', stringOf(info, 'accessor')),
    ...part('creation_path', stringOf(info, 'creation_path')),
  };
}

const DYNAMIC = /^(credential|certificate)-/;

/** The secret that the call is about: KV secrets, and what an engine issues. Two namespaces make two secrets. */
function secretOf(
  place: Place,
  action: Action,
  response: JsonObject | undefined,
): AuditEvent['vault']['secret'] {
  const root = place.namespace + place.mount;
  if (DYNAMIC.test(action.name)) return { engine: place.mountType || 'unknown', path: root + place.rest };
  if (!isKv(place.mountType) || place.rest === '') return undefined;
  if (place.mountType !== 'kv' || !isKv2(place.rest)) {
    return { engine: place.mountType === 'kv' ? 'kv-v1' : place.mountType, path: root + place.rest };
  }
  const slash = place.rest.indexOf('/');
  if (slash < 0) return undefined;
  const data = objectOf(response, 'data');
  const version = integerOf(data, 'version') ?? integerOf(objectOf(data, 'metadata'), 'version');
  return { engine: 'kv-v2', path: root + place.rest.slice(slash + 1), ...part('version', version) };
}
