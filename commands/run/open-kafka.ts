// What a process that meets others in Kafka opens: the stream, memories that another process can take over, and its part in groups.

import { join } from 'node:path';
import { type Config, dataFiles } from '../../core/config.ts';
import { type StageName, topics } from '../../core/records.ts';
import type { Logger } from '../../core/telemetry.ts';
import { openReplicatedDetector } from '../../storage/detectors/memory.ts';
import { openReplicatedLedger } from '../../storage/ledger/memory.ts';
import { memoryTopic } from '../../storage/replica/topic.ts';
import { openLink } from '../../storage/stream/kafka/kafkajs.ts';
import type { Link } from '../../storage/stream/kafka/link.ts';
import { joinStage } from '../../storage/stream/kafka/membership.ts';
import { KafkaStream } from '../../storage/stream/kafka/stream.ts';
import type { Carrier, Memories } from './open.ts';

const LEDGER = 'ledger';

/** Throws KAFKA_UNREACHABLE, KAFKA_REFUSED, KAFKA_TOPICS_WRONG and CONFIG_INVALID. */
export async function openKafka(config: Config, logger: Logger): Promise<Carrier> {
  const { prefix } = config.kafka;
  const link = await openLink(config.kafka, logger);
  try {
    const stream = await KafkaStream.open({
      ...{ link, prefix, partitions: config.partitions },
      onLoss: (lost) => logger.error({ ...lost }, 'records in Kafka cannot be read; going on behind them'),
      onEnd: () => link[Symbol.asyncDispose](),
    });
    return {
      stream,
      memories: memoriesOf(config, link, logger),
      join: (stage) => joinStage(link, `${prefix}sealwatch.${stage}.members`, sharedTopic(stage, prefix)),
    };
  } catch (error) {
    await link[Symbol.asyncDispose]();
    throw error;
  }
}

/** Files of the data folder that are made anew from Kafka when they are lost. */
function memoriesOf({ kafka: { prefix }, dataDir }: Config, link: Link, logger: Logger): Memories {
  const { replicas } = dataFiles(dataDir);
  const optionsOf = (name: string, isOurs = () => true) => ({
    ...{ link, isOurs, logger, now: Date.now },
    topic: memoryTopic(prefix, name),
    path: join(replicas, `${name}.db`),
  });
  return {
    openLedger: (isOurs) => openReplicatedLedger(optionsOf(LEDGER, isOurs)),
    openDetector: (name, isOurs) => openReplicatedDetector(optionsOf(`detect-${name}`, isOurs)),
  };
}

/** The topic whose partitions the processes of a stage share; what goes with a partition of it is the stage's to know. */
function sharedTopic(stage: StageName, prefix: string): string {
  // The ledger has one: whoever has it works.
  if (stage === 'ledger') return memoryTopic(prefix, LEDGER);
  if (stage === 'normalise') return prefix + topics.raw;
  return prefix + (stage === 'deliver' ? topics.alerts : topics.events);
}
