// Builds the event of a call from its entries. Keys stand in order and all are set, absent ones as undefined: JSON.stringify
// is then canonical JSON, and objects of one shape are made and written several times faster.

import { createHash, hash } from 'node:crypto';
import { canonicalJson } from '../../core/canonical.ts';
import {
  type AuditEvent,
  ECS_VERSION,
  EVENT_SCHEMA,
  type Flag,
  type JsonObject,
  type Pair,
} from '../../core/event.ts';
import { nanosBetween } from '../../core/time.ts';
import { type Action, actionOf } from './action.ts';
import { identify, loginAuth, userId } from './caller.ts';
import { dataOf } from './data.ts';
import { type Entry, integerOf, objectOf, stringOf, stringsOf } from './entry.ts';
import type { CallerKinds } from './kinds.ts';
import { type Verdict, verdictOf } from './outcome.ts';
import {
  authorizationOf,
  issuedOf,
  leaseOf,
  relatedUsers,
  secretOf,
  sourceOf,
  userAgentOf,
  wrapOf,
} from './parts.ts';
import { type Place, placeOf } from './place.ts';

export interface Call {
  /** `event.id`. */
  id: string;
  requestId: string | undefined;
  /** It may have gone out before: it must not take the place of what went out then. */
  isAgain: boolean;
  cluster: string;
  /** Devices that showed the call, in order of name. */
  devices: string[];
  nodes: string[] | undefined;
  flags: Flag[] | undefined;
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

/** The event of `call`; `kinds`: what the operator says of callers. */
export function buildEvent(call: Call, kinds: CallerKinds): BuiltEvent {
  // The response's entry repeats the request, so it is read first; the request's gives time and error.
  const main = (call.response ?? call.request) as Entry;
  const { request } = main;
  const response = call.response === undefined ? undefined : (call.response.response ?? {});
  const place = placeOf(request, response);
  const action = actionOf(place);
  const isLogin = action.name === 'user-login';
  const auth = isLogin ? loginAuth(main.auth, response) : main.auth;
  const time = call.requestTime ?? main.time;
  const { caller, name } = identify({ auth, request, place, isLogin, time, kinds });
  const authorization = authorizationOfCall(call, auth);
  const error = call.response?.error ?? call.request?.error;
  const verdict = verdictOf({
    response,
    hasResponseEntry: call.response !== undefined,
    error,
    allowed: authorization?.allowed,
    callerKnown: caller.kind !== 'anonymous',
    isLogin,
    place,
  });
  const data = dataOf(call.request, call.response);
  const source = sourceOf(request);
  const event: AuditEvent = {
    '@timestamp': time,
    ecs: { version: ECS_VERSION },
    error: error === undefined ? undefined : { message: error },
    event: eventPart(call, action, verdict, time),
    related: {
      ip: source?.ip === undefined ? undefined : [source.ip],
      user: relatedUsers(name, caller.display_name, caller.subject),
    },
    source,
    user: {
      domain: place.namespace || undefined,
      id: userId(caller, auth, request, place, isLogin),
      name,
      roles: caller.policies,
    },
    user_agent: userAgentOf(request),
    vault: {
      authorization,
      caller,
      cluster: call.cluster,
      devices: call.devices,
      flags: flagsOf(call, place),
      forwarded_from: stringOf(main.top, 'forwarded_from') ?? stringOf(call.request?.top, 'forwarded_from'),
      issued: issuedOf(response, auth, action),
      lease: leaseOf(response),
      nodes: call.nodes,
      pair: pairOf(call),
      request: requestPart(call, place, request, data.request),
      response: responsePart(response, data.response),
      revision: revisionOf(call),
      schema: EVENT_SCHEMA,
      secret: secretOf(place, action, response),
      truncated: data.truncated,
      unknown: data.unknown,
      wrap: wrapOf(response),
    },
  };
  return { event, text: data.sorted ? JSON.stringify(event) : canonicalJson(event) };
}

/** On a successful login the answer's `auth` is the new token's, without a verdict (vault-audit.md 1): the request's has it. */
const authorizationOfCall = ({ request }: Call, auth: JsonObject): AuditEvent['vault']['authorization'] =>
  authorizationOf(objectOf(auth, 'policy_results') ?? objectOf(request?.auth, 'policy_results'));

/** The probe of a new device is written to that device alone. */
function flagsOf({ flags }: Call, place: Place): Flag[] | undefined {
  if (flags === undefined || !place.isProbe) return flags;
  const others = flags.filter((flag) => flag !== 'not_in_file');
  return others.length === 0 ? undefined : others;
}

function revisionOf(call: Call): AuditEvent['vault']['revision'] {
  if (pairOf(call) === 'both') return call.isAgain ? 1 : 2;
  return call.isAgain ? 0 : 1;
}

function pairOf(call: Call): Pair {
  if (call.response === undefined) return 'request_only';
  return call.requestTime === undefined ? 'response_only' : 'both';
}

function eventPart(call: Call, action: Action, verdict: Verdict, time: string): AuditEvent['event'] {
  const answered = call.requestTime === undefined ? undefined : call.response?.time;
  return {
    action: action.name,
    category: action.category,
    dataset: 'vault.audit',
    // A node's clock can be set back between the two entries; a negative time is no duration.
    duration: answered !== undefined && answered >= time ? nanosBetween(time, answered) : undefined,
    hash: hashLines(call.lines),
    id: call.id,
    kind: 'event',
    outcome: verdict.outcome,
    reason: verdict.reason,
    type: verdict.denied ? [...action.type, 'denied'] : action.type,
  };
}

/** Lines are put together here to be hashed in one call; it grows to the longest pair seen, and is only ever read at once. */
let scratch = Buffer.alloc(64 * 1024);

/** SHA-256 of the lines as they stand in a log, each with its newline: `grep ID audit.log | sha256sum` gives the same. */
function hashLines(lines: Buffer[]): string {
  let bytes = 0;
  for (const line of lines) bytes += line.length + 1;
  if (bytes > SCRATCH_BYTES_MAX) {
    const sum = createHash('sha256');
    for (const line of lines) sum.update(line).update('\n');
    return sum.digest('hex');
  }
  if (bytes > scratch.length) scratch = Buffer.alloc(bytes);
  let at = 0;
  for (const line of lines) {
    scratch.set(line, at);
    at += line.length + 1;
    scratch[at - 1] = 10;
  }
  return hash('sha256', scratch.subarray(0, bytes), 'hex');
}

const SCRATCH_BYTES_MAX = 1024 * 1024;

function requestPart(
  call: Call,
  place: Place,
  request: JsonObject,
  data: JsonObject | undefined,
): AuditEvent['vault']['request'] {
  return {
    data,
    id: call.requestId,
    mount_point: stringOf(request, 'mount_point'),
    mount_type: stringOf(request, 'mount_type'),
    namespace: place.namespace || undefined,
    operation: place.operation || undefined,
    path: place.path || undefined,
    wrap_ttl_s: integerOf(request, 'wrap_ttl'),
  };
}

function responsePart(
  response: JsonObject | undefined,
  data: JsonObject | undefined,
): AuditEvent['vault']['response'] {
  const warnings = stringsOf(response, 'warnings');
  return data === undefined && warnings === undefined ? undefined : { data, warnings };
}
