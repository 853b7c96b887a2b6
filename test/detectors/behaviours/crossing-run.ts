// Runs behaviours over calls and rows of leases as the stages do: a memory for each partition of events, one for each partition
// of groups, one for the leases; restarts on the way, each from what went through JSON.

import type { Alert } from '../../../core/alert.ts';
import type { Json } from '../../../core/event.ts';
import type { Lease } from '../../../core/lease.ts';
import { type Lists, noLists } from '../../../core/lists.ts';
import { partitionOf } from '../../../core/partition.ts';
import type { Crossing } from '../../../core/records.ts';
import type { Behaviour, Observation } from '../../../detectors/behaviours/behaviour.ts';
import { Behaviours, type BehavioursState, type CrossingEvent } from '../../../detectors/behaviours/frame.ts';
import { MapMemory } from '../../ingest/ledger/memory.ts';

/** A memory that shows how much is in it. */
class Weighed extends MapMemory {
  readonly sizes = new Map<string, number>();
  override set(space: string, key: string, value: Json): void {
    super.set(space, key, value);
    this.sizes.set(`${space} ${key}`, JSON.stringify(value).length);
  }
  override delete(space: string, key: string): void {
    super.delete(space, key);
    this.sizes.delete(`${space} ${key}`);
  }
}

export interface CrossingOptions {
  behaviours: readonly Behaviour[];
  calls?: readonly Observation[];
  leases?: readonly { lease: Lease; told: { revision: number; time: string } }[];
  lists?: Lists;
  /** Partitions of events and of groups. */
  partitions?: number;
  /** A restart after so many turns. */
  restartEvery?: number;
  /** Time goes on to here in the end; not at all when it is absent. */
  until?: string;
}

export interface CrossingRun {
  /** Last state of every alert, in order of time and id. */
  alerts: Alert[];
  crossings: Crossing[];
  failures: string[];
  evicted: number;
  /** Values in all memories, and the characters of the longest. */
  values: number;
  longest: number;
}

/** One frame with its memory, which can be stopped and go on. */
class Place {
  readonly memory = new Weighed();
  frame: Behaviours;
  private readonly options: Pick<CrossingOptions, 'behaviours' | 'lists' | 'restartEvery'>;
  private turns = 0;

  constructor(options: CrossingOptions) {
    this.options = options;
    this.frame = this.start();
  }

  private start(state?: BehavioursState): Behaviours {
    const { behaviours, lists = noLists } = this.options;
    return new Behaviours({ behaviours, cluster: 'test', memory: this.memory, lists }, state);
  }

  turn(act: (frame: Behaviours) => void): void {
    act(this.frame);
    this.turns++;
    if (this.turns % (this.options.restartEvery ?? Number.POSITIVE_INFINITY) !== 0) return;
    this.frame = this.start(JSON.parse(JSON.stringify(this.frame.snapshot())) as BehavioursState);
  }
}

/** Everything in its order: calls by (time, id), then what crossed by (time, id), leases as they are told. */
export function runCrossing(options: CrossingOptions): CrossingRun {
  const { calls = [], leases = [], partitions = 1, until } = options;
  const places = (count: number) => Array.from({ length: count }, () => new Place(options));
  const [events, groups, ledger] = [places(partitions), places(partitions), places(1)];
  const alerts = new Map<string, Alert>();
  const run: CrossingRun = { alerts: [], crossings: [], failures: [], evicted: 0, values: 0, longest: 0 };
  const take = (place: Place) => {
    const taken = place.frame.take();
    for (const { body } of taken.alerts) alerts.set(body.alert.id, body);
    run.crossings.push(...taken.crossings);
    run.failures.push(...taken.failures.map(({ behaviour, error }) => `${behaviour}: ${error}`));
  };
  const play = <T>(
    some: Place[],
    items: readonly T[],
    keyOf: (item: T) => string,
    act: (frame: Behaviours, item: T) => void,
  ) => {
    for (const item of items) some[partitionOf(keyOf(item), some.length)]?.turn((frame) => act(frame, item));
    for (const place of some) {
      if (until !== undefined) place.frame.advance(until);
      take(place);
    }
  };
  play(
    events,
    [...calls].sort(byTime),
    ({ user }) => user,
    (frame, call) => frame.call(call),
  );
  const crossed = run.crossings.map((crossing) => ({
    crossing,
    at: crossing.event as unknown as CrossingEvent,
  }));
  crossed.sort((a, b) => byTime(a.at, b.at));
  play(
    groups,
    crossed,
    ({ crossing: { rule, group } }) => `${rule} ${group}`,
    (frame, { crossing }) => frame.crossed(crossing),
  );
  play(
    ledger,
    leases,
    () => '',
    (frame, { lease, told }) => frame.lease(lease, told),
  );
  for (const place of [...events, ...groups, ...ledger]) {
    run.evicted += place.frame.evicted;
    place.frame.snapshot();
    run.values += place.memory.sizes.size;
    run.longest = Math.max(run.longest, ...place.memory.sizes.values());
  }
  run.alerts = [...alerts.values()].sort((a, b) => byTime(orderOf(a), orderOf(b)));
  return run;
}

interface Timed {
  time: string;
  id: string;
}
const byTime = (a: Timed, b: Timed): number =>
  a.time !== b.time ? (a.time < b.time ? -1 : 1) : a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
const orderOf = (alert: Alert): Timed => ({ time: alert.alert.first_seen, id: alert.alert.id });
