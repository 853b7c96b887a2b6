// The event time that each device has come to: the highest time read, plus what has passed since it was read.

import { limits } from '../../core/limits.ts';
import { msOf, timeOfMs, utcTime } from '../../core/time.ts';

/** Bytes of `2026-09-07T00:00:00`, all that is compared line by line. */
const SECOND_BYTES = 19;
const ZULU = 90;

/**
 * Time since something, as the ticks count it: a tick lets pass what lies between it and the one before, but never more than
 * `limits.tickMsMax` and never less than nothing. A machine that slept, and a wall clock that was set, cannot move it.
 */
class Elapsed {
  private ms = 0;
  private sinceMs = 0;

  start(nowMs: number): void {
    this.ms = 0;
    this.sinceMs = nowMs;
  }

  pass(nowMs: number): void {
    this.ms += Math.min(Math.max(nowMs - this.sinceMs, 0), limits.tickMsMax);
    this.sinceMs = nowMs;
  }

  at(nowMs: number): number {
    return this.ms + Math.max(0, nowMs - this.sinceMs);
  }
}

export class DeviceClock {
  /** Lines from further in the future than `limits.futureSeconds`. */
  future = 0;
  private readonly second = Buffer.alloc(SECOND_BYTES);
  private highestMs = 0;
  private readonly sinceHighest = new Elapsed();
  private readonly sinceLine = new Elapsed();

  /**
   * A line's time lies in `bytes[from, to)`; `nowMs` is the wall clock. Only a new second costs more than a comparison.
   * A time from the future moves the device's no further than to now: it would make every honest line late, and anyone who
   * can connect can write one. False when it is so far ahead that it would never come due. (docs/decisions/0012)
   */
  see(bytes: Buffer, from: number, to: number, nowMs: number): boolean {
    this.sinceLine.start(nowMs);
    if (to - from > SECOND_BYTES && bytes[to - 1] === ZULU) {
      const order = bytes.compare(this.second, 0, SECOND_BYTES, from, from + SECOND_BYTES);
      if (order === 0) this.sinceHighest.start(nowMs);
      if (order <= 0) return true;
    }
    const time = to - from > TIME_CHARS_MAX ? undefined : utcTime(bytes.toString('latin1', from, to));
    if (time === undefined) return true;
    const ms = msOf(time);
    const aheadMs = ms - nowMs;
    if (aheadMs <= limits.futureSeconds * 1000) {
      if (ms > this.highestMs) this.moveTo(ms, nowMs);
      return true;
    }
    this.future++;
    // All of a device's lines may be ahead, when the clock of this host is behind: time must not stand still.
    if (nowMs > this.timeMs(nowMs)) this.moveTo(nowMs, nowMs);
    return aheadMs <= limits.futureSecondsMax * 1000;
  }

  private moveTo(ms: number, nowMs: number): void {
    this.highestMs = ms;
    this.sinceHighest.start(nowMs);
    this.second.write(timeOfMs(ms), 0, SECOND_BYTES, 'latin1');
  }

  /** Event time of the device now, in ms; 0 before its first line. */
  timeMs(nowMs: number): number {
    return this.highestMs === 0 ? 0 : this.highestMs + this.sinceHighest.at(nowMs);
  }

  isIdle(nowMs: number): boolean {
    return this.sinceLine.at(nowMs) > limits.deviceIdleSeconds * 1000;
  }

  /**
   * A tick: of what lies behind it, only so much has passed as a tick may let pass; none for a device with lines that are
   * not read yet, since they may be as old as the last one.
   */
  pass(nowMs: number, isBehind = false): void {
    if (isBehind) this.sinceHighest.start(nowMs);
    else this.sinceHighest.pass(nowMs);
    this.sinceLine.pass(nowMs);
  }
}

const TIME_CHARS_MAX = 64;

/**
 * The devices of a tick. One that is silent for `limits.deviceIdleSeconds` no longer holds time back, and a socket holds it
 * back by no more than that: anybody who can connect can write old lines. A device in `behind` has lines that are not read
 * yet, so it may lag as far as it does. When all are silent, the one that is furthest goes on alone.
 * `steadyMs` is the wall clock without its steps back.
 */
export function tickDevices(
  clocks: ReadonlyMap<string, DeviceClock>,
  { nowMs, steadyMs = nowMs }: { nowMs: number; steadyMs?: number },
  behind: ReadonlySet<string> = new Set(),
): Record<string, string> {
  const started = [...clocks]
    .map(([name, clock]) => ({
      name,
      ms: clock.timeMs(nowMs),
      live: behind.has(name) || !clock.isIdle(nowMs),
    }))
    .filter((device) => device.ms > 0);
  const live = started.filter((device) => device.live);
  const shown =
    live.length > 0
      ? live
      : started.filter(({ ms }) => ms === Math.max(...started.map((device) => device.ms))).slice(0, 1);
  const furthest = Math.min(nowMs, Math.max(...shown.map(({ ms }) => ms)));
  const lowest = furthest - limits.deviceIdleSeconds * 1000;
  return Object.fromEntries(
    // Never ahead of now: one line from the future, which anybody who can connect can write, would make all others late.
    shown.map(({ name, ms }) => [
      name,
      timeOfMs(Math.min(steadyMs, behind.has(name) ? ms : Math.max(ms, lowest))),
    ]),
  );
}
