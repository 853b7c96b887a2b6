// Fetch requests over one connection of kafkajs.

import { expect, test } from 'vitest';
import { Connection } from '../../../../storage/stream/kafka/client/connection.ts';
import { fetchPlaces } from '../../../../storage/stream/kafka/client/fetch.ts';
import type { Broker, Cluster, Requests } from '../../../../storage/stream/kafka/client/inside.ts';

/** As kafkajs's: whoever comes while it is closed opens it, whether another does already or not. */
class FakePool {
  opened = 0;
  sent = 0;
  private isOpen = false;

  async getConnectionByRequest() {
    if (this.isOpen) return;
    this.opened++;
    await new Promise((resolve) => setImmediate(resolve));
    this.isOpen = true;
  }

  async send() {
    await this.getConnectionByRequest();
    this.sent++;
    return [];
  }
}

test('readers who come at once share one connection', async () => {
  const pool = new FakePool();
  const broker = { nodeId: 1, connectionPool: pool } as unknown as Broker;
  const cluster = {
    connect: async () => {},
    disconnect: async () => {},
    addMultipleTargetTopics: async () => {},
    refreshMetadataIfNecessary: async () => {},
    findTopicPartitionMetadata: () => [{ partitionId: 0, leader: 1 }],
    findBroker: async () => broker,
  } as unknown as Cluster;
  const requests = { Fetch: { protocol: () => () => ({}) } } as unknown as Requests;
  await using connection = new Connection(['b:1'], () => cluster);
  const place = { topic: 't', partition: 0, offset: 0, bytesMax: 1 };
  // The first reads at two places of the partition: two requests.
  await Promise.all([[place, place], [place]].map((some) => fetchPlaces(connection, requests, some, 0)));
  expect([pool.opened, pool.sent]).toEqual([1, 3]);
});
