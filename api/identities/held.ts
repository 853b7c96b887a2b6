// What an identity holds at a time: its tokens and leases, what it asked for, and what hangs on its tokens.

import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Clause } from '../../core/query.ts';
import { aliveAt } from '../leases/alive.ts';

export interface HeldNow {
  /** Alive at the time, by time of issue. */
  tokens: Lease[];
  leases: Lease[];
  /** False when there are more than `limits.heldRowsMax`. */
  complete: boolean;
}

/** Everything that lives at `at` and ends with the identity: also what its tokens' children hold, whoever uses them. */
export async function heldAt(reader: EvidenceReader, ids: string[], at: string): Promise<HeldNow> {
  const rows = new Map<string, Lease>();
  const take = async (clause: Clause<'leases'>): Promise<Lease[]> => {
    const fresh: Lease[] = [];
    for await (const row of living(reader, clause, at))
      if (!rows.has(row.id)) {
        rows.set(row.id, row);
        fresh.push(row);
        if (rows.size >= limits.heldRowsMax) break;
      }
    return fresh;
  };
  await take({ field: 'holder_id', op: 'in', value: ids });
  await take({ field: 'requested_by', op: 'in', value: ids });
  let parents = [...rows.values()].filter(isToken).map(({ id }) => id);
  while (parents.length > 0 && rows.size < limits.heldRowsMax) {
    const children = await take({ field: 'holder_token', op: 'in', value: parents.slice(0, CHUNK) });
    parents = [...parents.slice(CHUNK), ...children.filter(isToken).map(({ id }) => id)];
  }
  const sorted = [...rows.values()].sort((a, b) => (a.issued_at < b.issued_at ? -1 : 1));
  return {
    tokens: sorted.filter(isToken),
    leases: sorted.filter((row) => !isToken(row)),
    complete: rows.size < limits.heldRowsMax,
  };
}

const isToken = ({ kind }: Lease) => kind === 'token';

/** Ids in one question to the store. */
const CHUNK = 500;

async function* living(reader: EvidenceReader, clause: Clause<'leases'>, at: string): AsyncGenerator<Lease> {
  const { to, where } = aliveAt(at);
  let after: { time: string; id: string } | undefined;
  do {
    const page = await reader.find({
      kind: 'leases',
      to,
      where: [clause, ...where],
      order: 'asc',
      limit: limits.pageRowsMax,
      ...(after !== undefined && { after }),
    });
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}
