// The frame of the behaviours: gives each its turn, in order of (time, id), with a memory of its own, and gathers what they
// find. One frame serves the events of a partition, the groups of a partition, or the leases. Pure.

import type { Alert } from '../../core/alert.ts';
import type { JsonObject } from '../../core/event.ts';
import type { Lease } from '../../core/lease.ts';
import { limits } from '../../core/limits.ts';
import type { Lists } from '../../core/lists.ts';
import type { Memory } from '../../core/ports.ts';
import type { Baseline, Crossing } from '../../core/records.ts';
import { END_OF_TIME } from '../../core/time.ts';
import { shortHash } from '../engine/alert.ts';
import type { RuleInfo } from '../engine/rule.ts';
import type { Behaviour, Observation, Turn } from './behaviour.ts';
import { dayOf } from './calendar.ts';
import { Gathered, type GatheredState } from './gathered.ts';
import { Spaces, type SpacesState } from './spaces.ts';
import { type Wake, Wakes } from './wakes.ts';

/** What a crossing of a behaviour carries in `event`. */
export interface CrossingEvent {
  /** The call's id and time: the order in which crossings of a group are worked; of one call, in the order sent. */
  id: string;
  time: string;
  /** The call was in an allow-list or window of maintenance for this behaviour: it teaches, and finds nothing. */
  silenced?: true;
  body: JsonObject;
}

/** A behaviour that threw and is switched off. */
export interface Failure {
  behaviour: string;
  error: string;
  time: string;
}

export interface Taken {
  alerts: { body: Alert; revision: number }[];
  /** To `vault.audit.groups`. */
  crossings: Crossing[];
  baselines: Baseline[];
  failures: Failure[];
}

export interface BehavioursOptions {
  behaviours: readonly Behaviour[];
  cluster: string;
  memory: Memory;
  lists: Lists;
}

/** A JSON value. */
export interface BehavioursState {
  format: 1;
  clock: string;
  gathered: GatheredState;
  spaces: SpacesState;
  crossings: Crossing[];
  baselines: Baseline[];
  /** Behaviours that threw, by id, with the version that did. */
  off: [id: string, version: string][];
  failures: Failure[];
}

/** A behaviour's turns; `at` is what it works on. */
interface Player {
  behaviour: Behaviour;
  turn: Turn;
}

/** What is being worked on. */
interface Subject {
  id: string;
  time: string;
  silenced: readonly string[];
  /** The group of the crossing. */
  group?: string;
}

export class Behaviours {
  /** Findings on calls that a list silences; bounds that were reached. */
  readonly counters = { silenced: 0, found: 0 };
  private readonly infos: Map<string, RuleInfo>;
  private readonly players = new Map<string, Player>();
  private readonly callers: Player[];
  private readonly leasers: Player[];
  private readonly spaces: Spaces;
  private readonly wakes: Wakes;
  private readonly gathered: Gathered;
  private readonly off: Map<string, string>;
  private crossings: Crossing[];
  private baselines: Map<string, Baseline>;
  private failures: Failure[];
  private lists: Lists;
  private clock: string;
  private at: Subject = { id: '', time: '', silenced: [] };

  constructor({ behaviours, cluster, memory, lists }: BehavioursOptions, state?: BehavioursState) {
    const before = state === undefined ? undefined : structuredClone(state);
    this.lists = lists;
    this.infos = new Map(behaviours.map(({ info }) => [info.id, info]));
    this.spaces = new Spaces(memory, before?.spaces);
    this.wakes = new Wakes(memory);
    this.gathered = new Gathered(cluster, before?.gathered);
    this.off = new Map(before?.off.filter(([id, version]) => this.infos.get(id)?.version === version));
    this.crossings = before?.crossings ?? [];
    this.baselines = new Map(before?.baselines.map((baseline) => [baseline.id, baseline]));
    this.failures = before?.failures ?? [];
    this.clock = before?.clock ?? '';
    for (const behaviour of behaviours) {
      if (this.off.has(behaviour.info.id)) continue;
      this.players.set(behaviour.info.id, { behaviour, turn: this.turnOf(behaviour) });
    }
    this.callers = [...this.players.values()].filter(({ behaviour }) => behaviour.call !== undefined);
    this.leasers = [...this.players.values()].filter(({ behaviour }) => behaviour.lease !== undefined);
    if (this.clock !== '') this.spaces.moveTo(dayOf(this.clock));
  }

  get evicted(): number {
    return this.spaces.evicted + this.gathered.evicted;
  }

  /** Ids of those that threw. */
  get switchedOff(): string[] {
    return [...this.off.keys()];
  }

  /** Other lists from now on. */
  judgeBy(lists: Lists): void {
    this.lists = lists;
  }

  /** A call, once, in order of (time, id), never a late one. */
  call(call: Observation): void {
    this.pass(call.time, false);
    this.at = { id: call.id, time: call.time, silenced: call.silenced ?? NOTHING };
    for (const player of this.callers) {
      if (this.off.size > 0 && this.off.has(player.behaviour.info.id)) continue;
      // Not by `play`: no closure for each of them at each call.
      try {
        player.behaviour.call?.(call, player.turn);
      } catch (error) {
        this.switchOff(player.behaviour.info, error, call.time);
      }
    }
  }

  /** A crossing of a behaviour (`takes`), in order of (time, id) of its event. */
  crossed({ rule, group, event }: Crossing): void {
    const { id, time, silenced, body } = event as unknown as CrossingEvent;
    const player = this.players.get(rule);
    this.pass(time, false);
    if (player === undefined) return;
    this.at = { id, time, silenced: silenced === true ? [rule] : NOTHING, group };
    this.play(player, time, () => player.behaviour.crossed?.({ group, time, id, event: body }, player.turn));
  }

  /** Whether a crossing is a behaviour's. */
  takes(crossing: Crossing): boolean {
    return this.infos.has(crossing.rule);
  }

  /** A lease or token as the ledger tells it, each revision once, in the order told. */
  lease(lease: Lease, told: { revision: number; time: string }): void {
    this.pass(told.time, false);
    this.at = { id: lease.id, time: told.time, silenced: NOTHING };
    for (const player of this.leasers)
      this.play(player, told.time, () => player.behaviour.lease?.(lease, told, player.turn));
  }

  /** Event time has come to `time`: everything at or before it has been given. The end of time wakes nobody. */
  advance(time: string): void {
    if (time < END_OF_TIME) this.pass(time, true);
  }

  private pass(time: string, through: boolean): void {
    if (time < this.clock) return;
    // One at a time: what it wakes may want to be woken before the next.
    for (let due = this.wakes.take(time, through); due !== undefined; due = this.wakes.take(time, through))
      this.wake(due);
    if (time.slice(0, 10) !== this.clock.slice(0, 10)) this.spaces.moveTo(dayOf(time));
    this.clock = time;
  }

  private wake({ behaviour, key, time }: Wake): void {
    const player = this.players.get(behaviour);
    if (player === undefined) return;
    this.at = { id: '', time, silenced: NOTHING };
    this.play(player, time, () => player.behaviour.woken?.(key, time, player.turn));
  }

  /** One that throws is switched off; the others go on. */
  private play({ behaviour: { info } }: Player, time: string, act: () => void): void {
    if (this.off.has(info.id)) return;
    try {
      act();
    } catch (error) {
      this.switchOff(info, error, time);
    }
  }

  private switchOff(info: RuleInfo, error: unknown, time: string): void {
    this.off.set(info.id, info.version);
    this.failures.push({ behaviour: info.name ?? info.id, error: String(error), time });
  }

  private turnOf({ info }: Behaviour): Turn {
    const lists = () => this.lists;
    return {
      memory: this.spaces.of(info.name ?? info.id),
      get lists() {
        return lists();
      },
      find: (finding) => {
        if (this.at.silenced.includes(info.id)) {
          this.counters.silenced++;
          return;
        }
        this.counters.found++;
        const { group } = this.at;
        // A group of the finding's own may be met in several crossing groups, on several partitions: those are several alerts.
        const own = group === undefined ? finding.group : JSON.stringify([group, finding.group]);
        this.gathered.add(info, { ...finding, group: own }, this.at.time);
      },
      cross: (group, body) => this.cross(info.id, group, body),
      wake: (key, time) => this.wakes.set({ behaviour: info.id, key, time }),
      tell: (baseline) => {
        const name = info.name ?? info.id;
        const id = shortHash('baseline', name, baseline.subject);
        this.baselines.set(id, { ...baseline, behaviour: name, id });
      },
    };
  }

  private cross(rule: string, group: string, body: JsonObject): void {
    const { id, time, silenced } = this.at;
    const event: CrossingEvent = { id, time, ...(silenced.includes(rule) && { silenced: true }), body };
    this.crossings.push({ rule, group, event: event as unknown as JsonObject });
  }

  /** What has come since the last take. */
  take(): Taken {
    const taken: Taken = {
      alerts: this.gathered.take(this.infos),
      crossings: this.crossings,
      baselines: [...this.baselines.values()],
      failures: this.failures,
    };
    this.crossings = [];
    this.baselines = new Map();
    this.failures = [];
    this.gathered.expire(this.clock);
    return taken;
  }

  /** A JSON value; what was learned is in the memory, to be committed together with it. */
  snapshot(): BehavioursState {
    this.spaces.flush();
    return structuredClone({
      format: 1 as const,
      clock: this.clock,
      gathered: this.gathered.snapshot(),
      spaces: this.spaces.snapshot(),
      crossings: this.crossings,
      baselines: [...this.baselines.values()],
      off: [...this.off],
      failures: this.failures.slice(0, limits.alertIdentitiesMax),
    });
  }
}

const NOTHING: readonly string[] = [];
