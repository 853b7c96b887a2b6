// Which rule has counted which call lately: so that a copy, or the whole after its half, is not counted again.

import { limits } from '../../core/limits.ts';
import { addSeconds } from '../../core/time.ts';
import { Aged } from './count/aged.ts';

/** A whole can follow its half this long after the call: the half waits to go out, then for its other half. */
export const wholeMemorySeconds = 2 * limits.halfMemorySeconds;

export class SeenMatches {
  evicted = 0;
  /** Match key to the time until which it is kept; in the order of counting, which is nearly that of time. */
  readonly #until: Aged<string>;

  constructor(entries: [string, string][] = []) {
    this.#until = new Aged(entries);
  }

  has(key: string): boolean {
    return this.#until.get(key) !== undefined;
  }

  /** @param time of the match, or the watermark when that is later */
  add(key: string, time: string): void {
    this.#until.set(key, addSeconds(time, wholeMemorySeconds));
    if (this.#until.size > limits.pendingCallsMax && this.#until.deleteOldest()) this.evicted++;
  }

  expire(watermark: string): void {
    this.#until.deleteWhile((until) => until < watermark);
  }

  snapshot(): [string, string][] {
    return [...this.#until];
  }
}
