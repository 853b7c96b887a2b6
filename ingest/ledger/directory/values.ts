// Reads what facts are about out of Vault's data: an answer to us, or the data of an audited response, whose texts are hashed.

import type { FactValues } from '../../../core/directory.ts';
import type { Json, JsonObject } from '../../../core/event.ts';
import { limits } from '../../../core/limits.ts';
import { TOKEN_LEFT_OUT } from '../../../core/records.ts';
import { present } from './store.ts';

const HASHED = /^(?:hmac-sha256|sealwatch-hmac):/;
const isHashed = (value: Json | undefined): boolean => typeof value === 'string' && HASHED.test(value);

export const objectIn = (value: Json | undefined): JsonObject | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;

/** A text that is there to be read; undefined when it is absent, empty or hashed. */
export const textIn = (data: JsonObject, key: string): string | undefined => {
  const value = data[key];
  return typeof value !== 'string' || value === '' || isHashed(value) ? undefined : bounded(value);
};

/** Stores cannot hold NUL. */
const withoutNul = (text: string): string => text.replaceAll('\0', '\u{fffd}');
const bounded = (text: string): string => withoutNul(text.slice(0, limits.textCharsMax));

/** A number of seconds, `0` included; texts such as `1h` are not read. */
export const secondsIn = (data: JsonObject, ...keys: string[]): number | undefined => {
  for (const key of keys) {
    const value = data[key];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  }
  return undefined;
};

/** A list of texts; of a null an empty one. Undefined when it is absent or one of them is hashed. */
export function textsIn(
  data: JsonObject,
  key: string,
  max: number = limits.listTextsMax,
): string[] | undefined {
  const list = data[key];
  if (list === null) return [];
  if (!Array.isArray(list) || list.some(isHashed)) return undefined;
  return list
    .filter((item) => typeof item === 'string')
    .slice(0, max)
    .map(bounded);
}

/** Nothing in it is hashed: it says all there is. */
export const isWhole = (data: JsonObject): boolean => !JSON.stringify(data).includes('"hmac-sha256:');

function metadataIn(data: JsonObject): Record<string, string> | undefined {
  const metadata = objectIn(data['metadata']);
  const entries = Object.entries(metadata ?? {}).slice(0, limits.metadataKeysMax);
  if (entries.length === 0 || entries.some(([, value]) => isHashed(value))) return undefined;
  const known = entries.map(([key]) => [bounded(key), textIn(metadata as JsonObject, key) ?? '']);
  return Object.fromEntries(known) as Record<string, string>;
}

type Alias = NonNullable<FactValues['entity']['aliases']>[number];

function aliasIn(alias: JsonObject): Alias[] {
  const name = textIn(alias, 'name');
  if (name === undefined) return [];
  return [
    present({
      name,
      mount_accessor: textIn(alias, 'mount_accessor'),
      mount_path: textIn(alias, 'mount_path'),
      mount_type: textIn(alias, 'mount_type'),
    }) as Alias,
  ];
}

/** `GET identity/entity/id/ID` and its like. */
export function entityIn(data: JsonObject): FactValues['entity'] {
  const list = data['aliases'];
  const shown = Array.isArray(list) ? list.slice(0, limits.entityAliasesMax) : undefined;
  const aliases = shown?.flatMap((alias) => aliasIn(objectIn(alias) ?? {}));
  const disabled = data['disabled'];
  return present({
    name: textIn(data, 'name'),
    aliases: aliases?.length === shown?.length ? aliases : undefined,
    policies: textsIn(data, 'policies'),
    group_ids: textsIn(data, 'group_ids'),
    disabled: typeof disabled === 'boolean' ? disabled : undefined,
    metadata: metadataIn(data),
  });
}

/** `GET identity/group/id/ID` and its like. */
export const groupIn = (data: JsonObject): FactValues['group'] =>
  present({
    name: textIn(data, 'name'),
    type: textIn(data, 'type'),
    policies: textsIn(data, 'policies'),
    member_entity_ids: textsIn(data, 'member_entity_ids', limits.groupMembersMax),
    member_group_ids: textsIn(data, 'member_group_ids', limits.groupMembersMax),
    metadata: metadataIn(data),
  });

/** A mount's description without its lifetimes: an entry of `sys/mounts`, or of `sys/auth`. */
export const mountIn = (data: JsonObject): FactValues['mount'] =>
  present({
    type: textIn(data, 'type'),
    accessor: textIn(data, 'accessor'),
    version: textIn(objectIn(data['options']) ?? {}, 'version'),
    token_type: textIn(objectIn(data['config']) ?? data, 'token_type'),
  });

/**
 * Settings of a role that decide lifetimes and policies, as an auth method (`token_ttl`) or an engine (`default_ttl`; of PKI and
 * others `ttl`, of AWS `default_sts_ttl`, of Kubernetes `token_default_ttl`) calls them.
 */
export function roleIn(data: JsonObject, isAuth: boolean): Partial<FactValues['role']> {
  if (!isAuth)
    return present({
      default_ttl_s: secondsIn(data, 'default_ttl', 'ttl', 'default_sts_ttl', 'token_default_ttl'),
      max_ttl_s: secondsIn(data, 'max_ttl', 'max_sts_ttl', 'token_max_ttl'),
    });
  return present({
    // A role of the token store lists what its tokens may have instead.
    token_policies:
      textsIn(data, 'token_policies') ?? textsIn(data, 'policies') ?? textsIn(data, 'allowed_policies'),
    token_ttl_s: secondsIn(data, 'token_ttl', 'ttl'),
    token_max_ttl_s: secondsIn(data, 'token_max_ttl', 'max_ttl'),
    token_explicit_max_ttl_s: secondsIn(data, 'token_explicit_max_ttl', 'explicit_max_ttl'),
    token_period_s: secondsIn(data, 'token_period', 'period'),
    token_type: textIn(data, 'token_type'),
    orphan: typeof data['orphan'] === 'boolean' ? data['orphan'] : undefined,
    secret_id_ttl_s: secondsIn(data, 'secret_id_ttl'),
  });
}

/**
 * `sys/policies/acl/NAME` has `policy`, `sys/policy/NAME` has `rules`. One that may have been cut, or lacks what looked like a token
 * (a path `b.orders-production-europe` does), is not the policy.
 */
export function policyIn(data: JsonObject): FactValues['policy'] {
  const text = data['policy'] ?? data['rules'];
  if (typeof text !== 'string' || isHashed(text) || text.length >= limits.vaultKeptTextCharsMax) return {};
  return text.includes(TOKEN_LEFT_OUT) ? {} : { text: withoutNul(text) };
}
