// Retention: what is old goes, from the stream when all of its readers have told that they need it no more, and from the store.

import type { Config } from '../../../core/config.ts';
import type { EvidenceWriter, Stream } from '../../../core/ports.ts';
import type { Logger } from '../../../core/telemetry.ts';
import { addSeconds } from '../../../core/time.ts';
import { lowestWatermark } from '../../../storage/watermark.ts';
import { readersOf, retained } from './readers.ts';

export interface RetentionOptions {
  stream: Stream;
  writer: EvidenceWriter;
  retention: Config['retention'];
  logger: Logger;
  now: () => number;
}

const RETAIN_MS = 60_000;
const LATER_MS = 10_000;
/** Its owner also looks after the store. */
const FIRST = 0;

export class Retention {
  private readonly options: RetentionOptions;
  private nextMs = 0;
  private isFailing = false;

  constructor(options: RetentionOptions) {
    this.options = options;
  }

  /** When it is due: of these partitions of every topic. What cannot be deleted now is tried again later. */
  async step(partitions: Iterable<number>): Promise<void> {
    const { now, logger } = this.options;
    if (now() < this.nextMs) return;
    this.nextMs = now() + RETAIN_MS;
    try {
      for (const partition of partitions) await this.retain(partition);
      this.isFailing = false;
    } catch (error) {
      if (!this.isFailing)
        logger.error({ error: String(error) }, 'what is old cannot be deleted; trying again');
      this.isFailing = true;
      this.nextMs = now() + LATER_MS;
    }
  }

  private async retain(partition: number): Promise<void> {
    const { stream, writer, retention, now } = this.options;
    const beforeMs = now() - retention.streamHours * 3_600_000;
    for (const topic of retained) {
      const needed = await stream.needed(topic, partition, readersOf(topic, partition, stream.partitions));
      await stream.retain(topic, partition, beforeMs, needed);
    }
    if (partition !== FIRST) return;
    const watermark = lowestWatermark(await writer.offsets());
    if (watermark !== undefined) await writer.retain(addSeconds(watermark, -retention.eventDays * 86_400));
  }
}
