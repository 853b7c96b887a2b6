#!/bin/sh
# Enables the two audit devices that sealwatch reads: the file first, then the Unix socket. Needs the vault command and
# a token with sudo on sys/audit. Usage: enable-audit.sh [AUDIT_FILE [SOCKET [MODE]]]   Running it again changes nothing.
# MODE is that of the file: 0640 where sealwatch has only Vault's group.
set -eu
file=${1:-/var/log/vault/audit.log}
socket=${2:-/run/sealwatch/audit.sock}
mode=${3:-0600}

# An empty list ends with code 2.
devices=$(vault audit list -format=json || true)
enabled() { case $devices in *"\"$1/\""*) return 0 ;; *) return 1 ;; esac; }

# First the file: from now on Vault has a device that does not depend on sealwatch.
# elide_list_responses keeps lists of leases and accessors, which reach tens of MB, out of the log.
enabled file || vault audit enable -path=file file file_path="$file" mode="$mode" hmac_accessor=false elide_list_responses=true

# Then the socket. Vault refuses it unless sealwatch is listening.
[ -S "$socket" ] || { echo "nothing listens at $socket: start sealwatch with SEALWATCH_UNIX_PATH=$socket" >&2; exit 1; }
enabled sealwatch || vault audit enable -path=sealwatch socket address="$socket" socket_type=unix \
  write_timeout=2s hmac_accessor=false elide_list_responses=true

# Accessors stand plain in the log now; let them stand plain in look-ups and revocations too, so that both can be joined.
vault auth tune -audit-non-hmac-request-keys=accessor token/
vault audit list -detailed
