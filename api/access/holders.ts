// Everybody who has policies at one time: live tokens, entities with their groups, and roles that anybody may log in by.

import type { Fact } from '../../core/directory.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import { aliveAt } from '../leases/alive.ts';
import { afterTime, allTime } from '../time.ts';
import { type PolicyName, policyKey } from './decide.ts';
import { cleanName, isWhole, type Knowledge } from './knowledge.ts';
import type { Identity } from './template.ts';

export type HolderKind = 'entity' | 'token' | 'root' | 'role';

/** A policy, and through what it is had. */
export interface Grant {
  policy: PolicyName;
  via: { kind: 'token' | 'entity' | 'group' | 'role'; id: string; name?: string };
  /** The fact that says so; of a token the id of an example of the tokens that have it. */
  fact?: Fact;
  token?: string;
  /** It is had unless something says otherwise that no fact shows. */
  assumed?: boolean;
}

/** Why it is not sure what somebody has. */
export type HolderDoubt =
  | 'entity_unknown'
  | 'group_other_namespace'
  | 'role_unknown'
  | 'role_default_unknown'
  | 'token_unknown';

export interface Holder {
  /** `id` is `user.id` of its calls; of a role its path. */
  who: { kind: HolderKind; id: string; name?: string; namespace: string };
  grants: Grant[];
  identity: Identity;
  /** Live tokens that these grants are of. */
  tokens: number;
  doubts: HolderDoubt[];
}

/** Holders of every kind, and whether none was left out. */
export async function holdersAt(
  reader: EvidenceReader,
  knowledge: Knowledge,
  cluster: string,
): Promise<{ holders: Holder[]; complete: boolean }> {
  const tokens = await tokenHolders(reader, knowledge, cluster);
  return {
    holders: [...tokens.holders, ...entityHolders(knowledge), ...roleHolders(knowledge)],
    complete: tokens.complete,
  };
}

/** Live tokens, those of one identity with the same policies as one. */
async function tokenHolders(reader: EvidenceReader, knowledge: Knowledge, cluster: string) {
  const { groups, complete } = await reader.group({
    kind: 'leases',
    from: allTime.from,
    to: afterTime(knowledge.at),
    where: [
      { field: 'kind', op: 'eq', value: 'token' },
      { field: 'cluster', op: 'eq', value: cluster },
      ...aliveAt(knowledge.at).where,
    ],
    by: ['namespace', 'token.entity_id', 'holder_id', 'token.policies'],
    collect: ['holder'],
    limit: limits.evidenceRowsMax,
  });
  const holders = groups.flatMap(({ by, n, last_id: example, collected }) => {
    const [namespace = '', entityId, holderId = example, policies] = by;
    return tokenHolder(knowledge, {
      namespace,
      entityId,
      holderId,
      policies,
      n,
      example,
      names: collected[0],
    });
  });
  return { holders, complete };
}

interface TokenGroup {
  namespace: string;
  entityId: string | undefined;
  holderId: string;
  /** JSON list; absent when nobody saw them. */
  policies: string | undefined;
  n: number;
  example: string;
  names: string[] | undefined;
}

function tokenHolder(knowledge: Knowledge, tokens: TokenGroup): Holder[] {
  const { namespace, entityId, holderId, example, n } = tokens;
  const names = tokens.policies === undefined ? [] : (JSON.parse(tokens.policies) as string[]).map(cleanName);
  const own = names.map(
    (name): Grant => ({
      policy: { namespace, name },
      via: { kind: 'token', id: example },
      token: example,
    }),
  );
  const doubts: HolderDoubt[] = tokens.policies !== undefined && isWhole(names) ? [] : ['token_unknown'];
  if (entityId !== undefined) {
    const entity = entityOf(knowledge, entityId, namespace);
    if (entity === undefined) return [];
    const grants = [...own, ...entity.grants];
    return [{ ...entity, grants, tokens: n, doubts: [...doubts, ...entity.doubts] }];
  }
  const isRoot = namespace === '' && names.includes('root');
  const who: Holder['who'] = isRoot
    ? { kind: 'root', id: 'root', namespace }
    : { kind: 'token', id: holderId, namespace, ...(tokens.names?.[0] && { name: tokens.names[0] }) };
  return [{ who, grants: own, identity: { entity: undefined }, tokens: n, doubts }];
}

function entityHolders(knowledge: Knowledge): Holder[] {
  return [...knowledge.facts.entity.values()].flatMap(
    ({ key, namespace }) => entityOf(knowledge, key, namespace) ?? [],
  );
}

/** An entity with its own and its groups' policies; undefined when it is gone or disabled: Vault refuses its tokens. */
function entityOf(knowledge: Knowledge, id: string, namespace: string): Holder | undefined {
  const fact = knowledge.facts.entity.get(id);
  if (fact?.value === null || fact?.value.disabled === true) return undefined;
  const value = fact?.value ?? {};
  const name = value.name ?? fact?.name;
  const via = { kind: 'entity', id, ...(name !== undefined && { name }) } as const;
  const home = fact?.namespace ?? namespace;
  const grants = (value.policies ?? []).map(
    (policy): Grant => ({
      policy: { namespace: home, name: cleanName(policy) },
      via,
      ...(fact && { fact }),
    }),
  );
  const groups = knowledge.groupsOf(id).filter((group) => group.value !== null);
  const doubts: HolderDoubt[] = isWhole(value.policies) ? [] : ['entity_unknown'];
  for (const group of groups) addGroup(group, namespace, grants, doubts);
  const { aliases, metadata } = value;
  const isMetadataWhole = isWhole(Object.keys(metadata ?? {}), limits.metadataKeysMax);
  return {
    who: { kind: 'entity', id, namespace: home, ...(name !== undefined && { name }) },
    grants,
    identity: {
      entity: {
        id,
        ...(value.name !== undefined && { name: value.name }),
        ...(metadata && isMetadataWhole && { metadata }),
        ...(aliases && isWhole(aliases, limits.entityAliasesMax) && { aliases }),
      },
      groups: groups.map(groupOf),
    },
    tokens: 0,
    doubts,
  };
}

const nameOf = ({ value, name }: Fact<'group'>) => value?.name ?? name;

function groupOf(fact: Fact<'group'>) {
  const name = nameOf(fact);
  const metadata = fact.value?.metadata;
  return {
    id: fact.key,
    namespace: fact.namespace,
    ...(name !== undefined && { name }),
    ...(metadata && { metadata }),
  };
}

/** Vault applies a group's policies to tokens of its own namespace and of those above it, unless it is told otherwise. */
function addGroup(fact: Fact<'group'>, tokens: string, grants: Grant[], doubts: HolderDoubt[]): void {
  const { key, namespace, value } = fact;
  if (!namespace.startsWith(tokens)) doubts.push('group_other_namespace');
  const name = nameOf(fact);
  for (const policy of value?.policies ?? [])
    if (namespace.startsWith(tokens))
      grants.push({
        policy: { namespace, name: cleanName(policy) },
        via: { kind: 'group', id: key, ...(name !== undefined && { name }) },
        fact,
      });
}

/** Logging in by a role gives its policies and `default`, unless the role says otherwise, which facts do not. */
function roleHolders(knowledge: Knowledge): Holder[] {
  const roles = [...knowledge.facts.role.values()].filter(
    ({ key, value }) => key.startsWith('auth/') && value !== null,
  );
  return roles.map((fact): Holder => {
    const { key, namespace, value } = fact;
    const via = { kind: 'role', id: key } as const;
    const names = new Set((value?.token_policies ?? []).map(cleanName));
    const sure = [...names].map((name): Grant => ({ policy: { namespace, name }, via, fact }));
    const assumed: Grant[] = names.has(DEFAULT)
      ? []
      : [{ policy: { namespace, name: DEFAULT }, via, fact, assumed: true }];
    return {
      who: { kind: 'role', id: key, namespace, ...(value?.role && { name: value.role }) },
      grants: [...sure, ...assumed],
      // Anybody: nothing is known of who it will be.
      identity: { entity: {} },
      tokens: 0,
      doubts: isWhole(value?.token_policies) ? [] : ['role_unknown'],
    };
  });
}

const DEFAULT = 'default';

/** What makes two holders the same to a policy without templates. */
export const classOf = ({ grants }: Holder): string =>
  [...new Set(grants.map(({ policy }) => policyKey(policy)))].sort().join('\n\n');
