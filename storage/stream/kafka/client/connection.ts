// Connections to the brokers: kept, begun anew after a fault, and every call tried until Kafka has been away for too long.

import { setTimeout as pause } from 'node:timers/promises';
import { limits } from '../../../../core/limits.ts';
import { kafkaError, PartitionFault, remedyOf } from './faults.ts';
import type { Broker, Cluster } from './inside.ts';

export interface TopicPlace {
  topic: string;
  partition: number;
}

export class Connection implements AsyncDisposable {
  readonly brokers: readonly string[];
  private readonly create: () => Cluster;
  private cluster: Promise<Cluster> | undefined;
  private readonly topics = new Set<string>();
  private isClosed = false;

  constructor(brokers: readonly string[], create: () => Cluster) {
    this.brokers = brokers;
    this.create = create;
  }

  /**
   * What `work` gives, tried again after each fault that may pass, for `limits.kafkaGiveUpMs`. Rejects with KAFKA_REFUSED,
   * KAFKA_UNREACHABLE, or the fault itself when only a new producer helps.
   */
  async trying<T>(topics: readonly string[], work: (cluster: Cluster) => Promise<T>): Promise<T> {
    const until = Date.now() + limits.kafkaGiveUpMs;
    for (let wait: number = limits.kafkaRetryMsMin; ; wait = Math.min(2 * wait, limits.kafkaRetryMsMax)) {
      let cluster: Cluster | undefined;
      try {
        cluster = await this.connected(topics);
        return await work(cluster);
      } catch (error) {
        const remedy = remedyOf(error);
        if (remedy === 'producer') throw error;
        if (remedy === 'mend' || this.isClosed || Date.now() + wait > until)
          throw kafkaError(error, this.brokers);
        if (remedy === 'connection') this.drop(cluster);
        await pause(wait);
        if (remedy === 'metadata') await cluster?.refreshMetadata().catch(() => this.drop(cluster));
      }
    }
  }

  /** A cluster that knows these topics. */
  private async connected(topics: readonly string[]): Promise<Cluster> {
    if (this.isClosed) throw new Error('the connection was closed');
    this.cluster ??= this.connect();
    const began = this.cluster;
    try {
      const cluster = await began;
      if (topics.some((topic) => !this.topics.has(topic))) {
        await cluster.addMultipleTargetTopics(topics);
        for (const topic of topics) this.topics.add(topic);
      }
      // Once in `limits.kafkaMetadataMs`: a broker that leads no more gives what it has, without a fault that would tell. What is
      // known serves when nobody answers now.
      await cluster.refreshMetadataIfNecessary().catch(ignore);
      return cluster;
    } catch (error) {
      if (this.cluster === began && remedyOf(error) === 'connection') this.cluster = undefined;
      throw error;
    }
  }

  private async connect(): Promise<Cluster> {
    const cluster = this.create();
    try {
      await cluster.connect();
      await cluster.addMultipleTargetTopics([...this.topics]);
      return cluster;
    } catch (error) {
      discard(cluster);
      throw error;
    }
  }

  /** kafkajs goes on with a connection on which nothing comes back, so a broken one is left as a whole. */
  private drop(cluster: Cluster | undefined): void {
    const current = this.cluster;
    if (cluster === undefined || current === undefined) return;
    current.then((now) => {
      if (now !== cluster || this.cluster !== current) return;
      this.cluster = undefined;
      discard(cluster);
    }, ignore);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isClosed = true;
    const cluster = await this.cluster?.catch(() => undefined);
    this.cluster = undefined;
    if (cluster !== undefined) discard(cluster);
  }
}

const ignore = (): void => {};

/** Ends when its last request has been answered or has timed out; nobody waits for that. */
function discard(cluster: Cluster): void {
  cluster.disconnect().catch(ignore);
}

/** `places` by the broker that leads them. */
export async function byLeader<P extends TopicPlace>(
  cluster: Cluster,
  places: readonly P[],
): Promise<[Broker, P[]][]> {
  const found = new Map<number, P[]>();
  for (const place of places) {
    const partitions = cluster.findTopicPartitionMetadata(place.topic);
    const leader = partitions.find(({ partitionId }) => partitionId === place.partition)?.leader;
    if (leader === undefined || leader < 0) throw new PartitionFault(5, place.topic, place.partition);
    const group = found.get(leader);
    if (group === undefined) found.set(leader, [place]);
    else group.push(place);
  }
  return Promise.all(
    [...found].map(async ([nodeId, group]) => [await cluster.findBroker({ nodeId }), group] as [Broker, P[]]),
  );
}

/** Places as Kafka's requests have them: by topic. */
export function byTopic<P extends TopicPlace>(places: readonly P[]): { topic: string; partitions: P[] }[] {
  const found = new Map<string, P[]>();
  for (const place of places) {
    const group = found.get(place.topic);
    if (group === undefined) found.set(place.topic, [place]);
    else group.push(place);
  }
  return [...found].map(([topic, partitions]) => ({ topic, partitions }));
}
