// What is known of Vault's entities, groups, mounts, roles and policies, each statement with its time and its source.

/** What facts are about; the value of each is `FactValues[what]`. */
export interface FactValues {
  /** Key: entity id. */
  entity: {
    name?: string;
    aliases?: { name: string; mount_accessor?: string; mount_path?: string; mount_type?: string }[];
    policies?: string[];
    group_ids?: string[];
    disabled?: boolean;
    metadata?: Record<string, string>;
  };
  /** Key: group id. */
  group: {
    name?: string;
    type?: string;
    policies?: string[];
    member_entity_ids?: string[];
    member_group_ids?: string[];
    metadata?: Record<string, string>;
  };
  /**
   * Key: path of the mount, `secret/`, `auth/approle/`. Lifetimes in seconds, as they hold in effect where somebody has read that;
   * absent where the system's hold and nobody has read them.
   */
  mount: {
    type?: string;
    accessor?: string;
    default_lease_ttl_s?: number;
    max_lease_ttl_s?: number;
    /** Of a KV engine: `1` or `2`. */
    version?: string;
    token_type?: string;
  };
  /** Key: path of the role, `auth/approle/role/orders-api`, `database/roles/readonly`. Times in seconds; 0 stays 0. */
  role: {
    mount: string;
    role: string;
    mount_type?: string;
    token_policies?: string[];
    token_ttl_s?: number;
    token_max_ttl_s?: number;
    token_explicit_max_ttl_s?: number;
    token_period_s?: number;
    token_type?: string;
    /** Of a role of the token store: its tokens have no parent. */
    orphan?: boolean;
    secret_id_ttl_s?: number;
    default_ttl_s?: number;
    max_ttl_s?: number;
  };
  /** Key: name of the policy. */
  policy: { text?: string };
}
export type FactKind = keyof FactValues;
export const factKinds = ['entity', 'group', 'mount', 'role', 'policy'] as const satisfies FactKind[];

/**
 * From `at` on `key` was as `value` says, until the next fact of the same kind and key. A value of `null`: it was removed. A value
 * without members: it was changed and nobody could see to what.
 */
export interface Fact<W extends FactKind = FactKind> {
  /** Hash of kind, cluster, namespace, key, time and source: what is told twice is kept once. */
  id: string;
  what: W;
  cluster: string;
  /** With its closing slash; empty for the root namespace. */
  namespace: string;
  key: string;
  /** Name for people, when it differs from the key. */
  name?: string;
  /** Who told the name, when it is another than `source`: Vault tells no name of an AWS role's entity, its calls do. */
  name_source?: 'audit' | 'vault';
  at: string;
  value: FactValues[W] | null;
  /** `vault`: Vault answered it to sealwatch. `audit`: the audit log shows it. */
  source: 'audit' | 'vault';
  /** Event id, or the request id of Vault's answer, by which the log has it too. */
  proof: string;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** What Vault calls an entity that a login made. */
const AUTOMATIC = /^entity_[0-9a-f]+$/;

/** Whether a person gave the entity its name: it is not automatic, no UUID, and not the role id that AppRole logs in with. */
export const isGivenName = ({ name, aliases = [] }: FactValues['entity']): boolean =>
  name !== undefined &&
  !AUTOMATIC.test(name) &&
  !UUID.test(name) &&
  !aliases.some((alias) => alias.mount_type === 'approle' && alias.name === name);

/** The name that a person gave an entity, which is joined on read as `user.full_name`; undefined when nobody gave one. */
export function givenName(fact: Fact): string | undefined {
  if (fact.what !== 'entity' || fact.value === null) return undefined;
  const entity = fact.value as FactValues['entity'];
  return isGivenName(entity) ? entity.name : undefined;
}
