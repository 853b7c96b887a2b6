// Alerts on calls that are not counted in order, because they came late or are judged later: those of one rule and group within a
// quarter of an hour of event time are one alert, or a device that is behind would give one a call. What it says does not hang
// on the order of coming.

import { limits } from '../../core/limits.ts';
import { addSeconds } from '../../core/time.ts';
import { type AlertState, bucketOf, openAlert, shortHash } from './alert.ts';
import { Aged } from './count/aged.ts';
import { byTimeAndId, type Match } from './match.ts';
import { wholeMemorySeconds } from './seen.ts';

/** The matches of one alert. A JSON value. */
interface Open {
  count: number;
  last: string;
  /** The first ones in order of time and id, to `alertEventIdsMax`. */
  matches: Match[];
  /** Event time from which on nothing more is expected. */
  until: string;
}

export type UnorderedSnapshot = [id: string, open: Open][];

export class UnorderedAlerts {
  evicted = 0;
  readonly #late: boolean;
  readonly #open: Aged<Open>;

  /** @param late what the alerts say of themselves */
  constructor(late: boolean, snapshot: UnorderedSnapshot = []) {
    this.#late = late;
    this.#open = new Aged(snapshot);
  }

  /** Adds a match that was not counted before, when event time is at `watermark`; returns the alert with it. */
  add(match: Match, watermark: string): AlertState {
    const begin = bucketOf(match.time);
    const id = shortHash(match.rule, match.group, begin);
    const open = this.#open.get(id) ?? { count: 0, last: match.time, matches: [], until: '' };
    open.count++;
    if (match.time > open.last) open.last = match.time;
    open.matches = [...open.matches, match].sort(byTimeAndId).slice(0, limits.alertEventIdsMax);
    const from = watermark > match.time ? watermark : match.time;
    open.until = addSeconds(from, limits.alertGroupSeconds + wholeMemorySeconds);
    this.#open.set(id, open);
    if (this.#open.size > limits.ruleGroupsMax && this.#open.deleteOldest()) this.evicted++;
    return { ...openAlert(open.matches, this.#late), id, count: open.count, lastSeen: open.last };
  }

  expire(watermark: string): void {
    this.#open.deleteWhile(({ until }) => until < watermark);
  }

  snapshot(): UnorderedSnapshot {
    return [...this.#open];
  }
}
