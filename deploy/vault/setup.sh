#!/bin/sh
# Makes a Vault ready that nobody has used: initialises and unseals it, enables the audit devices, writes the policies, makes the
# login of sealwatch. For trying it out: the unseal key and the root token lie in a file. Running it again only unseals and adds.
# Env: VAULT_ADDR, KEYS (folder for the keys), LOGIN (folder for role-id and secret-id), AUDIT_FILE, AUDIT_MODE, SOCKET
set -eu
umask 0077
here=$(dirname "$0")
keys=${KEYS:-/vault-keys}
login=${LOGIN:-/run/sealwatch-login}
socket=${SOCKET:-/run/sealwatch/audit.sock}

# Ends with 0 unsealed, 2 sealed or not initialised, 1 not there.
state() { vault status -format=json > /dev/null 2>&1 && echo 0 || echo $?; }
until [ "$(state)" != 1 ]; do sleep 1; done

if ! vault operator init -status > /dev/null; then
  vault operator init -key-shares=1 -key-threshold=1 > "$keys/init"
fi
[ "$(state)" = 0 ] || vault operator unseal "$(sed -n 's/^Unseal Key 1: //p' "$keys/init")" > /dev/null
VAULT_TOKEN=$(sed -n 's/^Initial Root Token: //p' "$keys/init")
export VAULT_TOKEN
until vault token lookup > /dev/null 2>&1; do sleep 1; done

# Only what stands in the policies: no secret of anybody.
for name in sealwatch sealwatch-directory; do vault policy write "$name" "$here/$name.hcl"; done
vault auth list -format=json | grep -q '"approle/"' || vault auth enable approle
vault write auth/approle/role/sealwatch token_policies=sealwatch,sealwatch-directory \
  token_no_default_policy=true token_ttl=1h token_max_ttl=24h secret_id_ttl=0 > /dev/null
umask 0027
vault read -field=role_id auth/approle/role/sealwatch/role-id > "$login/role-id"
[ -s "$login/secret-id" ] || vault write -f -field=secret_id auth/approle/role/sealwatch/secret-id > "$login/secret-id"

# sealwatch listens first, else Vault refuses the device.
until [ -S "$socket" ]; do sleep 1; done
sh "$here/enable-audit.sh" "${AUDIT_FILE:-/vault/logs/audit.log}" "$socket" "${AUDIT_MODE:-0640}"
