// A stream in memory, as little of it as the indexer's test needs.

import type { NewRecord, Stream, StreamRecord } from '../../core/ports.ts';
import type { Topic } from '../../core/records.ts';

export class FakeStream implements Stream {
  readonly partitions: number;
  private readonly logs = new Map<string, StreamRecord[]>();

  constructor(partitions: number) {
    this.partitions = partitions;
  }

  private log(topic: Topic, partition: number): StreamRecord[] {
    const name = `${topic}/${partition}`;
    const log = this.logs.get(name) ?? [];
    this.logs.set(name, log);
    return log;
  }

  append(topic: Topic, partition: number, records: readonly NewRecord[]): void {
    const log = this.log(topic, partition);
    for (const { kind, value } of records) {
      const text = JSON.stringify(value);
      const bytes = Buffer.from(text);
      log.push({ kind, offset: log.length, cause: undefined, bytes, value: JSON.parse(text), text });
    }
  }

  async flush(): Promise<void> {}

  async read(topic: Topic, partition: number, offset: number): Promise<StreamRecord[]> {
    return this.log(topic, partition).slice(offset, offset + 3);
  }

  end(topic: Topic, partition: number): number {
    return this.log(topic, partition).length;
  }

  start(): number {
    return 0;
  }

  async saveSnapshot(): Promise<void> {}

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
}
