// Runs behaviours in tests: calls in order through the frames of some partitions, with restarts, and all that came of it.

import { createHash } from 'node:crypto';
import type { Alert } from '../../../core/alert.ts';
import type { AuditEvent, Json } from '../../../core/event.ts';
import { type Lists, noLists } from '../../../core/lists.ts';
import type { Memory } from '../../../core/ports.ts';
import type { Baseline, Crossing } from '../../../core/records.ts';
import { allBehaviours } from '../../../detectors/behaviours/all.ts';
import type { Behaviour, Observation } from '../../../detectors/behaviours/behaviour.ts';
import {
  Behaviours,
  type BehavioursState,
  type CrossingEvent,
  type Failure,
} from '../../../detectors/behaviours/frame.ts';
import { observationOf } from '../../../detectors/behaviours/observe.ts';

/** A `Memory` without a disk: JSON in, frozen JSON out, as the one on SQLite. */
export class MapMemory implements Memory {
  readonly spaces = new Map<string, Map<string, string>>();
  private space(name: string): Map<string, string> {
    const space = this.spaces.get(name) ?? new Map<string, string>();
    this.spaces.set(name, space);
    return space;
  }
  get(space: string, key: string): Json | undefined {
    const text = this.space(space).get(key);
    return text === undefined ? undefined : frozen(JSON.parse(text) as Json);
  }
  set(space: string, key: string, value: Json): void {
    this.space(space).set(key, JSON.stringify(value));
  }
  delete(space: string, key: string): void {
    this.space(space).delete(key);
  }
  list(space: string, prefix: string, limit: number): { key: string; value: Json }[] {
    const keys = [...this.space(space).keys()].filter((key) => key.startsWith(prefix)).sort();
    return keys.slice(0, limit).map((key) => ({ key, value: this.get(space, key) as Json }));
  }
  /** Characters of all values. */
  size(): number {
    let size = 0;
    for (const space of this.spaces.values()) for (const text of space.values()) size += text.length;
    return size;
  }
}

function frozen(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) frozen(part);
  Object.freeze(value);
  return value;
}

export interface RunOptions {
  behaviours?: readonly Behaviour[];
  lists?: Lists;
  partitions?: number;
  /** A restart after each so many calls, from a snapshot that went through JSON. */
  restartEvery?: number;
}

export interface Run {
  /** Last state of every alert, in order of time. */
  alerts: Alert[];
  /** Of behaviour and subject, the last one. */
  baselines: Map<string, Baseline>;
  failures: Failure[];
  memories: MapMemory[];
}

/** What behaviours say of `events`, which need not be in order. */
export function run(events: AuditEvent[], options: RunOptions = {}): Run {
  const { behaviours = allBehaviours, lists = noLists } = options;
  const ids = behaviours.map(({ info }) => info.id);
  const calls = events.flatMap((event) => observationOf(event, { lists, behaviours: ids }) ?? []);
  calls.sort((a, b) => byTimeAndId([a.time, a.id], [b.time, b.id]));
  return runCalls(calls, options);
}

/** As `run`, of observations in order. */
export function runCalls(calls: Observation[], options: RunOptions = {}): Run {
  const { partitions = 1, restartEvery = Number.POSITIVE_INFINITY } = options;
  const out = new Collected();
  const frames = places(partitions, options);
  for (const [i, call] of calls.entries()) {
    frames[placeOf(call.user, partitions)]?.frame.call(call);
    if (i % restartEvery === restartEvery - 1) for (const place of frames) place.restart();
    if (i % 100 === 99) for (const place of frames) out.take(place.frame);
  }
  finish(frames, out);
  const crossings = out.crossings.splice(0);
  const order = ({ event }: Crossing): [string, string] => {
    const { time, id } = event as unknown as CrossingEvent;
    return [time, id];
  };
  crossings.sort((a, b) => byTimeAndId(order(a), order(b)));
  const groups = places(partitions, options);
  for (const [i, crossing] of crossings.entries()) {
    const { rule, group } = crossing;
    groups[placeOf(rule + group, partitions)]?.frame.crossed(JSON.parse(JSON.stringify(crossing)));
    if (i % restartEvery === restartEvery - 1) for (const place of groups) place.restart();
  }
  finish(groups, out);
  return out.result([...frames, ...groups].map(({ memory }) => memory));
}

/** One partition's frame and its memory. */
class Framed {
  readonly memory = new MapMemory();
  private readonly options: RunOptions;
  frame: Behaviours;

  constructor(options: RunOptions) {
    this.options = options;
    this.frame = this.begin();
  }

  restart(): void {
    this.frame = this.begin(JSON.parse(JSON.stringify(this.frame.snapshot())));
  }

  private begin(state?: BehavioursState): Behaviours {
    const { behaviours = allBehaviours, lists = noLists } = this.options;
    return new Behaviours({ behaviours, cluster: 'test', memory: this.memory, lists }, state);
  }
}

const places = (count: number, options: RunOptions): Framed[] =>
  Array.from({ length: count }, () => new Framed(options));
const placeOf = (key: string, partitions: number): number =>
  createHash('sha256').update(key).digest().readUInt32BE() % partitions;

function finish(frames: Framed[], out: Collected): void {
  for (const { frame } of frames) {
    frame.advance('9999-12-31T23:59:59.999999999Z');
    frame.snapshot();
    out.take(frame);
  }
}

class Collected {
  readonly crossings: Crossing[] = [];
  private readonly alerts = new Map<string, Alert>();
  private readonly baselines = new Map<string, Baseline>();
  private readonly failures: Failure[] = [];

  take(frame: Behaviours): void {
    const { alerts, crossings, baselines, failures } = frame.take();
    for (const { body } of alerts) this.alerts.set(body.alert.id, body);
    for (const baseline of baselines) this.baselines.set(baseline.id, baseline);
    this.crossings.push(...crossings);
    this.failures.push(...failures);
  }

  result(memories: MapMemory[]): Run {
    const alerts = [...this.alerts.values()];
    alerts.sort((a, b) => byTimeAndId([a.alert.first_seen, a.alert.id], [b.alert.first_seen, b.alert.id]));
    const baselines = new Map(
      [...this.baselines.values()].map((one) => [`${one.behaviour} ${one.subject}`, one]),
    );
    return { alerts, baselines, failures: this.failures, memories };
  }
}

const byTimeAndId = (a: [string, string], b: [string, string]): number =>
  a[0] === b[0] ? (a[1] < b[1] ? -1 : 1) : a[0] < b[0] ? -1 : 1;
