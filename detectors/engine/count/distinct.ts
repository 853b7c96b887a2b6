// The window of value_count: distinct values, or tuples of values, each with its last match. Exact to `distinctExactMax`; past it
// a HyperLogLog for each stretch of the window's time counts them all.

import { limits } from '../../../core/limits.ts';
import { shortHash } from '../alert.ts';
import type { Bound, Correlation } from '../rule-set.ts';
import { within } from './bounds.ts';
import { bucketIndex } from './buckets.ts';
import { HyperLogLog, hashed } from './hyperloglog.ts';
import { fieldOf, type Unit, type Values, type Window, type WindowFacts } from './unit.ts';

interface Bucket {
  index: number;
  log: HyperLogLog;
  /** Time of the last in it: with it the bucket leaves the window. */
  to: string;
}

interface Snapshot {
  buckets: { index: number; log: string; to: string }[];
  /** Last time of the last value that was too much to keep. */
  dropped: string;
  last: [value: string, unit: Unit][];
}

export class Distinct implements Window {
  readonly unlisted = 0;
  #buckets: Bucket[];
  readonly #correlation: Correlation;
  #dropped: string;
  /** By value, in the order of their last times. */
  readonly #last: Map<string, Unit>;
  /** All buckets together. */
  #merged: HyperLogLog | undefined;

  constructor(correlation: Correlation, state?: unknown) {
    const before = state as Snapshot | undefined;
    this.#correlation = correlation;
    this.#dropped = before?.dropped ?? '';
    this.#last = new Map(before?.last);
    this.#buckets = (before?.buckets ?? []).map((one) => ({ ...one, log: new HyperLogLog(one.log) }));
    this.#merge();
  }

  add(unit: Unit, values: Values): void {
    const value = distinctOf(this.#correlation, unit.rule, values) ?? '';
    this.#last.delete(value);
    this.#last.set(value, unit);
    if (this.#buckets.length > 0) this.#estimate(value, unit.time);
    if (this.#last.size <= limits.distinctExactMax) return;
    if (this.#buckets.length === 0) for (const [one, { time }] of this.#last) this.#estimate(one, time);
    const [oldest, { time }] = this.#last.entries().next().value as [string, Unit];
    this.#last.delete(oldest);
    this.#dropped = time;
  }

  #estimate(value: string, time: string): void {
    const index = bucketIndex(time, this.#correlation.timespanSeconds);
    let bucket = this.#buckets.at(-1);
    if (bucket?.index !== index) {
      bucket = { index, log: new HyperLogLog(), to: time };
      this.#buckets.push(bucket);
    }
    bucket.to = time;
    this.#merged ??= new HyperLogLog();
    const hash = hashed(value);
    bucket.log.add(hash);
    this.#merged.add(hash);
  }

  slide(since: string): void {
    for (const [value, { time }] of this.#last) {
      if (time >= since) break;
      this.#last.delete(value);
    }
    if (this.#buckets.length === 0) return;
    // All that did not fit is out: what is left is known exactly again.
    const left = this.#dropped < since ? [] : this.#buckets.filter(({ to }) => to >= since);
    if (left.length === this.#buckets.length) return;
    this.#buckets = left;
    this.#merge();
  }

  #merge(): void {
    this.#merged = this.#buckets.length === 0 ? undefined : new HyperLogLog();
    for (const { log } of this.#buckets) this.#merged?.merge(log);
  }

  get #distinct(): number {
    // What is kept is surely there.
    return Math.max(this.#last.size, this.#merged?.estimate() ?? 0);
  }

  holds(bounds: readonly Bound[]): boolean {
    return this.#last.size > 0 && within(this.#distinct, bounds);
  }

  facts(): WindowFacts {
    return { distinct: this.#distinct, distinct_how: this.#merged === undefined ? 'exact' : 'estimated' };
  }

  proof(): Unit[] {
    return [...this.#last.values()];
  }

  get first(): Unit | undefined {
    return this.#last.values().next().value;
  }

  get size(): number {
    return this.#last.size + this.#buckets.length * 8;
  }

  /** The values that it counted exactly. */
  get values(): string[] {
    return [...this.#last.keys()];
  }

  snapshot(): Snapshot {
    return {
      buckets: this.#buckets.map((one) => ({ ...one, log: one.log.snapshot() })),
      dropped: this.#dropped,
      last: [...this.#last],
    };
  }
}

/** The value, or the tuple, that a unit shows; undefined when one of its fields is absent. */
export function distinctOf(correlation: Correlation, rule: string, values: Values): string | undefined {
  const tuple = correlation.fields.map((field) => values[fieldOf(correlation, field, rule)]);
  if (tuple.includes(undefined)) return undefined;
  const text = tuple.length === 1 ? (tuple[0] as string) : JSON.stringify(tuple);
  return text.length <= 64 ? text : shortHash(text);
}

/** Distinct values since an alert opened. */
export class DistinctSince {
  readonly #exact: Set<string>;
  #log: HyperLogLog | undefined;

  constructor(state: { exact: string[]; log?: string }) {
    this.#exact = new Set(state.exact);
    if (state.log !== undefined) this.#log = new HyperLogLog(state.log);
  }

  add(value: string): void {
    if (this.#log === undefined) this.#exact.add(value);
    if (this.#exact.size > limits.distinctExactMax) {
      this.#log = new HyperLogLog();
      for (const one of this.#exact) this.#log.add(hashed(one));
      this.#exact.clear();
    } else this.#log?.add(hashed(value));
  }

  facts(): WindowFacts {
    if (this.#log === undefined) return { distinct: this.#exact.size, distinct_how: 'exact' };
    return { distinct: this.#log.estimate(), distinct_how: 'estimated' };
  }

  /** In matches' worth of memory. */
  get size(): number {
    return Math.ceil(this.#exact.size / 8) + (this.#log === undefined ? 0 : 8);
  }

  snapshot(): { exact: string[]; log?: string } {
    return { exact: [...this.#exact], ...(this.#log && { log: this.#log.snapshot() }) };
  }
}
