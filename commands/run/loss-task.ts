// Alerts on lines that came and could not be kept, from what the normalisers tell on `vault.audit.coverage`: one place for all
// partitions, since it counts by device.

import { limits } from '../../core/limits.ts';
import { partitionOf } from '../../core/partition.ts';
import type { Stream } from '../../core/ports.ts';
import { type Reject, topics } from '../../core/records.ts';
import { LostLines } from '../../detectors/engine/lost.ts';
import { Outbox } from './outbox.ts';

const GROUP = 'losses';

export class LossTask {
  private readonly stream: Stream;
  private readonly outbox: Outbox;
  private readonly lost: LostLines;
  /** Next offset of each partition. */
  private readonly next: Record<number, number>;
  private saved: Record<number, number>;
  private hasChanged = false;

  private constructor(stream: Stream, lost: LostLines, next: Record<number, number>) {
    this.stream = stream;
    this.outbox = new Outbox(stream);
    this.lost = lost;
    this.next = next;
    this.saved = { ...next };
  }

  static async load(stream: Stream, cluster: string): Promise<LossTask> {
    const snapshot = await stream.loadSnapshot(GROUP, 'all');
    const lost = new LostLines(cluster, snapshot?.state as ReturnType<LostLines['snapshot']> | undefined);
    return new LossTask(stream, lost, { ...snapshot?.inputs });
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
    if (count > 0) this.hasChanged = true;
    return count;
  }

  private async read(partition: number): Promise<number> {
    const { stream } = this;
    const from = Math.max(this.next[partition] ?? 0, stream.start(topics.coverage, partition));
    const records = await stream.read(topics.coverage, partition, from, limits.readBytesMax);
    for (const { kind, value, offset } of records) {
      if (kind === 'reject') this.lost.reject(value as Reject);
      this.next[partition] = offset + 1;
    }
    return records.length;
  }

  /** Coverage before this offset is no longer needed here. */
  keep(partition: number): number {
    return this.saved[partition] ?? 0;
  }

  /** Only after a flush. */
  async save(): Promise<void> {
    if (!this.hasChanged) return;
    const inputs = { ...this.next };
    const outputs = Object.fromEntries(
      Object.entries(inputs).map(([partition, next]) => [`${topics.coverage}/${partition}`, next]),
    );
    await this.stream.saveSnapshot(GROUP, 'all', { inputs, outputs, state: this.lost.snapshot() });
    this.saved = inputs;
    this.hasChanged = false;
  }
}
