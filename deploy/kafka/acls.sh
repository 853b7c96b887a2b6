#!/bin/sh
# Gives each stage of sealwatch the rights that it needs in Kafka, and no others; safe to run again.
# Made from storage/stream/kafka by test/deploy/kafka.test.ts: edit it there, then run that test with -u.
# Env: BOOTSTRAP (127.0.0.1:9092), COMMAND_CONFIG (properties file of an administrator), PREFIX (kafka.prefix of sealwatch)
# USER_PREFIX (sealwatch-): what stands before each of collect, normalise, ledger, detect, index, deliver, serve, run, doctor
# KAFKA_ACLS (kafka-acls.sh): the command
set -eu
prefix=${PREFIX:-}
user=${USER_PREFIX:-sealwatch-}
grant() {
  ${KAFKA_ACLS:-kafka-acls.sh} --bootstrap-server "${BOOTSTRAP:-127.0.0.1:9092}" \
    ${COMMAND_CONFIG:+--command-config "$COMMAND_CONFIG"} --add "$@" > /dev/null
}

grant --allow-principal "User:${user}collect" \
  --allow-principal "User:${user}normalise" \
  --allow-principal "User:${user}ledger" \
  --allow-principal "User:${user}detect" \
  --allow-principal "User:${user}index" \
  --allow-principal "User:${user}deliver" \
  --allow-principal "User:${user}serve" \
  --allow-principal "User:${user}run" \
  --allow-principal "User:${user}doctor" \
  --operation Describe \
  --resource-pattern-type prefixed \
  --topic "${prefix}vault.audit." \
  --group "${prefix}sealwatch."
grant --allow-principal "User:${user}collect" \
  --allow-principal "User:${user}normalise" \
  --allow-principal "User:${user}ledger" \
  --allow-principal "User:${user}detect" \
  --allow-principal "User:${user}index" \
  --allow-principal "User:${user}deliver" \
  --allow-principal "User:${user}serve" \
  --allow-principal "User:${user}run" \
  --allow-principal "User:${user}doctor" \
  --operation DescribeConfigs \
  --resource-pattern-type prefixed \
  --topic "${prefix}vault.audit."
grant --allow-principal "User:${user}collect" \
  --operation Read \
  --topic "${prefix}vault.audit.snapshots" \
  --group "${prefix}sealwatch.collect"
grant --allow-principal "User:${user}collect" \
  --operation Read \
  --resource-pattern-type prefixed \
  --group "${prefix}sealwatch.collect-" \
  --group "${prefix}sealwatch.collect." \
  --group "${prefix}sealwatch.snapshots.drain-"
grant --allow-principal "User:${user}collect" \
  --operation Write \
  --topic "${prefix}vault.audit.raw" \
  --topic "${prefix}vault.audit.snapshots"
grant --allow-principal "User:${user}normalise" \
  --operation Read \
  --topic "${prefix}vault.audit.raw" \
  --topic "${prefix}vault.audit.events" \
  --topic "${prefix}vault.audit.coverage" \
  --topic "${prefix}vault.audit.credentials" \
  --topic "${prefix}vault.audit.snapshots" \
  --group "${prefix}sealwatch.normalise"
grant --allow-principal "User:${user}normalise" \
  --operation Read \
  --resource-pattern-type prefixed \
  --group "${prefix}sealwatch.normalise-" \
  --group "${prefix}sealwatch.normalise." \
  --group "${prefix}sealwatch.snapshots.normalise-"
grant --allow-principal "User:${user}normalise" \
  --operation Write \
  --topic "${prefix}vault.audit.events" \
  --topic "${prefix}vault.audit.coverage" \
  --topic "${prefix}vault.audit.credentials" \
  --topic "${prefix}vault.audit.snapshots"
grant --allow-principal "User:${user}ledger" \
  --operation Read \
  --topic "${prefix}vault.audit.credentials" \
  --topic "${prefix}vault.audit.leases" \
  --topic "${prefix}vault.audit.memory.ledger" \
  --topic "${prefix}vault.audit.snapshots" \
  --group "${prefix}sealwatch.ledger"
grant --allow-principal "User:${user}ledger" \
  --operation Read \
  --resource-pattern-type prefixed \
  --group "${prefix}sealwatch.ledger-" \
  --group "${prefix}sealwatch.ledger." \
  --group "${prefix}sealwatch.snapshots.ledger-"
grant --allow-principal "User:${user}ledger" \
  --operation Write \
  --topic "${prefix}vault.audit.leases" \
  --topic "${prefix}vault.audit.raw" \
  --topic "${prefix}vault.audit.memory.ledger" \
  --topic "${prefix}vault.audit.snapshots"
grant --allow-principal "User:${user}detect" \
  --operation Read \
  --topic "${prefix}vault.audit.events" \
  --topic "${prefix}vault.audit.groups" \
  --topic "${prefix}vault.audit.leases" \
  --topic "${prefix}vault.audit.coverage" \
  --topic "${prefix}vault.audit.changes" \
  --topic "${prefix}vault.audit.alerts" \
  --topic "${prefix}vault.audit.snapshots" \
  --group "${prefix}sealwatch.detect"
grant --allow-principal "User:${user}detect" \
  --operation Read \
  --resource-pattern-type prefixed \
  --topic "${prefix}vault.audit.memory.detect-" \
  --group "${prefix}sealwatch.detect-" \
  --group "${prefix}sealwatch.detect." \
  --group "${prefix}sealwatch.snapshots.detect-" \
  --group "${prefix}sealwatch.snapshots.rules-in-force-"
grant --allow-principal "User:${user}detect" \
  --operation Write \
  --topic "${prefix}vault.audit.groups" \
  --topic "${prefix}vault.audit.alerts" \
  --topic "${prefix}vault.audit.changes" \
  --topic "${prefix}vault.audit.snapshots"
grant --allow-principal "User:${user}detect" \
  --operation Write \
  --resource-pattern-type prefixed \
  --topic "${prefix}vault.audit.memory.detect-"
grant --allow-principal "User:${user}index" \
  --operation Read \
  --topic "${prefix}vault.audit.events" \
  --topic "${prefix}vault.audit.leases" \
  --topic "${prefix}vault.audit.alerts" \
  --topic "${prefix}vault.audit.coverage" \
  --topic "${prefix}vault.audit.credentials" \
  --topic "${prefix}vault.audit.changes" \
  --group "${prefix}sealwatch.index"
grant --allow-principal "User:${user}index" \
  --operation Read \
  --resource-pattern-type prefixed \
  --group "${prefix}sealwatch.index-" \
  --group "${prefix}sealwatch.index."
grant --allow-principal "User:${user}index" \
  --operation Delete \
  --topic "${prefix}vault.audit.raw" \
  --topic "${prefix}vault.audit.events" \
  --topic "${prefix}vault.audit.leases" \
  --topic "${prefix}vault.audit.alerts" \
  --topic "${prefix}vault.audit.coverage" \
  --topic "${prefix}vault.audit.credentials" \
  --topic "${prefix}vault.audit.groups"
grant --allow-principal "User:${user}deliver" \
  --operation Read \
  --topic "${prefix}vault.audit.alerts" \
  --topic "${prefix}vault.audit.snapshots" \
  --group "${prefix}sealwatch.deliver"
grant --allow-principal "User:${user}deliver" \
  --operation Read \
  --resource-pattern-type prefixed \
  --group "${prefix}sealwatch.deliver-" \
  --group "${prefix}sealwatch.deliver." \
  --group "${prefix}sealwatch.snapshots.deliver-"
grant --allow-principal "User:${user}deliver" \
  --operation Write \
  --topic "${prefix}vault.audit.raw" \
  --topic "${prefix}vault.audit.snapshots"
grant --allow-principal "User:${user}serve" \
  --operation Read \
  --topic "${prefix}vault.audit.changes" \
  --group "${prefix}sealwatch.serve"
grant --allow-principal "User:${user}serve" \
  --operation Read \
  --resource-pattern-type prefixed \
  --group "${prefix}sealwatch.serve-" \
  --group "${prefix}sealwatch.serve."
grant --allow-principal "User:${user}serve" \
  --operation Write \
  --topic "${prefix}vault.audit.changes" \
  --topic "${prefix}vault.audit.raw"
grant --allow-principal "User:${user}run" \
  --operation Read \
  --resource-pattern-type prefixed \
  --topic "${prefix}vault.audit." \
  --group "${prefix}sealwatch."
grant --allow-principal "User:${user}run" \
  --operation Write \
  --resource-pattern-type prefixed \
  --topic "${prefix}vault.audit."
grant --allow-principal "User:${user}run" \
  --operation Delete \
  --resource-pattern-type prefixed \
  --topic "${prefix}vault.audit."
grant --allow-principal "User:${user}doctor" \
  --operation Create \
  --resource-pattern-type prefixed \
  --topic "${prefix}vault.audit."
grant --allow-principal "User:${user}doctor" \
  --operation AlterConfigs \
  --resource-pattern-type prefixed \
  --topic "${prefix}vault.audit."
