// Rules as they are read, ready for the program that matches them and the counters that count them. All of it is data.

import type { Expr } from '../../core/match/expr.ts';
import type { RuleInfo } from './rule.ts';

/** Sigma's correlation types (specification 2.1). */
export const correlationTypes = [
  'event_count',
  'value_count',
  'temporal',
  'temporal_ordered',
  'value_sum',
  'value_avg',
  'value_percentile',
] as const;
export type CorrelationType = (typeof correlationTypes)[number];

/** A rule on single events. */
export interface EventRule extends RuleInfo {
  kind: 'event';
  expr: Expr;
  /** `{user.name} removed {vault.request.path}`. */
  messageTemplate: string;
}

/** `gte: 3` with `lt: 10` are two bounds; both must hold. `neq` is not Sigma's. */
export interface Bound {
  op: 'gt' | 'gte' | 'lt' | 'lte' | 'eq';
  value: number;
}

/** Which of a temporal correlation's rules must have matched: the extended condition `a and not b`; rule ids at the leaves. */
export type Presence =
  | { kind: 'rule'; id: string }
  | { kind: 'all' | 'any'; parts: Presence[] }
  | { kind: 'not'; part: Presence };

export interface Correlation extends RuleInfo {
  kind: 'correlation';
  type: CorrelationType;
  /** Ids of the rules and correlations it counts, in the order written. */
  rules: string[];
  /** Of the counting types: all must hold. */
  bounds: Bound[];
  /** Of the temporal types. */
  presence?: Presence;
  /** Field of value_count (one or more), value_sum, value_avg, value_percentile. */
  fields: string[];
  /** Of value_percentile, 0 to 100. */
  percentile?: number;
  /** Name in `group-by` to the field of each rule it stands for, by rule id. */
  aliases: Record<string, Record<string, string>>;
  messageTemplate: string;
}

/**
 * What raises alerts: an event rule by itself, or a correlation with everything below it. A tree is counted in one place,
 * keyed by the group of its top: each inner group holds the outer group's fields.
 */
export interface Root {
  top: EventRule | Correlation;
  /** Everything in the tree, by id, the top among them. */
  nodes: ReadonlyMap<string, EventRule | Correlation>;
  /** Ids of its event rules. */
  leaves: string[];
  /** The group of each leaf names `user.id`: it is counted where the events of that user are, without `vault.audit.groups`. */
  isLocal: boolean;
  /** Fields whose values a match keeps for counting, by leaf: group-bys of inner nodes (after aliases), counted fields. */
  needs: Record<string, string[]>;
  /** Hash of everything that decides what is counted: state is kept across a reload while it stays the same. */
  logic: string;
}

export interface RuleSet {
  /** Sorted by the top's id. */
  roots: Root[];
  /** Every event rule, sorted by id: what the program matches; a leaf's number is its index here. */
  events: EventRule[];
  /** All rules, with those that only feed correlations, sorted by id. */
  catalogue: RuleInfo[];
}

export const noRules: RuleSet = { roots: [], events: [], catalogue: [] };
