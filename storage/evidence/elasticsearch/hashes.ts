// Hashes of one token or accessor on several devices, through Elasticsearch.

import { limits } from '../../../core/limits.ts';
import { columnText } from '../columns.ts';
import { fieldName } from './query.ts';
import { allHits, type Searches } from './search.ts';

/**
 * `hash` and all that pairs lead to from it, sorted; of more than `limits.sameHashesMax` the nearest. Breadth first, each by its own
 * others in their order: as SQLite's recursion goes.
 */
export async function sameHashes(searches: Searches, index: string, hash: string): Promise<string[]> {
  const same = new Set([hash]);
  let level = [hash];
  while (level.length > 0 && same.size < limits.sameHashesMax) {
    const others = await othersOf(searches, index, level);
    const next = level.flatMap((one) => [...(others.get(one) ?? [])].sort(byBytes));
    level = [];
    for (const other of next) {
      if (same.size === limits.sameHashesMax) break;
      if (!same.has(other)) level.push(other);
      same.add(other);
    }
  }
  return [...same].sort(byBytes);
}

/** Of each of `hashes` those that stand in a pair with it. */
async function othersOf(
  searches: Searches,
  index: string,
  hashes: readonly string[],
): Promise<Map<string, Set<string>>> {
  const field = fieldName('hashes');
  const query = { terms: { [field]: hashes.map(columnText) } };
  const others = new Map<string, Set<string>>(hashes.map((hash) => [hash, new Set()]));
  await searches.atOneMoment(index, async (search) => {
    for await (const { _source: source } of allHits(search, {
      query,
      sort: [{ [fieldName('id')]: 'asc' }],
    })) {
      const [a, b] = source?.row.hashes ?? [];
      if (a === undefined || b === undefined) continue;
      others.get(a)?.add(b);
      others.get(b)?.add(a);
    }
  });
  return others;
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
