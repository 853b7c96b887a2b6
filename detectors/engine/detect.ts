// The engine of one partition: of events, whose users' matches it counts and whose others it sends on; of `vault.audit.groups`,
// where those are counted; or of leases. Pure: time is the watermark, memory comes in, goes out as a value or lies beside it.

import type { AuditEvent, JsonObject } from '../../core/event.ts';
import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import type { Silence } from '../../core/lists.ts';
import type { Memory } from '../../core/ports.ts';
import type { Baseline, Crossing } from '../../core/records.ts';
import type { Behaviour, Observation } from '../behaviours/behaviour.ts';
import { Behaviours, type BehavioursState, type CrossingEvent } from '../behaviours/frame.ts';
import { observationOf } from '../behaviours/observe.ts';
import { Evictions, type EvictionsSnapshot } from './count/evictions.ts';
import { leafMatch, type Match } from './match.ts';
import { type AlertRow, isSingle, Place, type PlaceSnapshot, type When } from './place.ts';
import type { RuleInfo } from './rule.ts';
import { RulesOff } from './rule-off.ts';
import type { Root } from './rule-set.ts';
import type { Failure, RunningRules } from './running.ts';
import { groupOf } from './trees.ts';
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
  /** What tells it from other detectors: `groups-3`. */
  name: string;
  rules: RunningRules;
  behaviours: readonly Behaviour[];
  /** What the behaviours learn. */
  memory: Memory;
  /** Paths of sealwatch's own secrets in Vault: reading them teaches nothing. */
  ownSecrets?: readonly string[] | undefined;
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
  evictions: EvictionsSnapshot;
  /** Rules that are switched off. */
  off: Failure[];
  place: PlaceSnapshot;
}

/** A match on its way to where its group is counted; `logic` of the tree that it was made for. */
interface CrossingMatch extends Match {
  when: When;
  logic: string;
}

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
  readonly #rulesOff: RulesOff;
  readonly #evictions: Evictions;

  constructor(options: DetectorOptions) {
    const { cluster, name, rules, behaviours, memory, snapshot } = options;
    const { lists } = rules;
    this.#options = options;
    this.#ids = behaviours.map(({ info }) => info.id);
    this.#observes = behaviours.some(({ call }) => call !== undefined);
    if (behaviours.length > 0)
      this.#behaviours = new Behaviours({ behaviours, cluster, memory, lists }, snapshot?.behaviours);
    this.#counters = snapshot?.counters ?? { evaluated: 0, late: 0, matched: 0, silenced: {} };
    rules.switchOff(snapshot?.off ?? []);
    this.#place = new Place(cluster, rules, snapshot?.place);
    this.#rulesOff = new RulesOff(cluster);
    this.#evictions = new Evictions(cluster, name, snapshot?.evictions);
  }

  get counters(): DetectorCounters {
    let evicted = 0;
    for (const [, count] of this.#evicted()) evicted += count;
    return { ...this.#counters, evicted };
  }

  /** Ids of the rules and behaviours that threw and are switched off. */
  get switchedOff(): string[] {
    return [...this.#options.rules.off.map(({ id }) => id), ...(this.#behaviours?.switchedOff ?? [])];
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
    this.#options.rules.run(event, (root, leaf) => this.#match(root, leaf, event, when, offset));
    if (when === 'due') this.#observe(event, offset);
  }

  /** An event again that came before a restart, with the mark of then: what waited waits again, and nothing else happens. */
  restoreEvent(event: AuditEvent, mark: string, offset: number): void {
    const when = this.#whenOf(event, mark);
    if (when === 'late' || event['@timestamp'] <= this.watermark) return;
    this.#options.rules.run(event, (root, leaf) => {
      if (!root.isLocal || this.#silencedBy(root, event) !== undefined) return;
      const match = this.#matchOf(root, leaf, event);
      if (match !== undefined) this.#place.restore(match, when, offset);
    });
    if (when === 'due') this.#observe(event, offset);
  }

  /** Behaviours see a call when time has passed it; late ones and the wholes of slow ones never. */
  #observe(event: AuditEvent, offset: number): void {
    if (!this.#observes) return;
    const { ownSecrets, rules } = this.#options;
    const call = observationOf(event, { lists: rules.lists, behaviours: this.#ids, ownSecrets });
    if (call !== undefined) this.#calls.put(call, offset);
  }

  /** What the detector of a partition of events has sent. */
  crossing(crossing: Crossing, offset: number): void {
    if (this.#behaviours?.takes(crossing)) this.#wait(crossing, offset);
    else this.#crossed(crossing, (match, when) => this.#place.put(match, when, offset));
  }

  /** As `restoreEvent`. */
  restoreCrossing(crossing: Crossing, offset: number): void {
    if (this.#behaviours?.takes(crossing)) this.#wait(crossing, offset);
    else this.#crossed(crossing, (match, when) => this.#place.restore(match, when, offset));
  }

  /** A match of a tree that has become another one since is not counted. */
  #crossed({ event }: Crossing, take: (match: Match, when: When) => void): void {
    const { when, logic, ...match } = event as unknown as CrossingMatch;
    if (this.#options.rules.rootOf(match.rule)?.logic === logic) take(match, when);
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
    // Nor by its time of issue, which a line may set anywhere. Before the ledger has worked on anything since its start, only ends are told.
    const time = lease.ended_at ?? (at === '' ? this.watermark : at);
    this.#behaviours?.lease(lease, { revision, time });
    this.#turn();
  }

  /** A slow whole is late wherever the watermark stands, so that the outcome does not hang on when it comes. */
  #whenOf(event: AuditEvent, mark: string): When {
    if (event.vault.revision === 2 && (event.event.duration ?? 0) > this.#options.slowCallNanos)
      return 'slow';
    return event['@timestamp'] <= mark ? 'late' : 'due';
  }

  #match(root: Root, leaf: string, event: AuditEvent, when: When, offset: number): void {
    this.#counters.matched++;
    const silence = this.#silencedBy(root, event);
    if (silence !== undefined) {
      const entry = `${silence.kind} ${silence.name}`;
      this.#counters.silenced[entry] = (this.#counters.silenced[entry] ?? 0) + 1;
      return;
    }
    const match = this.#matchOf(root, leaf, event);
    if (match === undefined) return;
    if (root.isLocal) this.#place.put(match, when, offset);
    else if (when === 'due' || isSingle(root)) {
      const crossing: CrossingMatch = { ...match, when, logic: root.logic };
      this.#options.cross({ rule: match.rule, group: match.group, event: crossing as unknown as JsonObject });
    }
  }

  #silencedBy({ top }: Root, event: AuditEvent): Silence | undefined {
    return this.#options.rules.lists.silencedBy(top.id, event);
  }

  #matchOf(root: Root, leaf: string, event: AuditEvent): Match | undefined {
    const { lists } = this.#options.rules;
    const group = groupOf(root, leaf, event);
    if (group === undefined) return undefined;
    return leafMatch(root, leaf, event, group, lists.version === '' ? undefined : lists.classOf(event));
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
    for (const { behaviour, error, time } of taken.failures) {
      const info = this.#options.behaviours.find(
        ({ info: { id, name } }) => behaviour === (name ?? id),
      )?.info;
      if (info !== undefined) this.#rulesOff.off({ ...info, error, time });
    }
  }

  /** What is new or changed since the last take. */
  take(): Taken {
    for (const failure of this.#options.rules.takeFailures()) this.#rulesOff.off(failure);
    for (const [of, count] of this.#evicted()) this.#evictions.tell(of, count, this.watermark);
    const alerts = [
      ...this.#place.take(),
      ...this.#alerts,
      ...this.#rulesOff.take(),
      ...this.#evictions.take(),
    ];
    const taken = { alerts, baselines: this.#baselines };
    this.#alerts = [];
    this.#baselines = [];
    return taken;
  }

  *#evicted(): Generator<[of: Pick<RuleInfo, 'id' | 'title'>, count: number]> {
    yield* this.#place.evicted();
    const behaviours = (this.#behaviours?.evicted ?? 0) + this.#calls.evicted + this.#sent.evicted;
    yield [{ id: 'behaviours', title: 'all behaviours' }, behaviours];
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
      evictions: this.#evictions.snapshot(),
      off: this.#options.rules.off,
      place: this.#place.snapshot(),
    };
  }
}
