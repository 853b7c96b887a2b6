// What the pipeline knows of a stage: it is given partitions, works a step at a time, and says what it still needs.

import type { Place } from '../../../core/ports.ts';
import type { StageName } from '../../../core/records.ts';
import type { Metrics } from '../../../core/telemetry.ts';

export interface Stage extends AsyncDisposable {
  readonly name: StageName;
  /**
   * Works on these partitions from here on, on none when there are none. What it had is dropped without a commit and loaded anew
   * from what lasts; when that fails it has none. `isOurs`: whether they are ours still, where others may have them before and
   * after.
   */
  assign(partitions: readonly number[], isOurs?: () => boolean): Promise<void>;
  /** Takes one batch of each partition and appends what it makes; returns the number of records. The caller flushes. */
  step(): Promise<number>;
  /** Only after a flush, when `step` has done something: what must follow it at once. */
  commit(): Promise<void>;
  /** Only after a flush, each `limits.snapshotMs` or so: what it knows becomes lasting. */
  save(): Promise<void>;
  /** By reader, the places before which it needs nothing any more (`Stream.commit`). */
  needs(): ReadonlyMap<string, readonly Place[]>;
  metrics(): Metrics;
}
