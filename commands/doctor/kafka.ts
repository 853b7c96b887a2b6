// Kafka, where records travel through it: is it reached, are the topics as they must be, who lags, what may this user read.

import type { Config } from '../../core/config.ts';
import { isLoopback } from '../../core/devices.ts';
import { SealwatchError } from '../../core/errors.ts';
import { type StageName, topics } from '../../core/records.ts';
import type { Logger } from '../../core/telemetry.ts';
import { openLink } from '../../storage/stream/kafka/kafkajs.ts';
import type { Link, TopicPlan, TopicShape } from '../../storage/stream/kafka/link.ts';
import { stageRights } from '../../storage/stream/kafka/rights.ts';
import { checkTopics, topicPlans } from '../../storage/stream/kafka/topics.ts';
import { checkCertificate, checkSecret } from './files.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { checkLag } from './lag.ts';

/** Nothing with an embedded stream. With `fix`, topics that are missing are made. */
export async function checkKafka(config: Config, fix: boolean, logger: Logger): Promise<Finding[]> {
  if (config.stream !== 'kafka') return [];
  const files = checkFiles(config);
  if (files.some(({ state }) => state === 'fail')) return files;
  try {
    await using link = await openLink(config.kafka, logger);
    return [
      ...files,
      ok(`Kafka answers on ${config.kafka.brokers.join(', ')}`),
      ...(await checkOn(link, config, fix)),
    ];
  } catch (error) {
    if (!(error instanceof SealwatchError)) throw error;
    return [...files, fail(error.message, error.advice)];
  }
}

const MAKE =
  'Make them with `sealwatch doctor --fix` as a user who may, or with deploy/kafka/topics.sh. A topic that this user may not see counts as missing.';

/** What a connected link shows. */
export async function checkOn(link: Link, config: Config, fix: boolean): Promise<Finding[]> {
  const plans = topicPlans(config.kafka.prefix, config.partitions);
  const made = fix ? await makeMissing(link, plans, config.kafka.replicationFactor) : [];
  const found = await checkTopics(link, plans);
  const shapes = await link.describe(plans.map(({ topic }) => topic));
  const missing = found.filter(({ what }) => what === 'missing').map(({ topic }) => topic);
  const wrong = found
    .filter(({ what }) => what !== 'missing')
    .map(({ message, advice }) => fail(message, advice));
  if (missing.length > 0) wrong.push(fail(`topics are missing: ${missing.join(', ')}`, MAKE));
  if (wrong.length === 0) wrong.push(ok(`${plans.length} topics with ${config.partitions} partitions`));
  return [
    ...made,
    ...wrong,
    ...(shapes.size > 0 ? checkCopies(shapes) : []),
    ...(wrong.some(({ state }) => state === 'fail')
      ? []
      : [...(await checkRights(link, config.kafka.prefix)), ...(await checkLag(link, config))]),
  ];
}

function checkFiles({ kafka: { brokers, sasl, tls } }: Config): Finding[] {
  const isLocal = brokers.every((broker) => isLoopback(broker.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')));
  const secrets =
    sasl === undefined
      ? []
      : sasl.mechanism === 'oauthbearer'
        ? [checkSecret('the token for Kafka', sasl.tokenFile)]
        : [checkSecret('the password for Kafka', sasl.passwordFile)];
  const certificates = [
    ...(tls.caFile === undefined
      ? []
      : [checkCertificate('the authority of the brokers', tls.caFile, Date.now())]),
    ...(tls.certFile === undefined
      ? []
      : [checkCertificate("sealwatch's certificate for Kafka", tls.certFile, Date.now())]),
    ...(tls.keyFile === undefined ? [] : [checkSecret("sealwatch's key for Kafka", tls.keyFile)]),
  ];
  const plain =
    isLocal || tls.enabled
      ? []
      : [
          warn(
            'what is audited travels to Kafka without TLS, and so does a login',
            'Set SEALWATCH_KAFKA_TLS_ENABLED=true and SEALWATCH_KAFKA_TLS_CA_FILE: docs/operating/kafka.md.',
          ),
        ];
  const anybody =
    sasl === undefined && tls.certFile === undefined && !isLocal
      ? [
          warn(
            'sealwatch shows Kafka no login: whoever reaches the brokers can read and write its topics',
            'Give each stage a login and the rights of deploy/kafka/acls.sh.',
          ),
        ]
      : [];
  return [...secrets, ...certificates, ...plain, ...anybody];
}

/** Topics that are there stay as they are: a number of partitions cannot change under records. */
async function makeMissing(
  link: Link,
  plans: readonly TopicPlan[],
  replicationFactor: number | undefined,
): Promise<Finding[]> {
  const there = await link.describe(plans.map(({ topic }) => topic));
  const missing = plans.filter(({ topic }) => !there.has(topic));
  if (missing.length === 0) return [];
  await link.create(missing, replicationFactor);
  return [ok(`made ${missing.length} topics: ${missing.map(({ topic }) => topic).join(', ')}`)];
}

/** Whether a record outlives its broker. */
function checkCopies(shapes: ReadonlyMap<string, TopicShape>): Finding[] {
  const all = [...shapes].map(([topic, shape]) => ({ topic, ...shape }));
  const single = all.filter(({ replicas }) => replicas < 2);
  const careless = all.filter(
    ({ replicas, config }) => replicas > 1 && Number(config['min.insync.replicas'] ?? 1) < 2,
  );
  const name = ({ topic }: { topic: string }) => topic;
  if (single.length > 0)
    return [
      warn(
        `${single.length} topics lie on one broker each: when its disk dies, what is not indexed yet is lost`,
        'With three brokers set SEALWATCH_KAFKA_REPLICATION_FACTOR=3 before `doctor --fix` makes the topics, or move them with kafka-reassign-partitions.sh.',
      ),
    ];
  return careless.length === 0
    ? [ok('each record is on two brokers before it counts')]
    : [
        warn(
          `min.insync.replicas is 1 for ${careless.map(name).join(', ')}: a record may count while one broker alone has it`,
          'kafka-configs.sh --alter --entity-type topics --entity-name TOPIC --add-config min.insync.replicas=2, for each of them.',
        ),
      ];
}

/** Reading is tried on each topic; writing is not: it would leave a record. */
async function checkRights(link: Link, prefix: string): Promise<Finding[]> {
  const readable = new Set<string>();
  for (const topic of Object.values(topics)) if (await mayRead(link, prefix + topic)) readable.add(topic);
  const all: readonly string[] = Object.values(topics);
  const stages = (Object.keys(stageRights) as StageName[]).filter((stage) => {
    const needs = stageRights[stage].reads.filter((topic) => all.includes(topic));
    return needs.length > 0 && needs.every((topic) => readable.has(topic));
  });
  return [
    stages.length > 0
      ? ok(`this user may read what is needed by ${stages.join(', ')}; writing is not tried`)
      : warn(
          'this user may read for no stage',
          'Well if it is there to make topics only; else give it the rights of deploy/kafka/acls.sh.',
        ),
  ];
}

async function mayRead(link: Link, topic: string): Promise<boolean> {
  try {
    const from = (await link.offsets(topic, [0], 'start')).get(0) ?? 0;
    await link.fetch([{ topic, partition: 0, offset: from, bytesMax: 1 }], 0);
    return true;
  } catch (error) {
    if (error instanceof SealwatchError && error.code === 'KAFKA_REFUSED') return false;
    throw error;
  }
}
