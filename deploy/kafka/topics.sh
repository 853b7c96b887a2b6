#!/bin/sh
# Makes the topics of sealwatch, for a Kafka where sealwatch may not: `sealwatch doctor --fix` makes the same. Safe to run again.
# Made from storage/stream/kafka by test/deploy/kafka.test.ts: edit it there, then run that test with -u.
# Env: BOOTSTRAP (127.0.0.1:9092), COMMAND_CONFIG (properties file of an administrator), PREFIX (kafka.prefix of sealwatch)
# REPLICATION (3), MIN_INSYNC (2): a record counts when two brokers have it
# KAFKA_TOPICS (kafka-topics.sh): the command. With other `partitions` than 3: node dist/main.js doctor --fix
set -eu
prefix=${PREFIX:-}
topic() {
  name=$1 partitions=$2
  shift 2
  ${KAFKA_TOPICS:-kafka-topics.sh} --bootstrap-server "${BOOTSTRAP:-127.0.0.1:9092}" \
    ${COMMAND_CONFIG:+--command-config "$COMMAND_CONFIG"} --create --if-not-exists \
    --topic "$prefix$name" --partitions "$partitions" --replication-factor "${REPLICATION:-3}" \
    --config min.insync.replicas="${MIN_INSYNC:-2}" "$@"
}

topic vault.audit.raw 3 \
  --config cleanup.policy=delete \
  --config retention.ms=-1 \
  --config retention.bytes=-1 \
  --config max.message.bytes=69206016 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
topic vault.audit.events 3 \
  --config cleanup.policy=delete \
  --config retention.ms=-1 \
  --config retention.bytes=-1 \
  --config max.message.bytes=69206016 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
topic vault.audit.leases 3 \
  --config cleanup.policy=delete \
  --config retention.ms=-1 \
  --config retention.bytes=-1 \
  --config max.message.bytes=69206016 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
topic vault.audit.alerts 3 \
  --config cleanup.policy=delete \
  --config retention.ms=-1 \
  --config retention.bytes=-1 \
  --config max.message.bytes=69206016 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
topic vault.audit.coverage 3 \
  --config cleanup.policy=delete \
  --config retention.ms=-1 \
  --config retention.bytes=-1 \
  --config max.message.bytes=69206016 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
topic vault.audit.credentials 3 \
  --config cleanup.policy=delete \
  --config retention.ms=-1 \
  --config retention.bytes=-1 \
  --config max.message.bytes=69206016 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
topic vault.audit.groups 3 \
  --config cleanup.policy=delete \
  --config retention.ms=-1 \
  --config retention.bytes=-1 \
  --config max.message.bytes=69206016 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
topic vault.audit.changes 3 \
  --config cleanup.policy=delete \
  --config retention.ms=-1 \
  --config retention.bytes=-1 \
  --config max.message.bytes=69206016 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
topic vault.audit.snapshots 3 \
  --config cleanup.policy=compact \
  --config max.message.bytes=69206016 \
  --config segment.ms=600000 \
  --config segment.bytes=67108864 \
  --config min.cleanable.dirty.ratio=0.2 \
  --config max.compaction.lag.ms=3600000 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
topic vault.audit.memory.ledger 1 \
  --config cleanup.policy=compact \
  --config max.message.bytes=4194304 \
  --config min.compaction.lag.ms=3600000 \
  --config segment.ms=315360000000 \
  --config segment.bytes=67108864 \
  --config delete.retention.ms=604800000 \
  --config min.cleanable.dirty.ratio=0.2 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
topic vault.audit.memory.detect-leases 1 \
  --config cleanup.policy=compact \
  --config max.message.bytes=4194304 \
  --config min.compaction.lag.ms=3600000 \
  --config segment.ms=315360000000 \
  --config segment.bytes=67108864 \
  --config delete.retention.ms=604800000 \
  --config min.cleanable.dirty.ratio=0.2 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
topic vault.audit.memory.detect-events-0 1 \
  --config cleanup.policy=compact \
  --config max.message.bytes=4194304 \
  --config min.compaction.lag.ms=3600000 \
  --config segment.ms=315360000000 \
  --config segment.bytes=67108864 \
  --config delete.retention.ms=604800000 \
  --config min.cleanable.dirty.ratio=0.2 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
topic vault.audit.memory.detect-groups-0 1 \
  --config cleanup.policy=compact \
  --config max.message.bytes=4194304 \
  --config min.compaction.lag.ms=3600000 \
  --config segment.ms=315360000000 \
  --config segment.bytes=67108864 \
  --config delete.retention.ms=604800000 \
  --config min.cleanable.dirty.ratio=0.2 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
topic vault.audit.memory.detect-events-1 1 \
  --config cleanup.policy=compact \
  --config max.message.bytes=4194304 \
  --config min.compaction.lag.ms=3600000 \
  --config segment.ms=315360000000 \
  --config segment.bytes=67108864 \
  --config delete.retention.ms=604800000 \
  --config min.cleanable.dirty.ratio=0.2 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
topic vault.audit.memory.detect-groups-1 1 \
  --config cleanup.policy=compact \
  --config max.message.bytes=4194304 \
  --config min.compaction.lag.ms=3600000 \
  --config segment.ms=315360000000 \
  --config segment.bytes=67108864 \
  --config delete.retention.ms=604800000 \
  --config min.cleanable.dirty.ratio=0.2 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
topic vault.audit.memory.detect-events-2 1 \
  --config cleanup.policy=compact \
  --config max.message.bytes=4194304 \
  --config min.compaction.lag.ms=3600000 \
  --config segment.ms=315360000000 \
  --config segment.bytes=67108864 \
  --config delete.retention.ms=604800000 \
  --config min.cleanable.dirty.ratio=0.2 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
topic vault.audit.memory.detect-groups-2 1 \
  --config cleanup.policy=compact \
  --config max.message.bytes=4194304 \
  --config min.compaction.lag.ms=3600000 \
  --config segment.ms=315360000000 \
  --config segment.bytes=67108864 \
  --config delete.retention.ms=604800000 \
  --config min.cleanable.dirty.ratio=0.2 \
  --config compression.type=producer \
  --config message.timestamp.type=LogAppendTime
