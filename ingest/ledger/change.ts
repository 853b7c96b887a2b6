// The ledger's inner language. `reading/` makes changes of events and answers; `life/` makes leases of changes; `directory/` makes
// facts. All three are pure: what they remember is in the memory that is given to them, and their only clock is what they read.

import type { Fact, FactKind } from '../../core/directory.ts';
import type { AuditEvent } from '../../core/event.ts';
import type { Lease, TokenDetails } from '../../core/lease.ts';
import type { Answer, Handles, HashPair, OwnToken, Question } from '../../core/records.ts';

/** A statement of a lifetime. */
export interface Lifetime {
  ttl_s: number;
  source: Exclude<Lease['ttl_source'], 'unknown'>;
  /** Exact end, where a look-up shows one; else it follows from the time of the term and `ttl_s`. */
  expires_at?: string;
  max_ttl_s?: number;
  /** Event id (of an own look-up: its request id is that of an event too, so the event's id). */
  proof: string;
}

interface Base {
  /** When it came to be, by the log: the `@timestamp` of the call, the `at` of an answer. */
  at: string;
  /** Event id, or request id of an answer. */
  proof: string;
  cluster: string;
  namespace: string;
}

/** A lease or token was given out. */
export interface Issued extends Base {
  change: 'issued';
  kind: Lease['kind'];
  id: string;
  /** Absent, as is `requested_by`, for a token that was issued before the log began. */
  path?: string;
  role?: string;
  holder?: string;
  holder_id?: string;
  requested_by?: string;
  /** Token whose end ends it; absent for orphans and when nobody can tell. */
  holder_token?: string;
  token?: TokenDetails;
  wrapped?: Lease['wrapped'];
  life?: Lifetime;
}

/** It goes on from `at`. `life` absent: for as long as its last term, as far as its greatest lifetime lets it. */
export interface Renewed extends Base {
  change: 'renewed';
  id: string;
  life?: Lifetime;
}

/** What is known of a lifetime, later than the issue: nothing happened in Vault. */
export interface LifetimeTold extends Base {
  change: 'lifetime';
  id: string;
  life: Lifetime;
  /** What a look-up of a token tells beside it. */
  token?: TokenDetails;
}

/** Something ended. */
export interface Ended extends Base {
  change: 'ended';
  what:
    | { lease: string }
    /** A token with its leases, and with its children unless they live on as orphans. */
    | { token: string; childrenLive: boolean }
    /** Every lease under the prefix; of tokens those given out under it (`auth/approle/login`). */
    | { prefix: string };
  reason: NonNullable<Lease['end_reason']>;
}

/** A look-up says: at `at` it was gone. Ends it if it had not ended, confirms its end if it had. */
export interface Gone extends Base {
  change: 'gone';
  id: string;
}

/** Vault could not revoke it and has given up. */
export interface Irrevocable extends Base {
  change: 'irrevocable';
  id: string;
}

/** A token was used, and has so many uses left after it; 0 ends it. */
export interface Used extends Base {
  change: 'used';
  id: string;
  uses_left: number;
}

/** A wrapped answer with it in was opened. */
export interface Opened extends Base {
  change: 'opened';
  id: string;
  opened_from?: string;
}

export type Change = Issued | Renewed | LifetimeTold | Ended | Gone | Irrevocable | Used | Opened;

/** One thing the ledger works on, in the order of `done`, then `id`: when Vault had done it, and the id of event or answer. */
export type LedgerInput =
  | { kind: 'call'; done: string; id: string; event: AuditEvent; handles: Handles; onlyFirst: boolean }
  | { kind: 'answer'; done: string; id: string; answer: Answer }
  | { kind: 'hashes'; done: string; id: string; pair: HashPair };

/** What the directory knows, for whoever reads lifetimes. `at` answers as of that time; without it as of now. */
export interface Directory {
  current<W extends FactKind>(what: W, namespace: string, key: string): Fact<W> | undefined;
}
export interface LedgerSink {
  /** A row as it is now; the highest revision of an id holds. */
  lease(revision: number, body: Lease): void;
  fact(fact: Fact): void;
  own(token: OwnToken): void;
  ask(question: Question): void;
  /** Everything up to `time` is worked in. */
  watermark(time: string): void;
}
