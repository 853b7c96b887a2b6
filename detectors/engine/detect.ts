// The engine: events in any order in, alerts out. Pure: time is the watermark, memory goes out and comes in as a value.

import type { Alert } from '../../core/alert.ts';
import type { AuditEvent } from '../../core/event.ts';
import { type AlertState, alertBody } from './alert.ts';
import { type Match, matchKey, matchOf } from './match.ts';
import type { CompiledRule, CompiledRules } from './rule.ts';
import { SeenMatches } from './seen.ts';
import { UnorderedAlerts, type UnorderedSnapshot } from './unordered.ts';
import { WaitingMatches } from './waiting.ts';
import { RuleWindows, type WindowsSnapshot } from './windows.ts';

export interface DetectorCounters {
  /** Events given to the rules. */
  evaluated: number;
  /** Groups and remembered matches dropped because a bound of core/limits.ts was reached. */
  evicted: number;
  /** Events that came at or behind the watermark. */
  late: number;
  /** Matches of a rule and an event. */
  matched: number;
}

export interface Detector {
  /** Event time has come to `watermark` (9 digits): what lies at or before it is counted, in order of (time, id). */
  advance(watermark: string): void;
  readonly counters: DetectorCounters;
  /**
   * An event as it arrives, in any order, revision 1 or 2; a half before its whole. It is late at or behind `mark`: how far
   * the way that it came on had come. The watermark, if none is given, is no measure where ways are read again after a
   * crash: then they lie beside each other otherwise than before.
   */
  event(event: AuditEvent, mark?: string): void;
  /** A JSON value that `createDetector` goes on from. */
  snapshot(): unknown;
  /** Alerts that are new or changed since the last take, in order of (time, id); `revision` is the alert's count. */
  take(): { body: Alert; revision: number }[];
}

export interface DetectorOptions {
  /** `vault.cluster` of the alerts. */
  cluster: string;
  rules: CompiledRules;
  /** A whole that took longer comes after its half: only rules on single events run on it, and it is late. */
  slowCallNanos: number;
  /** Of a detector with the same rules; state of rules that are gone is left out. */
  snapshot?: unknown;
}

/** A detector at the beginning of time, or where `snapshot` was taken. */
export function createDetector(options: DetectorOptions): Detector {
  return new RulesDetector(options);
}

interface DetectorSnapshot {
  changed: AlertState[];
  counters: DetectorCounters;
  format: 1;
  late: UnorderedSnapshot;
  seen: [string, string][];
  slow: Match[];
  waiting: Match[];
  watermark: string;
  windows: [string, WindowsSnapshot][];
}

class RulesDetector implements Detector {
  /** Alerts to be taken, by id. */
  readonly #changed = new Map<string, AlertState>();
  readonly #cluster: string;
  readonly #counters: DetectorCounters;
  readonly #rules: Map<string, CompiledRule>;
  readonly #alerting: CompiledRule[];
  readonly #late: UnorderedAlerts;
  readonly #seen: SeenMatches;
  readonly #slowCallNanos: number;
  readonly #waiting: WaitingMatches;
  /** Matches of slow wholes that came before their halves. */
  readonly #slow: WaitingMatches;
  #watermark: string;
  readonly #windows = new Map<string, RuleWindows>();

  constructor({ cluster, rules, slowCallNanos, snapshot }: DetectorOptions) {
    const before = readSnapshot(snapshot);
    this.#cluster = cluster;
    this.#slowCallNanos = slowCallNanos;
    this.#alerting = rules.alerting;
    this.#rules = new Map(rules.alerting.map((rule) => [rule.id, rule]));
    this.#counters = { ...(before?.counters ?? { evaluated: 0, evicted: 0, late: 0, matched: 0 }) };
    this.#watermark = before?.watermark ?? '';
    this.#late = new UnorderedAlerts(true, before?.late);
    this.#seen = new SeenMatches(before?.seen);
    const known = (matches: Match[] = []) => matches.filter((match) => this.#rules.has(match.rule));
    this.#waiting = new WaitingMatches(known(before?.waiting));
    this.#slow = new WaitingMatches(known(before?.slow));
    for (const alert of before?.changed ?? []) if (this.#rules.has(alert.first.rule)) this.#change(alert);
    const windows = new Map(before?.windows);
    for (const rule of rules.alerting)
      this.#windows.set(rule.id, new RuleWindows(rule, windows.get(rule.id)));
  }

  get counters(): DetectorCounters {
    let evicted = this.#counters.evicted + this.#seen.evicted + this.#late.evicted;
    for (const windows of this.#windows.values()) evicted += windows.evicted;
    return { ...this.#counters, evicted };
  }

  event(event: AuditEvent, mark = this.#watermark): void {
    const behind = event['@timestamp'] <= mark;
    // A slow whole is late wherever the watermark stands, so that the outcome does not hang on when it comes.
    const slow = event.vault.revision === 2 && (event.event.duration ?? 0) > this.#slowCallNanos;
    this.#counters.evaluated++;
    if (behind && !slow) this.#counters.late++;
    for (const rule of this.#alerting)
      if (rule.test(event)) this.#match(rule, event, slow ? 'slow' : behind ? 'late' : 'due');
  }

  #match(rule: CompiledRule, event: AuditEvent, when: 'due' | 'late' | 'slow'): void {
    this.#counters.matched++;
    const group = rule.group(event);
    const key = matchKey(rule.id, event.event.id);
    if (group === undefined || this.#seen.has(key)) return;
    if (when !== 'due' && rule.threshold > 1) return;
    const match = matchOf(rule, event, group);
    // The half may still be on another way: what it matched is counted first, once all ways have come this far.
    if (when === 'slow' && match.time > this.#watermark) this.#put(this.#slow, match);
    else if (when === 'due') this.#put(this.#waiting, match);
    else if (!this.#waiting.has(key)) this.#alertLate(match);
  }

  #put(waiting: WaitingMatches, match: Match): void {
    if (!waiting.put(match)) this.#counters.evicted++;
  }

  #alertLate(match: Match): void {
    const key = matchKey(match.rule, match.id);
    if (this.#seen.has(key)) return;
    this.#seen.add(key, later(match.time, this.#watermark));
    this.#change(this.#late.add(match, this.#watermark));
  }

  advance(watermark: string): void {
    if (watermark <= this.#watermark) return;
    this.#watermark = watermark;
    for (const match of this.#waiting.takeUntil(watermark)) {
      this.#seen.add(matchKey(match.rule, match.id), match.time);
      const alert = this.#windows.get(match.rule)?.count(match);
      if (alert !== undefined) this.#change(alert);
    }
    for (const match of this.#slow.takeUntil(watermark)) this.#alertLate(match);
    for (const windows of this.#windows.values()) windows.expire(watermark);
    this.#seen.expire(watermark);
    this.#late.expire(watermark);
  }

  #change(alert: AlertState): void {
    this.#changed.set(alert.id, alert);
  }

  take(): { body: Alert; revision: number }[] {
    const taken: { body: Alert; revision: number }[] = [];
    for (const alert of this.#changed.values()) {
      const rule = this.#rules.get(alert.first.rule) as CompiledRule;
      taken.push({ body: alertBody(rule, alert, this.#cluster), revision: alert.count });
    }
    this.#changed.clear();
    return taken.sort((a, b) => (orderOf(a.body) < orderOf(b.body) ? -1 : 1));
  }

  snapshot(): unknown {
    const snapshot: DetectorSnapshot = {
      changed: [...this.#changed.values()],
      counters: this.counters,
      format: 1,
      late: this.#late.snapshot(),
      seen: this.#seen.snapshot(),
      slow: this.#slow.snapshot(),
      waiting: this.#waiting.snapshot(),
      watermark: this.#watermark,
      windows: [...this.#windows].map(([rule, windows]) => [rule, windows.snapshot()]),
    };
    // A copy: what is handed out must not change when the detector goes on.
    return structuredClone(snapshot);
  }
}

function later(a: string, b: string): string {
  if (a > b) return a;
  return b;
}

const orderOf = (body: Alert): string => body['@timestamp'] + body.alert.id;

function readSnapshot(snapshot: unknown): DetectorSnapshot | undefined {
  if (snapshot === undefined) return undefined;
  const { format } = snapshot as Partial<DetectorSnapshot>;
  if (format !== 1)
    throw new Error(`a detector snapshot of format ${String(format)}; this version reads format 1`);
  return structuredClone(snapshot) as DetectorSnapshot;
}
