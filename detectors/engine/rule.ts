// What people read about a rule.

import type { Level } from '../../core/alert.ts';

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
  /** Of a behaviour: what the lists may set. */
  settings?: string[];
  status: string;
  /** ATT&CK techniques, `T1562.008`, sorted. */
  techniques: string[];
  /** Matches within `timespanSeconds` that make an alert; 1 for a plain rule. */
  threshold: number;
  timespanSeconds: number;
  title: string;
  version: string;
}
