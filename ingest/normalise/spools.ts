// How far event time has come where several collectors write onto one partition, each through a spool of its own: as far as the one
// that is furthest behind says. One that says nothing any more holds time back no longer.
//
// After an outage each drains what has gathered, one faster than the other, so a tick may be minutes old when it comes. Whether a
// spool is alive goes by the wall times at which ticks were drained, which stand in them: nothing here reads a clock.

import { limits } from '../../core/limits.ts';
import type { Tick } from '../../core/records.ts';
import { msOf, timeOfMs } from '../../core/time.ts';

interface Spool {
  /** Lowest event time of its devices, in ms. */
  timeMs: number;
  /** Wall time of that. */
  atMs: number;
  /** It has lines that it has not read yet, so it may lag as far as it does. */
  isBehind: boolean;
  /** `activeMs` when it was last heard of. */
  heardMs: number;
}

export interface SpoolsState {
  spools: [id: string, Spool][];
  activeMs: number;
  sentMs: number;
}

const IDLE_MS = limits.deviceIdleSeconds * 1000;

export class SpoolTimes {
  private readonly spools: Map<string, Spool>;
  /** Wall time in which ticks came; a pause of all of them counts as one tick. */
  private activeMs: number;
  /** The latest `sent`. */
  private sentMs: number;

  constructor(state?: SpoolsState) {
    this.spools = new Map(state?.spools);
    this.activeMs = state?.activeMs ?? 0;
    this.sentMs = state?.sentMs ?? 0;
  }

  state(): SpoolsState {
    return { spools: [...this.spools], activeMs: this.activeMs, sentMs: this.sentMs };
  }

  /** A tick of the spool `id`: how far time has come; undefined while no device has shown a line. */
  tick(id: string, { devices, at = 0, sent, behind }: Tick): string | undefined {
    const [first, ...others] = Object.values(devices);
    if (first === undefined) return undefined;
    const time = others.reduce((low, other) => (other < low ? other : low), first);
    // Not through a drain: there is one collector.
    if (sent === undefined) return time;
    this.pass(sent);
    this.spools.delete(id);
    this.spools.set(id, { timeMs: msOf(time), atMs: at, isBehind: behind === true, heardMs: this.activeMs });
    for (const [known, { heardMs }] of this.spools)
      if (this.activeMs - heardMs > IDLE_MS || this.spools.size > limits.spoolsMax) this.spools.delete(known);
    return this.spools.size === 1 ? time : timeOfMs(this.lowestMs());
  }

  /** Clocks of hosts differ: the one that is ahead counts, unless it was wrong by more than anybody waits for. */
  private pass(sentMs: number): void {
    this.activeMs += Math.min(Math.max(sentMs - this.sentMs, 0), limits.tickMsMax);
    if (sentMs > this.sentMs || sentMs < this.sentMs - IDLE_MS) this.sentMs = sentMs;
  }

  /**
   * As among the devices of one collector, one holds the others back by no more than `limits.deviceIdleSeconds` unless it is behind:
   * anybody who can connect can write old lines. What is held against each other was so at one wall time.
   */
  private lowestMs(): number {
    const all = [...this.spools.values()];
    const ahead = Math.max(...all.map(({ timeMs, atMs }) => timeMs - atMs));
    return Math.min(
      ...all.map(({ timeMs, atMs, isBehind }) =>
        isBehind ? timeMs : Math.max(timeMs, ahead + atMs - IDLE_MS),
      ),
    );
  }
}
