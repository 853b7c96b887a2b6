// What the directory said at a time: the last fact of each thing at or before it.

import type { Fact, FactKind } from '../../core/directory.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import { takeTurns } from '../access/turns.ts';
import { afterTime, allTime } from '../time.ts';

/** The last fact of `key` at or before `at`, whatever its cluster; undefined when there is none. Its value is null when the thing was removed. */
export async function factAt<W extends FactKind>(
  reader: EvidenceReader,
  what: W,
  key: string,
  at = allTime.to,
): Promise<Fact<W> | undefined> {
  const { items } = await reader.find({
    kind: 'facts',
    to: afterTime(at),
    where: [
      { field: 'what', op: 'eq', value: what },
      { field: 'key', op: 'eq', value: key },
    ],
    order: 'desc',
    limit: 1,
  });
  return items[0] as Fact<W> | undefined;
}

export interface FactsAt<W extends FactKind> {
  /** By cluster, namespace and key: one path or name is another thing in each of them. Also of what was removed: `value` is null. */
  facts: Fact<W>[];
  /** Rows that were looked at. */
  read: number;
  /** False when there were more than `most` rows: then the things that changed longest ago are left out. */
  complete: boolean;
}

/** The last fact at or before `at` of everything of the kind, the latest first. */
export async function factsAt<W extends FactKind>(
  reader: EvidenceReader,
  what: W,
  at = allTime.to,
  most: number = limits.factsMax,
): Promise<FactsAt<W>> {
  const last = new Map<string, Fact<W>>();
  let read = 0;
  let after: { time: string; id: string } | undefined;
  do {
    if (read >= most) return { facts: [...last.values()], read, complete: false };
    const page = await reader.find({
      kind: 'facts',
      to: afterTime(at),
      where: [{ field: 'what', op: 'eq', value: what }],
      order: 'desc',
      limit: Math.min(limits.pageRowsMax, most - read),
      ...(after !== undefined && { after }),
    });
    for (const fact of page.items as Fact<W>[]) {
      const thing = JSON.stringify([fact.cluster, fact.namespace, fact.key]);
      if (!last.has(thing)) last.set(thing, fact);
    }
    read += page.items.length;
    after = page.next;
    await takeTurns();
  } while (after !== undefined);
  return { facts: [...last.values()], read, complete: true };
}
