// Lifetimes by role, mount or holder: exact groups of the store, put together per group.

import { z } from 'zod';
import { limits } from '../../core/limits.ts';
import type { EvidenceReader } from '../../core/ports.ts';
import type { Clause, Field } from '../../core/query.ts';
import { mountsAt } from '../directory/mounts.ts';
import { beforeTime } from '../time.ts';
import { Lifetimes, spreadSchema } from './lifetimes.ts';

export const groupings = ['role', 'mount', 'holder'] as const;
export type Grouping = (typeof groupings)[number];

export const lifetimeRow = z.object({
  kind: z.string().meta({ description: '`lease` or `token`: their lifetimes are never put together' }),
  group: z.string().nullable().meta({ description: 'null: not known' }),
  names: z.array(z.string()).meta({ description: 'of holders, `user.name` as it was seen' }),
  first_issued_at: z.string(),
  last_issued_at: z.string(),
  ...spreadSchema.shape,
});
export type LifetimeRow = z.infer<typeof lifetimeRow>;

const fieldOf = { role: 'role', mount: 'path', holder: 'holder_id' } as const satisfies Record<
  Grouping,
  Field<'leases'>
>;

const placeFields = ['namespace', 'cluster'] as const;

interface Asked {
  by: Grouping;
  from?: string | undefined;
  to?: string | undefined;
  over_s?: number | undefined;
}

interface Gathered {
  kind: string;
  group: string | undefined;
  names: Set<string>;
  first: string;
  last: string;
  lifetimes: Lifetimes;
}

/** Rows in the order of their keys. With a bound, only groups in which something is over it. */
export async function lifetimesBy(
  reader: EvidenceReader,
  { by, from, to, over_s: bound }: Asked,
  where: Clause<'leases'>[],
): Promise<{ rows: LifetimeRow[]; complete: boolean }> {
  const { groups, complete } = await reader.group({
    kind: 'leases',
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    where,
    by: ['kind', fieldOf[by], 'ttl_s', 'ttl_source', ...(by === 'mount' ? placeFields : [])],
    collect: by === 'holder' ? ['holder'] : [],
    limit: limits.evidenceRowsMax,
  });
  const mounts = by === 'mount' ? await mountsAt(reader, to && beforeTime(to)) : undefined;
  const gathered = new Map<string, Gathered>();
  for (const { by: values, n, first, last, collected } of groups) {
    const [kind = '', shown, ttl, source = 'unknown', namespace, cluster] = values;
    const group = shown && (mounts?.of({ path: shown, namespace, cluster }) ?? shown);
    const key = `${kind} ${group ?? ''}`;
    const row = gathered.get(key) ?? {
      kind,
      group,
      names: new Set(),
      first,
      last,
      lifetimes: new Lifetimes(),
    };
    gathered.set(key, row);
    row.lifetimes.add(ttl === undefined ? undefined : Number(ttl), source, n);
    if (first < row.first) row.first = first;
    if (last > row.last) row.last = last;
    for (const name of collected[0] ?? []) row.names.add(name);
  }
  const rows = [...gathered.values()].map((row) => tell(row, bound)).filter((row) => row.over !== 0);
  rows.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return { rows, complete: complete && mounts?.complete !== false };
}

export const keyOf = ({ kind, group }: LifetimeRow): string => `${kind} ${group ?? ''}`;

const tell = (
  { kind, group, names, first, last, lifetimes }: Gathered,
  bound: number | undefined,
): LifetimeRow => ({
  kind,
  group: group ?? null,
  names: [...names].sort().slice(0, limits.collectedValuesMax),
  first_issued_at: first,
  last_issued_at: last,
  ...lifetimes.spread(bound),
});
