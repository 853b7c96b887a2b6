// Runs the engine in tests: events, watermarks and restarts in any order, and the last state of every alert.

import type { Alert } from '../../core/alert.ts';
import type { AuditEvent } from '../../core/event.ts';
import { noLists } from '../../core/lists.ts';
import type { Crossing } from '../../core/records.ts';
import { Detector, type DetectorCounters } from '../../detectors/engine/detect.ts';
import type { RuleSet } from '../../detectors/engine/rule-set.ts';
import { RunningRules } from '../../detectors/engine/running.ts';
import { anEvent, at, type EventParts } from '../builders.ts';
import { MapMemory } from '../ingest/ledger/memory.ts';

export const slowCallNanos = 5e9;
export const END = '9999-12-31T23:59:59.999999999Z';

/** An event that the test rules match, `second` seconds after the start; its id is the second unless given. */
export const bad = (second: number, parts: Partial<EventParts> = {}): AuditEvent =>
  anEvent({ action: 'bad', id: `e${String(second).padStart(6, '0')}`, time: at(second), ...parts });

/** The same call as a whole that took longer than `slowCallNanos`. */
export const slowWhole = (event: AuditEvent): AuditEvent => ({
  ...event,
  event: { ...event.event, duration: slowCallNanos + 1 },
  vault: { ...event.vault, revision: 2 },
});

export type Step = AuditEvent | { advance: string } | 'restart' | 'take';

export interface Run {
  /** Last state of every alert, in order of id. */
  alerts: Alert[];
  counters: DetectorCounters;
  /** Revisions by alert, in the order they were taken. */
  revisions: Map<string, number[]>;
  /** What the detectors of events and of groups know at the end. */
  snapshots: unknown[];
}

/** A detector of events and one of groups, as `run` has one for each partition; what they were given, for a restart. */
class Engine {
  private readonly rules: RunningRules;
  private events: Detector;
  private groups: Detector;
  private readonly given: { event: AuditEvent; mark: string }[] = [];
  private readonly crossed: Crossing[] = [];

  constructor(rules: RuleSet) {
    this.rules = new RunningRules(rules, noLists);
    this.events = this.detector();
    this.groups = this.detector();
  }

  private detector(of?: Detector): Detector {
    return new Detector({
      ...{
        cluster: 'test',
        rules: this.rules,
        slowCallNanos,
        name: 'test',
        behaviours: [],
        memory: new MapMemory(),
      },
      cross: (crossing) => this.cross(crossing),
      snapshot: of === undefined ? undefined : JSON.parse(JSON.stringify(of.snapshot())),
    });
  }

  private cross(crossing: Crossing): void {
    this.crossed.push(crossing);
    this.groups.crossing(JSON.parse(JSON.stringify(crossing)), 0);
  }

  event(event: AuditEvent, mark = this.events.watermark): void {
    this.given.push({ event, mark });
    this.events.event(event, mark, 0);
  }

  advance(watermark: string): void {
    this.events.advance(watermark);
    this.groups.advance(watermark);
  }

  /** Goes on from snapshots that went through JSON, and is given again what may have waited. */
  restart(): void {
    this.events = this.detector(this.events);
    this.groups = this.detector(this.groups);
    for (const { event, mark } of this.given) this.events.restoreEvent(event, mark, 0);
    for (const crossing of this.crossed) this.groups.restoreCrossing(crossing, 0);
  }

  take() {
    return [...this.events.take().alerts, ...this.groups.take().alerts];
  }

  get counters(): DetectorCounters {
    return this.events.counters;
  }

  snapshots(): unknown[] {
    return JSON.parse(JSON.stringify([this.events.snapshot(), this.groups.snapshot()]));
  }
}

/** Runs `steps` and then to the end of time. `restart` goes on from a snapshot, after what is new was taken. */
export function run(rules: RuleSet, steps: Step[], toEnd = true): Run {
  const engine = new Engine(rules);
  const last = new Map<string, Alert>();
  const revisions = new Map<string, number[]>();
  const take = () => {
    for (const { body, revision } of engine.take()) {
      last.set(body.alert.id, body);
      revisions.set(body.alert.id, [...(revisions.get(body.alert.id) ?? []), revision]);
    }
  };
  for (const step of [...steps, ...(toEnd ? [{ advance: END }] : []), 'take' as const]) {
    if (step === 'take') take();
    else if (step === 'restart') {
      take();
      engine.restart();
    } else if ('advance' in step) engine.advance(step.advance);
    else engine.event(step);
  }
  const alerts = [...last.values()].sort((a, b) => (a.alert.id < b.alert.id ? -1 : 1));
  return { alerts, counters: engine.counters, revisions, snapshots: engine.snapshots() };
}
