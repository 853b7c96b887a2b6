// What sealwatch asks of a Kafka client: few calls, all of them on exact places. `kafkajs.ts` answers them, and alone imports
// that client.

/** A message as it lies in Kafka. */
export interface Message {
  key: Buffer | null;
  /** null: a compacted topic forgets the key. */
  value: Buffer | null;
  headers: Record<string, Buffer>;
}

export interface Fetched {
  topic: string;
  partition: number;
  /** What was asked for. */
  offset: number;
  /** From the offset asked for on; empty when there are none yet. Offsets count up; in a compacted topic some are missing. */
  messages: (Message & { offset: number })[];
  /** Offset that the next message will get. Below the offset asked for: Kafka has lost what was there. */
  end: number;
  /** Oldest offset that is left. When it is above the offset asked for, that was deleted. */
  start: number;
}

export interface TopicPlan {
  topic: string;
  partitions: number;
  /** Settings of the topic: `cleanup.policy`, `max.message.bytes`. */
  config: Record<string, string>;
}

/** A topic as it is. */
export interface TopicShape {
  partitions: number;
  /** Copies of the partition that has the fewest. */
  replicas: number;
  config: Record<string, string>;
}

/** Topics are named in full, with the configured prefix. Calls reject with a `SealwatchError` when no broker answers in time. */
export interface Link extends AsyncDisposable {
  /**
   * Resolves when all in-sync replicas have all of it: acks=all, idempotent, lz4, one request in flight for a partition. After a
   * rejection any of the batches may be there; whoever calls sends the same again, with nothing between.
   */
  produce(
    batches: readonly { topic: string; partition: number; messages: readonly Message[] }[],
  ): Promise<{ topic: string; partition: number; offset: number }[]>;
  /**
   * One request to each broker; waits up to `waitMs` for the first message. Of each place about `bytesMax` (unpacked), one
   * message at least if there is one. A message without key and value stands for all up to it that cannot be read.
   */
  fetch(
    places: readonly { topic: string; partition: number; offset: number; bytesMax: number }[],
    waitMs: number,
  ): Promise<Fetched[]>;
  /** Offset of the first message at or after a time in ms (`end` when there is none), or of the begin or the end. */
  offsets(
    topic: string,
    partitions: readonly number[],
    at: 'start' | 'end' | number,
  ): Promise<Map<number, number>>;
  /** Deletes what lies before `offset`. */
  deleteBefore(topic: string, partition: number, offset: number): Promise<void>;
  /** Offsets of a group that has no members, so that anybody's tools show how far it is. */
  commit(
    group: string,
    places: readonly { topic: string; partition: number; offset: number }[],
  ): Promise<void>;
  /** Undefined: nothing was committed. */
  committed(group: string, topic: string, partition: number): Promise<number | undefined>;
  /** Of topics that are there. */
  describe(topics: readonly string[]): Promise<Map<string, TopicShape>>;
  create(plans: readonly TopicPlan[], replicationFactor: number | undefined): Promise<void>;
  /**
   * Takes part in `group`, which shares the partitions of `topic` between its members. `onAssigned` with undefined: from now on
   * none is ours (a rebalance has begun, the session has ended, the broker is silent for as long as a session lasts).
   */
  join(
    group: string,
    topic: string,
    onAssigned: (partitions: readonly number[] | undefined) => void,
  ): Promise<Joined>;
}

export interface Joined extends AsyncDisposable {
  /**
   * Calls `onAssigned` with undefined, before it returns, when the session may have ended by the clock. Whoever works on a
   * partition asks before it goes on: in a process that was stopped no timer has run.
   */
  check(): void;
}
