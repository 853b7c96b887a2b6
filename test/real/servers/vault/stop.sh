#!/usr/bin/env bash
# Ends the Vault that start.sh started. Env: SERVERS_DIR, VAULT_NAME as there.
set -uo pipefail
pidf=${SERVERS_DIR:-/var/tmp/sealwatch-servers}/${VAULT_NAME:-vault}/vault.pid
[ -s "$pidf" ] || { echo 'not running'; exit 0; }
pid=$(cat "$pidf")
kill -TERM "$pid" 2> /dev/null
for _ in $(seq 1 100); do
  kill -0 "$pid" 2> /dev/null || { rm -f "$pidf"; echo stopped; exit 0; }
  sleep 0.1
done
kill -KILL "$pid"
rm -f "$pidf"
echo killed
