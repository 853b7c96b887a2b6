// A rule ready to run: what people read about it, and the closures the engine runs.

import type { Level } from '../../core/alert.ts';
import type { AuditEvent } from '../../core/event.ts';
import type { Predicate } from '../../core/match/predicate.ts';
import type { RuleSet } from './rule-set.ts';

/** What the catalogue shows of a rule. */
export interface RuleInfo {
  /** False for a rule that only feeds a correlation. */
  alerts: boolean;
  description: string;
  falsePositives: string[];
  /** The file it was read from, as the reader was told. */
  file: string;
  groupBy: string[];
  id: string;
  level: Level;
  /** Short name that correlations may use instead of the id. */
  name?: string;
  references: string[];
  runbook: string;
  status: string;
  /** ATT&CK techniques, `T1562.008`, sorted. */
  techniques: string[];
  /** Matches within `timespanSeconds` that make an alert; 1 for a plain rule. */
  threshold: number;
  timespanSeconds: number;
  title: string;
  version: string;
}

export interface CompiledRule extends RuleInfo {
  /** The values of `groupBy` as JSON; undefined when a correlation's event lacks one, which then does not count. */
  group: (event: AuditEvent) => string | undefined;
  message: (event: AuditEvent) => string;
  test: Predicate;
}

export interface CompiledRules extends RuleSet {
  /** Rules that write alerts, sorted by id. */
  alerting: CompiledRule[];
}
