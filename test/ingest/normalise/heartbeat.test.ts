// Quiet and blind are told apart: a look-up of our own is seen or missed on each device, whatever order its lines come in.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../../../core/limits.ts';
import type { StreamRecord } from '../../../core/ports.ts';
import type { Answer } from '../../../core/records.ts';
import { addSeconds } from '../../../core/time.ts';
import type { NormaliserState } from '../../../ingest/normalise/normaliser.ts';
import { type Arrival, devices, noOutputs, normaliserInto, type Outputs, recordsOf } from './arrivals.ts';
import { fixtureLines } from './lines.ts';

const ID = 'd0a84d7c-1111-4222-8333-444455556666';
const AT = '2026-09-14T10:00:00.500000000Z';
const after = (seconds: number) => addSeconds(AT, seconds);

/** Both lines of a look-up that the real Vault wrote, under our id and time. */
const lookup = fixtureLines('token-life')
  .filter((line) => line.includes('"path":"auth/token/lookup-self"'))
  .slice(0, 2)
  .map((line) => line.replace(/"id":"[0-9a-f-]{36}"/, `"id":"${ID}"`))
  .map((line) => line.replace(/"time":"[^"]*"/, `"time":"${AT}"`));

const lineOn = (device: string, half: 0 | 1): Arrival => ({ atMs: 0, device, line: lookup[half] as string });
const tickAt = (seconds: number): Arrival => ({ atMs: 0, tick: after(seconds) });

const answerOf = (id: string | undefined): Answer => ({
  at: AT,
  method: 'GET',
  path: 'auth/token/lookup-self',
  purpose: 'heartbeat',
  status: id === undefined ? 0 : 200,
  ...(id !== undefined && { response: { request_id: id } }),
});

/** Records of one partition; `answer` stands before the arrival of that index. */
function records(arrivals: Arrival[], answerAt: number, answer = answerOf(ID)): StreamRecord[] {
  const [raw = []] = recordsOf(arrivals, 1);
  const record = {
    kind: 'answer',
    value: answer,
    bytes: Buffer.alloc(0),
    cause: undefined,
    text: '',
  } as const;
  const all = [...raw.slice(0, answerAt), { ...record, offset: 0 }, ...raw.slice(answerAt)];
  return all.map((one, offset) => ({ ...one, offset }));
}

/** Runs them, with a restart before the record at `cut`. */
function run(list: StreamRecord[], cut = -1): Outputs {
  const out = noOutputs();
  let normaliser = normaliserInto(out);
  for (const record of list) {
    if (record.offset === cut) {
      const { state, offset } = normaliser.snapshot(record.offset);
      normaliser = normaliserInto(out, JSON.parse(JSON.stringify(state)) as NormaliserState);
      for (const old of list.slice(offset, record.offset)) normaliser.restore(old);
    }
    normaliser.record(record);
  }
  return out;
}

const beats = (out: Outputs) =>
  Object.fromEntries(
    devices.map((device) => {
      const {
        heartbeat_seen: seen,
        heartbeat_missed: missed,
        heartbeat_unanswered: unanswered,
      } = out.counts[device] ?? {};
      return [device, [seen ?? 0, missed ?? 0, unanswered ?? 0]];
    }),
  );

/** Event time that lets everything be judged. */
const END = 9 + limits.heartbeatMarginSeconds + 1;

describe('a look-up of our own', () => {
  const whole = [lineOn('file', 0), lineOn('tcp', 0), lineOn('tcp', 1), lineOn('file', 1)];

  it('is a call that a real Vault wrote', () => expect(lookup).toHaveLength(2));

  it('that both devices showed is seen on both', () => {
    expect(beats(run(records([...whole, tickAt(END)], 4)))).toEqual({ file: [1, 0, 0], tcp: [1, 0, 0] });
  });

  it('is missed on the device that is blind, and on that alone', () => {
    const shown = [lineOn('file', 0), lineOn('file', 1)];
    expect(beats(run(records([...shown, tickAt(END)], 1)))).toEqual({ file: [1, 0, 0], tcp: [0, 1, 0] });
  });

  it('is not judged before event time has passed it', () => {
    const out = run(records([lineOn('file', 0), tickAt(END - 2)], 1).slice(0, 3));
    expect(beats(out)).toEqual({ file: [0, 0, 0], tcp: [0, 0, 0] });
  });

  it('is missed everywhere when no device has ever shown a line: then the answers tell the time', () => {
    const first = records([], 0).slice(0, 1);
    const later = { ...answerOf('another-id'), at: after(60) };
    const list = [...first, { ...(first[0] as StreamRecord), value: later, offset: 1 }];
    expect(beats(run(list))).toEqual({ file: [0, 1, 0], tcp: [0, 1, 0] });
  });

  it('that Vault did not answer says nothing about a device', () => {
    const out = run(records([...whole, tickAt(END)], 4, answerOf(undefined)));
    expect(beats(out)).toEqual({ file: [0, 0, 1], tcp: [0, 0, 1] });
  });

  it('counts in the hour in which it was asked', () => {
    const hours = [...run(records([...whole, tickAt(END)], 2)).rows.values()].filter(
      ({ counts }) => counts.heartbeat_seen !== undefined,
    );
    expect(hours.map(({ hour }) => hour)).toEqual(Array(2).fill('2026-09-14T10:00:00.000000000Z'));
  });

  it('in any order of lines and answer, with ticks and a restart anywhere', () => {
    const shown = fc.subarray(whole);
    const order = (list: Arrival[]) => fc.shuffledSubarray(list, { minLength: list.length });
    const early = [tickAt(-1), tickAt(2)];
    fc.assert(
      fc.property(
        shown.chain((list) => order([...list, ...early])),
        fc.nat(6),
        fc.nat(20),
        (list, at, cut) => {
          // An answer that is read late is waited for from then on.
          const all = records([...list, tickAt(END + 2)], Math.min(at, list.length));
          const expected = Object.fromEntries(
            devices.map((device) => [
              device,
              list.some((one) => one.device === device) ? [1, 0, 0] : [0, 1, 0],
            ]),
          );
          expect(beats(run(all, cut % all.length))).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('whose call went out as a half before the answer came', () => {
    const list = [lineOn('file', 0), tickAt(7), tickAt(8), tickAt(END + 10)];
    expect(beats(run(records(list, 2)))).toEqual({ file: [1, 0, 0], tcp: [0, 1, 0] });
  });

  it('whose call went out on both devices before a restart, and the answer came after it', () => {
    expect(beats(run(records([...whole, tickAt(END)], 4), 4))).toEqual({ file: [1, 0, 0], tcp: [1, 0, 0] });
  });

  it('whose answer was read when event time had passed it waits for its lines from then on', () => {
    const list = [tickAt(30), tickAt(31), lineOn('file', 0), tickAt(30 + END)];
    expect(beats(run(records(list, 1)))).toEqual({ file: [1, 0, 0], tcp: [0, 1, 0] });
  });

  it('is not judged when its call went out so long ago that nobody knows who showed it', () => {
    const others = Array.from({ length: limits.heartbeatCallsMax }, (_, i) =>
      whole.map((arrival) => ({ ...arrival, line: arrival.line?.replace(ID, `other-${i}`) ?? '' })),
    );
    const list = [...whole, ...others.flat(), tickAt(END)];
    const none = { file: [0, 0, 0], tcp: [0, 0, 0] };
    expect(beats(run(records(list, list.length - 1)))).toEqual(none);
    const known = records(list.slice(4), list.length - 5, answerOf('other-0'));
    expect(beats(run(known))).toEqual({ file: [1, 0, 0], tcp: [1, 0, 0] });
  });

  it('holds a bounded memory', () => {
    const normaliser = normaliserInto(noOutputs());
    for (let i = 0; i < limits.heartbeatsWaitingMax + 10; i++) {
      const value = answerOf(`id-${i}`);
      normaliser.record({
        kind: 'answer',
        value,
        offset: i,
        bytes: Buffer.alloc(0),
        cause: undefined,
        text: '',
      });
    }
    const { awaited } = normaliser.snapshot(0).state.heartbeats;
    expect(awaited).toHaveLength(limits.heartbeatsWaitingMax);
    expect(awaited[0]?.[0]).toBe('id-10');
  });
});
