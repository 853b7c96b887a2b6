// Matches ahead of the watermark. They wait, so that the order in which they came makes no difference.

import { limits } from '../../core/limits.ts';
import { byTimeAndId, type Match, matchKey } from './match.ts';

export class WaitingMatches {
  #earliest = '';
  readonly #matches = new Map<string, Match>();

  constructor(matches: Match[] = []) {
    for (const match of matches) this.put(match);
  }

  has(key: string): boolean {
    return this.#matches.has(key);
  }

  /** Keeps `match`; of two of one call by one rule the one with the higher revision stays. False when there is no room. */
  put(match: Match): boolean {
    const key = matchKey(match.rule, match.id);
    const before = this.#matches.get(key);
    if (before !== undefined && before.revision >= match.revision) return true;
    if (before === undefined && this.#matches.size >= limits.waitingMatchesMax) return false;
    if (this.#matches.size === 0 || match.time < this.#earliest) this.#earliest = match.time;
    this.#matches.set(key, match);
    return true;
  }

  /** Takes out all at or before `watermark`, in the order of (time, id). */
  takeUntil(watermark: string): Match[] {
    if (this.#matches.size === 0 || this.#earliest > watermark) return [];
    const due: Match[] = [];
    let earliest = '';
    for (const [key, match] of this.#matches) {
      if (match.time <= watermark) {
        due.push(match);
        this.#matches.delete(key);
      } else if (earliest === '' || match.time < earliest) earliest = match.time;
    }
    this.#earliest = earliest;
    return due.sort(byTimeAndId);
  }

  snapshot(): Match[] {
    return [...this.#matches.values()];
  }
}
