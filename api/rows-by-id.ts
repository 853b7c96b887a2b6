// Rows of many ids: some at a time, so that neither questions nor memory grow with them.

import type { EvidenceReader } from '../core/ports.ts';
import type { QueryKind, Rows } from '../core/query.ts';
import { takeTurns } from './access/turns.ts';

/** Each of `items` with the row of its id, in their order; undefined for one that is not there. Others have their turn in between. */
export async function* withRows<K extends QueryKind, T>(
  reader: EvidenceReader,
  kind: K,
  items: readonly T[],
  idOf: (item: T) => string,
): AsyncGenerator<[item: T, row: Rows[K] | undefined]> {
  for (let i = 0; i < items.length; i += AT_ONCE) {
    const part = items.slice(i, i + AT_ONCE);
    const rows = await reader.getAll(kind, part.map(idOf));
    for (const item of part) yield [item, rows.get(idOf(item))];
    await takeTurns();
  }
}

/** At most `limits.pageRowsMax`. */
const AT_ONCE = 500;
