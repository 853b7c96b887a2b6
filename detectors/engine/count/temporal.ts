// The window of temporal: the last match of each rule.

import type { Alternative } from './presence.ts';
import type { Unit, Window, WindowFacts } from './unit.ts';

type Last = [rule: string, unit: Unit][];

export class Temporal implements Window {
  readonly unlisted = 0;
  readonly #alternatives: readonly Alternative[];
  /** In the order of their times. */
  readonly #last: Map<string, Unit>;

  constructor(alternatives: readonly Alternative[], state?: unknown) {
    this.#alternatives = alternatives;
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

  get #held(): Alternative | undefined {
    return this.#alternatives.find(
      ({ present, absent }) =>
        present.every((rule) => this.#last.has(rule)) && !absent.some((rule) => this.#last.has(rule)),
    );
  }

  holds(): boolean {
    return this.#held !== undefined;
  }

  facts(): WindowFacts {
    return { rules: this.proof().length };
  }

  proof(): Unit[] {
    const needed = this.#held?.present ?? [];
    return [...this.#last.values()].filter(({ rule }) => needed.includes(rule));
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
