#!/usr/bin/env bash
# Kafka's jars out of Maven Central, once; then kept in SERVERS_DIR. Prints their folder.
# Usage: get.sh   Env: SERVERS_DIR (/var/tmp/sealwatch-servers), KAFKA_VERSION
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
ver=${KAFKA_VERSION:-4.4.0}
work=${SERVERS_DIR:-/var/tmp/sealwatch-servers}/kafka; lib=$work/lib-$ver
if [ ! -f "$lib/.done" ]; then
  command -v mvn > /dev/null || { echo "Maven is missing and $lib does not exist: install Maven and a JDK 21 or newer." >&2; exit 1; }
  mkdir -p "$work"
  # Two at once would write the same files.
  exec 9> "$work/get.lock"; flock 9
  [ -f "$lib/.done" ] || mvn -q -B -f "$here/pom.xml" -Dkafka.version="$ver" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$lib" >&2 9>&-
  touch "$lib/.done"
fi
echo "$lib"
