#!/bin/sh
# Makes the passwords that compose.yaml names, each in a file of deploy/secrets; those that are there stay. Anybody in a container
# may read its file, nobody else on this host: the folder is closed.
set -eu
folder=$(cd "$(dirname "$0")" && pwd)/secrets
mkdir -p -m 0700 "$folder"
for name in elasticsearch-superuser elasticsearch-indexer elasticsearch-reader elasticsearch-setup elasticsearch-kibana; do
  [ -s "$folder/$name" ] || head -c 24 /dev/urandom | base64 | tr '+/' '-_' > "$folder/$name"
  chmod 0444 "$folder/$name"
done
