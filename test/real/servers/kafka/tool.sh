#!/usr/bin/env bash
# A command of Kafka's distribution, which Maven Central has as a library only. Usage: tool.sh CLASS [ARGS]
# (org.apache.kafka.tools.AclCommand, org.apache.kafka.tools.TopicCommand). Env: SERVERS_DIR, KAFKA_VERSION; after start.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${SERVERS_DIR:-/var/tmp/sealwatch-servers}/kafka
tools=4.3.0                              # the newest that is published
for artifact in kafka-tools kafka-clients kafka-server-common; do
  [ -f "$work/tools/$artifact-$tools.jar" ] || mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    -Dartifact=org.apache.kafka:$artifact:$tools -DoutputDirectory="$work/tools" > /dev/null
done
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dlog4j2.configurationFile="$here/conf/tool.properties" \
  -cp "$work/tools/*:$work/lib-${KAFKA_VERSION:-4.4.0}/*" "$@"
