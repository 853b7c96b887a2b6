// A normaliser that goes on from a snapshot, taken after any record, makes what the one before it would have made.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StreamRecord } from '../../../core/ports.ts';
import type { NormaliserState } from '../../../ingest/normalise/normaliser.ts';
import {
  arrivalsOf,
  noOutputs,
  normaliserInto,
  type Outputs,
  type PlannedCall,
  plannedCall,
  plannedTicks,
  recordsOf,
} from './arrivals.ts';

const calls = fc.array(plannedCall, { minLength: 1, maxLength: 10 });

const aCall = (parts: Partial<PlannedCall>): PlannedCall => ({
  template: 0,
  atMs: 0,
  tookMs: 10,
  shown: { file: 'both', tcp: 'both' },
  delaysMs: [0, 0, 0, 0],
  repeats: [false, false, false, false],
  ...parts,
});

/** A snapshot as it comes back from disk. */
const stored = (state: NormaliserState): NormaliserState =>
  JSON.parse(JSON.stringify(state)) as NormaliserState;

/** Runs `records`, with a restart before each offset in `cuts`; the lines of waiting calls are read again. */
function run(records: StreamRecord[], cuts: number[]): Outputs {
  const out = noOutputs();
  let normaliser = normaliserInto(out);
  for (const record of records) {
    if (cuts.includes(record.offset)) {
      const { state, offset } = normaliser.snapshot(record.offset);
      normaliser = normaliserInto(out, stored(state));
      for (const old of records.slice(offset, record.offset)) normaliser.restore(old);
    }
    normaliser.record(record);
  }
  return out;
}

describe('after a restart', () => {
  it('events, rejects and watermarks go on, wherever the snapshots were taken', () => {
    fc.assert(
      fc.property(
        calls,
        plannedTicks,
        fc.array(fc.nat(60), { minLength: 1, maxLength: 4 }),
        (calls, ticks, at) => {
          const [records = []] = recordsOf(arrivalsOf(calls, ticks, true), 1);
          const cuts = at.map((place) => place % records.length);
          const [expected, actual] = [run(records, []), run(records, cuts)];
          expect(actual.texts).toEqual(expected.texts);
          expect(actual.rejects).toEqual(expected.rejects);
          expect(actual.watermarks).toEqual(expected.watermarks);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('no count is lost, wherever the snapshot was taken', () => {
    fc.assert(
      fc.property(calls, plannedTicks, fc.nat(60), (calls, ticks, at) => {
        const [records = []] = recordsOf(arrivalsOf(calls, ticks, true), 1);
        expect(run(records, [at % records.length]).counts).toEqual(run(records, []).counts);
      }),
      { numRuns: 100 },
    );
  });

  it('a call that went out over two minutes ago does not go out again', () => {
    const half = aCall({ shown: { file: 'request', tcp: 'none' } });
    const ticks = [10_000, 150_000, 200_000].map((atMs) => ({ atMs, behindMs: 0 }));
    const planned = [half, aCall({ atMs: 1000 }), aCall({ atMs: 200_000 })];
    const [records = []] = recordsOf(arrivalsOf(planned, ticks, false), 1);
    expect(run(records, [records.length - 1]).texts.length).toBe(run(records, []).texts.length);
  });

  it('the place to read on from is the oldest line of a call that waits, and not older', () => {
    fc.assert(
      fc.property(calls, plannedTicks, fc.nat(60), (calls, ticks, at) => {
        const [records = []] = recordsOf(arrivalsOf(calls, ticks, false), 1);
        const cut = at % records.length;
        const normaliser = normaliserInto(noOutputs());
        for (const record of records.slice(0, cut)) normaliser.record(record);
        const { offset, state } = normaliser.snapshot(cut);
        expect(offset).toBeLessThanOrEqual(cut);
        if (offset === cut) return;
        const oldest = records[offset] as StreamRecord;
        expect(oldest.kind).toBe('line');
        // What was sent already is not what waits.
        for (const id of state.emitted.ids.flatMap(([, ids]) => ids))
          expect(oldest.bytes.includes(`"id":"${id}"`)).toBe(false);
      }),
      { numRuns: 100 },
    );
  });
});
