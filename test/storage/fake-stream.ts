// A stream in memory: what was appended is there at once, a few records at a read.

import type { NewRecord, Snapshot, Stream, StreamRecord } from '../../core/ports.ts';
import type { Topic } from '../../core/records.ts';

const empty = Buffer.alloc(0);

export class FakeStream implements Stream {
  readonly partitions: number;
  private readonly logs = new Map<string, StreamRecord[]>();
  private readonly snapshots = new Map<string, string>();

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
    for (const { kind, cause, head, bytes, value, text = JSON.stringify(value) } of records) {
      const at = { kind, offset: log.length, cause };
      if (bytes !== undefined)
        log.push({ ...at, bytes: Buffer.concat([head ?? empty, bytes]), value: undefined, text: '' });
      else log.push({ ...at, bytes: empty, value: JSON.parse(text), text });
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

  async saveSnapshot(group: string, member: string, snapshot: Snapshot): Promise<void> {
    this.snapshots.set(`${group}/${member}`, JSON.stringify(snapshot));
  }

  async loadSnapshot(group: string, member: string): Promise<Snapshot | undefined> {
    const text = this.snapshots.get(`${group}/${member}`);
    return text === undefined ? undefined : (JSON.parse(text) as Snapshot);
  }

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
