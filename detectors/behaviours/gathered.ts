// Findings gathered to alerts: those of one behaviour and group within a quarter of an hour are one.

import type { Alert } from '../../core/alert.ts';
import { limits } from '../../core/limits.ts';
import { addSeconds } from '../../core/time.ts';
import { type AlertState, alertBody, joinAlert, openAlert } from '../engine/alert.ts';
import { Aged } from '../engine/count/aged.ts';
import type { RuleInfo } from '../engine/rule.ts';
import type { Finding } from './behaviour.ts';

interface Open {
  alert: AlertState;
  /** Numbers of the first finding, as its message tells them. */
  facts: Finding['facts'];
  until: string;
}

/** A JSON value. */
export interface GatheredState {
  open: [key: string, Open][];
  changed: Open[];
}

export class Gathered {
  /** In the order of opening. That of ending may be another one: an alert ends by the time of the call that proves it. */
  private readonly open: Aged<Open>;
  /** By id of the alert. */
  private readonly changed: Map<string, Open>;
  private readonly cluster: string;
  evicted = 0;

  constructor(cluster: string, state?: GatheredState) {
    this.cluster = cluster;
    this.open = new Aged(state?.open);
    const held = new Map([...this.open].map(([, open]) => [open.alert.id, open]));
    this.changed = new Map(state?.changed.map((open) => [open.alert.id, held.get(open.alert.id) ?? open]));
  }

  /** `now`: event time at which it is found, which may be later than the call that proves it. */
  add(info: RuleInfo, { group, match, facts }: Finding, now: string): void {
    const key = JSON.stringify([info.id, group]);
    const whole = { ...match, group, rule: info.id };
    let open = this.open.get(key);
    if (open !== undefined && now <= open.until) joinAlert(open.alert, whole);
    else {
      this.open.delete(key);
      if (this.open.size >= limits.ruleGroupsMax && this.open.deleteOldest()) this.evicted++;
      // A token's time of issue may lie in the future: a line says it.
      const since = match.time < now ? match.time : now;
      open = { alert: openAlert([whole]), facts, until: addSeconds(since, limits.alertGroupSeconds) };
      this.open.set(key, open);
    }
    this.changed.set(open.alert.id, open);
  }

  /** Alerts that are new or changed since the last take, in order of (time, id); `revision` is the alert's count. */
  take(infos: ReadonlyMap<string, RuleInfo>): { body: Alert; revision: number }[] {
    const taken: { body: Alert; revision: number }[] = [];
    for (const { alert, facts } of this.changed.values()) {
      const info = infos.get(alert.first.rule);
      // A behaviour that is gone tells nothing more.
      if (info !== undefined) taken.push({ body: this.body(info, alert, facts), revision: alert.count });
    }
    this.changed.clear();
    return taken.sort((a, b) => (orderOf(a.body) < orderOf(b.body) ? -1 : 1));
  }

  private body(info: RuleInfo, alert: AlertState, facts: Finding['facts']): Alert {
    const body = alertBody(info, alert, this.cluster);
    const { count, distinct_addresses, distinct_users } = body.evidence.facts;
    const all = { ...facts, count, distinct_addresses, distinct_users };
    const sorted = Object.entries(all).filter(([, value]) => value !== undefined);
    sorted.sort(([a], [b]) => (a < b ? -1 : 1));
    body.evidence.facts = Object.fromEntries(sorted) as Finding['facts'];
    return body;
  }

  /** Forgets alerts that nothing after `time` joins. */
  expire(time: string): void {
    for (const [key, { until }] of this.open) if (until < time) this.open.delete(key);
  }

  snapshot(): GatheredState {
    return structuredClone({ open: [...this.open], changed: [...this.changed.values()] });
  }
}

const orderOf = (body: Alert): string => body['@timestamp'] + body.alert.id;
