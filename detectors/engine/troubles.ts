// Alerts on the engine itself: a rule or behaviour that threw and is switched off, and state that was dropped because a bound was
// reached. Whoever relies on a rule must hear that it no longer looks. Pure.

import type { Level } from '../../core/alert.ts';
import { bucketOf, shortHash } from './alert.ts';
import { builtInAlert } from './built-in.ts';
import type { AlertRow } from './place.ts';
import type { RuleInfo } from './rule.ts';
import type { Thrown } from './running.ts';

const common = {
  alerts: true,
  falsePositives: [],
  file: 'detectors/engine/troubles.ts',
  references: ['https://github.com/SigmaHQ/sigma-specification'],
  status: 'test',
  techniques: ['T1562'],
  threshold: 1,
  timespanSeconds: 0,
  version: '1',
};

export const ruleOffRule: RuleInfo & { level: Level } = {
  ...common,
  description: 'A rule or behaviour threw an error. It is switched off until it is loaded in another version.',
  groupBy: ['rule'],
  id: '4e0b7a9d-27c1-4c3e-9a58-6f1d2b8c5e30',
  level: 'critical',
  runbook: 'Mend the rule, or report the error where the rule comes from, and load it in another version.',
  title: 'Rule switched off',
};

export const evictedRule: RuleInfo & { level: Level } = {
  ...common,
  description: 'What a rule counts needed more memory than it may have: the oldest of it was dropped.',
  groupBy: ['rule'],
  id: '8b6f0f53-91d4-4f0a-8d0b-3c7e5a2f9b14',
  level: 'high',
  runbook:
    'Look at who raises so many groups of the rule: it may be a flood that hides something. Narrow the rule, or shorten its timespan.',
  title: 'Counted state dropped',
};

interface Dropped {
  count: number;
  first: string;
  last: string;
}

/** A JSON value. */
export type TroublesState = [name: string, Dropped][];

export class Troubles {
  private readonly cluster: string;
  /** What tells this detector from others: `groups-3`. */
  private readonly place: string;
  private readonly dropped: Map<string, Dropped>;
  private rows: AlertRow[] = [];

  constructor(cluster: string, place: string, state: TroublesState = []) {
    this.cluster = cluster;
    this.place = place;
    this.dropped = new Map(state);
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

  /** So much of what `name` counts was dropped, when event time was at `time`. */
  evicted(name: string, count: number, time: string): void {
    const open = this.dropped.get(name);
    const isOpen = open !== undefined && bucketOf(open.first) === bucketOf(time);
    const dropped = isOpen ? open : { count: 0, first: time, last: time };
    dropped.count += count;
    dropped.last = time;
    this.dropped.set(name, dropped);
    const body = builtInAlert(
      {
        rule: evictedRule,
        id: shortHash(evictedRule.id, this.place, name, bucketOf(dropped.first)),
        ...{ first: dropped.first, last: time, count: dropped.count, eventIds: [] },
        action: 'counted-state-dropped',
        facts: { dropped: dropped.count, of: name, place: this.place },
        message: `${dropped.count} groups or calls of "${name}" were dropped: a bound of its memory was reached, and it may miss what it looks for.`,
        subject: `rule:${name}`,
      },
      this.cluster,
    );
    this.rows.push({ body, revision: dropped.count });
  }

  take(): AlertRow[] {
    const { rows } = this;
    this.rows = [];
    return rows;
  }

  snapshot(): TroublesState {
    return [...this.dropped];
  }
}
