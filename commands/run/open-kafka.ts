// Kafka for a process: one link, the stream on it, the groups that share the work, and memories whose changes lie on it.

import { type Config, dataFiles } from '../../core/config.ts';
import type { Membership } from '../../core/ports.ts';
import { LEDGER_PARTITION, type StageName, topics } from '../../core/records.ts';
import type { Logger } from '../../core/telemetry.ts';
import { openReplicatedDetector } from '../../storage/detectors/memory.ts';
import { openReplicatedLedger } from '../../storage/ledger/memory.ts';
import { memoryTopic } from '../../storage/replica/topic.ts';
import { openLink } from '../../storage/stream/kafka/kafkajs.ts';
import type { Link } from '../../storage/stream/kafka/link.ts';
import { joinStage } from '../../storage/stream/kafka/membership.ts';
import { KafkaStream } from '../../storage/stream/kafka/stream.ts';
import { detectorFile, type Ground } from './open.ts';

/** Throws KAFKA_UNREACHABLE, KAFKA_REFUSED, KAFKA_TOPICS_WRONG and CONFIG_INVALID. */
export async function openKafka(config: Config, logger: Logger): Promise<Ground> {
  const { dataDir, kafka, partitions } = config;
  const { prefix } = kafka;
  const link = await openLink(kafka, logger);
  const stream = await openOn(link, { prefix, partitions }, logger);
  const memberships = new Map<StageName, Membership>();
  const replica = (name: string, path: string, isOurs: () => boolean) => ({
    ...{ link, logger, path, isOurs, topic: memoryTopic(prefix, name), now: Date.now },
  });
  const has = (stage: StageName, partition: number) =>
    memberships.get(stage)?.current?.partitions.includes(partition) === true;
  return {
    stream,
    join: async (stage) => {
      const membership = await joinStage(
        link,
        `${prefix}sealwatch.${stage}.members`,
        sharedTopic(stage, prefix),
      );
      memberships.set(stage, membership);
      return membership;
    },
    memories: {
      openLedger: () =>
        openReplicatedLedger(
          replica('ledger', dataFiles(dataDir).ledger, () => has('ledger', LEDGER_PARTITION)),
        ),
      openDetector: (name) => {
        // What is not of one partition is of who has the first.
        const partition = Number(/-(\d+)$/.exec(name)?.[1] ?? 0);
        const isOurs = () => has('detect', partition);
        return openReplicatedDetector(replica(`detect-${name}`, detectorFile(dataDir, name), isOurs));
      },
    },
    [Symbol.asyncDispose]: async () => {
      await stream[Symbol.asyncDispose]();
      await link[Symbol.asyncDispose]();
    },
  };
}

async function openOn(
  link: Link,
  options: { prefix: string; partitions: number },
  logger: Logger,
): Promise<KafkaStream> {
  try {
    return await KafkaStream.open({
      ...{ ...options, link },
      onLoss: (lost) => logger.error({ ...lost }, 'records in Kafka cannot be read; going on behind them'),
    });
  } catch (error) {
    await link[Symbol.asyncDispose]();
    throw error;
  }
}

/** The topic whose partitions the processes of a stage share. The ledger's has one: one process has it, all others stand by. */
function sharedTopic(stage: StageName, prefix: string): string {
  if (stage === 'ledger') return memoryTopic(prefix, 'ledger');
  if (stage === 'normalise') return prefix + topics.raw;
  return prefix + (stage === 'deliver' ? topics.alerts : topics.events);
}
