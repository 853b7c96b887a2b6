// The memory of one behaviour over the memory of all: in spaces of its own, what is used often at hand, what nobody has touched
// for months forgotten. A value that changes at every call reaches the memory below once a commit.

import type { Json } from '../../core/event.ts';
import { limits } from '../../core/limits.ts';
import type { Memory } from '../../core/ports.ts';

interface Entry {
  space: string;
  key: string;
  /** Undefined: there is none. */
  value: Json | undefined;
  /** Stretch of time in whose space it lies below; undefined when it is not there. */
  stored: number | undefined;
}

/** Stretches kept: this one and those before it. */
const PERIODS = 3;

/** How many values the spaces below hold, by space. A JSON value. */
export type SpacesState = Record<string, number>;

/** All spaces of one frame. What is asked for by `get` may be changed by whoever asked, who then sets it. */
export class Spaces {
  private readonly below: Memory;
  private readonly counts: Map<string, number>;
  /** By key: behaviours in turn ask for what they know of the same identity, few values each. */
  private readonly cached = new Map<string, Entry[]>();
  private readonly changed = new Set<Entry>();
  private last: { key: string; entries: Entry[] } | undefined;
  private size = 0;
  private period: number | undefined;
  /** Values dropped because of a bound. */
  evicted = 0;

  constructor(below: Memory, state: SpacesState = {}) {
    this.below = below;
    this.counts = new Map(Object.entries(state));
  }

  /** The memory that a behaviour called `name` is given. */
  of(name: string): Memory {
    // Joined once: a text that is made anew is looked up ten times slower.
    const names = new Map<string, string>();
    const full = (space: string): string => {
      let joined = names.get(space);
      if (joined === undefined) {
        joined = `${name}/${space}`;
        names.set(space, joined);
      }
      return joined;
    };
    return {
      get: (space, key) => this.entry(full(space), key).value,
      set: (space, key, value) => this.put(full(space), key, value),
      delete: (space, key) => this.put(full(space), key, undefined),
      list: (space, prefix, limit) => this.list(full(space), prefix, limit),
    };
  }

  /** Event time has come to day `day`: what has not been set for long is forgotten. */
  moveTo(day: number): void {
    const period = Math.floor(day / limits.behaviourPeriodDays);
    const before = this.period;
    if (before !== undefined && period <= before) return;
    this.forgetCache();
    this.period = period;
    if (before === undefined) return;
    const last = Math.min(before, period - PERIODS);
    for (const space of this.counts.keys())
      for (let old = before - PERIODS + 1; old <= last; old++) this.drop(space, old, Infinity);
  }

  private forgetCache(): void {
    this.flush();
    this.cached.clear();
    this.last = undefined;
    this.size = 0;
  }

  /** Stretches that are looked in, this one first. */
  private *periods(): Generator<number> {
    const now = this.period ?? 0;
    for (let period = now; period > now - PERIODS; period--) yield period;
  }

  private entry(space: string, key: string): Entry {
    const entries = this.last?.key === key ? this.last.entries : this.entriesOf(key);
    for (const entry of entries) if (entry.space === space) return entry;
    const entry = this.read(space, key);
    this.keep(entry);
    return entry;
  }

  private entriesOf(key: string): Entry[] {
    const entries = this.cached.get(key) ?? [];
    if (entries.length > 0) this.last = { key, entries };
    return entries;
  }

  private read(space: string, key: string): Entry {
    for (const stored of this.periods()) {
      const value = this.below.get(spaceOf(space, stored), key);
      if (value !== undefined) return { space, key, value: structuredClone(value), stored };
    }
    return { space, key, value: undefined, stored: undefined };
  }

  private keep(entry: Entry): void {
    const { key } = entry;
    if (this.size >= limits.behaviourRecentMax) this.forgetCache();
    const entries = this.cached.get(key);
    if (entries === undefined) this.cached.set(key, [entry]);
    else entries.push(entry);
    this.size++;
  }

  private put(space: string, key: string, value: Json | undefined): void {
    let entry = this.entry(space, key);
    if (value !== undefined && entry.value === undefined) {
      this.grow(space);
      // Making room may have let go of what was at hand.
      entry = this.entry(space, key);
    } else if (value === undefined && entry.value !== undefined) this.count(space, -1);
    entry.value = value;
    this.changed.add(entry);
  }

  private grow(space: string): void {
    if ((this.counts.get(space) ?? 0) >= limits.behaviourSubjectsMax) this.makeRoom(space);
    this.count(space, 1);
  }

  private count(space: string, by: number): void {
    this.counts.set(space, Math.max(0, (this.counts.get(space) ?? 0) + by));
  }

  /** The longest untouched go first. */
  private makeRoom(space: string): void {
    this.forgetCache();
    for (const period of [...this.periods()].reverse()) {
      const dropped = this.drop(space, period, limits.behaviourEvictedAtOnce);
      this.evicted += dropped;
      if (dropped > 0) break;
    }
  }

  private drop(space: string, period: number, max: number): number {
    let dropped = 0;
    const old = spaceOf(space, period);
    while (dropped < max) {
      const some = this.below.list(old, '', limits.behaviourEvictedAtOnce);
      for (const { key } of some) this.below.delete(old, key);
      dropped += some.length;
      if (some.length < limits.behaviourEvictedAtOnce) break;
    }
    this.count(space, -dropped);
    return dropped;
  }

  private list(space: string, prefix: string, limit: number): { key: string; value: Json }[] {
    this.flush();
    const found: { key: string; value: Json }[] = [];
    for (const period of this.periods())
      found.push(...this.below.list(spaceOf(space, period), prefix, limit));
    return found.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, limit);
  }

  /** Everything that was set is in the memory below. */
  flush(): void {
    for (const entry of this.changed) this.write(entry);
    this.changed.clear();
  }

  private write(entry: Entry): void {
    const { space, key, value, stored } = entry;
    const now = this.period ?? 0;
    if (stored !== undefined && (stored !== now || value === undefined))
      this.below.delete(spaceOf(space, stored), key);
    if (value !== undefined) this.below.set(spaceOf(space, now), key, value);
    entry.stored = value === undefined ? undefined : now;
  }

  snapshot(): SpacesState {
    return Object.fromEntries([...this.counts].sort());
  }
}

const spaceOf = (space: string, period: number): string => `${space}@${period}`;
