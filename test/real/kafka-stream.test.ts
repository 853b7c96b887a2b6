// The stream on a real Kafka: the contract of all streams, and what only Kafka can do to it.

import { openLink } from '../../storage/stream/kafka/kafkajs.ts';
import { KafkaStream } from '../../storage/stream/kafka/stream.ts';
import { topicPlans } from '../../storage/stream/kafka/topics.ts';
import { streamContract } from '../contract/stream.ts';
import { kafka } from './kafka.ts';
import { quiet } from './quiet.ts';

streamContract(
  'Kafka',
  async () => {
    const { settings, prefix, remove } = await kafka();
    const link = await openLink(settings, quiet);
    const plans = topicPlans(prefix, 3);
    await link.create(plans, 1);
    return {
      open: (partitions) => KafkaStream.open({ link, prefix, partitions }),
      otherPartitions: 'KAFKA_TOPICS_WRONG',
      async remove() {
        await link[Symbol.asyncDispose]();
        await remove();
      },
    };
  },
  6,
);
