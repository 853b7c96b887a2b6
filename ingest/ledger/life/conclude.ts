// The lease as it is told: concluded from its notes alone, at a time.

import type { Lease } from '../../../core/lease.ts';
import { endOf, stateOf } from './ends.ts';
import { holds, type Row } from './notes.ts';
import { isPeriodicByBehaviour, lifeOf } from './terms.ts';

/** The lease at `now`. Whether its token's children live on after its end is set in the notes. */
export function concluded(row: Row, now: string): Lease {
  const { notes } = row;
  const { end_reason, ended_at, expires_at, max_ttl_s, proof, token, ttl_s, ...known } = row.lease;
  const life = lifeOf(row);
  const isOver = notes.irrevocable !== undefined;
  // It lived on after its expiry: somebody renewed it unseen, and its end is not known.
  const expires =
    life.expires_at !== undefined && !isOver && holds(life.expires_at, notes) ? life.expires_at : undefined;
  const end = endOf(notes, { expires, isTold: life.expires_at !== undefined || life.endless }, now);
  if (end?.childrenLive === true) notes.freed = true;
  else delete notes.freed;
  const alive = isOver ? 'irrevocable' : expires !== undefined || life.endless ? 'active' : 'unknown';
  return {
    ...known,
    end_confirmed: end?.confirmed ?? false,
    ...(end === undefined ? {} : { end_reason: end.reason, ended_at: end.at }),
    ...(expires === undefined ? {} : { expires_at: expires }),
    ...(notes.max === undefined ? {} : { max_ttl_s: notes.max.ttl_s }),
    proof: {
      issued: proof.issued,
      ...(life.proof === undefined ? {} : { ttl: life.proof }),
      ...(end?.proof === undefined ? {} : { ended: end.proof }),
    },
    state: end === undefined ? alive : stateOf(end.reason, expires !== undefined || isOver),
    terms: life.terms,
    ...(token === undefined ? {} : { token: tokenOf(row, token) }),
    ...(life.ttl_s === undefined ? {} : { ttl_s: life.ttl_s }),
    ttl_source: life.source,
  };
}

function tokenOf(row: Row, { periodic, ...token }: NonNullable<Lease['token']>): NonNullable<Lease['token']> {
  if (periodic === 'told' || token.period_s !== undefined) return { ...token, periodic: 'told' };
  return isPeriodicByBehaviour(row) ? { ...token, periodic: 'behaviour' } : token;
}
