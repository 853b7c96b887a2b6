// Records that a step has made, gathered by topic and partition: one append for all of a kind of place.

import type { NewRecord, Stream } from '../../core/ports.ts';
import type { Topic } from '../../core/records.ts';

export class Outbox {
  private readonly stream: Stream;
  private readonly batches = new Map<string, { topic: Topic; partition: number; records: NewRecord[] }>();

  constructor(stream: Stream) {
    this.stream = stream;
  }

  put(topic: Topic, partition: number, record: NewRecord): void {
    const key = `${topic}/${partition}`;
    const batch = this.batches.get(key);
    if (batch === undefined) this.batches.set(key, { topic, partition, records: [record] });
    else batch.records.push(record);
  }

  /** Appends everything; the caller flushes. */
  send(): void {
    for (const { topic, partition, records } of this.batches.values())
      this.stream.append(topic, partition, records);
    this.batches.clear();
  }
}
