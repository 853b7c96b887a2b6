// Alerts of one correlation that still take in what follows in their group.

import { limits } from '../../../core/limits.ts';
import { addSeconds } from '../../../core/time.ts';
import { type AlertState, joinAlert, nameAddress, nameEvent, nameUser, shortHash } from '../alert.ts';
import { Aged } from './aged.ts';
import { DistinctSince } from './distinct.ts';
import type { Inner, Unit, WindowFacts } from './unit.ts';

interface Open {
  alert: AlertState;
  /** Of value_count: what has come since it opened. */
  distinct?: DistinctSince;
  /** `event.id` of the last that joined: a call that matches several rules counts once. */
  last: string;
  until: string;
}

type Saved = Omit<Open, 'distinct'> & { distinct?: { exact: string[]; log?: string } };
export type OpenSnapshot = [group: string, open: Saved][];

export class OpenAlerts {
  readonly #joinSeconds: number;
  /** In the order of opening, so that what ends first stands (nearly) first. */
  readonly #open = new Aged<Open>();
  readonly #rule: string;
  /** Memory of the distinct values, in matches' worth. */
  #distinct = 0;

  constructor(rule: { id: string; timespanSeconds: number }, state: OpenSnapshot = []) {
    this.#rule = rule.id;
    // A window longer than the usual grouping would otherwise open a second alert on the events right after its first.
    this.#joinSeconds = Math.max(limits.alertGroupSeconds, rule.timespanSeconds);
    for (const [group, { distinct, ...open }] of state)
      this.#put(group, { ...open, ...(distinct && { distinct: new DistinctSince(distinct) }) });
  }

  /** The alert of `group` that takes in what comes at `time`. */
  at(group: string, time: string): Open | undefined {
    const open = this.#open.get(group);
    if (open === undefined || time <= open.until) return open;
    this.#delete(group);
    return undefined;
  }

  /**
   * Opens an alert with `units`, of which there is at least one.
   * @param window how many more it counts, what it says of them, and the values that it has counted
   */
  open(
    group: string,
    units: readonly Unit[],
    window: { unlisted: number; facts?: WindowFacts; values?: string[] },
  ): AlertState {
    const [begin] = units as [Unit];
    const first = begin.match;
    const alert: AlertState = {
      addresses: [],
      count: window.unlisted,
      eventIds: [],
      first,
      id: this.#idOf(group, begin),
      lastSeen: first.time,
      late: false,
      users: [],
      ...(window.facts && { facts: window.facts }),
    };
    const open: Open = { alert, last: '', until: addSeconds(begin.time, this.#joinSeconds) };
    if (window.values !== undefined) open.distinct = new DistinctSince({ exact: window.values });
    this.joinAll(open, units);
    this.#put(group, open);
    return alert;
  }

  /** An inner alert may go on after an outer one that it began has ended, and then begin another: so its last event names it. */
  #idOf(group: string, { event, inner, match, rule }: Unit): string {
    if (inner === undefined) return shortHash(this.#rule, group, match.id);
    return shortHash(this.#rule, group, event, rule);
  }

  #put(group: string, open: Open): void {
    this.#open.set(group, open);
    this.#distinct += open.distinct?.size ?? 0;
  }

  #delete(group: string): void {
    this.#distinct -= this.#open.get(group)?.distinct?.size ?? 0;
    this.#open.delete(group);
  }

  /** Each unit is named by some of its events, so that all rules that were needed are among them. */
  joinAll(open: Open, units: readonly Unit[]): void {
    const quota = Math.max(1, Math.floor(limits.alertEventIdsMax / units.length));
    for (const unit of units) this.join(open, unit, undefined, quota);
  }

  /** @param value of value_count */
  join(open: Open, unit: Unit, value?: unknown, quota: number = limits.alertEventIdsMax): AlertState {
    const { alert, distinct } = open;
    if (unit.inner === undefined) {
      if (open.last !== unit.event) joinAlert(alert, unit.match);
      open.last = unit.event;
    } else joinInner(alert, unit.inner, quota);
    if (distinct !== undefined && typeof value === 'string') {
      this.#distinct -= distinct.size;
      distinct.add(value);
      this.#distinct += distinct.size;
      alert.facts = { ...alert.facts, ...distinct.facts() };
    }
    return alert;
  }

  expire(time: string): void {
    for (;;) {
      const { oldest } = this.#open;
      if (oldest === undefined || oldest.value.until >= time) return;
      this.#delete(oldest.key);
    }
  }

  /** Forgets the one that was opened first; false when there is none. */
  evict(): boolean {
    const { oldest } = this.#open;
    if (oldest === undefined) return false;
    this.#delete(oldest.key);
    return true;
  }

  get groups(): number {
    return this.#open.size;
  }

  /** In matches' worth of memory. */
  get size(): number {
    return this.#open.size + this.#distinct;
  }

  snapshot(): OpenSnapshot {
    return [...this.#open].map(([group, { distinct, ...open }]) => [
      group,
      { ...open, ...(distinct && { distinct: distinct.snapshot() }) },
    ]);
  }
}

function joinInner(alert: AlertState, inner: Inner, quota: number): void {
  alert.count++;
  if (inner.lastSeen > alert.lastSeen) alert.lastSeen = inner.lastSeen;
  for (const id of inner.eventIds.slice(-quota)) nameEvent(alert, id);
  for (const [id, name] of inner.users) nameUser(alert, id, name);
  for (const ip of inner.addresses) nameAddress(alert, ip);
}

/** What the outer correlation gets of an alert. */
export function innerOf({ addresses, eventIds, lastSeen, users }: AlertState): Inner {
  const max = limits.innerEventIdsMax;
  const ids =
    eventIds.length <= max ? eventIds.slice() : [...eventIds.slice(0, max - 1), eventIds.at(-1) ?? ''];
  return { addresses: addresses.slice(0, max), eventIds: ids, lastSeen, users: users.slice(0, max) };
}
