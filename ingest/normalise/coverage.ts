// Counts what came per device and hour of event time, in absolute numbers: a row that is written again does no harm.

import type { Origin } from '../../core/devices.ts';
import { limits } from '../../core/limits.ts';
import type { CoverageCounter, CoverageRow } from '../../core/records.ts';
import { addSeconds } from '../../core/time.ts';

export type CoverageState = [row: CoverageRow, changed: boolean][];

export type Counts = Partial<Record<CoverageCounter, number>>;

interface Held {
  row: CoverageRow;
  changed: boolean;
  /** Counts of the device over all hours. */
  totals: Counts;
}

export class Coverage {
  /** Offset of the record that is being counted. */
  offset = 0;
  /** Counts of each device since the start of the process, for metrics. */
  readonly totals = new Map<string, Counts>();
  private readonly partition: number;
  private readonly originOf: (device: string) => Origin;
  private readonly rows = new Map<string, Held>();
  private last: { device: string; hour: string | undefined; held: Held } | undefined;

  constructor(partition: number, originOf: (device: string) => Origin, state: CoverageState = []) {
    this.partition = partition;
    this.originOf = originOf;
    for (const [row, changed] of state)
      this.rows.set(keyOf(row.device, row.hour), { row, changed, totals: this.totalsOf(row.device) });
  }

  snapshot(): CoverageState {
    return [...this.rows.values()].map(({ row, changed }) => [
      { ...row, counts: { ...row.counts } },
      changed,
    ]);
  }

  /** `time` is canonical; undefined while event time is not known. */
  count(device: string, time: string | undefined, counter: CoverageCounter, by = 1): void {
    const held = this.heldOf(device, time?.slice(0, HOUR_CHARS));
    const { counts } = held.row;
    counts[counter] = (counts[counter] ?? 0) + by;
    held.totals[counter] = (held.totals[counter] ?? 0) + by;
    held.changed = true;
  }

  countAll(devices: readonly string[], time: string, counter: CoverageCounter, by: number): void {
    for (const device of devices) this.count(device, time, counter, by);
  }

  /** Lines come in order mostly, so the same device and hour is asked for again and again. */
  private heldOf(device: string, hour: string | undefined): Held {
    if (this.last?.device === device && this.last.hour === hour) return this.last.held;
    const whole = hour === undefined ? undefined : `${hour}:00:00.000000000Z`;
    const key = keyOf(device, whole);
    const held = this.rows.get(key) ?? this.begin(device, whole);
    this.rows.set(key, held);
    this.last = { device, hour, held };
    return held;
  }

  private begin(device: string, hour: string | undefined): Held {
    const id = `${this.partition}/${device}/${hour ?? ''}/${this.offset}`;
    const row = {
      id,
      device,
      ...(hour === undefined ? {} : { hour }),
      partition: this.partition,
      origin: this.originOf(device),
      revision: 0,
      counts: {},
    };
    return { row, changed: false, totals: this.totalsOf(device) };
  }

  private totalsOf(device: string): Counts {
    const totals = this.totals.get(device) ?? {};
    this.totals.set(device, totals);
    return totals;
  }

  /** Hands out copies of what has changed, and forgets old hours: what still comes for one begins a row of its own. */
  drain(watermark: string | undefined, take: (row: CoverageRow) => void): void {
    const old = watermark === undefined ? '' : addSeconds(watermark, -limits.coverageMemorySeconds);
    for (const [key, held] of this.rows) {
      if (held.changed) {
        held.row.revision = this.offset;
        held.changed = false;
        take({ ...held.row, counts: { ...held.row.counts } });
      }
      const isOld = (held.row.hour ?? '') < old;
      if (isOld || this.rows.size > limits.coverageRowsMax) this.rows.delete(key);
    }
    this.last = undefined;
  }
}

/** Characters of `2026-09-07T10`. */
const HOUR_CHARS = 13;
const keyOf = (device: string, hour: string | undefined): string => `${hour ?? ''} ${device}`;
