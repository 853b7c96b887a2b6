// Event time where several collectors write onto one partition: the one furthest behind holds it back, for as long as it says
// anything, and no further than a device of one collector would.

import { expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { timeOfMs } from '../../../core/time.ts';
import { SpoolTimes } from '../../../ingest/normalise/spools.ts';

const T0 = Date.UTC(2026, 10, 23, 12);
const seconds = 1000;
const minutes = 60 * seconds;

/** A tick made at wall time `T0 + at` by a collector whose one device is `lag` behind it, drained at `T0 + sent`. */
const tick = (at: number, { sent = at, lag = 0, behind = false } = {}) => ({
  devices: { file: timeOfMs(T0 + at - lag) },
  at: T0 + at,
  sent: T0 + sent,
  ...(behind && { behind: true as const }),
});

/** The time reached, in seconds behind T0. */
const reached = (time: string | undefined) =>
  time === undefined ? undefined : (Date.parse(time) - T0) / seconds;

test('a collector on the embedded stream is the only one: its lowest device counts', () => {
  const spools = new SpoolTimes();
  const devices = { a: timeOfMs(T0 + 2000), b: timeOfMs(T0 + 1000) };
  expect(reached(spools.tick('', { devices }))).toBe(1);
  expect(spools.tick('', { devices: {} })).toBeUndefined();
});

test('of two, the one that is behind holds time back', () => {
  const spools = new SpoolTimes();
  expect(reached(spools.tick('a', tick(0)))).toBe(0);
  expect(reached(spools.tick('b', tick(1 * seconds, { lag: 5 * seconds })))).toBe(-4);
  expect(reached(spools.tick('a', tick(2 * seconds)))).toBe(-4);
  expect(reached(spools.tick('b', tick(3 * seconds, { lag: 5 * seconds })))).toBe(-2);
});

test('after an outage of ten minutes neither is late, whichever drains first', () => {
  const spools = new SpoolTimes();
  spools.tick('a', tick(0));
  spools.tick('b', tick(0));
  // `a` comes back first, with all that has gathered at once.
  const back = 10 * minutes;
  for (let at = 1 * seconds; at <= back; at += seconds)
    expect(reached(spools.tick('a', tick(at, { sent: back })))).toBe(0);
  // `b` two seconds later; time goes as far as it is.
  for (let at = 1 * seconds; at <= back; at += seconds)
    expect(reached(spools.tick('b', tick(at, { sent: back + 2 * seconds })))).toBe(at / seconds);
});

test('one that says nothing for a minute is gone', () => {
  const spools = new SpoolTimes();
  spools.tick('a', tick(0));
  spools.tick('b', tick(0));
  let last: number | undefined;
  for (let at = 1 * seconds; at <= limits.deviceIdleSeconds * seconds; at += seconds)
    last = reached(spools.tick('a', tick(at)));
  expect(last).toBe(0);
  expect(reached(spools.tick('a', tick(61 * seconds)))).toBe(61);
});

test('old lines of one hold the others back by a minute at most; a file that is read from far behind, as far as it is', () => {
  const spools = new SpoolTimes();
  spools.tick('a', tick(0));
  const hour = 60 * minutes;
  expect(reached(spools.tick('b', tick(0, { lag: hour })))).toBe(-limits.deviceIdleSeconds);
  expect(reached(spools.tick('b', tick(1 * seconds, { lag: hour, behind: true })))).toBe(1 - 3600);
});

test('hosts whose clocks differ, and one that was far ahead, do not let others seem gone', () => {
  const spools = new SpoolTimes();
  spools.tick('slow', tick(0));
  // Each second two others tick, half a minute apart.
  for (let at = 1 * seconds; at <= 50 * seconds; at += seconds) {
    spools.tick('fast', tick(at, { sent: at + 30 * seconds }));
    spools.tick('back', tick(at, { sent: at - 20 * seconds }));
  }
  expect(reached(spools.tick('fast', tick(51 * seconds, { sent: 81 * seconds })))).toBe(0);
  spools.tick('slow', tick(52 * seconds));
  // A day ahead for one tick; then silence is noticed as ever.
  spools.tick('fast', tick(53 * seconds, { sent: 86_400 * seconds }));
  for (let at = 54 * seconds; at <= 130 * seconds; at += seconds) spools.tick('fast', tick(at));
  expect(reached(spools.tick('fast', tick(131 * seconds)))).toBe(131);
});

test('goes on from its state', () => {
  const before = new SpoolTimes();
  before.tick('a', tick(0));
  before.tick('b', tick(0, { lag: 3 * seconds }));
  const after = new SpoolTimes(JSON.parse(JSON.stringify(before.state())));
  expect(reached(after.tick('a', tick(1 * seconds)))).toBe(-3);
});
