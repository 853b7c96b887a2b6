// Alerts on calls that came too late to be counted in order: those of one rule and group within a quarter of an hour of event
// time are one alert, or a device that is behind would give one a call. What it says does not hang on the order of coming.

import { limits } from '../../core/limits.ts';
import { addSeconds, msOf, timeOfMs } from '../../core/time.ts';
import { type AlertState, openAlert, shortHash } from './alert.ts';
import { byTimeAndId, type Match } from './match.ts';

/** The matches of one alert. A JSON value. */
interface Late {
  count: number;
  last: string;
  /** The first ones in order of time and id, to `alertEventIdsMax`. */
  matches: Match[];
  /** Event time from which on nothing more is expected. */
  until: string;
}

export type LateSnapshot = [id: string, late: Late][];

/** A whole may come this long after the call: its half waits to go out, then for its other half. */
const memorySeconds = 2 * limits.halfMemorySeconds;

export class LateAlerts {
  evicted = 0;
  readonly #open: Map<string, Late>;

  constructor(snapshot: LateSnapshot = []) {
    this.#open = new Map(snapshot);
  }

  /** Adds a match that was not counted before, when event time is at `watermark`; returns the alert with it. */
  add(match: Match, watermark: string): AlertState {
    const begin = bucketOf(match.time);
    const id = shortHash(match.rule, match.group, begin);
    const late = this.#open.get(id) ?? { count: 0, last: match.time, matches: [], until: '' };
    late.count++;
    if (match.time > late.last) late.last = match.time;
    late.matches = [...late.matches, match].sort(byTimeAndId).slice(0, limits.alertEventIdsMax);
    const from = watermark > match.time ? watermark : match.time;
    late.until = addSeconds(from, limits.alertGroupSeconds + memorySeconds);
    // The one that was added to last stands last.
    this.#open.delete(id);
    this.#open.set(id, late);
    this.#makeRoom();
    return { ...openAlert(late.matches, true), id, count: late.count, lastSeen: late.last };
  }

  #makeRoom(): void {
    if (this.#open.size <= limits.ruleGroupsMax) return;
    for (const oldest of this.#open.keys()) {
      this.#open.delete(oldest);
      this.evicted++;
      return;
    }
  }

  expire(watermark: string): void {
    for (const [id, { until }] of this.#open) {
      if (until >= watermark) return;
      this.#open.delete(id);
    }
  }

  snapshot(): LateSnapshot {
    return [...this.#open];
  }
}

function bucketOf(time: string): string {
  const widthMs = limits.alertGroupSeconds * 1000;
  return timeOfMs(Math.floor(msOf(time) / widthMs) * widthMs);
}
