// What a behaviour is: it learns what is usual for an identity, a role or a group of peers and finds what is not. Pure: time is
// event time, memory comes in, findings go out.

import type { JsonObject } from '../../core/event.ts';
import type { Lease } from '../../core/lease.ts';
import type { Lists } from '../../core/lists.ts';
import type { Memory } from '../../core/ports.ts';
import type { Baseline } from '../../core/records.ts';
import type { Match, MatchFacts } from '../engine/match.ts';
import type { RuleInfo } from '../engine/rule.ts';
import type { Lesson } from './learning.ts';

/** What a behaviour sees of a call: small, so that it can wait for the watermark. */
export interface Observation {
  id: string;
  time: string;
  revision: 0 | 1 | 2;
  /** What an alert on it says of the call. */
  facts: MatchFacts;
  /** `user.id`. */
  user: string;
  /** Class of the caller by the lists: `human`, `workload`, ... */
  className: string;
  role?: string;
  auth_mount?: string;
  /** Accessor of the token that made the call. */
  accessor?: string;
  token_issued_at?: string;
  token_ttl_s?: number;
  entity_id?: string;
  policies?: string[];
  ip?: string;
  user_agent?: string;
  action: string;
  operation?: string;
  mount?: string;
  mount_type?: string;
  path?: string;
  /** Of calls on a secret: its path, engine and version. */
  secret?: { path: string; engine: string; version?: number };
  lease?: string;
  issued?: { accessor?: string; entity_id?: string; ttl_s?: number; type?: string };
  outcome: 'success' | 'failure' | 'unknown';
  reason?: string;
  /** Hash of a secret-id that a call gave out or logged in with, as the first-ranked device shows it. */
  secret_id?: string;
  /** Accessor of the wrapping token that the answer went into. */
  wrap?: string;
  /** Ids of behaviours that an allow-list or a window of maintenance silences on this call: they learn from it all the same. */
  silenced?: string[];
  /** Whether it may teach: it succeeded, its caller is known, and it is none that sealwatch makes (core/own-calls.ts). */
  teaches: boolean;
}

/** Something unusual: becomes an alert, or joins the open one of the same behaviour and group. */
export interface Finding {
  /** Of what groups it: alerts of one behaviour and group within a quarter of an hour are one. */
  group: string;
  /** What proves it; `facts.message` is the sentence, with who, what, and why it is unusual with the numbers. */
  match: Omit<Match, 'rule' | 'group'>;
  /** The numbers of the sentence. */
  facts: Record<string, string | number | boolean>;
}

/** What the frame gives a behaviour at each turn. */
export interface Turn {
  /**
   * Its own memory: no other behaviour's keys are in it. What it gives is the behaviour's to change, and counts once it is set
   * again. What is not set for half a year is forgotten.
   */
  memory: Memory;
  lists: Lists;
  find(finding: Finding): void;
  /** To be worked where the group is counted, whoever's call it was: comes back as `crossed`, in order of (time, id). */
  cross(group: string, event: JsonObject): void;
  /** Calls `woken` with `key` when event time has passed `time`; one time a key, the last one set holds. */
  wake(key: string, time: string): void;
  /** What was learned, for people: replaces the one of the same subject. */
  tell(baseline: Omit<Baseline, 'id' | 'behaviour'>): void;
}

export interface Behaviour {
  /** Metadata as a rule has it; `info.file` is the behaviour's file, `info.name` its short name. */
  info: RuleInfo;
  /** What it wants to have seen of each before it speaks; of several the shortest. */
  lesson?: Lesson;
  /** A call, once, in order of (time, id) behind the watermark, never a late one; all calls of one `user.id` come to one memory. */
  call?(call: Observation, turn: Turn): void;
  /** What `cross` sent, from whatever partition; all of one group come to one memory. */
  crossed?(crossing: { group: string; time: string; id: string; event: JsonObject }, turn: Turn): void;
  /** A lease or token as the ledger tells it now, each revision once, in the order told. All come to one memory. */
  lease?(lease: Lease, told: { revision: number; time: string }, turn: Turn): void;
  woken?(key: string, time: string, turn: Turn): void;
}
