// The link to Kafka on kafkajs, and the only file that imports it: the public client for groups and topics, and its clusters
// inside for records at exact places (decision 0034).

import kafkajs, { type logCreator } from 'kafkajs';
import Cluster from 'kafkajs/src/cluster/index.js';
import socketFactory from 'kafkajs/src/network/socketFactory.js';
import requests from 'kafkajs/src/protocol/requests/index.js';
import type { KafkaSettings } from '../../../core/config-scale.ts';
import { limits } from '../../../core/limits.ts';
import type { Logger } from '../../../core/telemetry.ts';
import type * as inside from './client/inside.ts';
import { KafkaLink } from './client/link.ts';
import { saslOf, tlsOf } from './client/secrets.ts';
import type { Link } from './link.ts';

/** Throws CONFIG_INVALID, KAFKA_REFUSED or KAFKA_UNREACHABLE. */
export async function openLink(settings: KafkaSettings, logger: Logger): Promise<Link> {
  const ssl = tlsOf(settings);
  const sasl = saslOf(settings);
  const options = {
    brokers: settings.brokers,
    clientId: settings.clientId,
    connectionTimeout: limits.kafkaConnectMs,
    authenticationTimeout: limits.kafkaConnectMs,
    requestTimeout: limits.kafkaRequestMs,
    retry: { retries: 2, initialRetryTime: limits.kafkaRetryMsMin, maxRetryTime: limits.kafkaRetryMsMax },
    ...(ssl !== undefined && { ssl }),
    ...(sasl !== undefined && { sasl: sasl as kafkajs.SASLOptions }),
  };
  const kafka = new kafkajs.Kafka({ ...options, logLevel: kafkajs.logLevel.WARN, logCreator: logTo(logger) });
  const link = new KafkaLink({
    brokers: settings.brokers,
    logger,
    requests: requests.requests,
    newCluster: () =>
      new Cluster({
        ...options,
        logger: kafka.logger(),
        socketFactory: socketFactory(),
        allowAutoTopicCreation: false,
        metadataMaxAge: limits.kafkaMetadataMs,
      }),
    newAdmin: () => kafka.admin(),
    newMember: (group, onJoin) => newMember(kafka, group, onJoin),
  });
  await link.connect();
  return link;
}

function newMember(kafka: kafkajs.Kafka, groupId: string, onJoin: () => void): inside.Member {
  const assigner: kafkajs.PartitionAssigner = (config) => {
    const inner = kafkajs.PartitionAssigners.roundRobin(config);
    return {
      ...inner,
      // kafkajs asks for this each time before it joins, whatever made it join.
      protocol(subscription) {
        onJoin();
        return inner.protocol(subscription);
      },
    };
  };
  return kafka.consumer({
    groupId,
    partitionAssigners: [assigner],
    sessionTimeout: limits.kafkaSessionMs,
    rebalanceTimeout: limits.kafkaSessionMs,
    heartbeatInterval: limits.kafkaSessionMs / 10,
    // How often it looks whether a heartbeat is due: its partitions are paused.
    maxWaitTimeInMs: limits.kafkaSessionMs / 20,
    allowAutoTopicCreation: false,
    retry: { retries: 3, initialRetryTime: limits.kafkaRetryMsMin, maxRetryTime: limits.kafkaRetryMsMax },
  }) as unknown as inside.Member;
}

/** What kafkajs says, as debug: what matters is told where it is handled. Only these fields: others may hold what it sent. */
const logTo =
  (logger: Logger): logCreator =>
  () =>
  ({ namespace, log: { message, ...fields } }) => {
    const { broker, groupId, topic, partition, error, retryCount } = fields as Record<string, unknown>;
    logger.debug(
      { namespace, broker, groupId, topic, partition, error: String(error ?? ''), retryCount },
      message,
    );
  };
