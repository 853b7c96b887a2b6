// What goes out does not hang on the order in which lines came, and nothing comes behind a watermark.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AuditEvent } from '../../../core/event.ts';
import {
  arrivalsOf,
  inOrder,
  noOutputs,
  normalise,
  normaliserInto,
  plannedCall,
  plannedTicks,
  recordsOf,
} from './arrivals.ts';

/** A call that took longer has its whole after its half, behind the watermark. */
const SLOW_NANOS = 3e9;

it('calls of which only some halves were shown are counted alike in any order', () => {
  const shown = fc.constantFrom<'both' | 'none' | 'request' | 'response'>(
    'both',
    'both',
    'none',
    'request',
    'response',
  );
  const call = fc
    .tuple(plannedCall, fc.record({ file: shown, tcp: shown }))
    .filter(([, { file, tcp }]) => file !== 'none' || tcp !== 'none')
    .map(([planned, shown]) => ({ ...planned, shown }));
  fc.assert(
    fc.property(fc.array(call, { minLength: 1, maxLength: 6 }), plannedTicks, (calls, ticks) => {
      expect(normalise(arrivalsOf(calls, ticks, false)).counts).toEqual(normalise(inOrder(calls)).counts);
    }),
    { numRuns: 300 },
  );
});

it('no event comes behind a watermark, halves of slow calls included', () => {
  const calls = fc.array(plannedCall, { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(calls, plannedTicks, (calls, ticks) => {
      const [records = []] = recordsOf(arrivalsOf(calls, ticks, false), 1);
      const out = noOutputs();
      const normaliser = normaliserInto(out);
      for (const record of records) {
        const reached = out.watermarks.at(-1) ?? '';
        const before = out.texts.length;
        normaliser.record(record);
        const events = out.texts.slice(before).map((text) => JSON.parse(text) as AuditEvent);
        const due = events.filter(
          ({ event, vault }) => vault.revision === 1 || (event.duration ?? 0) <= SLOW_NANOS,
        );
        expect(due.filter((event) => event['@timestamp'] <= reached)).toEqual([]);
      }
    }),
    { numRuns: 300 },
  );
});
