// Counts the alerts of a backtest: per rule, week and subject, in bounded memory.

import { type Alert, type Level, levels } from '../../core/alert.ts';
import { limits } from '../../core/limits.ts';
import { msOf, timeOfMs } from '../../core/time.ts';
import type { Behaviour } from '../../detectors/behaviours/behaviour.ts';
import type { RuleInfo } from '../../detectors/engine/rule.ts';

export interface RuleTally {
  id: string;
  title: string;
  level: Level;
  alerts: number;
  /** Calls that are in them. */
  calls: number;
  first?: string;
  last?: string;
  /** Alerts by the Monday of their week, UTC. */
  weeks: Record<string, number>;
  /** Whom the alerts are about most, `limits.backtestSubjectsShown` of them. */
  subjects: { id: string; name: string; alerts: number }[];
  /** Alerts about anybody else. */
  others: number;
}

interface Counted extends Omit<RuleTally, 'subjects' | 'others'> {
  subjects: Map<string, { name: string; alerts: number }>;
}

export class Tally {
  private readonly byRule: Map<string, Counted>;
  /** Count of each alert that may still grow: the oldest are forgotten, they have ended long since. */
  private readonly open = new Map<string, number>();

  constructor(rules: readonly RuleInfo[], behaviours: readonly Behaviour[]) {
    const all = [...rules, ...behaviours.map(({ info }) => info)];
    this.byRule = new Map(
      all.map(({ id, title, level }) => [
        id,
        { id, title, level, alerts: 0, calls: 0, weeks: {}, subjects: new Map() },
      ]),
    );
  }

  /** New and changed alerts. */
  take(alerts: readonly { body: Alert }[]): void {
    for (const { body } of alerts) {
      const rule = this.byRule.get(body.rule.id);
      if (rule === undefined) continue;
      const before = this.open.get(body.alert.id);
      if (before === undefined) begin(rule, body);
      rule.calls += body.alert.count - (before ?? 0);
      if (body.alert.last_seen > (rule.last ?? '')) rule.last = body.alert.last_seen;
      this.remember(body.alert);
    }
  }

  private remember({ id, count }: Alert['alert']): void {
    this.open.delete(id);
    this.open.set(id, count);
    if (this.open.size <= limits.ruleGroupsMax) return;
    for (const oldest of this.open.keys()) {
      this.open.delete(oldest);
      return;
    }
  }

  levels(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { level, alerts } of this.byRule.values())
      if (alerts > 0) counts[level] = (counts[level] ?? 0) + alerts;
    return counts;
  }

  rules(): RuleTally[] {
    const rules = [...this.byRule.values()].map(({ subjects, ...rule }) => {
      const ranked = [...subjects]
        .map(([id, subject]) => ({ id, ...subject }))
        .sort((a, b) => b.alerts - a.alerts || (a.id < b.id ? -1 : 1))
        .slice(0, limits.backtestSubjectsShown);
      const named = ranked.reduce((total, { alerts }) => total + alerts, 0);
      return { ...rule, subjects: ranked, others: rule.alerts - named };
    });
    const rank = ({ level }: RuleTally) => levels.indexOf(level);
    return rules.sort((a, b) => b.alerts - a.alerts || rank(b) - rank(a) || (a.title < b.title ? -1 : 1));
  }
}

function begin(rule: Counted, { alert, user }: Alert): void {
  rule.alerts++;
  if (rule.first === undefined || alert.first_seen < rule.first) rule.first = alert.first_seen;
  const week = mondayOf(alert.first_seen);
  rule.weeks[week] = (rule.weeks[week] ?? 0) + 1;
  const subject = rule.subjects.get(user.id);
  if (subject !== undefined) subject.alerts++;
  else if (rule.subjects.size < limits.backtestSubjectsMax)
    rule.subjects.set(user.id, { name: user.name ?? user.id, alerts: 1 });
}

const DAY_MS = 86_400_000;

/** The day on which the week of `time` began, by ISO 8601. */
function mondayOf(time: string): string {
  const day = Math.floor(msOf(time) / DAY_MS);
  // 1970-01-01 was a Thursday.
  return timeOfMs((day - ((day + 3) % 7)) * DAY_MS).slice(0, 10);
}
