// Which leases and tokens lived at a time, as clauses.

import type { EvidenceReader } from '../../core/ports.ts';
import type { Clause } from '../../core/query.ts';
import { timeOfMs } from '../../core/time.ts';

/** Given out before `at`, not known to have ended by then, and not past a known end of its lifetime. */
export const aliveAt = (at: string): { to: string; where: Clause<'leases'>[] } => ({
  to: at,
  where: [
    { field: 'ended_at', op: 'after_or_absent', value: at },
    { field: 'expires_at', op: 'after_or_absent', value: at },
  ],
});

/** Alive at some time in the period. */
export const aliveIn = ({ from, to }: { from: string; to: string }) => ({ ...aliveAt(from), to });

/** How far event time has come: what is now for the log. The clock's time before anything came. */
export async function logNow(reader: EvidenceReader, now: () => Date): Promise<string> {
  return (await reader.extent()).watermark ?? timeOfMs(now().getTime());
}
