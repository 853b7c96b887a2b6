// The window of temporal: the last match of each rule.

import { holds } from '../correlation.ts';
import type { Correlation, Presence } from '../rule-set.ts';
import { presenceOf, wantedRules } from './presence.ts';
import type { Unit, Window, WindowFacts } from './unit.ts';

type Last = [rule: string, unit: Unit][];

export class Temporal implements Window {
  readonly unlisted = 0;
  readonly #presence: Presence;
  /** In the order of their times. */
  readonly #last: Map<string, Unit>;

  constructor(correlation: Correlation, state?: unknown) {
    this.#presence = presenceOf(correlation);
    this.#last = new Map(state as Last | undefined);
  }

  add(unit: Unit): void {
    this.#last.delete(unit.rule);
    this.#last.set(unit.rule, unit);
  }

  slide(since: string): void {
    for (const [rule, { time }] of this.#last) {
      if (time >= since) return;
      this.#last.delete(rule);
    }
  }

  holds(): boolean {
    return holds(this.#presence, new Set(this.#last.keys()));
  }

  facts(): WindowFacts {
    return { rules: this.proof().length };
  }

  proof(): Unit[] {
    const wanted = wantedRules(this.#presence);
    return [...this.#last.values()].filter(({ rule }) => wanted.has(rule));
  }

  get first(): Unit | undefined {
    return this.#last.values().next().value;
  }

  get size(): number {
    return this.#last.size;
  }

  snapshot(): Last {
    return [...this.#last];
  }
}
