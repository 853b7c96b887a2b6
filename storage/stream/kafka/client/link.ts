// The link: its connections, and where each call goes.

import { limits } from '../../../../core/limits.ts';
import type { Logger } from '../../../../core/telemetry.ts';
import type { Fetched, Joined, Link, Message, TopicPlan, TopicShape } from '../link.ts';
import { byLeader, Connection, type TopicPlace } from './connection.ts';
import { kafkaError } from './faults.ts';
import { type FetchPlace, fetchPlaces } from './fetch.ts';
import type { Admin, Cluster, Member, Requests } from './inside.ts';
import { GroupMember } from './member.ts';
import { type At, commitOffsets, committedOffset, deleteBefore, offsetsAt } from './offsets.ts';
import { type Produced, Producer } from './producer.ts';

export interface LinkParts {
  brokers: readonly string[];
  logger: Logger;
  requests: Requests;
  newCluster(): Cluster;
  newAdmin(): Admin;
  newMember(group: string, onJoin: () => void): Member;
}

const TOPIC = 2;

export class KafkaLink implements Link {
  private readonly parts: LinkParts;
  private readonly calls: Connection;
  /** A broker works one connection's requests in order: who waits for new records has one for that. */
  private readonly waits: Connection;
  private readonly writes: Connection;
  private readonly producer: Producer;

  constructor(parts: LinkParts) {
    this.parts = parts;
    const connection = () => new Connection(parts.brokers, () => parts.newCluster());
    this.calls = connection();
    this.waits = connection();
    this.writes = connection();
    this.producer = new Producer(this.writes);
  }

  /** Looks whether a broker answers. */
  connect(): Promise<void> {
    return this.calls.trying([], async () => {});
  }

  produce(batches: readonly (TopicPlace & { messages: readonly Message[] })[]): Promise<Produced[]> {
    return this.producer.produce(batches);
  }

  fetch(places: readonly FetchPlace[], waitMs: number): Promise<Fetched[]> {
    return fetchPlaces(waitMs === 0 ? this.calls : this.waits, this.parts.requests, places, waitMs);
  }

  offsets(topic: string, partitions: readonly number[], at: At): Promise<Map<number, number>> {
    return offsetsAt(this.calls, topic, partitions, at);
  }

  deleteBefore(topic: string, partition: number, offset: number): Promise<void> {
    return deleteBefore(this.calls, { topic, partition }, offset);
  }

  commit(group: string, places: readonly (TopicPlace & { offset: number })[]): Promise<void> {
    return commitOffsets(this.calls, group, places);
  }

  committed(group: string, topic: string, partition: number): Promise<number | undefined> {
    return committedOffset(this.calls, group, topic, partition);
  }

  describe(topics: readonly string[]): Promise<Map<string, TopicShape>> {
    return this.administering(async (admin) => {
      const there = new Set(await admin.listTopics());
      const asked = topics.filter((topic) => there.has(topic));
      if (asked.length === 0) return new Map();
      const { topics: found } = await admin.fetchTopicMetadata({ topics: asked });
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: asked.map((name) => ({ type: TOPIC, name })),
      });
      const configs = new Map(
        resources.map(({ resourceName, configEntries }) => [
          resourceName,
          Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
        ]),
      );
      return new Map(
        found.map(({ name, partitions }) => [
          name,
          {
            partitions: partitions.length,
            replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
            config: configs.get(name) ?? {},
          },
        ]),
      );
    });
  }

  async create(plans: readonly TopicPlan[], replicationFactor: number | undefined): Promise<void> {
    await this.administering(async (admin) => {
      await admin.createTopics({
        waitForLeaders: false,
        timeout: limits.kafkaRequestMs,
        topics: plans.map(({ topic, partitions, config }) => ({
          topic,
          numPartitions: partitions,
          replicationFactor: replicationFactor ?? -1,
          configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
        })),
      });
    });
    // Brokers hear of a new topic one after the other.
    const places = plans.flatMap(({ topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
    );
    const names = plans.map(({ topic }) => topic);
    await this.calls.trying(names, (cluster) => byLeader(cluster, places));
  }

  join(
    group: string,
    topic: string,
    onAssigned: (partitions: readonly number[] | undefined) => void,
  ): Promise<Joined> {
    const { brokers, logger, newMember } = this.parts;
    const options = {
      brokers,
      group,
      topic,
      logger,
      create: (onJoin: () => void) => newMember(group, onJoin),
      onAssigned,
    };
    return GroupMember.join(options).catch((error: unknown) => {
      throw kafkaError(error, this.parts.brokers);
    });
  }

  /** With a client for topics that lives as long as the call: it is seldom needed. */
  private async administering<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.parts.newAdmin();
    try {
      await admin.connect();
      return await work(admin);
    } catch (error) {
      throw kafkaError(error, this.parts.brokers);
    } finally {
      await admin.disconnect().catch(() => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.calls, this.waits, this.writes].map((one) => one[Symbol.asyncDispose]()));
  }
}
