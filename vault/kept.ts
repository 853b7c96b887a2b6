// What of an answer goes to the stream: the members that the ledger reads, by the path that was asked. All else is left out, so
// that what nobody thought of cannot be a secret on disk.

import type { Json, JsonObject } from '../core/event.ts';
import { limits } from '../core/limits.ts';
import { TOKEN_LEFT_OUT } from '../core/records.ts';
import { requestIdOf } from './answers.ts';
import type { VaultAnswer } from './client.ts';

/**
 * `true`: texts, numbers, flags, lists and maps of them; `there`: only that it is there; a shape: of an object or of each of a
 * list; `*`: any member.
 */
type Shape = true | 'there' | { [member: string]: Shape };

const all = (...members: string[]): Shape => Object.fromEntries(members.map((member) => [member, true]));

const mounts: Shape = {
  '*': {
    ...(all('type', 'accessor', 'local', 'uuid') as object),
    config: all('default_lease_ttl', 'max_lease_ttl', 'token_type'),
    options: all('version'),
  },
};

/** The tokens that a role of an auth method gives out, and the secret ids of AppRole. */
const tokenMembers = ['policies', 'ttl', 'max_ttl', 'period', 'explicit_max_ttl', 'type', 'num_uses'];
const role = all(
  ...tokenMembers.map((member) => `token_${member}`),
  ...['policies', 'ttl', 'max_ttl', 'period', 'explicit_max_ttl'],
  ...['bind_secret_id', 'secret_id_ttl', 'secret_id_num_uses', 'local_secret_ids'],
  ...['allowed_policies', 'disallowed_policies', 'allowed_policies_glob', 'disallowed_policies_glob'],
  ...['default_ttl', 'default_sts_ttl', 'max_sts_ttl', 'token_default_ttl'],
  ...['orphan', 'renewable', 'credential_type', 'db_name', 'name'],
);

const token = all(
  ...['accessor', 'creation_time', 'creation_ttl', 'display_name', 'entity_id', 'expire_time'],
  ...[
    'explicit_max_ttl',
    'issue_time',
    'last_renewal',
    'last_renewal_time',
    'meta',
    'num_uses',
    'orphan',
    'path',
    'period',
  ],
  ...['policies', 'identity_policies', 'renewable', 'role', 'ttl', 'type', 'namespace_path'],
);

const entity: Shape = {
  ...(all('id', 'name', 'policies', 'group_ids', 'direct_group_ids', 'inherited_group_ids') as object),
  ...(all('disabled', 'metadata', 'merged_entity_ids', 'namespace_id', 'creation_time') as object),
  aliases: all('id', 'name', 'mount_accessor', 'mount_path', 'mount_type', 'metadata', 'custom_metadata'),
};

const group: Shape = {
  ...(all('id', 'name', 'type', 'policies', 'member_entity_ids', 'member_group_ids') as object),
  ...(all('parent_group_ids', 'metadata', 'namespace_id', 'creation_time') as object),
  alias: all('id', 'name', 'mount_accessor', 'mount_path', 'mount_type'),
};

const lease: Shape = {
  ...(all('id', 'issue_time', 'expire_time', 'last_renewal', 'renewable', 'ttl') as object),
  // OpenBao 2.6: the engine's own words, which may hold anything.
  revoke_error: 'there',
};

/** The first that fits; every declared path fits one. */
const shapes: [path: RegExp, shape: Shape][] = [
  [/^sys\/leases\/lookup$/, lease],
  [/^auth\/token\/lookup-accessor$/, token],
  [/^sys\/audit-hash\//, all('hash')],
  [/^sys\/(mounts|auth)$/, mounts],
  [/^identity\/entity\/id\//, entity],
  [/^identity\/group\/id\//, group],
  [/^sys\/policies\/acl\//, all('name', 'policy')],
  [/\/(role|roles|certs|users|groups)\/[^/]+$/, role],
];

/** `request_id`, what is kept of `data`, and of a refusal the `errors`; undefined when nothing of it is usable. */
export function keptOf(path: string, answer: VaultAnswer): JsonObject | undefined {
  const { body, status } = answer;
  if (body === undefined) return undefined;
  const id = requestIdOf(answer);
  const shape = shapes.find(([known]) => known.test(path))?.[1];
  const data = shape === undefined || status !== 200 ? undefined : keep(body['data'], shape);
  const errors = status >= 400 ? keep(body['errors'], true) : undefined;
  return {
    ...(id !== undefined && { request_id: id }),
    ...(data !== undefined && { data }),
    ...(errors !== undefined && { errors }),
  };
}

/** A token in the text of a policy or in metadata: somebody else's mistake must not get to disk through us. */
const TOKEN = /\b(hv[sbr]|[sbr])\.[A-Za-z0-9_-]{20,}/g;

function keep(value: Json | undefined, shape: Shape, depth = 0): Json | undefined {
  if (value === undefined || value === null) return value;
  if (shape === 'there') return true;
  if (typeof value === 'string') return textOf(value);
  if (typeof value !== 'object') return value;
  // Nothing that the ledger reads is so deep; whoever sends it wants the stack to end.
  if (depth === limits.nestingMax) return undefined;
  if (Array.isArray(value))
    return value.slice(0, limits.vaultKeptListMax).map((item) => keep(item, shape, depth + 1) ?? null);
  return keepMembers(value, shape, depth);
}

/** A token at the place where a text is cut must not be left there by half. */
const textOf = (text: string): string =>
  text.replace(TOKEN, TOKEN_LEFT_OUT).slice(0, limits.vaultKeptTextCharsMax);

function keepMembers(value: JsonObject, shape: Exclude<Shape, 'there'>, depth: number): JsonObject {
  const kept: [string, Json][] = [];
  for (const [member, inner] of Object.entries(value)) {
    const inside = shape === true || shape['*'] !== undefined || Object.hasOwn(shape, member);
    if (!inside || kept.length === limits.vaultKeptListMax) continue;
    const item = keep(inner, shape === true ? true : (shape[member] ?? shape['*'] ?? true), depth + 1);
    if (item !== undefined) kept.push([textOf(member), item]);
  }
  return Object.fromEntries(kept);
}
