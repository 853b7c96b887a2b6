// Runs the engine in tests: events, watermarks and restarts in any order, and the last state of every alert.

import type { Alert } from '../../core/alert.ts';
import type { AuditEvent } from '../../core/event.ts';
import { createDetector, type Detector } from '../../detectors/engine/detect.ts';
import type { CompiledRules } from '../../detectors/engine/rule.ts';
import { anEvent, at, type EventParts } from '../builders.ts';

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
  detector: Detector;
  /** Revisions by alert, in the order they were taken. */
  revisions: Map<string, number[]>;
}

/** Runs `steps` and then to the end of time. `restart` goes on from a snapshot that went through JSON. */
export function run(rules: CompiledRules, steps: Step[], toEnd = true): Run {
  const options = { cluster: 'test', rules, slowCallNanos };
  let detector = createDetector(options);
  const last = new Map<string, Alert>();
  const revisions = new Map<string, number[]>();
  const take = () => {
    for (const { body, revision } of detector.take()) {
      last.set(body.alert.id, body);
      revisions.set(body.alert.id, [...(revisions.get(body.alert.id) ?? []), revision]);
    }
  };
  for (const step of [...steps, ...(toEnd ? [{ advance: END }] : []), 'take' as const]) {
    if (step === 'take') take();
    else if (step === 'restart') {
      detector = createDetector({ ...options, snapshot: JSON.parse(JSON.stringify(detector.snapshot())) });
    } else if ('advance' in step) detector.advance(step.advance);
    else detector.event(step);
  }
  const alerts = [...last.values()].sort((a, b) => (a.alert.id < b.alert.id ? -1 : 1));
  return { alerts, detector, revisions };
}
