// What was known of policies, groups, roles and entities at one time: the latest fact of each at or before it.

import type { Fact, FactKind } from '../../core/directory.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import { factsAt } from '../directory/facts.ts';
import { type Known, type PolicyName, policyKey } from './decide.ts';
import { parsePolicy } from './policy.ts';

const kinds = ['policy', 'group', 'role', 'entity'] as const satisfies FactKind[];
type Kind = (typeof kinds)[number];
type Facts = { [K in Kind]: Map<string, Fact<K>> };

/** Key of a fact among those of its kind. Ids of entities and groups are Vault's, so they are their own key. */
const keyOf = ({ what, namespace, key }: Fact): string =>
  what === 'entity' || what === 'group'
    ? key
    : policyKey({ namespace, name: what === 'policy' ? cleanName(key) : key });

/** A list that is known and was not cut at its bound. */
export const isWhole = (list: readonly unknown[] | undefined, max: number = limits.listTextsMax): boolean =>
  list !== undefined && list.length < max;

/** Vault keeps the names of policies so. */
export const cleanName = (name: string): string => name.trim().toLowerCase();

export class Knowledge {
  readonly at: string;
  readonly facts: Facts;
  /** False when there were more facts than `limits.accessFactsMax`. */
  readonly complete: boolean;
  private readonly parsed = new Map<string, Known>();
  /** Groups by the id of an entity or group that is in them. */
  private readonly groupsOfMember = new Map<string, Set<string>>();

  constructor(at: string, facts: Facts, complete: boolean) {
    this.at = at;
    this.facts = facts;
    this.complete = complete;
    for (const fact of facts.group.values()) this.addMembers(fact);
    for (const fact of facts.entity.values()) this.addGroups(fact);
  }

  /** Whether the text of any policy is known: without one nothing can be said of who could. */
  get hasPolicies(): boolean {
    return [...this.facts.policy.values()].some(({ value }) => value?.text !== undefined);
  }

  policy(name: PolicyName): Known {
    const key = policyKey(name);
    const known = this.parsed.get(key) ?? this.parse(name);
    this.parsed.set(key, known);
    return known;
  }

  role(namespace: string, path: string): Fact<'role'> | undefined {
    return this.facts.role.get(policyKey({ namespace, name: path }));
  }

  /** Facts of all groups that an entity is in, directly or through another group. */
  groupsOf(entityId: string): Fact<'group'>[] {
    const seen = new Set<string>();
    const open = [entityId];
    for (let id = open.pop(); id !== undefined; id = open.pop())
      for (const group of this.groupsOfMember.get(id) ?? [])
        if (!seen.has(group)) {
          seen.add(group);
          open.push(group);
        }
    return [...seen].sort().flatMap((id) => this.facts.group.get(id) ?? []);
  }

  /** Ids of groups whose members or policies are not all known: who is in them has what they give. */
  unknownGroups(): string[] {
    return [...this.facts.group.values()].flatMap(({ key, value }) =>
      value === null ||
      (isWhole(value.policies) &&
        isWhole(value.member_entity_ids, limits.groupMembersMax) &&
        isWhole(value.member_group_ids, limits.groupMembersMax))
        ? []
        : [key],
    );
  }

  private parse(name: PolicyName): Known {
    const fact = this.facts.policy.get(policyKey(name));
    if (fact?.value === null) return 'none';
    const text = fact?.value.text ?? builtIn[name.name];
    return text === undefined ? 'unknown' : parsePolicy(text);
  }

  private addMembers({ key, value }: Fact<'group'>): void {
    for (const member of [...(value?.member_entity_ids ?? []), ...(value?.member_group_ids ?? [])])
      this.addMember(key, member);
  }

  /** An entity's own list counts where it is newer than the group's. */
  private addGroups({ key, at, value }: Fact<'entity'>): void {
    if (value?.group_ids === undefined) return;
    const named = new Set(value.group_ids);
    for (const id of named) {
      const group = this.facts.group.get(id);
      if (group?.value?.member_entity_ids === undefined || group.at < at) this.addMember(id, key);
    }
    for (const id of this.groupsOfMember.get(key) ?? []) {
      const group = this.facts.group.get(id);
      if (group !== undefined && group.at < at && !named.has(id)) this.groupsOfMember.get(key)?.delete(id);
    }
  }

  private addMember(group: string, member: string): void {
    const groups = this.groupsOfMember.get(member) ?? new Set();
    this.groupsOfMember.set(member, groups.add(group));
  }
}

/** Policies that nobody can change, so that their text is known without being asked for (policy_store.go). */
const builtIn: Record<string, string> = {
  'response-wrapping':
    'path "cubbyhole/response" { capabilities = ["create", "read"] } path "sys/wrapping/unwrap" { capabilities = ["update"] }',
};

/** Facts of `cluster` as they stood at `at`. */
export async function knowledgeAt(
  reader: EvidenceReader,
  { at, cluster }: { at: string; cluster: string },
): Promise<Knowledge> {
  const facts: Facts = { policy: new Map(), group: new Map(), role: new Map(), entity: new Map() };
  let left = limits.accessFactsMax;
  let complete = true;
  for (const what of kinds) {
    const of = facts[what] as Map<string, Fact>;
    const found = await factsAt<Kind>(reader, what, at, left);
    // The latest comes first.
    for (const fact of found.facts)
      if (fact.cluster === cluster && !of.has(keyOf(fact))) of.set(keyOf(fact), fact);
    left -= found.read;
    complete &&= found.complete;
  }
  return new Knowledge(at, facts, complete);
}
