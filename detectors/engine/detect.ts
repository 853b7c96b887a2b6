// The engine of one partition: of events, whose users' matches it counts and whose others it sends on; or of
// `vault.audit.groups`, where those are counted. Pure: time is the watermark, memory goes out and comes in as a value.

import type { AuditEvent, JsonObject } from '../../core/event.ts';
import type { Lists } from '../../core/lists.ts';
import type { Crossing } from '../../core/records.ts';
import { type Match, matchOf } from './match.ts';
import { type AlertRow, Place, type PlaceSnapshot, type When } from './place.ts';
import type { CompiledRule, CompiledRules } from './rule.ts';

export interface DetectorCounters {
  /** Events given to the rules. */
  evaluated: number;
  /** Groups and remembered matches dropped because a bound of core/limits.ts was reached. */
  evicted: number;
  /** Events that came at or behind the watermark. */
  late: number;
  /** Matches of a rule and an event. */
  matched: number;
  /** Matches that the lists silenced, by entry: `allow backup-job`. */
  silenced: Record<string, number>;
}

export interface DetectorOptions {
  /** `vault.cluster` of the alerts. */
  cluster: string;
  rules: CompiledRules;
  lists: Lists;
  /** A whole that took longer comes after its half: only rules on single events run on it, and it is late. */
  slowCallNanos: number;
  /** Takes what is not counted here. */
  cross: (crossing: Crossing) => void;
  /** Of a detector of the same partition; state of rules that are gone is left out. */
  snapshot?: DetectorSnapshot | undefined;
}

/** A JSON value. */
export interface DetectorSnapshot {
  counters: Omit<DetectorCounters, 'evicted'>;
  place: PlaceSnapshot;
}

/** A match on its way to where its group is counted. */
type CrossingMatch = Match & { when: When };

export class Detector {
  readonly #counters: Omit<DetectorCounters, 'evicted'>;
  readonly #options: DetectorOptions;
  readonly #place: Place;

  constructor(options: DetectorOptions) {
    const { cluster, rules, snapshot } = options;
    this.#options = options;
    this.#counters = snapshot?.counters ?? { evaluated: 0, late: 0, matched: 0, silenced: {} };
    this.#place = new Place(cluster, rules.alerting, snapshot?.place);
  }

  get counters(): DetectorCounters {
    return { ...this.#counters, evicted: this.#place.evicted };
  }

  /** Where event time is; empty before it is known. */
  get watermark(): string {
    return this.#place.watermark;
  }

  /**
   * An event as it arrives, in any order, of any revision. It is late at or behind `mark`: how far the way that it came on had
   * come. The watermark is no measure: ways are read again after a crash, and lie beside each other otherwise than before.
   */
  event(event: AuditEvent, mark: string, offset: number): void {
    const when = this.#whenOf(event, mark);
    this.#counters.evaluated++;
    if (when === 'late') this.#counters.late++;
    this.#run(event, (rule) => this.#match(rule, event, when, offset));
  }

  /** An event again that came before a restart, with the mark of then: what waited waits again, and nothing else happens. */
  restoreEvent(event: AuditEvent, mark: string, offset: number): void {
    const when = this.#whenOf(event, mark);
    if (when === 'late' || event['@timestamp'] <= this.watermark) return;
    this.#run(event, (rule) => {
      const group = rule.group(event);
      if (group !== undefined && isLocal(rule) && !this.#isSilenced(rule, event))
        this.#place.restore(matchOf(rule, event, group), when, offset);
    });
  }

  /** What the detector of a partition of events has sent. */
  crossing({ event }: Crossing, offset: number): void {
    const { when, ...match } = event as unknown as CrossingMatch;
    this.#place.put(match, when, offset);
  }

  /** As `restoreEvent`. */
  restoreCrossing({ event }: Crossing, offset: number): void {
    const { when, ...match } = event as unknown as CrossingMatch;
    this.#place.restore(match, when, offset);
  }

  /** A slow whole is late wherever the watermark stands, so that the outcome does not hang on when it comes. */
  #whenOf(event: AuditEvent, mark: string): When {
    if (event.vault.revision === 2 && (event.event.duration ?? 0) > this.#options.slowCallNanos)
      return 'slow';
    return event['@timestamp'] <= mark ? 'late' : 'due';
  }

  #run(event: AuditEvent, matched: (rule: CompiledRule) => void): void {
    for (const rule of this.#options.rules.alerting) if (rule.test(event)) matched(rule);
  }

  #match(rule: CompiledRule, event: AuditEvent, when: When, offset: number): void {
    const group = rule.group(event);
    this.#counters.matched++;
    if (group === undefined) return;
    const silence = this.#options.lists.silencedBy(rule.id, event);
    if (silence !== undefined) {
      const entry = `${silence.kind} ${silence.name}`;
      this.#counters.silenced[entry] = (this.#counters.silenced[entry] ?? 0) + 1;
      return;
    }
    const match = matchOf(rule, event, group);
    if (isLocal(rule)) this.#place.put(match, when, offset);
    else if (when === 'due' || rule.threshold === 1)
      this.#options.cross({ rule: rule.id, group, event: { ...match, when } as unknown as JsonObject });
  }

  #isSilenced(rule: CompiledRule, event: AuditEvent): boolean {
    return this.#options.lists.silencedBy(rule.id, event) !== undefined;
  }

  /** Event time has come to `watermark` (9 digits): what lies at or before it is counted, in order of (time, id). */
  advance(watermark: string): void {
    this.#place.advance(watermark);
  }

  /** Alerts that are new or changed since the last take, in order of (time, id). */
  take(): AlertRow[] {
    return this.#place.take();
  }

  /** Offset from which on all that waits is read again; infinite when nothing waits. */
  get lowest(): number {
    return this.#place.lowest;
  }

  /** After a take. To be written before the detector goes on. */
  snapshot(): DetectorSnapshot {
    return { counters: this.#counters, place: this.#place.snapshot() };
  }
}

const isLocal = ({ groupBy }: CompiledRule): boolean => groupBy.includes('user.id');
