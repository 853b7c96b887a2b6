// When and why a row ended, out of everything that was told of it.

import type { Lease } from '../../../core/lease.ts';
import { limits } from '../../../core/limits.ts';
import { type End, holds, later, type Notes } from './notes.ts';

/** At the same time the first of these holds: what somebody did, before what only follows. */
const order: End['reason'][] = [
  'revoked',
  'revoke_prefix',
  'mount_removed',
  'expired',
  'parent_ended',
  'unknown',
];

const before = (a: Pick<End, 'at' | 'reason'>, b: Pick<End, 'at' | 'reason'>): boolean =>
  a.at < b.at || (a.at === b.at && order.indexOf(a.reason) < order.indexOf(b.reason));

/** Keeps an end that was told. The first that holds counts; a few are kept for when a sign of life refutes it. */
export function addEnd(notes: Notes, end: End): void {
  const isKnown = notes.ends.some(
    ({ at, proof, reason }) => at === end.at && proof === end.proof && reason === end.reason,
  );
  if (isKnown) return;
  notes.ends.push(end);
  notes.ends.sort((a, b) => (before(a, b) || (!before(b, a) && a.proof < b.proof) ? -1 : 1));
  const ends = notes.ends.filter(({ at }) => holds(at, notes));
  notes.ends = ends.slice(0, limits.leaseEndsMax);
}

interface Told {
  at: string;
  reason: End['reason'];
  proof?: string;
  childrenLive: boolean;
}

/** `confirmed`: a look-up found nothing. */
type KnownEnd = Told & { confirmed: boolean };

/**
 * The end that holds at `now`: the first of those that were told, of the end of the token that holds it, and of its expiry. A
 * look-up that finds nothing confirms it; where there is none, it had ended by then and nobody says how. What Vault has given up
 * revoking ends by what happens after that alone. Where no lifetime is told it may have expired long before its token ended: that
 * is the latest that it can have lived, and nobody says how it ended.
 */
export function endOf(
  notes: Notes,
  { expires, isTold }: { expires: string | undefined; isTold: boolean },
  now: string,
): KnownEnd | undefined {
  const { irrevocable, parent } = notes;
  const told = notes.ends.filter(
    ({ at }) => holds(at, notes) && (irrevocable === undefined || at >= irrevocable),
  );
  const ends: Told[] = told
    .filter((end) => end.gone !== true)
    .map(({ at, reason, proof, childrenLive = false }) => ({ at, reason, proof, childrenLive }));
  if (irrevocable === undefined && parent !== undefined && holds(parent.at, notes))
    ends.push({ ...parent, reason: isTold ? 'parent_ended' : 'unknown', childrenLive: false });
  const gone = told.filter((end) => end.gone === true);
  const [firstGone, lastGone] = [gone[0], gone.at(-1)];
  // The look-up's clock is not Vault's: an end right after it is the one that it saw.
  const isBy = (at: string, end: End | undefined) =>
    end !== undefined && at <= later(end.at, limits.endDoubtSeconds);
  // What is told to have happened at a time is as good as a clock: by then it had expired.
  const isPast = (time: string) => time <= now || ends.some(({ at }) => time <= at) || isBy(time, lastGone);
  if (irrevocable === undefined && expires !== undefined && isPast(expires))
    ends.push({ at: expires, reason: 'expired', childrenLive: false });
  const first = ends.reduce<Told | undefined>(
    (best, end) => (best && before(best, end) ? best : end),
    undefined,
  );
  if (firstGone !== undefined && !(first !== undefined && isBy(first.at, firstGone)))
    return {
      at: firstGone.at,
      reason: 'unknown',
      proof: firstGone.proof,
      childrenLive: false,
      confirmed: true,
    };
  return first && { ...first, confirmed: isBy(first.at, lastGone) };
}

/** What an ended row is called. What was gone before its time, or could not expire, was revoked by somebody. */
export function stateOf(reason: End['reason'], isBeforeItsTime: boolean): Lease['state'] {
  if (reason === 'expired') return 'expired';
  return reason === 'unknown' && !isBeforeItsTime ? 'unknown' : 'revoked';
}
