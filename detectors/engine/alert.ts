// The alert: what is counted while it is open, and the document it becomes.

import { createHash } from 'node:crypto';
import { type Alert, severityOf } from '../../core/alert.ts';
import { ECS_VERSION } from '../../core/event.ts';
import { incidentId } from '../../core/incident.ts';
import { limits } from '../../core/limits.ts';
import { msOf, timeOfMs } from '../../core/time.ts';
import { fillNumbers, type Match } from './match.ts';
import type { RuleInfo } from './rule.ts';

/** An alert as it grows. A JSON value. */
export interface AlertState {
  /** Distinct addresses, to `alertEventIdsMax`. */
  addresses: string[];
  count: number;
  eventIds: string[];
  /** Numbers of the window that it came from, beside the counts that every alert has. */
  facts?: Record<string, string | number>;
  first: Match;
  /** Hash of rule, group and the window's first event, so that the same alert has the same id whatever else was seen. */
  id: string;
  lastSeen: string;
  late: boolean;
  /** Distinct users, to `alertEventIdsMax`: id to the name that people know, or the id again. */
  users: [id: string, label: string][];
}

/** An alert with `matches`, of which there is at least one, in order of time. */
export function openAlert(matches: Match[], late = false): AlertState {
  const [first, ...rest] = matches;
  if (first === undefined) throw new Error('an alert needs a match');
  const alert: AlertState = {
    addresses: [],
    count: 0,
    eventIds: [],
    first,
    id: shortHash(first.rule, first.group, first.id),
    lastSeen: first.time,
    late,
    users: [],
  };
  joinAlert(alert, first);
  for (const match of rest) joinAlert(alert, match);
  return alert;
}

/** Adds `match`, which is not before the last one, and returns the alert. */
export function joinAlert(alert: AlertState, match: Match): AlertState {
  alert.count++;
  alert.lastSeen = match.time;
  nameEvent(alert, match.id);
  const { ip, user } = match.facts;
  if (ip !== undefined) nameAddress(alert, ip);
  nameUser(alert, user.id, user.name ?? user.id);
  return alert;
}

/** Adds an event to those that prove the alert, to `alertEventIdsMax`; so the others. */
export function nameEvent({ eventIds }: AlertState, id: string): void {
  if (eventIds.length < limits.alertEventIdsMax && !eventIds.includes(id)) eventIds.push(id);
}

export function nameAddress({ addresses }: AlertState, ip: string): void {
  if (addresses.length < limits.alertEventIdsMax && !addresses.includes(ip)) addresses.push(ip);
}

export function nameUser({ users }: AlertState, id: string, label: string): void {
  if (users.length < limits.alertEventIdsMax && !users.some(([one]) => one === id)) users.push([id, label]);
}

/** 128 bits in hex of the parts. */
export function shortHash(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/** Matches and losses within one such stretch of event time, of one rule and group, are one alert. */
export function bucketOf(time: string): string {
  const widthMs = limits.alertGroupSeconds * 1000;
  return timeOfMs(Math.floor(msOf(time) / widthMs) * widthMs);
}

/** The document, its keys in order so that JSON.stringify of it is canonical. */
export function alertBody(rule: RuleInfo, alert: AlertState, cluster: string): Alert {
  const { first } = alert;
  const { event, ip, user, vault } = first.facts;
  return {
    '@timestamp': alert.lastSeen,
    alert: {
      count: alert.count,
      first_seen: first.time,
      id: alert.id,
      last_seen: alert.lastSeen,
      late: alert.late,
    },
    ecs: { version: ECS_VERSION },
    event: {
      action: event.action,
      category: event.category,
      dataset: 'vault.alert',
      kind: 'alert',
      outcome: event.outcome,
      severity: severityOf[rule.level],
      type: event.type,
    },
    evidence: { event_ids: alert.eventIds.slice(), facts: factsOf(rule, alert) },
    incident: { id: incidentId(user.id, first.time) },
    message: messageOf(rule, alert),
    related: relatedOf(alert),
    rule: ruleOf(rule),
    ...(ip === undefined ? {} : { source: { ip } }),
    threat: { technique: { id: rule.techniques } },
    user,
    vault: {
      caller: vault.caller,
      cluster,
      request: vault.request,
      ...(vault.secret === undefined ? {} : { secret: vault.secret }),
    },
  };
}

/** The sentence with its numbers; how often stands behind it unless the rule's own words say so. */
function messageOf(rule: RuleInfo, { count, facts, first }: AlertState): string {
  const { message } = first.facts;
  const { distinct, value = distinct ?? count } = facts ?? {};
  const told = fillNumbers(message, { count, distinct, timespan: spanText(rule.timespanSeconds), value });
  return count > 1 && told === message ? `${message} (${count} times)` : told;
}

/** `90` is `90 seconds`, `3600` is `1 hour`. */
function spanText(seconds: number): string {
  const units = [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
  ] as const;
  const [size, unit] = units.find(([size]) => seconds >= size && seconds % size === 0) ?? [1, 'second'];
  const count = seconds / size;
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

function factsOf(rule: RuleInfo, alert: AlertState): Alert['evidence']['facts'] {
  const facts: Alert['evidence']['facts'] = {
    count: alert.count,
    ...(alert.addresses.length === 0 ? {} : { distinct_addresses: alert.addresses.length }),
    distinct_users: alert.users.length,
    threshold: rule.threshold,
    ...(rule.threshold === 1 ? {} : { timespan_s: rule.timespanSeconds }),
    ...alert.facts,
  };
  return Object.fromEntries(Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function relatedOf(alert: AlertState): Alert['related'] {
  const ip = alert.addresses.slice(0, limits.alertIdentitiesMax);
  const user = [...new Set(alert.users.slice(0, limits.alertIdentitiesMax).map(([, label]) => label))];
  return { ...(ip.length === 0 ? {} : { ip }), user };
}

function ruleOf(rule: RuleInfo): Alert['rule'] {
  const [reference] = rule.references;
  return {
    id: rule.id,
    level: rule.level,
    name: rule.title,
    ...(reference === undefined ? {} : { reference }),
    version: rule.version,
  };
}
