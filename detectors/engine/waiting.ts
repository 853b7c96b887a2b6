// What is ahead of the watermark: it waits here, so that the order in which it came makes no difference. None of it is kept in
// a snapshot: it lies on the stream, from `lowest` on, and is read again.

/** A match or an observation of a call. */
export interface Timed {
  /** `event.id`. */
  id: string;
  revision: number;
  time: string;
}

interface Second {
  keys: string[];
  /** Lowest offset that something of this second came from. */
  lowest: number;
}

export class Waiting<T extends Timed> {
  /** What was dropped because there was no room. */
  evicted = 0;
  readonly #keyOf: (item: T) => string;
  readonly #max: number;
  readonly #order: (a: T, b: T) => number;
  readonly #items = new Map<string, T>();
  /** By the second of event time, so that time passes without a look at all that waits. */
  readonly #seconds = new Map<string, Second>();
  #earliest = '';

  /** @param order what stands first; equals stay in the order of coming */
  constructor(keyOf: (item: T) => string, max: number, order: (a: T, b: T) => number = byTimeAndId) {
    this.#keyOf = keyOf;
    this.#max = max;
    this.#order = order;
  }

  has(key: string): boolean {
    return this.#items.has(key);
  }

  get size(): number {
    return this.#items.size;
  }

  /** Keeps `item`, which came from `offset`; of two with one key the one with the higher revision stays. */
  put(item: T, offset: number): void {
    const key = this.#keyOf(item);
    const before = this.#items.get(key);
    if (before !== undefined && before.revision >= item.revision) return;
    if (before === undefined && this.#items.size >= this.#max) {
      this.evicted++;
      return;
    }
    this.#items.set(key, item);
    const name = secondOf(item.time);
    if (before !== undefined && secondOf(before.time) === name) return;
    if (this.#seconds.size === 0 || name < this.#earliest) this.#earliest = name;
    const second = this.#seconds.get(name);
    if (second === undefined) this.#seconds.set(name, { keys: [key], lowest: offset });
    else {
      second.keys.push(key);
      second.lowest = Math.min(second.lowest, offset);
    }
  }

  /** Takes out all at or before `watermark`, in order. */
  takeUntil(watermark: string): T[] {
    const last = secondOf(watermark);
    if (this.#seconds.size === 0 || this.#earliest > last) return [];
    const due: T[] = [];
    let earliest = '';
    for (const [name, second] of this.#seconds) {
      if (name <= last) this.#takeFrom(name, second, watermark, due);
      if (this.#seconds.has(name) && (earliest === '' || name < earliest)) earliest = name;
    }
    this.#earliest = earliest;
    return due.sort(this.#order);
  }

  #takeFrom(name: string, second: Second, watermark: string, due: T[]): void {
    const left: string[] = [];
    for (const key of second.keys) {
      const item = this.#items.get(key);
      // Another revision may have moved it.
      if (item === undefined || secondOf(item.time) !== name) continue;
      if (item.time > watermark) left.push(key);
      else {
        due.push(item);
        this.#items.delete(key);
      }
    }
    if (left.length === 0) this.#seconds.delete(name);
    else second.keys = left;
  }

  /** Offset from which on all that waits is read again; infinite when nothing waits. */
  get lowest(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const second of this.#seconds.values()) lowest = Math.min(lowest, second.lowest);
    return lowest;
  }
}

const secondOf = (time: string): string => time.slice(0, 19);

/** The order in which calls are counted: time, then id. Both are text of equal form, so code units decide. */
function byTimeAndId(a: Timed, b: Timed): number {
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
