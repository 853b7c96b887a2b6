// The engine of one partition: of events, whose users' matches it counts and whose others it sends on; of `vault.audit.groups`,
// where those are counted; or of leases. Pure: time is the watermark, memory comes in, goes out as a value or lies beside it.

import type { AuditEvent, JsonObject } from '../../core/event.ts';
import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import type { Lists } from '../../core/lists.ts';
import type { Memory } from '../../core/ports.ts';
import type { Baseline, Crossing } from '../../core/records.ts';
import type { Behaviour, Observation } from '../behaviours/behaviour.ts';
import { Behaviours, type BehavioursState, type CrossingEvent, type Failure } from '../behaviours/frame.ts';
import { observationOf } from '../behaviours/observe.ts';
import { type Match, matchOf } from './match.ts';
import { type AlertRow, Place, type PlaceSnapshot, type When } from './place.ts';
import type { CompiledRule, CompiledRules } from './rule.ts';
import { type Timed, Waiting } from './waiting.ts';

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
  behaviours: readonly Behaviour[];
  /** What the behaviours learn. */
  memory: Memory;
  /** A whole that took longer comes after its half: only rules on single events run on it, and it is late. */
  slowCallNanos: number;
  /** Takes what is not counted here. */
  cross: (crossing: Crossing) => void;
  /** Of a detector of the same partition; state of rules that are gone is left out. */
  snapshot?: DetectorSnapshot | undefined;
}

/** What has come since the last take. */
export interface Taken {
  /** New or changed, in order of (time, id). */
  alerts: AlertRow[];
  baselines: Baseline[];
}

/** A JSON value. */
export interface DetectorSnapshot {
  behaviours?: BehavioursState;
  counters: Omit<DetectorCounters, 'evicted'>;
  place: PlaceSnapshot;
}

/** A match on its way to where its group is counted. */
type CrossingMatch = Match & { when: When };

/** What a behaviour sent, on its way to where its group is counted; `revision` counts up in the order of coming. */
interface Sent extends Timed {
  crossing: Crossing;
}

export class Detector {
  readonly #counters: Omit<DetectorCounters, 'evicted'>;
  readonly #options: DetectorOptions;
  readonly #place: Place;
  /** Undefined where there are none. */
  readonly #behaviours: Behaviours | undefined;
  /** Whether any of them wants to see calls. */
  readonly #observes: boolean;
  readonly #ids: readonly string[];
  readonly #calls = new Waiting<Observation>(({ id }) => id, limits.waitingObservationsMax);
  readonly #sent = new Waiting<Sent>(({ revision }) => String(revision), limits.waitingMatchesMax);
  #sentCount = 0;
  #alerts: AlertRow[] = [];
  #baselines: Baseline[] = [];
  #failures: Failure[] = [];

  constructor(options: DetectorOptions) {
    const { cluster, rules, lists, behaviours, memory, snapshot } = options;
    this.#options = options;
    this.#ids = behaviours.map(({ info }) => info.id);
    this.#observes = behaviours.some(({ call }) => call !== undefined);
    if (behaviours.length > 0)
      this.#behaviours = new Behaviours({ behaviours, cluster, memory, lists }, snapshot?.behaviours);
    this.#counters = snapshot?.counters ?? { evaluated: 0, late: 0, matched: 0, silenced: {} };
    this.#place = new Place(cluster, rules.alerting, snapshot?.place);
  }

  get counters(): DetectorCounters {
    const evicted = (this.#behaviours?.evicted ?? 0) + this.#calls.evicted + this.#sent.evicted;
    return { ...this.#counters, evicted: this.#place.evicted + evicted };
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
    if (when === 'due') this.#observe(event, offset);
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
    if (when === 'due') this.#observe(event, offset);
  }

  /** Behaviours see a call when time has passed it; late ones and the wholes of slow ones never. */
  #observe(event: AuditEvent, offset: number): void {
    if (!this.#observes) return;
    const call = observationOf(event, { lists: this.#options.lists, behaviours: this.#ids });
    if (call !== undefined) this.#calls.put(call, offset);
  }

  /** What the detector of a partition of events has sent. */
  crossing(crossing: Crossing, offset: number): void {
    if (this.#behaviours?.takes(crossing)) this.#wait(crossing, offset);
    else {
      const { when, ...match } = crossing.event as unknown as CrossingMatch;
      this.#place.put(match, when, offset);
    }
  }

  /** As `restoreEvent`. */
  restoreCrossing(crossing: Crossing, offset: number): void {
    if (this.#behaviours?.takes(crossing)) this.#wait(crossing, offset);
    else {
      const { when, ...match } = crossing.event as unknown as CrossingMatch;
      this.#place.restore(match, when, offset);
    }
  }

  /** Of one call in the order sent. What came of no call has no id: its content decides then. */
  #wait(crossing: Crossing, offset: number): void {
    const { id, time } = crossing.event as unknown as CrossingEvent;
    if (time <= this.watermark) return;
    const key = id === '' ? ` ${JSON.stringify(crossing)}` : id;
    this.#sent.put({ id: key, time, revision: this.#sentCount++, crossing }, offset);
  }

  /** A lease or token as the ledger tells it when it has come to `at`, each revision once, in the order told. */
  lease(lease: Lease, revision: number, at: string): void {
    // An end by time is told when the ledger comes by: what comes between it and its telling hangs on the steps of time.
    const time = lease.ended_at ?? (at > lease.issued_at ? at : lease.issued_at);
    this.#behaviours?.lease(lease, { revision, time });
    this.#turn();
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

  /** Event time has come to `watermark` (9 digits): what lies at or before it is worked, in order of (time, id). */
  advance(watermark: string): void {
    this.#place.advance(watermark);
    const behaviours = this.#behaviours;
    if (behaviours === undefined) return;
    for (const call of this.#calls.takeUntil(watermark)) behaviours.call(call);
    for (const { crossing } of this.#sent.takeUntil(watermark)) behaviours.crossed(crossing);
    behaviours.advance(watermark);
    this.#turn();
  }

  /** What behaviours send must be out before anybody is told how far time has come. */
  #turn(): void {
    const taken = this.#behaviours?.take();
    if (taken === undefined) return;
    for (const crossing of taken.crossings) this.#options.cross(crossing);
    this.#alerts.push(...taken.alerts);
    this.#baselines.push(...taken.baselines);
    this.#failures.push(...taken.failures);
  }

  /** What is new or changed since the last take. */
  take(): Taken {
    const taken = { alerts: [...this.#place.take(), ...this.#alerts], baselines: this.#baselines };
    this.#alerts = [];
    this.#baselines = [];
    return taken;
  }

  /** Offset from which on all that waits is read again; infinite when nothing waits. */
  get lowest(): number {
    return Math.min(this.#place.lowest, this.#calls.lowest, this.#sent.lowest);
  }

  /** After a take. To be written before the detector goes on, and to last together with the memory. */
  snapshot(): DetectorSnapshot {
    const behaviours = this.#behaviours?.snapshot();
    return {
      ...(behaviours !== undefined && { behaviours }),
      counters: this.#counters,
      place: this.#place.snapshot(),
    };
  }
}

const isLocal = ({ groupBy }: CompiledRule): boolean => groupBy.includes('user.id');
