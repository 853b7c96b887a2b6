// Memory of all counters of one detector together. Past the bound the rule that holds most gives way, its oldest groups first: who
// floods one rule pushes out nobody else's.

import { limits } from '../../../core/limits.ts';

export interface Spender {
  /** About how many matches' worth of memory it holds. */
  readonly size: number;
  /** Gives up its oldest group; false when it has none. */
  evict(): boolean;
}

/** A tenth is freed at a time, so that the one that holds most is not sought for each match. */
const FREED = 0.1;

export class CountBudget {
  readonly #max: number;
  readonly #spenders = new Set<Spender>();
  #used = 0;

  constructor(max: number = limits.countedMatchesMax) {
    this.#max = max;
  }

  /** Takes a counter in with what it holds. */
  enter(spender: Spender): void {
    this.#spenders.add(spender);
    this.spend(spender.size);
  }

  /** A counter that is used no more, as after a reload of the rules. */
  leave(spender: Spender): void {
    if (this.#spenders.delete(spender)) this.#used -= spender.size;
  }

  /** One of the counters holds so much more, or less. */
  spend(change: number): void {
    this.#used += change;
    if (this.#used > this.#max) this.#free(this.#max * (1 - FREED));
  }

  #free(wanted: number): void {
    while (this.#used > wanted) {
      const most = [...this.#spenders].reduce((a, b) => (b.size > a.size ? b : a));
      // No further than the next one holds, and not for less than a round of them is worth.
      const least = most.size - Math.max(1, (this.#used - wanted) / 2);
      while (this.#used > wanted && most.size > least) {
        const before = most.size;
        if (!most.evict()) return;
        this.#used += most.size - before;
      }
    }
  }
}
