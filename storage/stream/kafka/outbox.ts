// What waits to be written to Kafka: sent in order, kept until the brokers have all of it.

import { limits } from '../../../core/limits.ts';
import type { NewRecord } from '../../../core/ports.ts';
import { encodeMessage, messageBytes } from './codec.ts';
import type { Link, Message } from './link.ts';

interface Queue {
  topic: string;
  partition: number;
  messages: Message[];
  /** Of these, how many are on their way. */
  sent: number;
}

interface Batch {
  queue: Queue;
  topic: string;
  partition: number;
  messages: Message[];
}

/** Calls of `produce` at a time: one is on its way while the next is compressed. */
const CALLS_MAX = 2;

export class Outbox {
  private readonly link: Link;
  private readonly onWritten: (topic: string, partition: number, end: number) => void;
  private readonly queues = new Map<string, Queue>();
  private flushing: Promise<void> = Promise.resolve();

  /** `onWritten` hears how far a partition is durable, by the topic's full name. */
  constructor(link: Link, onWritten: (topic: string, partition: number, end: number) => void) {
    this.link = link;
    this.onWritten = onWritten;
  }

  append(topic: string, partition: number, records: readonly NewRecord[]): void {
    if (records.length === 0) return;
    const name = `${topic}/${partition}`;
    let queue = this.queues.get(name);
    if (queue === undefined) {
      queue = { topic, partition, messages: [], sent: 0 };
      this.queues.set(name, queue);
    }
    for (const record of records) queue.messages.push(encodeMessage(record));
  }

  /** See `Stream.flush`. */
  flush(): Promise<void> {
    const result = this.flushing.then(() => this.send());
    this.flushing = result.catch(() => {});
    return result;
  }

  private async send(): Promise<void> {
    const under = new Set<Promise<void>>();
    try {
      for (let request = this.next(); request.length > 0; request = this.next()) {
        const call = this.produce(request).finally(() => under.delete(call));
        under.add(call);
        call.catch(() => {});
        if (under.size >= CALLS_MAX) await Promise.race(under);
      }
      await Promise.all(under);
    } finally {
      // What was sent behind a request that failed has failed as well; it goes out again from its begin.
      await Promise.allSettled(under);
      for (const queue of this.queues.values()) queue.sent = 0;
    }
  }

  /** The next batches that have not been sent, one of each partition. */
  private next(): Batch[] {
    const batches: Batch[] = [];
    let total = 0;
    for (const queue of this.queues.values()) {
      if (total >= limits.kafkaRequestBytesMax) break;
      const { topic, partition, messages } = queue;
      const from = queue.sent;
      let to = from;
      for (let bytes = 0; to < messages.length; to++) {
        bytes += messageBytes(messages[to] as Message);
        if (to > from && bytes > limits.kafkaBatchBytesMax) break;
        total += messageBytes(messages[to] as Message);
      }
      if (to === from) continue;
      queue.sent = to;
      batches.push({ queue, topic, partition, messages: messages.slice(from, to) });
    }
    return batches;
  }

  private async produce(batches: readonly Batch[]): Promise<void> {
    const results = await this.link.produce(batches);
    for (const { queue, messages } of batches) {
      queue.messages.splice(0, messages.length);
      queue.sent -= messages.length;
    }
    for (const { topic, partition, offset } of results) {
      const batch = batches.find((one) => one.topic === topic && one.partition === partition);
      this.onWritten(topic, partition, offset + (batch?.messages.length ?? 0));
    }
  }
}
