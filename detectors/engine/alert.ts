// The alert: what is counted while it is open, and the document it becomes.

import { createHash } from 'node:crypto';
import { type Alert, severityOf } from '../../core/alert.ts';
import { ECS_VERSION } from '../../core/event.ts';
import { incidentId } from '../../core/incident.ts';
import { limits } from '../../core/limits.ts';
import { msOf, timeOfMs } from '../../core/time.ts';
import type { Match } from './match.ts';
import type { CompiledRule } from './rule.ts';

/** An alert as it grows. A JSON value. */
export interface AlertState {
  /** Distinct addresses, to `alertEventIdsMax`. */
  addresses: string[];
  count: number;
  eventIds: string[];
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
  const { ip, user } = match.facts;
  alert.count++;
  alert.lastSeen = match.time;
  if (alert.eventIds.length < limits.alertEventIdsMax) alert.eventIds.push(match.id);
  if (ip !== undefined && alert.addresses.length < limits.alertEventIdsMax && !alert.addresses.includes(ip)) {
    alert.addresses.push(ip);
  }
  if (alert.users.length < limits.alertEventIdsMax && !alert.users.some(([id]) => id === user.id)) {
    alert.users.push([user.id, user.name ?? user.id]);
  }
  return alert;
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
export function alertBody(rule: CompiledRule, alert: AlertState, cluster: string): Alert {
  const { first } = alert;
  const { event, ip, message, user, vault } = first.facts;
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
    message: alert.count > 1 ? `${message} (${alert.count} times)` : message,
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

function factsOf(rule: CompiledRule, alert: AlertState): Alert['evidence']['facts'] {
  return {
    count: alert.count,
    ...(alert.addresses.length === 0 ? {} : { distinct_addresses: alert.addresses.length }),
    distinct_users: alert.users.length,
    threshold: rule.threshold,
    ...(rule.threshold === 1 ? {} : { timespan_s: rule.timespanSeconds }),
  };
}

function relatedOf(alert: AlertState): Alert['related'] {
  const ip = alert.addresses.slice(0, limits.alertIdentitiesMax);
  const user = [...new Set(alert.users.slice(0, limits.alertIdentitiesMax).map(([, label]) => label))];
  return { ...(ip.length === 0 ? {} : { ip }), user };
}

function ruleOf(rule: CompiledRule): Alert['rule'] {
  const [reference] = rule.references;
  return {
    id: rule.id,
    level: rule.level,
    name: rule.title,
    ...(reference === undefined ? {} : { reference }),
    version: rule.version,
  };
}
