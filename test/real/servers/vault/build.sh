#!/usr/bin/env bash
# Builds a stock Vault once from its Go module: 10 to 20 minutes of two cores, then kept in SERVERS_DIR.
# Usage: build.sh   Env: SERVERS_DIR (/var/tmp/sealwatch-servers)   Prints the path of the binary.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${SERVERS_DIR:-/var/tmp/sealwatch-servers}/bin/vault
if [ ! -x "$bin" ]; then
  command -v go > /dev/null || { echo "Go is missing and $bin does not exist: install Go 1.25 or newer." >&2; exit 1; }
  mkdir -p "$(dirname "$bin")"
  echo "Building Vault into $bin: this takes 10 to 20 minutes, once." >&2
  # Under a name of its own first: an interrupted or a second build never leaves half a binary.
  (cd "$here" && go build -mod=readonly -buildvcs=false -ldflags '-s -w' -o "$bin.$$" .)
  mv "$bin.$$" "$bin"
fi
echo "$bin"
