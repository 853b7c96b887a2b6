// The window of event_count, value_sum, value_avg and value_percentile: exact over the newest matches, older ones in buckets.

import { limits } from '../../../core/limits.ts';
import type { Bound, Correlation } from '../rule-set.ts';
import { within } from './bounds.ts';
import { bucketIndex } from './buckets.ts';
import { Numbers } from './numbers.ts';
import { binOf, Quantiles } from './quantiles.ts';
import { fieldOf, type Unit, type Values, type Window, type WindowFacts } from './unit.ts';

/** What became too much to keep, of one stretch of time. */
interface Bucket {
  bins?: [bin: number, count: number][];
  count: number;
  index: number;
  sum: number;
  /** Time of the last in it: with it the bucket leaves the window. */
  to: string;
}

interface Snapshot {
  buckets: Bucket[];
  numbers: number[];
  units: Unit[];
}

export class Tally implements Window {
  readonly #buckets: Bucket[];
  readonly #correlation: Correlation;
  readonly #numbers: Numbers;
  /** Of all, once some are in buckets. */
  #quantiles: Quantiles | undefined;
  readonly #units: Unit[];

  constructor(correlation: Correlation, state?: unknown) {
    const before = state as Snapshot | undefined;
    this.#correlation = correlation;
    this.#buckets = before?.buckets ?? [];
    this.#units = before?.units ?? [];
    this.#numbers = new Numbers(before?.numbers ?? [], this.#isRanked);
    if (this.#buckets.length > 0) this.#beginQuantiles();
  }

  get #isRanked(): boolean {
    return this.#correlation.type === 'value_percentile';
  }

  add(unit: Unit, values: Values): void {
    const value = numberOf(this.#correlation, unit.rule, values) ?? 0;
    this.#units.push(unit);
    this.#numbers.push(value);
    this.#quantiles?.add(binOf(value), 1);
    if (this.#units.length > limits.windowEventsMax) this.#drop();
  }

  /** Puts the oldest into its bucket. */
  #drop(): void {
    if (this.#buckets.length === 0) this.#beginQuantiles();
    const { time } = this.#units.shift() as Unit;
    const value = this.#numbers.shift();
    const index = bucketIndex(time, this.#correlation.timespanSeconds);
    let bucket = this.#buckets.at(-1);
    if (bucket?.index !== index) {
      bucket = { count: 0, index, sum: 0, to: time, ...(this.#isRanked && { bins: [] }) };
      this.#buckets.push(bucket);
    }
    bucket.count++;
    bucket.sum += value;
    bucket.to = time;
    addTo(bucket.bins, binOf(value));
  }

  #beginQuantiles(): void {
    if (!this.#isRanked) return;
    this.#quantiles = new Quantiles();
    for (const value of this.#numbers.values) this.#quantiles.add(binOf(value), 1);
    for (const { bins = [] } of this.#buckets)
      for (const [bin, count] of bins) this.#quantiles.add(bin, count);
  }

  slide(since: string): void {
    while (this.#buckets[0] !== undefined && this.#buckets[0].to < since) {
      for (const [bin, count] of this.#buckets.shift()?.bins ?? []) this.#quantiles?.add(bin, -count);
      if (this.#buckets.length === 0) this.#quantiles = undefined;
    }
    while (this.#units[0] !== undefined && this.#units[0].time < since) {
      this.#units.shift();
      const value = this.#numbers.shift();
      this.#quantiles?.add(binOf(value), -1);
    }
  }

  holds(bounds: readonly Bound[]): boolean {
    return this.#count > 0 && within(this.#value, bounds);
  }

  get unlisted(): number {
    return this.#buckets.reduce((count, bucket) => count + bucket.count, 0);
  }

  get #count(): number {
    return this.#units.length + this.unlisted;
  }

  get #value(): number {
    const { percentile = 50, type } = this.#correlation;
    if (type === 'event_count') return this.#count;
    if (type === 'value_percentile')
      return this.#quantiles?.at(percentile) ?? this.#numbers.percentile(percentile);
    const sum = this.#buckets.reduce((sum, bucket) => sum + bucket.sum, 0) + this.#numbers.sum;
    return type === 'value_sum' ? sum : sum / this.#count;
  }

  facts(): WindowFacts {
    const how = this.#buckets.length === 0 ? 'exact' : 'estimated';
    if (this.#correlation.type === 'event_count') return how === 'exact' ? {} : { count_how: how };
    return { value: this.#value, value_how: how };
  }

  proof(): Unit[] {
    return this.#units.slice();
  }

  get first(): Unit | undefined {
    return this.#units[0];
  }

  get size(): number {
    const bins = this.#quantiles === undefined ? 0 : 20;
    return this.#units.length + this.#buckets.length * (this.#isRanked ? 10 : 1) + bins;
  }

  snapshot(): Snapshot {
    return { buckets: this.#buckets, numbers: this.#numbers.values, units: this.#units };
  }
}

/** The number that a unit shows, 1 where only units are counted; undefined when there is none. */
export function numberOf(correlation: Correlation, rule: string, values: Values): number | undefined {
  const [field] = correlation.fields;
  if (correlation.type === 'event_count' || field === undefined) return 1;
  const text = values[fieldOf(correlation, field, rule)];
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** One more in `bin`; bins of a bucket stand in the order they came, which is that of time. */
function addTo(bins: Bucket['bins'], bin: number): void {
  if (bins === undefined) return;
  const found = bins.find(([one]) => one === bin);
  if (found === undefined) bins.push([bin, 1]);
  else found[1]++;
}
