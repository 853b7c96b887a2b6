// deploy/kafka/*.sh as they must be: written from the tables that the product itself goes by.

import { loadConfig } from '../../core/config.ts';
import type { TopicPlan } from '../../storage/stream/kafka/link.ts';
import { type Grant, grants, users } from '../../storage/stream/kafka/rights.ts';
import { topicPlans } from '../../storage/stream/kafka/topics.ts';

const about = (what: string) => `#!/bin/sh
# ${what}
# Made from storage/stream/kafka by test/deploy/kafka.test.ts: edit it there, then run that test with -u.
# Env: BOOTSTRAP (127.0.0.1:9092), COMMAND_CONFIG (properties file of an administrator), PREFIX (kafka.prefix of sealwatch)`;

const quoted = (flag: string, names: readonly string[]) =>
  names.map((name) => `--${flag} "\${prefix}${name}"`);

/** The user of a stage is `sealwatch-STAGE`. */
const principals = (names: readonly string[]) =>
  names.map((name) => `--allow-principal "User:\${user}${name}"`);

function grantLine({ users: who, operation, topics, groups, isPrefix }: Grant): string {
  const parts = [
    ...principals(who),
    `--operation ${operation}`,
    ...(isPrefix ? ['--resource-pattern-type prefixed'] : []),
    ...quoted('topic', topics),
    ...quoted('group', groups),
  ];
  return `grant ${parts.join(' \\\n  ')}`;
}

export function aclScript(): string {
  return `${about('Gives each stage of sealwatch the rights that it needs in Kafka, and no others; safe to run again.')}
# USER_PREFIX (sealwatch-): what stands before each of ${users.join(', ')}
# KAFKA_ACLS (kafka-acls.sh): the command
set -eu
prefix=\${PREFIX:-}
user=\${USER_PREFIX:-sealwatch-}
grant() {
  \${KAFKA_ACLS:-kafka-acls.sh} --bootstrap-server "\${BOOTSTRAP:-127.0.0.1:9092}" \\
    \${COMMAND_CONFIG:+--command-config "$COMMAND_CONFIG"} --add "$@" > /dev/null
}

${grants().map(grantLine).join('\n')}
`;
}

/** For `partitions` of the default configuration. */
export function topicScript(): string {
  return `${about('Makes the topics of sealwatch, for a Kafka where sealwatch may not: `sealwatch doctor --fix` makes the same. Safe to run again.')}
# REPLICATION (3), MIN_INSYNC (2): a record counts when two brokers have it
# KAFKA_TOPICS (kafka-topics.sh): the command. With other \`partitions\` than ${PARTITIONS}: node dist/main.js doctor --fix
set -eu
prefix=\${PREFIX:-}
topic() {
  name=$1 partitions=$2
  shift 2
  \${KAFKA_TOPICS:-kafka-topics.sh} --bootstrap-server "\${BOOTSTRAP:-127.0.0.1:9092}" \\
    \${COMMAND_CONFIG:+--command-config "$COMMAND_CONFIG"} --create --if-not-exists \\
    --topic "$prefix$name" --partitions "$partitions" --replication-factor "\${REPLICATION:-3}" \\
    --config min.insync.replicas="\${MIN_INSYNC:-2}" "$@"
}

${topicPlans('', PARTITIONS).map(topicLine).join('\n')}
`;
}

const PARTITIONS = loadConfig({}).partitions;

const topicLine = ({ topic, partitions, config }: TopicPlan): string =>
  [
    `topic ${topic} ${partitions}`,
    ...Object.entries(config).map(([name, value]) => `--config ${name}=${value}`),
  ].join(' \\\n  ');
