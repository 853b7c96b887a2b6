// Alerts on lines that came and could not be kept, from what the normalisers tell on `vault.audit.coverage`: one place for all
// partitions, since it counts by device.

import { limits } from '../../core/limits.ts';
import { partitionOf } from '../../core/partition.ts';
import type { Stream } from '../../core/ports.ts';
import { type Reject, topics } from '../../core/records.ts';
import { LostLines } from '../../detectors/engine/lost.ts';
import { type CausesState, TakenCauses } from './causes.ts';
import { Outbox } from './outbox.ts';

/** A JSON value. */
export interface LossState {
  lost: ReturnType<LostLines['snapshot']>;
  /** Next offset of each partition. */
  next: Record<number, number>;
  /** Of each partition; absent before there were any. */
  causes?: Record<number, CausesState>;
}

export class LossTask {
  private readonly stream: Stream;
  private readonly outbox: Outbox;
  private readonly lost: LostLines;
  private readonly next: Record<number, number>;
  private readonly causes: TakenCauses[];
  private saved: Record<number, number>;

  constructor(stream: Stream, cluster: string, state?: LossState) {
    this.stream = stream;
    this.outbox = new Outbox(stream);
    this.lost = new LostLines(cluster, state?.lost);
    this.next = { ...state?.next };
    this.causes = Array.from({ length: stream.partitions }, (_, of) => new TakenCauses(state?.causes?.[of]));
    this.saved = { ...this.next };
  }

  /** Takes one batch of each partition; returns the number of records. The caller flushes. */
  async step(): Promise<number> {
    let count = 0;
    for (let partition = 0; partition < this.stream.partitions; partition++)
      count += await this.read(partition);
    for (const { revision, body } of this.lost.take()) {
      const partition = partitionOf(body.alert.id, this.stream.partitions);
      this.outbox.put(topics.alerts, partition, { kind: 'alert', value: { revision, body } });
    }
    this.outbox.send();
    return count;
  }

  private async read(partition: number): Promise<number> {
    const { stream } = this;
    const from = Math.max(this.next[partition] ?? 0, stream.start(topics.coverage, partition));
    const records = await stream.read(topics.coverage, partition, from, limits.readBytesMax);
    for (const { kind, value, offset, cause } of records) {
      const isNew = this.causes[partition]?.take(cause) === true;
      if (kind === 'reject' && isNew) this.lost.reject(value as Reject);
      this.next[partition] = offset + 1;
    }
    return records.length;
  }

  /** Coverage before this offset is no longer needed here. */
  keep(partition: number): number {
    return this.saved[partition] ?? 0;
  }

  state(): LossState {
    const causes = { ...this.causes.map((taken) => taken.state()) };
    return { lost: this.lost.snapshot(), next: { ...this.next }, causes };
  }

  /** `state` lasts. */
  kept({ next }: LossState): void {
    this.saved = next;
  }
}
