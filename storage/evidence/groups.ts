// Exact groups in one pass and bounded memory, for both stores: they count the fine groups, in order; here these are merged.

import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Clause, Field, Group, QueryKind } from '../../core/query.ts';

export interface GroupOptions {
  kind?: QueryKind;
  from?: string;
  to?: string;
  where: readonly Clause[];
  by: readonly Field<QueryKind>[];
  collect: readonly Field<QueryKind>[];
  limit: number;
}
export type GroupAnswer = Awaited<ReturnType<EvidenceReader['group']>>;

/** Rows that have the same values of `by` and of `collect`. */
export interface FineGroup {
  by: (string | undefined)[];
  collect: (string | undefined)[];
  n: number;
  first: string;
  last: string;
  last_id: string;
}

/** Groups that grow by fine ones, which come in the order of `by`. At most `limits.evidenceRowsMax`, and `limit`. */
export class Groups {
  readonly groups: Group[] = [];
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = Math.min(limit, limits.evidenceRowsMax);
  }

  /** False when it would be one group too many: the answer is not complete. */
  add(fine: FineGroup): boolean {
    const { by, collect } = fine;
    let open = this.groups.at(-1);
    if (open === undefined || !by.every((value, i) => value === open?.by[i])) {
      if (this.groups.length === this.limit) return false;
      open = { by, n: 0, first: '~', last: '', last_id: '', collected: collect.map(() => []) };
      this.groups.push(open);
    }
    merge(open, fine);
    return true;
  }
}

function merge(group: Group, { collect, n, first, last, last_id }: FineGroup): void {
  group.n += n;
  if (first < group.first) group.first = first;
  if (last > group.last || (last === group.last && compareBytes(last_id, group.last_id) > 0)) {
    group.last = last;
    group.last_id = last_id;
  }
  collect.forEach((value, i) => {
    if (value !== undefined) keepSmallest(group.collected[i] as string[], value);
  });
}

/** As both stores compare texts: by their UTF-8 bytes. */
const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Adds `value` to the sorted, distinct `values`; past the bound the greatest falls out, so that the order of rows is all one. */
function keepSmallest(values: string[], value: string): void {
  const at = values.findIndex((other) => other >= value);
  if (at !== -1 && values[at] === value) return;
  if (at === -1) values.push(value);
  else values.splice(at, 0, value);
  if (values.length > limits.collectedValuesMax) values.pop();
}
