// Connections to the brokers: what passes is waited for, and nothing is begun after the end.

import { expect, test } from 'vitest';
import { SealwatchError } from '../../../../core/errors.ts';
import { Connection } from '../../../../storage/stream/kafka/client/connection.ts';
import type { Cluster } from '../../../../storage/stream/kafka/client/inside.ts';

function fakeCluster() {
  const counts = { connected: 0, refreshed: 0, discarded: 0 };
  const cluster = {
    connect: async () => void counts.connected++,
    disconnect: async () => void counts.discarded++,
    addMultipleTargetTopics: async () => {},
    refreshMetadata: async () => {},
    refreshMetadataIfNecessary: async () => void counts.refreshed++,
  } as unknown as Cluster;
  return { cluster, counts };
}

test('who leads is asked again now and then', async () => {
  const { cluster, counts } = fakeCluster();
  await using connection = new Connection(['b:1'], () => cluster);
  for (let i = 0; i < 3; i++) await connection.trying(['t'], async () => {});
  expect(counts).toEqual({ connected: 1, refreshed: 3, discarded: 0 });
});

test('a call that is tried again after the end does not connect anew', async () => {
  const { cluster, counts } = fakeCluster();
  const connection = new Connection(['b:1'], () => cluster);
  let tries = 0;
  const calling = connection.trying([], async () => {
    tries++;
    throw new Error('no answer');
  });
  calling.catch(() => {});
  await expect.poll(() => counts.discarded).toBe(1);
  await connection[Symbol.asyncDispose]();
  await expect(calling).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE' });
  expect([tries, counts.connected]).toEqual([1, 1]);
});

test('a login whose file is empty just then is what Kafka refuses: it passes, the settings are not wrong', async () => {
  const { cluster } = fakeCluster();
  await using connection = new Connection(['b:1'], () => cluster);
  const calling = connection.trying([], async () => {
    throw new SealwatchError(
      'CONFIG_INVALID',
      'kafka.sasl.passwordFile: /p is empty',
      'Put the secret there.',
    );
  });
  await expect(calling).rejects.toMatchObject({
    code: 'KAFKA_REFUSED',
    message: expect.stringContaining('/p is empty'),
  });
});
