// Counts what came per device and hour of event time, and hands out what has been added since the last time.

import type { CoverageCounter, CoverageDelta } from '../../core/records.ts';

export class Coverage {
  private deltas = new Map<string, CoverageDelta>();
  private last: { device: string; hour: string | undefined; delta: CoverageDelta } | undefined;

  /** What has not been handed out yet, for a snapshot; `add` takes it back. */
  open(): CoverageDelta[] {
    return [...this.deltas.values()];
  }

  add(deltas: readonly CoverageDelta[]): void {
    for (const delta of deltas) {
      for (const [counter, by] of Object.entries(delta.counts))
        this.count(delta.device, delta.hour, counter as CoverageCounter, by);
    }
  }

  /** `time` is canonical, or undefined when the line has none. */
  count(device: string, time: string | undefined, counter: CoverageCounter, by = 1): void {
    const { counts } = this.deltaOf(device, time?.slice(0, 13));
    counts[counter] = (counts[counter] ?? 0) + by;
  }

  countAll(devices: readonly string[], time: string, counter: CoverageCounter, by: number): void {
    for (const device of devices) this.count(device, time, counter, by);
  }

  /** Lines come in order mostly, so the same device and hour is asked for again and again. */
  private deltaOf(device: string, hour: string | undefined): CoverageDelta {
    if (this.last?.device === device && this.last.hour === hour) return this.last.delta;
    const key = `${hour ?? ''} ${device}`;
    let delta = this.deltas.get(key);
    if (delta === undefined) {
      delta = { counts: {}, device, ...(hour === undefined ? {} : { hour: `${hour}:00:00.000000000Z` }) };
      this.deltas.set(key, delta);
    }
    this.last = { device, hour, delta };
    return delta;
  }

  drain(take: (delta: CoverageDelta) => void): void {
    for (const delta of this.deltas.values()) take(delta);
    this.deltas = new Map();
    this.last = undefined;
  }
}
