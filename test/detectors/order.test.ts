// The same events give the same alerts: whatever the order, the steps of the watermark, the restarts and the copies.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { DetectorSnapshot } from '../../detectors/engine/detect.ts';
import { WholeDetector } from '../../detectors/engine/whole.ts';
import { at } from '../builders.ts';
import { bad, END, run, type Step, slowWhole } from './engine-run.ts';
import { correlationText, rulesFrom, ruleText } from './rule-text.ts';

/** A rule on single events and a count of them, by user and so counted beside the events; a count by address, that crosses. */
const both = rulesFrom(
  ruleText(),
  correlationText({ generate: 'true' }),
  correlationText({
    id: '11111111-2222-4333-8444-777777777777',
    correlation:
      '{type: event_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {gte: 3}}',
    generate: 'true',
  }),
);

interface Arrival {
  event: AuditEvent;
  /** Arrives when the watermark is about to reach this second, which is never after its own. */
  second: number;
}

/** Calls over half an hour: whole ones, some of them twice, and slow ones as half and whole. */
const call = fc.record({
  copies: fc.boolean(),
  early: fc.nat(300),
  ip: fc.constantFrom('10.0.0.1', '10.0.0.2'),
  kind: fc.constantFrom('fast', 'slow', 'slow but the half does not match', 'harmless'),
  // Few distinct times, so that many calls happen at the same one.
  second: fc.nat(60).map((half) => half * 30),
  user: fc.constantFrom('a', 'b'),
  wholeLater: fc.nat(60),
});
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

function arrivalsOf({ copies, early, ip, kind, second, user, wholeLater }: Call, i: number): Arrival[] {
  const id = `call-${i}`;
  const event = bad(second, { id, ip, user, ...(kind === 'harmless' ? { action: 'good' } : {}) });
  const arrives = Math.max(0, second - early);
  if (kind === 'fast' || kind === 'harmless') {
    return Array.from({ length: copies ? 2 : 1 }, () => ({ event, second: arrives }));
  }
  const half = bad(second, { id, ip, revision: 1, user, ...(kind === 'slow' ? {} : { action: 'good' }) });
  return [
    { event: half, second: arrives },
    // By another way it may come before its half.
    { event: slowWhole(event), second: Math.max(0, second + wholeLater - 30) },
  ];
}

/** What a run does besides: where the watermark stops, what is taken and restarted there. */
const stops = fc.array(fc.record({ restart: fc.boolean(), second: fc.nat(2000), take: fc.boolean() }), {
  maxLength: 12,
});
type Stop = typeof stops extends fc.Arbitrary<(infer T)[]> ? T : never;

/** `keys` shuffles what arrives between two stops; a half stays before its whole. */
function stepsOf(arrivals: Arrival[], stopList: Stop[], keys: number[]): Step[] {
  const sorted = [...stopList].sort((a, b) => a.second - b.second);
  const slot = ({ second }: Arrival) => sorted.filter((stop) => stop.second < second).length;
  const keyed = arrivals.map((arrival, i) => ({
    arrival,
    key: keys[i % keys.length] ?? 0,
    slot: slot(arrival),
  }));
  keyed.sort((a, b) => a.slot - b.slot || rank(a) - rank(b) || a.key - b.key);
  const steps: Step[] = [];
  for (let i = 0; i <= sorted.length; i++) {
    steps.push(...keyed.filter(({ slot }) => slot === i).map(({ arrival }) => arrival.event));
    const stop = sorted[i];
    if (stop === undefined) break;
    steps.push({ advance: at(stop.second) });
    if (stop.restart) steps.push('restart');
    if (stop.take) steps.push('take');
  }
  return steps;
}

const rank = ({ arrival }: { arrival: Arrival }) => (arrival.event.event.duration === undefined ? 0 : 1);
const keys = fc.array(fc.nat(), { maxLength: 40, minLength: 40 });

describe('the last state of every alert', () => {
  it('is the same for any order, any steps and any restarts', () => {
    let alertsSeen = 0;
    fc.assert(
      fc.property(
        fc.array(call, { maxLength: 40, minLength: 1 }),
        stops,
        keys,
        keys,
        (calls, stopList, one, two) => {
          const arrivals = calls.flatMap(arrivalsOf);
          const plain = run(both, stepsOf(arrivals, [], one));
          const stopped = run(both, stepsOf(arrivals, stopList, two));
          alertsSeen += plain.alerts.length;
          expect(JSON.stringify(stopped.alerts)).toBe(JSON.stringify(plain.alerts));
          expect(stopped.counters.late).toBe(0);
          for (const revisions of stopped.revisions.values()) {
            expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(alertsSeen).toBeGreaterThan(300);
  });

  it('is what a restart right after every step gives, and the snapshot too', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 15, minLength: 1 }), stops, keys, (calls, stopList, order) => {
        const steps = stepsOf(calls.flatMap(arrivalsOf), stopList, order);
        const straight = run(both, steps);
        const restarted = run(
          both,
          steps.flatMap((step): Step[] => [step, 'restart']),
        );
        expect(JSON.stringify(restarted.alerts)).toBe(JSON.stringify(straight.alerts));
        expect(restarted.snapshots).toEqual(straight.snapshots);
      }),
      { numRuns: 100 },
    );
  });
});

const single = rulesFrom(ruleText());
const late = (steps: Step[], rules = single) =>
  run(rules, steps).alerts.map(({ alert }) => [alert.first_seen, alert.count, alert.late]);

describe('a late call', () => {
  it('of a device that is behind is no alert of its own', () => {
    const flood = Array.from({ length: 500 }, (_, i) => bad(1 + (i % 7), { id: `late-${i}` }));
    const alerts = late([{ advance: at(20) }, ...flood]);
    expect(alerts.map(([, count]) => count)).toEqual([500]);
  });

  it('still runs rules on single events, is counted, and is one alert with the others of its quarter of an hour', () => {
    const steps = [bad(10), { advance: at(20) }, bad(11), bad(20, { id: 'edge' })];
    expect(late(steps).sort()).toEqual([
      [at(10), 1, false],
      [at(11), 2, true],
    ]);
    expect(run(single, steps).counters.late).toBe(2);
  });

  it('is late after a restart too, and whatever older watermark comes', () => {
    expect(late([{ advance: at(20) }, 'restart', bad(10)])).toEqual([[at(10), 1, true]]);
    expect(late([{ advance: at(20) }, { advance: at(5) }, bad(10)])).toEqual([[at(10), 1, true]]);
  });

  it('is late by the way that it came on, though the other ways are behind', () => {
    const detector = new WholeDetector({ cluster: 'test', rules: single, slowCallNanos: 3e9 });
    detector.advance(at(5));
    detector.event(bad(10), at(20));
    expect(detector.take().alerts.map(({ body }) => body.alert.late)).toEqual([true]);
  });

  it('never enters a window', () => {
    const many = rulesFrom(ruleText(), correlationText());
    expect(late([bad(10), bad(11), { advance: at(20) }, bad(12)], many)).toEqual([]);
    expect(late([bad(10), bad(11), bad(12), { advance: at(20) }], many)).toEqual([[at(10), 3, false]]);
  });

  it('that was counted before does not count again', () => {
    expect(late([bad(10), { advance: at(20) }, bad(10)])).toEqual([[at(10), 1, false]]);
    expect(late([{ advance: at(20) }, bad(10), bad(10), { advance: at(30) }, bad(10)])).toEqual([
      [at(10), 1, true],
    ]);
  });
});

describe('a slow call', () => {
  const half = bad(10, { revision: 1 });

  it('counts by its half, wherever the watermark stands when the whole comes', () => {
    expect(late([half, slowWhole(half)])).toEqual([[at(10), 1, false]]);
    expect(late([half, { advance: at(20) }, slowWhole(half)])).toEqual([[at(10), 1, false]]);
    expect(late([half, { advance: at(20) }, 'restart', slowWhole(half)])).toEqual([[at(10), 1, false]]);
  });

  it('alerts late when only the whole matches', () => {
    const silent = bad(10, { action: 'good', revision: 1 });
    expect(late([silent, slowWhole(bad(10))])).toEqual([[at(10), 1, true]]);
    expect(late([silent, { advance: at(20) }, slowWhole(bad(10)), slowWhole(bad(10))])).toEqual([
      [at(10), 1, true],
    ]);
  });

  it('is remembered long enough for its whole, and then forgotten', () => {
    const seenAt = (second: number) =>
      (run(single, [half, { advance: at(second) }], false).snapshots[0] as DetectorSnapshot).place.seen
        .length;
    expect(seenAt(10 + 2 * limits.halfMemorySeconds)).toBe(1);
    expect(seenAt(11 + 2 * limits.halfMemorySeconds)).toBe(0);
  });
});

describe('a whole that follows its half in time', () => {
  it('takes its place, in either order', () => {
    const half = bad(10, { name: 'half', revision: 1 });
    const whole = bad(10, { name: 'whole' });
    for (const steps of [
      [half, whole],
      [whole, half],
    ]) {
      expect(run(single, steps).alerts.map(({ message }) => message)).toEqual(['whole did secret/data/app']);
    }
    expect(run(single, [{ advance: END }, half], false).alerts[0]?.alert.late).toBe(true);
  });
});
