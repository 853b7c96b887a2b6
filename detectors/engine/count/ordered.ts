// The window of temporal_ordered: for each alternative, how far its rules have matched one after the other. Of all the ways to
// come so far only the one that began last is kept: it leaves the window last.

import type { Alternative } from './presence.ts';
import type { Unit, Window, WindowFacts } from './unit.ts';

type Chain = Unit[];

/** The best chain to one step; and the best one that does not end with the same call, which must not count for two steps. */
interface Step {
  best?: Chain;
  before?: Chain;
}

interface Snapshot {
  absent: [rule: string, time: string][];
  steps: Step[][];
}

export class Ordered implements Window {
  readonly unlisted = 0;
  /** Last times of the rules that some alternative wants absent. */
  readonly #absent: Map<string, string>;
  readonly #alternatives: readonly Alternative[];
  readonly #steps: Step[][];

  constructor(alternatives: readonly Alternative[], state?: unknown) {
    const before = state as Snapshot | undefined;
    this.#alternatives = alternatives;
    this.#absent = new Map(before?.absent);
    this.#steps = before?.steps ?? alternatives.map(({ present }) => present.map(() => ({})));
  }

  add(unit: Unit): void {
    for (const [i, { present, absent }] of this.#alternatives.entries()) {
      if (absent.includes(unit.rule)) this.#absent.set(unit.rule, unit.time);
      const at = present.indexOf(unit.rule);
      if (at >= 0) this.#extend(this.#steps[i] as Step[], at, unit);
    }
  }

  #extend(steps: Step[], at: number, unit: Unit): void {
    const previous = at === 0 ? [] : endingBefore(steps[at - 1] as Step, unit);
    if (previous === undefined) return;
    const step = steps[at] as Step;
    const { best } = step;
    const chain = [...previous, unit];
    if (best !== undefined && startOf(best) > startOf(chain)) return;
    if (best !== undefined && !isSameCall(best.at(-1), unit)) step.before = best;
    step.best = chain;
  }

  slide(since: string): void {
    for (const [rule, time] of this.#absent) if (time < since) this.#absent.delete(rule);
    for (const step of this.#steps.flat()) {
      if (step.before !== undefined && startOf(step.before) < since) delete step.before;
      if (step.best !== undefined && startOf(step.best) < since) delete step.best;
    }
  }

  get #held(): Chain | undefined {
    const i = this.#alternatives.findIndex(
      ({ absent }, i) =>
        this.#steps[i]?.at(-1)?.best !== undefined && !absent.some((rule) => this.#absent.has(rule)),
    );
    return this.#steps[i]?.at(-1)?.best;
  }

  holds(): boolean {
    return this.#held !== undefined;
  }

  facts(): WindowFacts {
    return { rules: this.proof().length };
  }

  proof(): Unit[] {
    return this.#held ?? [];
  }

  get first(): Unit | undefined {
    const firsts = this.#chains.map(([first]) => first as Unit);
    return firsts.reduce<Unit | undefined>((a, b) => (a === undefined || b.time < a.time ? b : a), undefined);
  }

  get #chains(): Chain[] {
    return this.#steps
      .flat()
      .flatMap(({ best, before }) => [best, before].filter((one) => one !== undefined));
  }

  get size(): number {
    return this.#absent.size + this.#chains.reduce((size, { length }) => size + length, 0);
  }

  snapshot(): Snapshot {
    return { absent: [...this.#absent], steps: this.#steps };
  }
}

const startOf = (chain: Chain): string => chain[0]?.time ?? '';

const isSameCall = (a: Unit | undefined, b: Unit): boolean => a?.event === b.event && a.time === b.time;

function endingBefore({ best, before }: Step, unit: Unit): Chain | undefined {
  return best !== undefined && isSameCall(best.at(-1), unit) ? before : best;
}
