// Lifetimes as numbers: how many, how long, how many are not known, and where the knowledge comes from.

import { z } from 'zod';
import type { Lease } from '../../core/lease.ts';

export const spreadSchema = z.object({
  n: z.int().meta({ description: 'credentials' }),
  unknown: z
    .int()
    .meta({ description: 'of these, with a lifetime that is not known; in none of the numbers below' }),
  unknown_share: z.number().nullable().meta({ description: 'unknown / n, 0 to 1; null when n is 0' }),
  p50_s: z.number().nullable().meta({
    description:
      'nearest rank: the least lifetime (ttl_s, seconds) that half of the known ones do not pass; null when none is known',
  }),
  p95_s: z.number().nullable(),
  max_s: z.number().nullable(),
  over: z.int().nullable().meta({ description: 'known ones longer than the bound; null without a bound' }),
  ttl_sources: z.record(z.string(), z.int()).meta({ description: 'credentials by ttl_source' }),
});
export type Spread = z.infer<typeof spreadSchema>;

/** Counts lifetimes; `spread` tells what came together. */
export class Lifetimes {
  private readonly counts = new Map<number, number>();
  private readonly sources = new Map<string, number>();
  private unknown = 0;

  /** Takes `n` credentials with one lifetime in seconds (undefined: not known) from one source. */
  add(ttl: number | undefined, source: Lease['ttl_source'] | string, n: number): void {
    if (ttl === undefined) this.unknown += n;
    else this.counts.set(ttl, (this.counts.get(ttl) ?? 0) + n);
    this.sources.set(source, (this.sources.get(source) ?? 0) + n);
  }

  /** `bound` in seconds. */
  spread(bound: number | undefined): Spread {
    const sorted = [...this.counts].sort(([a], [b]) => a - b);
    const known = sorted.reduce((sum, [, n]) => sum + n, 0);
    const n = known + this.unknown;
    const over = sorted.reduce(
      (sum, [ttl, count]) => (bound !== undefined && ttl > bound ? sum + count : sum),
      0,
    );
    return {
      n,
      unknown: this.unknown,
      unknown_share: n === 0 ? null : round(this.unknown / n),
      p50_s: rank(sorted, known * 0.5),
      p95_s: rank(sorted, known * 0.95),
      max_s: sorted.at(-1)?.[0] ?? null,
      over: bound === undefined ? null : over,
      ttl_sources: Object.fromEntries([...this.sources].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }
}

/** The least value that at least `enough` do not pass. */
function rank(sorted: [number, number][], enough: number): number | null {
  let seen = 0;
  for (const [value, n] of sorted) {
    seen += n;
    if (seen >= enough) return value;
  }
  return null;
}

const round = (share: number) => Math.round(share * 1e4) / 1e4;
