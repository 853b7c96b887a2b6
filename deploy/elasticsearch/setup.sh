#!/usr/bin/env bash
# Puts the roles of sealwatch and a user for each, and gives Kibana its password. Needs curl and a superuser; safe to run again.
# Env: ELASTICSEARCH (address), SUPERUSER (elastic), SECRETS: a folder with one password a file, elasticsearch-superuser,
# -indexer, -reader, -setup and -kibana (no file: left alone). Passwords go by standard input, never on a command line.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
at=${ELASTICSEARCH:-http://127.0.0.1:9200}
secret() { tr -d '\r\n' < "$SECRETS/elasticsearch-$1"; }

# put PATH: the body comes on standard input. Ends the script when Elasticsearch refuses.
put() {
  curl --silent --show-error --fail-with-body --config <(printf 'user = "%s:%s"\n' "${SUPERUSER:-elastic}" "$(secret superuser)") \
    --header 'content-type: application/json' --request PUT --data-binary @- "$at/$1"
  echo
}

for role in indexer reader setup; do
  put "_security/role/sealwatch-$role" < "$here/roles/sealwatch-$role.json"
  [ -s "$SECRETS/elasticsearch-$role" ] || continue
  printf '{"password": "%s", "roles": ["sealwatch-%s"]}' "$(secret "$role")" "$role" | put "_security/user/sealwatch-$role"
done
if [ -s "$SECRETS/elasticsearch-kibana" ]; then
  printf '{"password": "%s"}' "$(secret kibana)" | put _security/user/kibana_system/_password
fi
