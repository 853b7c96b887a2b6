// How long a row lives: its terms, what is said of them, and the lifetime that follows.

import type { Lease } from '../../../core/lease.ts';
import { limits } from '../../../core/limits.ts';
import { addSeconds, utcTime } from '../../../core/time.ts';
import type { Lifetime } from '../change.ts';
import { later, type Notes, type Row, type Said, seenAlive, type Term } from './notes.ts';

/**
 * Who is believed. Vault's own word on this very credential before a rule for many; among equals the later one.
 * Look-ups that a hash join led to (`hmac_join`) are of this credential too; a role may have changed since (decision 0018).
 */
const trust: Record<Said['source'], number> = {
  own_lookup: 5,
  audit: 5,
  audit_lookup: 4,
  hmac_join: 3,
  role_config: 2,
  dictionary: 1,
};
/** From here on it is Vault's word on this credential: what was granted, after every bound. It also is a sign of life. */
const ITS_OWN = 3;

/** It goes on from `at`. */
export function addTerm(notes: Notes, at: string): void {
  if (notes.terms.some((term) => term.at === at)) return;
  const index = notes.terms.findLastIndex((term) => term.at < at);
  const before = notes.terms[index];
  // A renewal that is told late: what was said since then was said of it.
  const { at: _, ...said } = before !== undefined && isOfTermFrom(at, before) ? before : { at };
  if (before !== undefined && said.said !== undefined) notes.terms[index] = { at: before.at };
  notes.terms.splice(index + 1, 0, { at, ...said });
  if (notes.terms.length > limits.leaseTermsMax) notes.terms.splice(1, 1);
}

const isOfTermFrom = (at: string, { said, exact }: Term): boolean =>
  said !== undefined && (exact === undefined ? said.at : beginOf(exact.expires_at, said.ttl_s)) >= at;

/** When a term began that ends then; Vault renews a moment after the call came in, and the seconds are rounded. */
const beginOf = (expires: string, seconds: number): string => addSeconds(expires, 1 - seconds);

/** Takes what was said at `at` of the lifetime; nonsense is left out. */
export function addLifetime(notes: Notes, at: string, life: Lifetime): void {
  const { source, proof } = life;
  const expires = life.expires_at === undefined ? undefined : utcTime(life.expires_at);
  const seconds = Math.round(life.ttl_s);
  if (!(seconds >= 0 && seconds <= limits.ttlSecondsMax)) return;
  if (life.max_ttl_s !== undefined && life.max_ttl_s > 0 && life.max_ttl_s <= limits.ttlSecondsMax)
    notes.max = better(notes.max, { ttl_s: Math.round(life.max_ttl_s), source, at, proof });
  // The look-up's clock is not Vault's: where it shows an end ahead, it was alive before that end at the latest.
  if (trust[source] >= ITS_OWN) seenAlive(notes, expires !== undefined && expires < at ? expires : at);
  const term = termFor(notes.terms, at, seconds, expires);
  if (term === undefined) return;
  term.said = better(term.said, { ttl_s: seconds, source, at, proof });
  if (
    expires !== undefined &&
    !(term.exact !== undefined && isAfter(term.exact, { at, expires_at: expires }))
  )
    term.exact = { at, expires_at: expires };
}

/** The term that a statement is about: an exact end tells when its term began, by Vault's clock; else the last one by then. */
function termFor(terms: Term[], at: string, seconds: number, expires: string | undefined): Term | undefined {
  const begin = expires === undefined ? at : beginOf(expires, seconds);
  return terms.findLast((term) => term.at <= begin) ?? terms[0];
}

function better(a: Said | undefined, b: Said): Said {
  if (a === undefined) return b;
  if (trust[a.source] !== trust[b.source]) return trust[a.source] > trust[b.source] ? a : b;
  if (a.at !== b.at) return a.at > b.at ? a : b;
  return a.proof > b.proof || (a.proof === b.proof && a.ttl_s > b.ttl_s) ? a : b;
}

const isAfter = (a: NonNullable<Term['exact']>, b: NonNullable<Term['exact']>): boolean =>
  a.at > b.at || (a.at === b.at && a.expires_at > b.expires_at);

export interface KnownLife {
  terms: Lease['terms'];
  /** Of the last term. Absent: nobody tells, or it is for ever. */
  ttl_s?: number;
  source: Lease['ttl_source'];
  proof?: string;
  expires_at?: string;
  /** It never expires by itself. */
  endless: boolean;
}

/** A term of which nothing is said is as long as the one before. What only a rule tells is held to the greatest lifetime. */
export function lifeOf({ lease, notes }: Row): KnownLife {
  const terms: Lease['terms'] = [];
  const last = notes.terms.at(-1);
  const greatest = notes.max === undefined || notes.unseen ? undefined : notes.max.ttl_s;
  const until = greatest === undefined || isPeriodic(lease) ? undefined : later(lease.issued_at, greatest);
  let said: Said | undefined;
  let end: string | undefined;
  for (const term of notes.terms) {
    said = term.said ?? said;
    end = undefined;
    if (said === undefined || said.ttl_s === 0) continue;
    end = later(term.at, said.ttl_s);
    // What a line shows of a lease's renewal was asked for, of a token's granted (vault-audit.md 4).
    const isAsked = lease.kind === 'lease' && said.source === 'audit';
    const granted = term.said !== undefined && trust[said.source] >= ITS_OWN && !isAsked;
    // Renewed after its greatest lifetime was over: then that is not its greatest.
    if (!granted && until !== undefined && until > term.at && until < end) end = until;
    terms.push({ at: term.at, ttl_s: secondsBetween(term.at, end) });
  }
  if (said === undefined) return { terms, source: 'unknown', endless: isRoot(lease) };
  const expires = last?.exact?.expires_at ?? end;
  return {
    terms,
    ...(end === undefined ? {} : { ttl_s: (terms.at(-1) as Lease['terms'][number]).ttl_s }),
    source: said.source,
    proof: said.proof,
    ...(expires === undefined ? {} : { expires_at: expires }),
    endless: expires === undefined,
  };
}

const secondsBetween = (from: string, to: string): number =>
  (Date.parse(`${to.slice(0, 19)}Z`) - Date.parse(`${from.slice(0, 19)}Z`)) / 1000;

/** Only root tokens have no end (vault-audit.md 5). */
const isRoot = ({ token }: Lease): boolean =>
  token?.kind === 'root' || (token?.policies?.includes('root') ?? false);

const isPeriodic = ({ token }: Lease): boolean => token?.period_s !== undefined || token?.periodic === 'told';

/**
 * A token is periodic by behaviour when a renewal gave it a full term that ends beyond the age that any other token can reach:
 * its greatest lifetime where that is known, else the system's (768 h). Other tokens are given less and less as they come near
 * it. A mount that is tuned beyond the system's limit, with nobody having told, is taken for it (decision 0018).
 */
export function isPeriodicByBehaviour({ lease, notes }: Row): boolean {
  if (lease.kind !== 'token' || isPeriodic(lease)) return false;
  const age = (notes.max?.ttl_s ?? limits.systemMaxTtlSeconds) + limits.endDoubtSeconds;
  const until = later(lease.issued_at, age);
  let longest = notes.terms[0]?.said?.ttl_s ?? 0;
  return notes.terms.some(({ at, said }) => {
    if (said === undefined || said.ttl_s === 0 || trust[said.source] < ITS_OWN) return false;
    const isFull = said.ttl_s >= longest - 1;
    longest = Math.max(longest, said.ttl_s);
    return isFull && at > lease.issued_at && later(at, said.ttl_s) > until;
  });
}
