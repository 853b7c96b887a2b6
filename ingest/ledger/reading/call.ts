// A call as the ledger reads it: what succeeded, whose token made it, and the members of its data.

import { hash } from 'node:crypto';
import { canonicalJson } from '../../../core/canonical.ts';
import type { AuditEvent, Json, JsonObject } from '../../../core/event.ts';
import type { Answer, Handles } from '../../../core/records.ts';

export interface Call {
  event: AuditEvent;
  handles: Handles;
  /** What every change of this call says. */
  base: { at: string; proof: string; cluster: string; namespace: string };
  /** Vault did it, and the answer was seen: nothing else changes a credential. */
  isDone: boolean;
  /** Row id of the token that made the call; absent for logins and whatever nobody is proven in. */
  token: string | undefined;
  /** Path below the mount. */
  rest: string;
  /** The mount relative to its namespace, with its closing slash. */
  mount: string;
  data: JsonObject;
  answer: JsonObject;
}

/** `canonical`: the name that a token or accessor goes by here, of any that devices show it under. */
export function callOf(event: AuditEvent, handles: Handles, canonical: (shown: string) => string): Call {
  const { request, response, caller, cluster } = event.vault;
  const namespace = request.namespace ?? '';
  const path = request.path ?? '';
  const shown = request.mount_point ?? '';
  const below = shown.startsWith(namespace) ? shown.slice(namespace.length) : shown;
  const mount = below !== '' && path.startsWith(below) ? below : guessed(path);
  // A batch token has no accessor (vault-audit.md 7.15).
  const name = caller.kind === 'anonymous' ? undefined : (caller.accessor ?? handles.sent);
  return {
    event,
    handles,
    base: { at: event['@timestamp'], proof: event.event.id, cluster, namespace },
    isDone: event.event.outcome === 'success' && event.vault.pair !== 'request_only',
    token: caller.credential === 'none' || name === undefined ? undefined : tokenId(canonical(name)),
    rest: path.slice(mount.length),
    mount,
    data: request.data ?? {},
    answer: response?.data ?? {},
  };
}

/** Before Vault 1.13 no line names the mount (vault-audit.md 1). */
const guessed = (path: string): string => /^(auth\/[^/]+\/|[^/]+\/)/.exec(path)?.[0] ?? '';

export const tokenId = (name: string): string => `token:${name}`;

const HASHED = /^hmac-sha256:[0-9a-f]{64}$/;
/** Whether a device has hashed the text. */
export const isHash = (text: string): boolean => HASHED.test(text);

export function textOf(from: JsonObject, key: string): string | undefined {
  const value = from[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function numberOf(from: JsonObject, key: string): number | undefined {
  const value = from[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The lease that `sys/leases/...` names: in the body, else below `route` in the path. Vault takes that of the body when both stand there. */
export const leaseNamed = ({ data, rest }: Call, route: RegExp): string | undefined =>
  data['lease_id'] === undefined ? route.exec(rest)?.[1] : textOf(data, 'lease_id');

/** The token that a call on `auth/token/` names. Each path reads one member of the body; what stands there beside it, Vault passes over. */
export function tokenNamed({ data, rest }: Call): { token?: string; accessor?: string } {
  if (rest.endsWith('-self')) return {};
  const member = rest.endsWith('-accessor') ? 'accessor' : 'token';
  return known({ [member]: textOf(data, member) });
}

export const objectIn = (value: Json | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};

/** The object without members that are undefined: absent is absent. */
export function known<T extends object>(members: T): Known<T> {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Known<T>;
}
type Known<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The id under which the log has the call that Vault answered; an error has none, and goes by what was asked and answered. */
export function proofOf(answer: Answer): string {
  const id = answer.response?.['request_id'];
  if (typeof id === 'string' && id !== '') return id;
  return `answer-${hash('sha256', canonicalJson(answer), 'hex').slice(0, 32)}`;
}
