// The topics that sealwatch needs in Kafka, with the settings under which nothing is lost.

import { SealwatchError } from '../../../core/errors.ts';
import { limits } from '../../../core/limits.ts';
import { topics } from '../../../core/records.ts';
import { memoryPlans } from '../../replica/topic.ts';
import type { Link, TopicPlan } from './link.ts';

/** State of stages, replaced key by key. */
export const SNAPSHOTS = 'vault.audit.snapshots';

/** Of all topics. */
const everyConfig = {
  // A broker that packs anew may do so in a way that is not read here.
  'compression.type': 'producer',
  // Retention and compaction go by the time at which a record was written; a producer's clock may be wrong.
  'message.timestamp.type': 'LogAppendTime',
};

/** Kafka deletes nothing by itself: sealwatch does, when all its readers have read it. */
const streamConfig = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'max.message.bytes': String(limits.kafkaMessageBytesMax),
};

/** Settings of a topic of which the newest record of each key counts. */
const compactedConfig = {
  'cleanup.policy': 'compact',
  'max.message.bytes': String(limits.kafkaMessageBytesMax),
  // What is replaced goes away within minutes, not within a week: whoever begins reads all that is left.
  'segment.ms': '600000',
  'segment.bytes': String(64 * 1024 * 1024),
  'min.cleanable.dirty.ratio': '0.2',
  'max.compaction.lag.ms': '3600000',
};

/** All topics of the stream, named in full. */
export const topicPlans = (prefix: string, partitions: number): TopicPlan[] =>
  [
    ...Object.values(topics).map((topic) => ({ topic: prefix + topic, partitions, config: streamConfig })),
    { topic: prefix + SNAPSHOTS, partitions, config: compactedConfig },
    ...memoryPlans(prefix, partitions),
  ].map((plan) => ({ ...plan, config: { ...plan.config, ...everyConfig } }));

export interface TopicFinding {
  topic: string;
  /** `missing` can be made; `partitions` cannot be changed under records; `setting` is changed with Kafka's tools. */
  what: 'missing' | 'partitions' | 'setting';
  /** A sentence without its full stop. */
  message: string;
  advice: string;
}

/** What of `plans` is not as it must be. */
export async function checkTopics(link: Link, plans: readonly TopicPlan[]): Promise<TopicFinding[]> {
  const found = await link.describe(plans.map(({ topic }) => topic));
  return plans.flatMap((plan) => findingsOf(plan, found.get(plan.topic)));
}

function findingsOf(
  { topic, partitions, config }: TopicPlan,
  found: { partitions: number; config: Record<string, string> } | undefined,
): TopicFinding[] {
  if (found === undefined)
    return [
      {
        topic,
        what: 'missing',
        message: `the topic ${topic} is missing`,
        advice: 'Make it with `sealwatch doctor --fix`.',
      },
    ];
  if (found.partitions !== partitions)
    return [
      {
        topic,
        what: 'partitions',
        message: `the topic ${topic} has ${found.partitions} partitions, and partitions is ${partitions}`,
        advice:
          'Set partitions to what the topics have: the number decides where a call goes and cannot change under records that are there. Or begin with another kafka.prefix.',
      },
    ];
  return mustBe
    .filter((name) => config[name] !== undefined && !fits(name, config[name], found.config[name]))
    .map((name) => ({
      topic,
      what: 'setting',
      message: `${name} of the topic ${topic} is ${found.config[name] ?? 'not told'}, records would be lost or refused`,
      advice: `Set it: kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${name}=${config[name]}.`,
    }));
}

/** Settings that may be larger. */
const atLeast = ['max.message.bytes', 'min.compaction.lag.ms', 'delete.retention.ms'];

/** Settings that lose records when they are otherwise. */
const mustBe = ['cleanup.policy', 'retention.ms', 'retention.bytes', 'compression.type', ...atLeast];

/** What a broker may make of what is written, and can be read (`client/batch.ts`). */
const packings = ['producer', 'uncompressed', 'lz4', 'gzip'];

function fits(name: string, wanted: string, found = ''): boolean {
  if (name === 'compression.type') return packings.includes(found);
  return atLeast.includes(name) ? Number(found) >= Number(wanted) : found === wanted;
}

/** Throws KAFKA_TOPICS_WRONG when a topic is not as it must be. */
export async function requireTopics(link: Link, plans: readonly TopicPlan[]): Promise<void> {
  const findings = await checkTopics(link, plans);
  const [first] = findings;
  if (first === undefined) return;
  const others = findings.length === 1 ? '' : ` (and ${findings.length - 1} more findings)`;
  throw new SealwatchError('KAFKA_TOPICS_WRONG', first.message + others, first.advice);
}
