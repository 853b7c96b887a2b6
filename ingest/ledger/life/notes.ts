// A row and what it is concluded from: statements of lifetimes, ends and signs of life, each with its time. They are kept so
// that what is told late takes its place among them, and the lease comes out the same in whatever order they were told.

import type { JsonObject } from '../../../core/event.ts';
import type { Lease } from '../../../core/lease.ts';
import { limits } from '../../../core/limits.ts';
import type { Held } from '../../../core/ports.ts';
import { addSeconds } from '../../../core/time.ts';
import type { Lifetime } from '../change.ts';

/** Somebody said that a term, or the greatest lifetime, is so long. 0 is for ever. */
export interface Said {
  ttl_s: number;
  source: Lifetime['source'];
  at: string;
  proof: string;
}

/** It was given out or renewed. */
export interface Term {
  at: string;
  /** What is trusted most of all that was said. */
  said?: Said;
  /** The end that the last look-up showed. */
  exact?: { expires_at: string; at: string };
}

export interface End {
  at: string;
  reason: NonNullable<Lease['end_reason']>;
  proof: string;
  /** Of a token: its children live on. */
  childrenLive?: boolean;
  /** A look-up found nothing: it had ended by then, nobody says how. */
  gone?: boolean;
}

export interface Notes {
  /** Nobody saw it given out: it was there when the log began. */
  unseen?: boolean;
  /** By time. */
  terms: Term[];
  max?: Said;
  /** By time, at most `limits.leaseEndsMax`. */
  ends: End[];
  /** The end of the token that holds it. */
  parent?: { at: string; proof?: string };
  /** The last sign that it lived. */
  alive?: string;
  /** When Vault had given up revoking it. */
  irrevocable?: string;
  /** Of a token that has ended: its children live on. */
  freed?: boolean;
}

export interface Row {
  /** Never changed in place: it may be `was`. */
  lease: Lease;
  /** How often it was told. */
  revision: number;
  notes: Notes;
  /** As it was told last. */
  was?: Lease;
}

export const rowOf = ({ lease, notes, revision }: Held): Row => ({
  lease,
  revision,
  notes: notes as unknown as Notes,
  was: lease,
});
export const heldOf = ({ lease, notes, revision }: Row): Held => ({
  lease,
  revision,
  notes: notes as unknown as JsonObject,
});

/** `time` and so many seconds; never past what a time can say. */
export function later(time: string, seconds: number): string {
  const isPast = Date.parse(`${time.slice(0, 19)}Z`) + seconds * 1000 > LAST_MS;
  return isPast ? LAST_TIME : addSeconds(time, seconds);
}

const LAST_TIME = '9999-12-31T23:59:59.999999999Z';
const LAST_MS = Date.UTC(9999, 11, 31);

/**
 * Whether an end holds though the row gave a sign of life: revoking takes a while, and a look-up has another clock. An end that
 * is contradicted later than that was none: Vault could not revoke it, or what was assumed was wrong.
 */
export const holds = (end: string, notes: Notes): boolean =>
  notes.alive === undefined || later(end, limits.endDoubtSeconds) >= notes.alive;

export function seenAlive(notes: Notes, at: string): void {
  if (notes.alive === undefined || notes.alive < at) notes.alive = at;
}
