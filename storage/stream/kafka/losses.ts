// What Kafka has and cannot be read as records of ours: one `loss` for each stretch, counted once whoever reads it.

import type { StreamRecord } from '../../../core/ports.ts';
import { type Loss, UNKNOWN_DEVICE } from '../../../core/records.ts';

/** Records `[from, to)` of a partition that cannot be read. */
export interface Unreadable {
  topic: string;
  partition: number;
  from: number;
  to: number;
}

/** The oldest is forgotten: rather counted twice than not told. */
const SEEN_MAX = 10_000;

export class Losses {
  /** Since the start. */
  records = 0;
  private readonly seen = new Set<string>();
  private readonly onLoss: (lost: Unreadable) => void;

  constructor(onLoss: (lost: Unreadable) => void) {
    this.onLoss = onLoss;
  }

  /** The record that stands for them, at the offset of the last. */
  of(topic: string, partition: number, from: number, to: number): StreamRecord {
    const name = `${topic}/${partition}/${to}`;
    if (!this.seen.has(name)) {
      this.seen.add(name);
      if (this.seen.size > SEEN_MAX) this.seen.delete(this.seen.values().next().value as string);
      this.records += to - from;
      this.onLoss({ topic, partition, from, to });
    }
    const value: Loss = { bytes: 0, count: to - from, device: UNKNOWN_DEVICE, reason: 'unreadable' };
    return {
      kind: 'loss',
      offset: to - 1,
      cause: undefined,
      bytes: Buffer.alloc(0),
      value,
      text: JSON.stringify(value),
    };
  }
}
