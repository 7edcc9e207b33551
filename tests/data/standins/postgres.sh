#!/bin/bash
# The part of the official postgres image's entrypoint that generated files rely on. Its variables and its folders are the same;
# so is what it refuses.
set -euo pipefail

# from_file NAME: NAME, or the contents of the file that NAME_FILE names; never both.
from_file() {
  local file="${1}_FILE"
  if [ -n "${!1:-}" ] && [ -n "${!file:-}" ]; then
    echo "error: both $1 and $file are set (but are exclusive)" >&2
    exit 1
  fi
  if [ -n "${!file:-}" ]; then printf -v "$1" %s "$(<"${!file}")"; fi
  unset "$file"
}

server=(postgres -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql -c jit=off)

first_start() {
  from_file POSTGRES_PASSWORD
  from_file POSTGRES_USER
  from_file POSTGRES_DB
  local user="${POSTGRES_USER:-postgres}" database
  database="${POSTGRES_DB:-$user}"
  if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
    echo "error: Database is uninitialized and superuser password is not specified." >&2
    exit 1
  fi
  initdb --username="$user" --locale=C.UTF-8 --encoding=UTF8 \
    --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-unused}")
  printf 'host all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
  pg_ctl start --wait --options="-c listen_addresses= -c unix_socket_directories=/var/run/postgresql"
  if [ "$database" != postgres ]; then
    psql --username="$user" --dbname=postgres --set=name="$database" <<<'CREATE DATABASE :"name";'
  fi
  local script
  for script in /docker-entrypoint-initdb.d/*.sql; do
    if [ -e "$script" ]; then psql --set=ON_ERROR_STOP=1 --username="$user" --dbname="$database" --file="$script"; fi
  done
  pg_ctl stop --wait --mode=fast
}

if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi
if [ "$1" != postgres ]; then exec "$@"; fi
mkdir -p "$PGDATA"
if [ "$(id -u)" = 0 ]; then
  chown -R postgres:postgres "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
chmod 700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then first_start; fi
shift
exec "${server[@]}" "$@"
