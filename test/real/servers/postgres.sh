#!/usr/bin/env bash
# Starts Debian's PostgreSQL cluster and makes the role and database that Vault's database engine uses. Run as root;
# running it again changes nothing. Prints the port. Debian's package: postgresql.
set -euo pipefail
command -v pg_lsclusters > /dev/null || { echo "PostgreSQL is missing: apt-get install postgresql" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "postgres.sh must run as root, to act as the user postgres" >&2; exit 1; }
read -r version name port status _ < <(pg_lsclusters --no-header | head -1)
[ -n "${version:-}" ] || { echo "no PostgreSQL cluster: pg_createcluster 15 main" >&2; exit 1; }
# A second start at the same moment loses the race; what counts is that the server answers below.
[ "$status" = online ] || pg_ctlcluster "$version" "$name" start || true

as_postgres() { runuser -u postgres -- psql -X -q -A -t -v ON_ERROR_STOP=1 -p "$port" "$@"; }

for _ in $(seq 1 100); do as_postgres -c 'select 1' > /dev/null 2>&1 && break; sleep 0.2; done
# CREATEROLE: Vault makes one role per lease and drops it at the end. The password guards nothing but a test database.
[ "$(as_postgres -c "select 1 from pg_roles where rolname = 'sealwatch_test'")" = 1 ] ||
  as_postgres -c "create role sealwatch_test login createrole password 'example-password'"
[ "$(as_postgres -c "select 1 from pg_database where datname = 'sealwatch_test'")" = 1 ] ||
  as_postgres -c 'create database sealwatch_test owner sealwatch_test'
echo "$port"
