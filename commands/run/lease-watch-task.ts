// What the ledger tells through the behaviours that watch leases and tokens: in the order told, one task for all of them.

import type { Lease } from '../../core/lease.ts';
import type { StreamRecord } from '../../core/ports.ts';
import { LEDGER_PARTITION, topics } from '../../core/records.ts';
import { crossesNoMore } from '../../detectors/engine/whole.ts';
import { type DetectorPlace, DetectorTask, type DetectorTaskOptions } from './detector-task.ts';

export class LeaseWatchTask extends DetectorTask {
  private constructor(options: DetectorTaskOptions, place: DetectorPlace | undefined) {
    super(options, { topic: topics.leases, sources: 1 }, crossesNoMore, place);
  }

  /** Goes on where the memory was committed; `partition` is the ledger's. No rule counts here. */
  static async load(options: Omit<DetectorTaskOptions, 'partition'>): Promise<LeaseWatchTask> {
    const all = { ...options, partition: LEDGER_PARTITION };
    const place = await DetectorTask.placeIn(all, topics.leases);
    const task = new LeaseWatchTask(all, place);
    await task.resume(place);
    return task;
  }

  protected override record({ kind, value }: StreamRecord): void {
    if (kind === 'watermark') this.advance();
    if (kind !== 'lease') return;
    const { revision, body, at } = value as { revision: number; body: Lease; at: string };
    this.detector.lease(body, revision, at);
  }

  /** Nothing waits here. */
  protected override again(): void {}
}
