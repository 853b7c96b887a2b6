// An incident: the alerts of one identity in one UTC day, with a time line and a risk that adds up. Pure: the same alerts give
// the same incident, in whatever order they come.

import { createHash } from 'node:crypto';
import { type Alert, type Level, levels, severityOf } from './alert.ts';
import { limits } from './limits.ts';

export interface Incident {
  /** When it was last true: of its last alert. */
  '@timestamp': string;
  id: string;
  subject: { id: string; name?: string; what: SubjectKind; kind: string; cluster: string };
  first_seen: string;
  last_seen: string;
  level: Level;
  /** Why the level is above that of its worst alert. */
  raised?: string;
  /** The sum of the points of `risk_parts`. */
  risk: number;
  risk_parts: { rule: string; points: number; text: string }[];
  alerts: number;
  /** Matches over all alerts. */
  matches: number;
  rules: IncidentRule[];
  /** ATT&CK techniques. */
  techniques: string[];
  addresses: string[];
  /** Secrets that the alerts name. */
  secrets: string[];
  timeline: IncidentMoment[];
  /** False: it has more alerts than are told here; `alerts` and `matches` count all of them, the rest is of the worst. */
  complete: boolean;
}

/** By the form of `user.id` (design section 4): somebody whom Vault knows, what a call showed instead, or an audit device. */
const subjectKinds = ['entity', 'root', 'token', 'user', 'address', 'device', 'other'] as const;
type SubjectKind = (typeof subjectKinds)[number];

interface IncidentRule {
  id: string;
  name: string;
  level: Level;
  alerts: number;
  matches: number;
  first: string;
  last: string;
}

interface IncidentMoment {
  at: string;
  until: string;
  level: Level;
  rule: string;
  alert_id: string;
  /** Matches of the alert. */
  count: number;
  message: string;
}

/** Different rules of `medium` and above, and different techniques among them, from which on an incident is a level above its worst alert. */
const RAISING_RULES = 3;
const RAISING_TECHNIQUES = 2;

/** Names the incident of `user.id` on the UTC day of the canonical time. */
export const incidentId = (user: string, time: string): string =>
  createHash('sha256')
    .update(JSON.stringify(['incident', user, time.slice(0, 10)]))
    .digest('hex')
    .slice(0, 32);

/**
 * The incident of `alerts`, of which there is at least one, all with its id.
 * @param all how many alerts and matches there are, when `alerts` are only the worst of them
 */
export function incidentOf(alerts: readonly Alert[], all = countOf(alerts)): Incident {
  const sorted = [...alerts].sort(byTimeAndId);
  const first = sorted[0];
  if (first === undefined) throw new Error('an incident needs an alert');
  const last = latest(sorted.map((alert) => alert['@timestamp']));
  const rules = rulesOf(sorted);
  const parts = rules.map(partOf);
  return {
    '@timestamp': last,
    id: first.incident.id,
    subject: subjectOf(first),
    first_seen: first.alert.first_seen,
    last_seen: last,
    ...levelOf(sorted),
    risk: parts.reduce((sum, { points }) => sum + points, 0),
    risk_parts: parts,
    ...all,
    rules,
    techniques: distinct(sorted.flatMap(({ threat }) => threat?.technique.id ?? [])),
    addresses: distinct(sorted.flatMap(({ related, source }) => [source?.ip, ...(related.ip ?? [])])),
    secrets: distinct(sorted.map(({ vault }) => vault.secret?.path)),
    timeline: timelineOf(sorted),
    complete: all.alerts === sorted.length,
  };
}

const countOf = (alerts: readonly Alert[]) => ({
  alerts: alerts.length,
  matches: alerts.reduce((sum, { alert }) => sum + alert.count, 0),
});

function byTimeAndId({ alert: a }: Alert, { alert: b }: Alert): number {
  if (a.first_seen !== b.first_seen) return a.first_seen < b.first_seen ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

const latest = (times: string[]): string => times.reduce((last, time) => (time > last ? time : last), '');

/** Sorted, to a bound. */
const distinct = (texts: (string | undefined)[]): string[] =>
  [...new Set(texts.filter((text) => text !== undefined))].sort().slice(0, limits.incidentTextsMax);

function subjectOf({ user, vault }: Alert): Incident['subject'] {
  const { id, name } = user;
  const what = subjectKind(id);
  return { id, ...(name !== undefined && { name }), what, kind: vault.caller.kind, cluster: vault.cluster };
}

function subjectKind(user: string): SubjectKind {
  if (user === 'root') return 'root';
  const colon = user.indexOf(':');
  if (colon < 0) return 'entity';
  return subjectKinds.find((kind) => kind === user.slice(0, colon)) ?? 'other';
}

/** One for each rule, those with most points first. */
function rulesOf(sorted: readonly Alert[]): IncidentRule[] {
  const rules = new Map<string, IncidentRule>();
  for (const { rule, alert, '@timestamp': at } of sorted) {
    const known = rules.get(rule.id);
    if (known === undefined) {
      const { id, name, level } = rule;
      rules.set(id, { id, name, level, alerts: 1, matches: alert.count, first: alert.first_seen, last: at });
      continue;
    }
    known.alerts++;
    known.matches += alert.count;
    if (at > known.last) known.last = at;
    if (rankOf(rule.level) > rankOf(known.level)) known.level = rule.level;
  }
  return [...rules.values()].sort((a, b) => pointsOf(b) - pointsOf(a) || (a.id < b.id ? -1 : 1));
}

const rankOf = (level: Level): number => levels.indexOf(level);

/** The severity of the rule, and for each further alert of it half of what the one before gave: never twice the severity. */
const pointsOf = ({ level, alerts }: IncidentRule): number =>
  Math.round(severityOf[level] * (2 - 2 ** (1 - alerts)));

function partOf(rule: IncidentRule): Incident['risk_parts'][number] {
  const { id, name, level, alerts } = rule;
  const repeats =
    alerts === 1
      ? ''
      : `, with ${alerts - 1} more alert${alerts === 2 ? '' : 's'}, each worth half of the one before`;
  const text = `${name}: ${level} is ${severityOf[level]} points${repeats}`;
  return { rule: id, points: pointsOf(rule), text };
}

/** The worst level; one above when different rules and techniques add up. */
function levelOf(alerts: readonly Alert[]): Pick<Incident, 'level' | 'raised'> {
  const worst = Math.max(...alerts.map(({ rule }) => rankOf(rule.level)));
  const serious = alerts.filter(({ rule }) => rankOf(rule.level) >= rankOf('medium'));
  const rules = new Set(serious.map(({ rule }) => rule.id)).size;
  const techniques = new Set(serious.flatMap(({ threat }) => threat?.technique.id ?? [])).size;
  const level = levels[worst] as Level;
  const above = levels[worst + 1];
  if (above === undefined || rules < RAISING_RULES || techniques < RAISING_TECHNIQUES) return { level };
  const raised = `${rules} rules of medium and above with ${techniques} techniques came together: one level above the worst alert (${level})`;
  return { level: above, raised };
}

/** In order of time; when there are more than the bound, the worst. */
function timelineOf(sorted: readonly Alert[]): IncidentMoment[] {
  const worst = [...sorted]
    .sort((a, b) => rankOf(b.rule.level) - rankOf(a.rule.level) || byTimeAndId(a, b))
    .slice(0, limits.incidentTimelineMax);
  return worst.sort(byTimeAndId).map(({ alert, rule, message }) => ({
    at: alert.first_seen,
    until: alert.last_seen,
    level: rule.level,
    rule: rule.id,
    alert_id: alert.id,
    count: alert.count,
    message,
  }));
}
