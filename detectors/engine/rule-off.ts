// Alerts on rules and behaviours that threw and are switched off: whoever relies on one must hear that it no longer looks. Pure.

import type { Level } from '../../core/alert.ts';
import { shortHash } from './alert.ts';
import { builtInAlert } from './built-in.ts';
import type { AlertRow } from './place.ts';
import type { RuleInfo } from './rule.ts';
import type { Thrown } from './running.ts';

export const ruleOffRule: RuleInfo & { level: Level } = {
  alerts: true,
  description:
    'A rule or behaviour threw an error. It is switched off until it is loaded in another version.',
  falsePositives: [],
  file: 'detectors/engine/rule-off.ts',
  groupBy: ['rule'],
  id: '4e0b7a9d-27c1-4c3e-9a58-6f1d2b8c5e30',
  level: 'critical',
  references: ['https://attack.mitre.org/techniques/T1562/'],
  runbook: 'Mend the rule, or report the error where the rule comes from, and load it in another version.',
  status: 'test',
  techniques: ['T1562'],
  threshold: 1,
  timespanSeconds: 0,
  title: 'Rule switched off',
  version: '1',
};

export class RulesOff {
  private readonly cluster: string;
  private rows: AlertRow[] = [];

  constructor(cluster: string) {
    this.cluster = cluster;
  }

  off({ id, error, event, time, title, version }: Thrown): void {
    const body = builtInAlert(
      {
        rule: ruleOffRule,
        id: shortHash(ruleOffRule.id, id, version, time),
        ...{ first: time, last: time, count: 1, eventIds: event === undefined ? [] : [event] },
        action: 'rule-switched-off',
        facts: { error: error.slice(0, 500), rule: id, version },
        message: `The rule "${title}" threw an error and is switched off: ${error.slice(0, 500)}`,
        subject: `rule:${id}`,
      },
      this.cluster,
    );
    this.rows.push({ body, revision: 1 });
  }

  take(): AlertRow[] {
    const { rows } = this;
    this.rows = [];
    return rows;
  }
}
