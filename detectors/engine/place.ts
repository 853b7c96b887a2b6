// A place where matches are counted: beside the events of their users, or at a partition of `vault.audit.groups`. Matches in any
// order in, alerts out. Pure: time is the watermark, memory goes out and comes in as a value.

import type { Alert } from '../../core/alert.ts';
import { limits } from '../../core/limits.ts';
import { type AlertState, alertBody } from './alert.ts';
import { type Match, matchKey } from './match.ts';
import type { CompiledRule } from './rule.ts';
import { SeenMatches } from './seen.ts';
import { UnorderedAlerts, type UnorderedSnapshot } from './unordered.ts';
import { Waiting } from './waiting.ts';
import { RuleWindows, type WindowsSnapshot } from './windows.ts';

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
  evicted: number;
  late: UnorderedSnapshot;
  seen: [string, string][];
  watermark: string;
  windows: [rule: string, WindowsSnapshot][];
}

export class Place {
  watermark: string;
  readonly #changed = new Map<string, AlertState>();
  readonly #cluster: string;
  /** Before this place began again. */
  readonly #evicted: number;
  readonly #late: UnorderedAlerts;
  readonly #rules: Map<string, CompiledRule>;
  readonly #seen: SeenMatches;
  readonly #waiting = new Waiting<Match>(keyOf, limits.waitingMatchesMax);
  /** Matches of slow wholes that came before their halves. */
  readonly #slow = new Waiting<Match>(keyOf, limits.waitingMatchesMax);
  readonly #windows = new Map<string, RuleWindows>();

  constructor(cluster: string, rules: readonly CompiledRule[], before?: PlaceSnapshot) {
    this.#cluster = cluster;
    this.#rules = new Map(rules.map((rule) => [rule.id, rule]));
    this.#evicted = before?.evicted ?? 0;
    this.watermark = before?.watermark ?? '';
    this.#late = new UnorderedAlerts(true, before?.late);
    this.#seen = new SeenMatches(before?.seen);
    const windows = new Map(before?.windows);
    for (const rule of rules) this.#windows.set(rule.id, new RuleWindows(rule, windows.get(rule.id)));
  }

  /** Takes a match that came from `offset`. */
  put(match: Match, when: When, offset: number): void {
    const rule = this.#rules.get(match.rule);
    const key = keyOf(match);
    if (rule === undefined || (when !== 'due' && !isSingle(rule)) || this.#seen.has(key)) return;
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
    for (const windows of this.#windows.values()) windows.expire(watermark);
    this.#seen.expire(watermark);
    this.#late.expire(watermark);
  }

  #count(match: Match): void {
    const rule = this.#rules.get(match.rule);
    // What never alerts on a late call need not be remembered for one.
    if (rule !== undefined && isSingle(rule)) this.#seen.add(keyOf(match), match.time);
    const alert = this.#windows.get(match.rule)?.count(match);
    if (alert !== undefined) this.#changed.set(alert.id, alert);
  }

  #alertLate(match: Match): void {
    const key = keyOf(match);
    if (this.#seen.has(key)) return;
    this.#seen.add(key, match.time > this.watermark ? match.time : this.watermark);
    const alert = this.#late.add(match, this.watermark);
    this.#changed.set(alert.id, alert);
  }

  /** Alerts since the last take, in order of (time, id). */
  take(): AlertRow[] {
    const taken: AlertRow[] = [];
    for (const alert of this.#changed.values()) {
      const rule = this.#rules.get(alert.first.rule) as CompiledRule;
      taken.push({ body: alertBody(rule, alert, this.#cluster), revision: alert.count });
    }
    this.#changed.clear();
    return taken.sort((a, b) => (orderOf(a.body) < orderOf(b.body) ? -1 : 1));
  }

  /** Groups, matches and remembered calls that were dropped because a bound of core/limits.ts was reached. */
  get evicted(): number {
    let evicted = this.#evicted + this.#seen.evicted + this.#late.evicted;
    for (const windows of this.#windows.values()) evicted += windows.evicted;
    return evicted + this.#waiting.evicted + this.#slow.evicted;
  }

  /** Offset from which on all that waits is read again; infinite when nothing waits. */
  get lowest(): number {
    return Math.min(this.#waiting.lowest, this.#slow.lowest);
  }

  /** After a take: what it stands for is out. To be written before the place goes on. */
  snapshot(): PlaceSnapshot {
    return {
      evicted: this.evicted,
      late: this.#late.snapshot(),
      seen: this.#seen.snapshot(),
      watermark: this.watermark,
      windows: [...this.#windows].map(([rule, windows]) => [rule, windows.snapshot()]),
    };
  }
}

/** A rule counts a call once in each group: a half can belong to another one than its whole. */
const keyOf = (match: Match): string => `${matchKey(match.rule, match.id)} ${match.group}`;

const isSingle = ({ threshold }: CompiledRule): boolean => threshold === 1;

const orderOf = (body: Alert): string => body['@timestamp'] + body.alert.id;
