// The Kafka of a run of the real tests: one broker for all files, started by whoever comes first; or the one in KAFKA_BROKERS.

import { randomUUID } from 'node:crypto';
import kafkajs from 'kafkajs';
import { type KafkaSettings, kafkaSettings } from '../../core/config-scale.ts';
import { sharedServer } from './shared-server.ts';

export interface TestKafka {
  brokers: string[];
  /** Nobody else's. */
  prefix: string;
  settings: KafkaSettings;
  /** Deletes the topics with this prefix. */
  remove(): Promise<void>;
}

/** Kafka, and a prefix of the caller's own. */
export async function kafka(): Promise<TestKafka> {
  const given = process.env['KAFKA_BROKERS'];
  const brokers = given === undefined ? [await sharedServer('kafka')] : given.split(',');
  const prefix = `t${randomUUID().slice(0, 8)}-`;
  return {
    brokers,
    prefix,
    settings: kafkaSettings.parse({ brokers, prefix }),
    remove: () => removeTopics(brokers, prefix),
  };
}

/** Topics of the prefix go away, whoever made them. */
export async function removeTopics(brokers: string[], prefix: string): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
  if (topics.length > 0) await admin.deleteTopics({ topics });
  await admin.disconnect();
}
