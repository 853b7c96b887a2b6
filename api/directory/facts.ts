// What the directory said at a time: the last fact of each key before it.

import type { Fact, FactKind } from '../../core/directory.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';

/** The last fact of `key` before `at`; undefined when there is none. Its value is null when the thing was removed. */
export async function factAt<W extends FactKind>(
  reader: EvidenceReader,
  what: W,
  key: string,
  at?: string,
): Promise<Fact<W> | undefined> {
  const { items } = await reader.find({
    kind: 'facts',
    ...(at !== undefined && { to: at }),
    where: [
      { field: 'what', op: 'eq', value: what },
      { field: 'key', op: 'eq', value: key },
    ],
    order: 'desc',
    limit: 1,
  });
  return items[0] as Fact<W> | undefined;
}

/** The last fact before `at` of every key; of those that were removed none. To `limits.factsMax`. */
export async function factsAt<W extends FactKind>(
  reader: EvidenceReader,
  what: W,
  at?: string,
): Promise<{ facts: Fact<W>[]; complete: boolean }> {
  const { groups, complete } = await reader.group({
    kind: 'facts',
    ...(at !== undefined && { to: at }),
    where: [{ field: 'what', op: 'eq', value: what }],
    by: ['key'],
    collect: [],
    limit: limits.factsMax,
  });
  const facts: Fact<W>[] = [];
  for (const { last_id: id } of groups) {
    const fact = (await reader.get('facts', id)) as Fact<W> | undefined;
    if (fact !== undefined && fact.value !== null) facts.push(fact);
  }
  return { facts, complete };
}
