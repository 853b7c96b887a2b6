// The name that a person gave the entity of a row, joined on read as `user.full_name` (design section 4): names come and go, events never change.

import { type Fact, givenName } from '../../core/directory.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import { isEntity } from '../identities/ids.ts';
import { afterTime } from '../time.ts';

/** What a row must say of itself: an event or an alert. */
interface Called {
  '@timestamp': string;
  user: { id: string };
  vault: { cluster: string };
}
export type Named<R extends Called> = R & { user: R['user'] & { full_name?: string } };

/** The rows with `user.full_name` where a person gave the entity a name. One question to the store for each entity, two where it was named later. */
export async function withFullNames<R extends Called>(
  reader: EvidenceReader,
  rows: readonly R[],
): Promise<Named<R>[]> {
  const last = new Map<string, string>();
  for (const { user, '@timestamp': at } of rows)
    if (isEntity(user.id) && at > (last.get(user.id) ?? '')) last.set(user.id, at);
  const known = new Map<string, Fact[]>();
  for (const [id, at] of last) known.set(id, await factsOf(reader, id, at));
  return rows.map((row) => {
    const name = nameAt(known.get(row.user.id) ?? [], row);
    return name === undefined ? row : { ...row, user: { ...row.user, full_name: name } };
  });
}

/** What was told of an entity up to `at`, the latest first; when nothing was, what was told first after it. */
async function factsOf(reader: EvidenceReader, id: string, at: string): Promise<Fact[]> {
  const asked = {
    kind: 'facts',
    where: [
      { field: 'what', op: 'eq', value: 'entity' },
      { field: 'key', op: 'eq', value: id },
    ],
  } as const;
  const query = { ...asked, where: [...asked.where] };
  const before = await reader.find({
    ...query,
    to: afterTime(at),
    order: 'desc',
    limit: limits.entityFactsMax,
  });
  if (before.items.length > 0) return before.items;
  return (await reader.find({ ...query, order: 'asc', limit: 1 })).items;
}

/** By the fact at or before the time, else by the first after; by none of these when so much was told later that it was not read. */
function nameAt(facts: readonly Fact[], { '@timestamp': time, vault }: Called): string | undefined {
  const isCut = facts.length >= limits.entityFactsMax;
  const here = facts.filter(({ cluster }) => cluster === vault.cluster);
  const fact = here.find(({ at }) => at <= time) ?? (isCut ? undefined : here.at(-1));
  return fact && givenName(fact);
}
