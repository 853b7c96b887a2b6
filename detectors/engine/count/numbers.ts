// Numbers of a window in the order they came: their sum, average and percentile, exact, and the same whatever left before.

import { rankOf } from './quantiles.ts';

export class Numbers {
  readonly values: number[];
  readonly #sorted: number[] | undefined;
  #fractions = 0;
  #sum = 0;

  /** @param isRanked whether percentiles will be asked */
  constructor(values: number[], isRanked: boolean) {
    this.values = [];
    this.#sorted = isRanked ? [] : undefined;
    for (const value of values) this.push(value);
  }

  push(value: number): void {
    this.values.push(value);
    this.#sum += value;
    if (!Number.isSafeInteger(value)) this.#fractions++;
    this.#sorted?.splice(placeOf(this.#sorted, value), 0, value);
  }

  /** Takes out the first. Whole numbers are subtracted; others would leave rounding behind and are added up anew. */
  shift(): number {
    const value = this.values.shift() as number;
    const isExact = this.#fractions === 0 && Number.isSafeInteger(this.#sum);
    if (!Number.isSafeInteger(value)) this.#fractions--;
    this.#sum = isExact ? this.#sum - value : this.values.reduce((sum, one) => sum + one, 0);
    this.#sorted?.splice(placeOf(this.#sorted, value), 1);
    return value;
  }

  get sum(): number {
    return this.#sum;
  }

  /** Nearest rank; 0 of none. */
  percentile(percent: number): number {
    const sorted = this.#sorted ?? [];
    return sorted[rankOf(percent, sorted.length) - 1] ?? 0;
  }
}

/** Index of the first that is not below `value`. */
function placeOf(sorted: number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
