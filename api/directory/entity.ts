// What the directory knows of an entity: the name a person gave it, its aliases, groups and policies, each with its source.

import { z } from 'zod';
import { type Fact, givenName } from '../../core/directory.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import { factAt, factsAt } from './facts.ts';

const source = {
  source: z.enum(['audit', 'vault']).meta({
    description: '`vault`: Vault answered it to sealwatch. `audit`: the audit log shows it',
  }),
  at: z.string().meta({ description: 'from when on it was so, as far as is known' }),
  proof: z.string().meta({ description: "id of the event, or request id of Vault's answer" }),
};

export const entitySchema = z.object({
  id: z.string(),
  full_name: z.string().nullable().meta({
    description: 'name that a person gave it; null for automatic names, UUIDs and unknown ones',
  }),
  name: z.string().nullable(),
  disabled: z.boolean().nullable(),
  metadata: z.record(z.string(), z.string()),
  aliases: z.array(z.looseObject({ name: z.string() })),
  groups: z.array(z.object({ id: z.string(), name: z.string().nullable(), ...source })),
  policies: z
    .array(
      z.object({
        policy: z.string(),
        from: z.string().meta({ examples: ['entity', 'group:sre'] }),
        ...source,
      }),
    )
    .meta({ description: "of the entity and of its groups; those of a token stand on the token's row" }),
  complete: z.boolean().meta({
    description:
      'false when the policies of the entity or of one of its groups are not known, or there are too many groups to look at',
  }),
  ...source,
});
export type Entity = z.infer<typeof entitySchema>;

/** The name that a person gave the entity, as it was at `at`, if any. */
export async function fullNameOf(
  reader: EvidenceReader,
  id: string,
  at?: string,
): Promise<string | undefined> {
  const fact = await factAt(reader, 'entity', id, at);
  return fact && givenName(fact);
}

/** The entity as it was at `at`; undefined when nothing is known of it, or it was removed. */
export async function entityAt(reader: EvidenceReader, id: string, at?: string): Promise<Entity | undefined> {
  const fact = await factAt(reader, 'entity', id, at);
  if (fact === undefined || fact.value === null) return undefined;
  const { value } = fact;
  const all = await factsAt(reader, 'group', at);
  const here = all.facts.filter((group) => group.cluster === fact.cluster && group.value !== null);
  const groups = groupsOf(id, value.group_ids ?? [], here);
  return {
    id,
    full_name: givenName(fact) ?? null,
    name: value.name ?? fact.name ?? null,
    disabled: value.disabled ?? null,
    metadata: value.metadata ?? {},
    aliases: value.aliases ?? [],
    groups: groups.map((group) => ({ id: group.key, name: nameOf(group) ?? null, ...sourceOf(group) })),
    policies: [fact, ...groups].flatMap((of) => policiesOf(of)),
    complete: all.complete && [fact, ...groups].every((of) => of.value?.policies !== undefined),
    ...sourceOf(fact),
  };
}

const sourceOf = ({ source, at, proof }: Fact) => ({ source, at, proof });
const nameOf = (group: Fact<'group'>): string | undefined => group.value?.name ?? group.name;

function policiesOf(fact: Fact<'entity'> | Fact<'group'>): Entity['policies'] {
  const from = fact.what === 'entity' ? 'entity' : `group:${nameOf(fact as Fact<'group'>) ?? fact.key}`;
  return (fact.value?.policies ?? []).map((policy) => ({ policy, from, ...sourceOf(fact) }));
}

/** Groups that name the entity or that it names, and the groups that these are members of. */
function groupsOf(id: string, named: string[], groups: Fact<'group'>[]): Fact<'group'>[] {
  const found = new Set(
    groups.filter(({ key, value }) => named.includes(key) || value?.member_entity_ids?.includes(id)),
  );
  // A set goes on through what is added while it is walked.
  for (const { key } of found)
    for (const group of groups) if (group.value?.member_group_ids?.includes(key)) found.add(group);
  return [...found];
}
