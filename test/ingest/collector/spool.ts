// A spool in memory: everything that was appended is durable at the next flush, unless a test holds the disk back.

import type { NewRecord, Snapshot, Stream, StreamRecord } from '../../../core/ports.ts';
import { decodeLine, type LineHead } from '../../../core/raw.ts';
import { type Kind, type Loss, type Tick, type Topic, topics } from '../../../core/records.ts';

const nothing = Buffer.alloc(0);

export interface SpooledLine {
  partition: number;
  head: LineHead;
  text: string;
  bytes: Buffer;
}

export class MemorySpool implements Stream {
  readonly partitions: number;
  private readonly logs: StreamRecord[][];
  private readonly durable: number[];

  constructor(partitions = 3) {
    this.partitions = partitions;
    this.logs = Array.from({ length: partitions }, () => []);
    this.durable = this.logs.map(() => 0);
  }

  append(topic: Topic, partition: number, records: readonly NewRecord[]): void {
    if (topic !== topics.raw) throw new Error(`${topic} is not for the collector`);
    const log = this.logs[partition];
    if (log === undefined) throw new Error(`no partition ${partition}`);
    for (const { kind, cause, head = nothing, bytes = nothing, value } of records) {
      const payload = Buffer.concat([head, bytes]);
      log.push({ kind, offset: log.length, cause, bytes: payload, value, text: JSON.stringify(value) ?? '' });
    }
  }

  async flush(): Promise<void> {
    for (const [partition, log] of this.logs.entries()) this.durable[partition] = log.length;
  }

  async read(_topic: Topic, partition: number, offset: number): Promise<StreamRecord[]> {
    return this.logs[partition]?.slice(offset, Math.min(offset + 5, this.end(_topic, partition))) ?? [];
  }

  end(_topic: Topic, partition: number): number {
    return this.durable[partition] ?? 0;
  }

  start(): number {
    return 0;
  }

  async saveSnapshot(_group: string, _member: string, _snapshot: Snapshot): Promise<void> {}

  async loadSnapshot(): Promise<undefined> {}

  async sync(): Promise<void> {}
  async commit(): Promise<void> {}
  async needed(): Promise<number> {
    return 0;
  }
  async retain(): Promise<number> {
    return 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** A spool that holds only the first `kept` records of each partition, as after a kill. */
  cut(kept: readonly number[]): MemorySpool {
    const copy = new MemorySpool(this.partitions);
    for (const [partition, log] of this.logs.entries()) {
      copy.logs[partition]?.push(...log.slice(0, kept[partition]));
      copy.durable[partition] = copy.logs[partition]?.length ?? 0;
    }
    return copy;
  }

  /** All records of a partition, durable or not. */
  all(partition: number): readonly StreamRecord[] {
    return this.logs[partition] ?? [];
  }

  lengths(): number[] {
    return this.logs.map((log) => log.length);
  }

  /** Values of all records of a kind, with the partition they stand on. */
  of(kind: Kind): { partition: number; value: unknown }[] {
    return this.logs.flatMap((log, partition) =>
      log.filter((record) => record.kind === kind).map(({ value }) => ({ partition, value })),
    );
  }

  losses(): Loss[] {
    return this.of('loss').map(({ value }) => value as Loss);
  }

  ticks(): Tick[] {
    return this.of('tick').map(({ value }) => value as Tick);
  }

  lines(): SpooledLine[] {
    return this.logs.flatMap((log, partition) =>
      log.filter((record) => record.kind === 'line').map((record) => spooledLine(record, partition)),
    );
  }
}

export function spooledLine(record: StreamRecord, partition: number): SpooledLine {
  const { head, at } = decodeLine(record.bytes);
  const bytes = record.bytes.subarray(at);
  return { partition, head, bytes, text: bytes.toString('utf8') };
}
