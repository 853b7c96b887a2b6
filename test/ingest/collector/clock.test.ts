// A device's time: the highest event time read and what has passed since, whatever else is read.

import { describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { timeOfMs } from '../../../core/time.ts';
import { DeviceClock, tickDevices } from '../../../ingest/collector/clock.ts';

const start = Date.parse('2026-09-07T10:00:00Z');
const at = (seconds: number) => start + seconds * 1000;
const time = (seconds: number) => timeOfMs(at(seconds));

function timeOf(clock: DeviceClock, nowMs: number): string | undefined {
  const ms = clock.timeMs(nowMs);
  return ms === 0 ? undefined : timeOfMs(ms);
}

function see(clock: DeviceClock, text: string, nowMs: number): void {
  const bytes = Buffer.from(`x${text}x`);
  clock.see(bytes, 1, bytes.length - 1, nowMs);
}

describe('the clock of a device', () => {
  test('has no time before its first line, and none from a line without a real time', () => {
    const clock = new DeviceClock();
    expect(timeOf(clock, start)).toBeUndefined();
    for (const text of ['', 'never', '2026-13-07T10:00:00Z', '9'.repeat(100)]) see(clock, text, start);
    expect(timeOf(clock, start)).toBeUndefined();
  });

  test('goes on from the highest time by what has passed since, also for an old log that is fed live', () => {
    const clock = new DeviceClock();
    see(clock, '2026-09-07T09:00:00.250Z', start);
    expect(timeOf(clock, start)).toBe('2026-09-07T09:00:00.250000000Z');
    expect(timeOf(clock, at(5))).toBe('2026-09-07T09:00:05.250000000Z');
    see(clock, '2026-09-07T09:30:00Z', at(6));
    expect(timeOf(clock, at(6.5))).toBe('2026-09-07T09:30:00.500000000Z');
  });

  test('is not moved back by an older line, in any zone', () => {
    const clock = new DeviceClock();
    see(clock, '2026-09-07T10:00:00Z', start);
    for (const older of ['2026-09-07T09:59:59.999Z', '2026-09-07T11:30:00+02:00', '2020-01-01T00:00:00Z']) {
      see(clock, older, at(1));
      expect(timeOf(clock, at(2))).toBe(time(2));
    }
  });

  test('takes a zone for what it is', () => {
    const clock = new DeviceClock();
    see(clock, '2026-09-07T09:00:00Z', start);
    see(clock, '2026-09-07T11:30:00.5+02:00', start);
    expect(timeOf(clock, start)).toBe('2026-09-07T09:30:00.500000000Z');
  });

  test('is not moved by a line from the far future, and is by one just inside the bound', () => {
    const clock = new DeviceClock();
    see(clock, time(0), start);
    see(clock, time(limits.futureSeconds + 1), start);
    see(clock, '9999-12-31T23:59:59Z', start);
    expect(timeOf(clock, start)).toBe(time(0));
    see(clock, time(limits.futureSeconds), start);
    expect(timeOf(clock, start)).toBe(time(limits.futureSeconds));
  });

  test('does not go back when the wall clock does', () => {
    const clock = new DeviceClock();
    see(clock, time(0), start);
    expect(timeOf(clock, start - 10_000)).toBe(time(0));
  });

  test('is idle without a line for limits.deviceIdleSeconds; an older line shows life as well', () => {
    const clock = new DeviceClock();
    see(clock, time(0), start);
    expect(clock.isIdle(at(limits.deviceIdleSeconds))).toBe(false);
    expect(clock.isIdle(at(limits.deviceIdleSeconds + 1))).toBe(true);
    see(clock, time(-100), at(limits.deviceIdleSeconds));
    expect(clock.isIdle(at(limits.deviceIdleSeconds + 1))).toBe(false);
  });
});

describe('the devices of a tick', () => {
  const clocks = (lines: Record<string, [eventTime: number, read: number]>) =>
    new Map(
      Object.entries(lines).map(([name, [event, read]]) => {
        const clock = new DeviceClock();
        see(clock, time(event), at(read));
        return [name, clock] as const;
      }),
    );

  test('are all that live, each at its own time; one without a line is not there', () => {
    const devices = clocks({ tcp: [0, 0], file: [-30, 0] });
    devices.set('unix', new DeviceClock());
    expect(tickDevices(devices, { nowMs: at(10) })).toEqual({ tcp: time(10), file: time(-20) });
  });

  test('an idle one leaves, so that it does not hold time back', () => {
    const devices = clocks({ tcp: [0, 0], file: [-30, 20] });
    expect(tickDevices(devices, { nowMs: at(61) })).toEqual({ file: time(11) });
  });

  test('when all are idle, the one that is furthest goes on alone', () => {
    const devices = clocks({ tcp: [0, 0], file: [-30, 0], unix: [5, 10] });
    expect(tickDevices(devices, { nowMs: at(500) })).toEqual({ tcp: time(500) });
  });

  test('and none is there when none has begun', () => {
    expect(tickDevices(new Map([['tcp', new DeviceClock()]]), { nowMs: start })).toEqual({});
  });
});
