// Restarts and counts: red until mended.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StreamRecord } from '../../../core/ports.ts';
import {
  arrivalsOf,
  inOrder,
  noOutputs,
  normalise,
  normaliserInto,
  type Outputs,
  type PlannedCall,
  plannedCall,
  plannedTicks,
  recordsOf,
} from './arrivals.ts';

const calls = fc.array(plannedCall, { minLength: 1, maxLength: 10 });
function run(records: StreamRecord[], cuts: number[]): Outputs {
  const out = noOutputs();
  let normaliser = normaliserInto(out);
  for (const record of records) {
    if (cuts.includes(record.offset)) {
      const { state, offset } = normaliser.snapshot(record.offset);
      normaliser = normaliserInto(out, JSON.parse(JSON.stringify(state)));
      for (const old of records.slice(offset, record.offset)) normaliser.restore(old);
    }
    normaliser.record(record);
  }
  return out;
}
it('a snapshot anywhere loses no count', () => {
  fc.assert(
    fc.property(calls, plannedTicks, fc.nat(60), (calls, ticks, at) => {
      const [records = []] = recordsOf(arrivalsOf(calls, ticks, true), 1);
      expect(run(records, [at % records.length]).counts).toEqual(run(records, []).counts);
    }),
    { numRuns: 100 },
  );
});
const call = (parts: Partial<PlannedCall>): PlannedCall => ({
  template: 0,
  atMs: 0,
  tookMs: 10,
  shown: { file: 'both', tcp: 'both' },
  delaysMs: [0, 0, 0, 0],
  repeats: [false, false, false, false],
  ...parts,
});
it('a call that went out over two minutes ago does not go out again', () => {
  const calls = [
    call({ shown: { file: 'request', tcp: 'none' } }),
    call({ atMs: 1000 }),
    call({ atMs: 200_000 }),
  ];
  const ticks = [10_000, 150_000, 200_000].map((atMs) => ({ atMs, behindMs: 0 }));
  const [records = []] = recordsOf(arrivalsOf(calls, ticks, false), 1);
  expect(run(records, [records.length - 1]).texts.length).toBe(run(records, []).texts.length);
});
it('response halves: counts', () => {
  const shown = fc.constantFrom<'both' | 'none' | 'request' | 'response'>(
    'both',
    'both',
    'none',
    'request',
    'response',
  );
  const calls = fc.array(
    plannedCall
      .chain((c) => fc.record({ file: shown, tcp: shown }).map((s) => ({ ...c, shown: s })))
      .filter((c) => c.shown.file !== 'none' || c.shown.tcp !== 'none'),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(calls, plannedTicks, (calls, ticks) => {
      expect(normalise(arrivalsOf(calls, ticks, false)).counts).toEqual(normalise(inOrder(calls)).counts);
    }),
    { numRuns: 300 },
  );
});
it('no event comes behind a watermark, halves of slow calls included', () => {
  fc.assert(
    fc.property(calls, plannedTicks, (calls, ticks) => {
      const [records = []] = recordsOf(arrivalsOf(calls, ticks, false), 1);
      const out = noOutputs();
      const n = normaliserInto(out);
      for (const r of records) {
        const before = out.watermarks.at(-1) ?? '';
        const k = out.texts.length;
        n.record(r);
        for (const t of out.texts.slice(k)) {
          const e = JSON.parse(t);
          if (e.vault.revision === 1 || e.event.duration <= 3e9)
            expect(
              e['@timestamp'] > before,
              t.slice(0, 40) + before + JSON.stringify(e.vault.devices) + e.vault.pair + e.event.duration,
            ).toBe(true);
        }
      }
    }),
    { numRuns: 300 },
  );
});
