#!/usr/bin/env bash
# Starts a real Vault on loopback: in memory, initialised, unsealed, no audit device. Returns when it answers.
# Usage: start.sh   Env: SERVERS_DIR (/var/tmp/sealwatch-servers), VAULT_PORT (8200), VAULT_NAME (vault: one folder
# per instance), VAULT_STORAGE (inmem, or inmem_ha for step-down). The root token goes to SERVERS_DIR/VAULT_NAME/root-token.
# A file SERVERS_DIR/VAULT_NAME/extra.hcl that is there before the start is read as well.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${SERVERS_DIR:-/var/tmp/sealwatch-servers}/${VAULT_NAME:-vault}
port=${VAULT_PORT:-8200}
pidf=$work/vault.pid
mkdir -p "$work"
if [ -s "$pidf" ] && kill -0 "$(cat "$pidf")" 2> /dev/null; then
  echo "already running: pid $(cat "$pidf")"
  exit 0
fi
bin=$("$here/build.sh")
cat > "$work/vault.hcl" <<H
storage "${VAULT_STORAGE:-inmem}" {}
listener "tcp" {
  address = "127.0.0.1:$port"
  tls_disable = true
}
disable_mlock = true
api_addr = "http://127.0.0.1:$port"
cluster_addr = "http://127.0.0.1:$((port + 1))"
log_level = "info"
H
extra=()
[ -f "$work/extra.hcl" ] && extra=(-config "$work/extra.hcl")
nohup "$bin" server -config "$work/vault.hcl" "${extra[@]}" > "$work/vault.log" 2>&1 < /dev/null &
echo $! > "$pidf"
if ! node "$here/unseal.mjs" "http://127.0.0.1:$port" "$work"; then
  tail -20 "$work/vault.log" >&2
  "$here/stop.sh"
  exit 1
fi
echo "vault ready on http://127.0.0.1:$port, pid $(cat "$pidf"), root token in $work/root-token"
