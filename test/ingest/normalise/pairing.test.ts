// Pairing under any arrival within the allowed lateness: the same events, each call once, counters that add up
// (guarantee 3, decision 0002).

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../../core/event.ts';
import {
  type Arrival,
  arrivalsOf,
  devices,
  inOrder,
  normalise,
  type Outputs,
  type PlannedCall,
  type PlannedTick,
  plannedCall,
  plannedTicks,
  versionsOf,
} from './arrivals.ts';

const slowMs = 3000;
const calls = fc.array(plannedCall, { minLength: 1, maxLength: 12 });
const partitions = fc.constantFrom(1, 3, 8);
const runs = { numRuns: 150 };

const hashOf = (...lines: (string | undefined)[]) =>
  createHash('sha256')
    .update(
      lines
        .filter((line) => line !== undefined)
        .map((line) => `${line}\n`)
        .join(''),
    )
    .digest('hex');

const lastOf = (out: Outputs): AuditEvent[] =>
  Object.values(versionsOf(out)).map((versions) => JSON.parse(versions.at(-1) ?? '') as AuditEvent);

/** The halves of call `id` on `device`, as lines. */
function halvesOf(arrivals: Arrival[], id: string, device: string): [string | undefined, string | undefined] {
  const mine = arrivals.filter(({ line, device: on }) => on === device && line?.includes(`"id":"${id}"`));
  const half = (type: string) => mine.find(({ line }) => line?.includes(`"type":"${type}"`))?.line;
  return [half('request'), half('response')];
}

const isWhole = ({ shown }: PlannedCall) => Object.values(shown).includes('both');

describe('whatever the order of arrival', () => {
  const anyArrival = (check: (calls: PlannedCall[], ticks: PlannedTick[], partitions: number) => void) =>
    fc.assert(fc.property(calls, plannedTicks, partitions, check), runs);

  it('every version of every event is the same, byte by byte, for 1, 3 and 8 partitions', () => {
    anyArrival((calls, ticks, count) => {
      const expected = versionsOf(normalise(inOrder(calls)));
      expect(Object.keys(expected)).toHaveLength(calls.length);
      expect(versionsOf(normalise(arrivalsOf(calls, ticks, false), count))).toEqual(expected);
    });
  });

  it('lines that come again change nothing but the counter of duplicates', () => {
    anyArrival((calls, ticks, count) => {
      const once = arrivalsOf(calls, ticks, false);
      const twice = arrivalsOf(calls, ticks, true);
      const [expected, actual] = [normalise(once, count), normalise(twice, count)];
      expect(versionsOf(actual)).toEqual(versionsOf(expected));
      for (const device of Object.keys(actual.counts)) {
        const repeats =
          twice.filter((arrival) => arrival.device === device).length -
          once.filter((arrival) => arrival.device === device).length;
        const { received, duplicate } = actual.counts[device] ?? { received: 0, duplicate: 0 };
        const before = expected.counts[device];
        expect(duplicate - (before?.duplicate ?? 0)).toBe(repeats);
        expect(received - (before?.received ?? 0)).toBe(repeats);
        expect({ ...actual.counts[device], duplicate: 0, received: 0 }).toEqual({
          ...before,
          duplicate: 0,
          received: 0,
        });
      }
    });
  });

  it('the counters of each device are the same and add up', () => {
    anyArrival((calls, ticks, count) => {
      const { counts } = normalise(arrivalsOf(calls, ticks, false), count);
      expect(counts).toEqual(normalise(inOrder(calls)).counts);
      for (const device of devices) {
        const mine = counts[device] ?? { received: 0, paired: 0, unpaired: 0, gaps: 0 };
        const showed = calls.filter(({ shown }) => shown[device] !== 'none');
        expect(mine.received).toBe(inOrder(calls).filter((arrival) => arrival.device === device).length);
        // A half whose other half only another device showed is neither: it is a gap of this one.
        const whole = showed.filter((call) => call.shown[device] === 'both');
        expect(mine.paired).toBe(whole.length);
        expect(mine.unpaired).toBe(showed.filter((call) => !isWhole(call)).length);
        expect(mine.gaps).toBeGreaterThanOrEqual(
          calls.filter((call) => call.shown[device] === 'none' && isWhole(call)).length,
        );
        expect(mine.gaps).toBeLessThanOrEqual(calls.filter(({ shown }) => shown[device] !== 'both').length);
      }
    });
  });

  it('the watermark never goes back', () => {
    anyArrival((calls, ticks) => {
      const { watermarks } = normalise(arrivalsOf(calls, ticks, true));
      expect(watermarks).toEqual([...watermarks].sort());
      expect(watermarks.length).toBeGreaterThan(0);
    });
  });
});

describe('the versions of a call', () => {
  it('a half is revision 1, a whole revision 2; a slow call is both, every other one of them', () => {
    fc.assert(
      fc.property(calls, plannedTicks, (calls, ticks) => {
        const versions = versionsOf(normalise(arrivalsOf(calls, ticks, true)));
        for (const [i, call] of calls.entries()) {
          const revisions = (versions[`call-${i}`] ?? []).map((text) => {
            const { vault } = JSON.parse(text) as AuditEvent;
            expect(vault.pair).toBe(vault.revision === 2 ? 'both' : 'request_only');
            return vault.revision;
          });
          expect(revisions).toEqual(isWhole(call) ? (call.tookMs > slowMs ? [1, 2] : [2]) : [1]);
        }
      }),
      runs,
    );
  });

  it('the first-ranked device that showed a half gives its fields, and the hash proves its lines', () => {
    fc.assert(
      fc.property(calls, plannedTicks, (calls, ticks) => {
        const arrivals = arrivalsOf(calls, ticks, true);
        for (const { event, vault, user } of lastOf(normalise(arrivals))) {
          const [file, tcp] = devices.map((device) => halvesOf(arrivals, event.id, device));
          const request = file?.[0] ?? tcp?.[0];
          const response = file?.[1] ?? tcp?.[1];
          expect(event.hash).toBe(hashOf(request, response));
          const shown = devices.filter((_, i) => [file, tcp][i]?.some((half) => half !== undefined));
          expect(vault.devices).toEqual(shown);
          const token = user.id.split('token:')[1];
          if (token !== undefined) expect(response ?? request).toContain(token);
        }
      }),
      runs,
    );
  });
});

describe('a late line', () => {
  const fast: PlannedCall = {
    template: 0,
    atMs: 1000,
    tookMs: 10,
    shown: { file: 'both', tcp: 'none' },
    delaysMs: [0, 0, 0, 0],
    repeats: [false, false, false, false],
  };
  const tickAt = (atMs: number): PlannedTick => ({ atMs, behindMs: 0 });

  it('still becomes an event, and is counted', () => {
    const arrivals = arrivalsOf([{ ...fast, delaysMs: [20_000, 20_000] }], [tickAt(15_000)], false);
    const out = normalise(arrivals);
    expect(lastOf(out)).toMatchObject([{ vault: { pair: 'both', revision: 2 } }]);
    expect(out.counts['file']).toMatchObject({ received: 2, late: 2, paired: 1 });
  });

  it('on time to the edge of what is allowed it is not', () => {
    const arrivals = arrivalsOf([{ ...fast, delaysMs: [3000, 3000] }], [tickAt(4000)], false);
    expect(normalise(arrivals).counts['file']).toMatchObject({ received: 2, late: 0 });
  });

  it('of a call that went out already is a duplicate', () => {
    const call: PlannedCall = {
      ...fast,
      shown: { file: 'both', tcp: 'both' },
      delaysMs: [0, 0, 30_000, 30_000],
    };
    const out = normalise(arrivalsOf([call], [tickAt(10_000), tickAt(20_000)], false));
    expect(out.texts).toHaveLength(1);
    expect(out.counts['tcp']).toMatchObject({ received: 2, late: 2, duplicate: 2 });
  });

  it('that completes a half gives the whole', () => {
    const out = normalise(
      arrivalsOf([{ ...fast, delaysMs: [0, 20_000] }], [tickAt(10_000), tickAt(15_000)], false),
    );
    expect(versionsOf(out)['call-0']).toHaveLength(2);
    expect(out.counts['file']).toMatchObject({ paired: 1, unpaired: 0 });
  });
});
