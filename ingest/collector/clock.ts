// The event time that each device has come to: the highest time read, plus what has passed since it was read.

import { limits } from '../../core/limits.ts';
import { msOf, timeOfMs, utcTime } from '../../core/time.ts';

/** Bytes of `2026-09-07T00:00:00`, all that is compared line by line. */
const SECOND_BYTES = 19;
const ZULU = 90;

export class DeviceClock {
  private readonly second = Buffer.alloc(SECOND_BYTES);
  private highestMs = 0;
  private highestReadMs = 0;
  private lastLineMs = 0;

  /** A line's time lies in `bytes[from, to)`; `nowMs` is the wall clock. Only a new second costs more than a comparison. */
  see(bytes: Buffer, from: number, to: number, nowMs: number): void {
    this.lastLineMs = nowMs;
    if (to - from > SECOND_BYTES && bytes[to - 1] === ZULU) {
      const order = bytes.compare(this.second, 0, SECOND_BYTES, from, from + SECOND_BYTES);
      if (order === 0) this.highestReadMs = nowMs;
      if (order <= 0) return;
    }
    const time = to - from > 64 ? undefined : utcTime(bytes.toString('latin1', from, to));
    if (time === undefined) return;
    const ms = msOf(time);
    // A time from the future would make every honest line late, and anyone who can connect can write one.
    if (ms <= this.highestMs || ms > nowMs + limits.futureSeconds * 1000) return;
    this.highestMs = ms;
    this.highestReadMs = nowMs;
    this.second.write(time, 0, SECOND_BYTES, 'latin1');
  }

  /** Canonical event time of the device now; undefined before its first line. */
  time(nowMs: number): string | undefined {
    if (this.highestMs === 0) return undefined;
    return timeOfMs(this.highestMs + Math.max(0, nowMs - this.highestReadMs));
  }

  isIdle(nowMs: number): boolean {
    return nowMs - this.lastLineMs > limits.deviceIdleSeconds * 1000;
  }
}

/**
 * The devices of a tick. One that is silent for `limits.deviceIdleSeconds` no longer holds time back; when all are silent,
 * the one that is furthest goes on alone.
 */
export function tickDevices(clocks: ReadonlyMap<string, DeviceClock>, nowMs: number): Record<string, string> {
  const started = [...clocks].flatMap(([name, clock]) => {
    const time = clock.time(nowMs);
    return time === undefined ? [] : [{ name, time, idle: clock.isIdle(nowMs) }];
  });
  const live = started.filter((device) => !device.idle);
  const furthest = started.reduce<(typeof started)[number] | undefined>(
    (a, b) => (a === undefined || b.time > a.time ? b : a),
    undefined,
  );
  const shown = live.length > 0 ? live : furthest === undefined ? [] : [furthest];
  return Object.fromEntries(shown.map((device) => [device.name, device.time]));
}
