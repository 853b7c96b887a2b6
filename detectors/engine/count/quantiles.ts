// Percentiles of more numbers than are kept: counts of numbers that are alike to 4 %, so that what is told is right to 2 %.
// After Masson et al., "DDSketch" (2019), with fixed bounds: what was added can be taken out again.

const GAMMA = 1.04;
const LOG_GAMMA = Math.log(GAMMA);
/** Bins of numbers from 0.001 to 1e15; smaller ones are zero, greater ones are told as the bound. */
const LOWEST = Math.ceil(Math.log(1e-3) / LOG_GAMMA);
const HIGHEST = Math.ceil(Math.log(1e15) / LOG_GAMMA);
const BINS = HIGHEST - LOWEST + 1;

/** From the lowest number to the highest: 0 is the bin of zero, negative ones are before it. */
export function binOf(value: number): number {
  const index = Math.ceil(Math.log(Math.abs(value)) / LOG_GAMMA);
  if (!(index >= LOWEST)) return 0;
  return Math.sign(value) * (Math.min(index, HIGHEST) - LOWEST + 1);
}

function middleOf(bin: number): number {
  if (bin === 0) return 0;
  const index = Math.abs(bin) - 1 + LOWEST;
  return (Math.sign(bin) * 2 * GAMMA ** index) / (GAMMA + 1);
}

export class Quantiles {
  readonly #counts = new Float64Array(2 * BINS + 1);
  #total = 0;

  /** @param times how often; less than 0 to take out */
  add(bin: number, times: number): void {
    this.#counts[bin + BINS] = (this.#counts[bin + BINS] as number) + times;
    this.#total += times;
  }

  /** The number that `percent` of all are not above (nearest rank); right to 2 %. */
  at(percent: number): number {
    let left = rankOf(percent, this.#total);
    for (let i = 0; i < this.#counts.length; i++) {
      left -= this.#counts[i] as number;
      if (left <= 0) return middleOf(i - BINS);
    }
    return 0;
  }
}

/** Nearest rank: which of `count` numbers in order stands at `percent`, from 1. */
export const rankOf = (percent: number, count: number): number =>
  Math.max(1, Math.ceil((percent * count) / 100));
