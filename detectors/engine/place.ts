// A place where matches are counted: beside the events of their users, or at a partition of `vault.audit.groups`. Matches in any
// order in, alerts out. Pure: time is the watermark, memory goes out and comes in as a value.

import type { Alert } from '../../core/alert.ts';
import { limits } from '../../core/limits.ts';
import { type AlertState, alertBody } from './alert.ts';
import { CountBudget } from './count/budget.ts';
import { type CounterSnapshot, RootCounter } from './count/counter.ts';
import { byTimeAndId, type Match, matchKey } from './match.ts';
import type { RuleInfo } from './rule.ts';
import type { Root } from './rule-set.ts';
import type { RunningRules } from './running.ts';
import { SeenMatches } from './seen.ts';
import { UnorderedAlerts, type UnorderedSnapshot } from './unordered.ts';
import { Waiting } from './waiting.ts';

/**
 * When a match came: in time; at or behind the watermark of the way that it came on; or as the whole of a slow call, whose half
 * was counted. Only rules on single events run on the last two (decision 0002).
 */
export type When = 'due' | 'late' | 'slow';

/** An alert that is new or changed; `revision` is its count. */
export interface AlertRow {
  body: Alert;
  revision: number;
}

/** A JSON value. What waits is not in it: it is read again. */
export interface PlaceSnapshot {
  counters: [root: string, CounterSnapshot][];
  /** What was dropped, of matches and remembered calls. */
  evicted: number;
  late: UnorderedSnapshot;
  seen: [string, string][];
  watermark: string;
}

export class Place {
  watermark: string;
  readonly #changed = new Map<string, AlertState>();
  readonly #cluster: string;
  readonly #counters = new Map<string, RootCounter>();
  /** Before this place began again. */
  readonly #evicted: number;
  readonly #late: UnorderedAlerts;
  readonly #rules: RunningRules;
  readonly #seen: SeenMatches;
  readonly #waiting = new Waiting<Match>(keyOf, limits.waitingMatchesMax, byTimeAndId);
  /** Matches of slow wholes that came before their halves. */
  readonly #slow = new Waiting<Match>(keyOf, limits.waitingMatchesMax, byTimeAndId);

  /** @param before of a place of the same partition; what is counted otherwise now is left out */
  constructor(cluster: string, rules: RunningRules, before?: PlaceSnapshot) {
    this.#cluster = cluster;
    this.#rules = rules;
    this.#evicted = before?.evicted ?? 0;
    this.watermark = before?.watermark ?? '';
    this.#late = new UnorderedAlerts(true, before?.late);
    this.#seen = new SeenMatches(before?.seen);
    const states = new Map(before?.counters);
    const options = {
      budget: new CountBudget(),
      threshold: (rule: string, className: string) => rules.lists.threshold(rule, className),
    };
    for (const root of rules.set.roots)
      this.#counters.set(root.top.id, new RootCounter(root, options, states.get(root.top.id)));
  }

  /** Takes a match that came from `offset`. */
  put(match: Match, when: When, offset: number): void {
    const counter = this.#counters.get(match.rule);
    const key = keyOf(match);
    if (counter === undefined || (when !== 'due' && !isSingle(counter.root)) || this.#seen.has(key)) return;
    // The half may still be on another way: what it matched is counted first, once all ways have come this far.
    if (when === 'slow' && match.time > this.watermark) this.#slow.put(match, offset);
    else if (when === 'due') this.#waiting.put(match, offset);
    else if (!this.#waiting.has(key)) this.#alertLate(match);
  }

  /** Takes a match again that waited before a restart; what was counted by then is left out. */
  restore(match: Match, when: When, offset: number): void {
    if (match.time > this.watermark && when !== 'late') this.put(match, when, offset);
  }

  /** Event time has come to `watermark`: what lies at or before it is counted, in order of (time, id). */
  advance(watermark: string): void {
    if (watermark <= this.watermark) return;
    this.watermark = watermark;
    for (const match of this.#waiting.takeUntil(watermark)) this.#count(match);
    for (const match of this.#slow.takeUntil(watermark)) this.#alertLate(match);
    for (const counter of this.#counters.values())
      this.#rules.guard(counter.root, { time: watermark }, () => this.#change(counter.expire(watermark)));
    this.#seen.expire(watermark);
    this.#late.expire(watermark);
  }

  #count(match: Match): void {
    const counter = this.#counters.get(match.rule);
    if (counter === undefined || this.#rules.isOff(match.rule)) return;
    // What never alerts on a late call need not be remembered for one.
    if (isSingle(counter.root)) this.#seen.add(keyOf(match), match.time);
    this.#rules.guard(counter.root, match, () => this.#change(counter.count(match)));
  }

  #alertLate(match: Match): void {
    const key = keyOf(match);
    if (this.#seen.has(key)) return;
    this.#seen.add(key, match.time > this.watermark ? match.time : this.watermark);
    this.#change([this.#late.add(match, this.watermark)]);
  }

  #change(alerts: AlertState[]): void {
    for (const alert of alerts) this.#changed.set(alert.id, alert);
  }

  /** Alerts since the last take, in order of (time, id). */
  take(): AlertRow[] {
    const taken: AlertRow[] = [];
    for (const alert of this.#changed.values()) {
      const { root } = this.#counters.get(alert.first.rule) as RootCounter;
      taken.push({ body: alertBody(root.top, alert, this.#cluster), revision: alert.count });
    }
    this.#changed.clear();
    return taken.sort((a, b) => (orderOf(a.body) < orderOf(b.body) ? -1 : 1));
  }

  /** What was dropped because a bound of core/limits.ts was reached: groups of each rule; matches and remembered calls of all. */
  *evicted(): Generator<[of: Pick<RuleInfo, 'id' | 'title'>, count: number]> {
    yield [{ id: 'rules', title: 'all rules' }, this.#dropped];
    for (const { root, evicted } of this.#counters.values()) yield [root.top, evicted];
  }

  get #dropped(): number {
    const remembered = this.#seen.evicted + this.#late.evicted;
    return this.#evicted + remembered + this.#waiting.evicted + this.#slow.evicted;
  }

  /** Offset from which on all that waits is read again; infinite when nothing waits. */
  get lowest(): number {
    return Math.min(this.#waiting.lowest, this.#slow.lowest);
  }

  /** After a take: what it stands for is out. To be written before the place goes on. */
  snapshot(): PlaceSnapshot {
    return {
      counters: [...this.#counters]
        .filter(([, { size, evicted }]) => size > 0 || evicted > 0)
        .map(([root, counter]) => [root, counter.snapshot()]),
      evicted: this.#dropped,
      late: this.#late.snapshot(),
      seen: this.#seen.snapshot(),
      watermark: this.watermark,
    };
  }
}

/** A rule counts a call once in each group: a half can belong to another one than its whole. */
const keyOf = ({ rule, leaf = '', id, group }: Match): string => `${matchKey(rule, id)} ${leaf} ${group}`;

export const isSingle = ({ top }: Root): boolean => top.kind === 'event';

const orderOf = (body: Alert): string => body['@timestamp'] + body.alert.id;
