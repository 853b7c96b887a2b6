// The Kafka of a run of the real tests: one broker for all files, started by whoever comes first; or the one in KAFKA_BROKERS.

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import kafkajs from 'kafkajs';
import { type KafkaSettings, kafkaSettings } from '../../core/config-scale.ts';
import { freePort } from './servers.ts';

const serversDir = process.env['SERVERS_DIR'] ?? '/var/tmp/sealwatch-servers';
const LIB = 'lib-4.4.0';

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
  const brokers = given === undefined ? [await sharedBroker()] : given.split(',');
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

/** Files run in processes of their own: a folder is made by one of them alone, the others wait for its address. */
async function sharedBroker(): Promise<string> {
  const folder = process.env['REAL_RUN_DIR'];
  if (folder === undefined) throw new Error('no REAL_RUN_DIR: run with vitest, or set KAFKA_BROKERS');
  const address = join(folder, 'kafka.address');
  try {
    mkdirSync(join(folder, 'kafka'));
  } catch {
    for (let left = 2_000; left > 0 && !existsSync(address); left--) await sleep(100);
    return readFileSync(address, 'utf8');
  }
  const broker = await startBroker(folder);
  writeFileSync(`${address}.new`, broker);
  renameSync(`${address}.new`, address);
  return broker;
}

async function startBroker(folder: string): Promise<string> {
  // What is fetched once serves every run.
  const lib = join(serversDir, 'kafka', LIB);
  mkdirSync(lib, { recursive: true });
  symlinkSync(lib, join(folder, 'kafka', LIB));
  const port = await freePort();
  const env = { ...process.env, SERVERS_DIR: folder, KAFKA_PORT: String(port), KAFKA_HEAP: '384m' };
  await promisify(execFile)('bash', [join(resolve('test/real/servers'), 'kafka/start.sh')], { env });
  return `127.0.0.1:${port}`;
}
