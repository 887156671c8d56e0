#!/bin/bash
# A real PostgreSQL 15 (Debian) on loopback, as durable as in production, for tests and for trying things by hand.
#   pg.sh up        install, create and start what is missing; print KEY=VALUE lines for the tests' environment
#   pg.sh stop      stop the server, keep its databases;    pg.sh start   start it again
#   pg.sh down      stop the server, remove its databases;  pg.sh status  KEY=VALUE lines, exit 3 when it is not running
#   pg.sh crash     end it as a power cut would, and start it again
# INTERDESK_PEERS: folder for the state; PG_PORT: first port to try when the state is created (18432).
# PG_LISTEN: the address it listens on (127.0.0.1), chosen when the state is created; who may log in comes from its /24.
set -euo pipefail
PEER=pg
. "$(dirname "$0")/server.sh"
STATE=$PEERS/pg
choose_port "${PG_PORT:-18432}"
[ -s "$STATE/listen" ] || echo "${PG_LISTEN:-127.0.0.1}" >"$STATE/listen"
LISTEN=$(cat "$STATE/listen")
FACTS=$PEERS/pg.env
export LC_ALL=C.UTF-8

programs() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }
# the server refuses to run as root, and its owner may not see the folder that one is called from
as_owner() { if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi; }
control() { as_owner "$(programs)/pg_ctl" --pgdata "$STATE/data" --silent --wait --timeout 600 "$@"; }
running() { [ -s "$STATE/data/postmaster.pid" ] && kill -0 "$(head -n 1 "$STATE/data/postmaster.pid")" 2>/dev/null; }

# Debian's package makes a cluster of its own and starts it, unless it is told not to.
ensure_server() {
  [ -x "$(programs)/postgres" ] && return 0
  ensure_packages postgresql-common
  sed -i 's/^#\? *create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  ensure_packages postgresql-15
}

ensure_cluster() {
  [ -s "$STATE/data/PG_VERSION" ] && return 0
  rm -rf "$STATE/data"
  head -c 18 /dev/urandom | base64 | tr -d '+/=' >"$STATE/password"
  if [ "$(id -u)" = 0 ]; then
    chmod 755 "$PEERS"
    chown -R postgres: "$STATE"
  fi
  as_owner "$(programs)/initdb" --pgdata "$STATE/data" --username interdesk --pwfile "$STATE/password" \
    --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8 >"$STATE/init.log" 2>&1 ||
    fail_with_log "$STATE/init.log" "the cluster could not be made"
  echo "host all all ${LISTEN%.*}.0/24 scram-sha-256" >>"$STATE/data/pg_hba.conf"
}

start() {
  running && return 0
  control --log "$STATE/server.log" --options "-c port=$PORT -c listen_addresses=$LISTEN \
    -c unix_socket_directories=$STATE -c fsync=on -c synchronous_commit=on -c max_connections=200" start </dev/null ||
    fail_with_log "$STATE/server.log" "the server could not be started"
}

stop() { ! running || control --mode "${1:-fast}" stop; }

show() {
  {
    echo "INTERDESK_PEERS=$PEERS"
    echo "PG_URL=postgresql://interdesk:$(cat "$STATE/password")@$LISTEN:$PORT/postgres"
    echo "PG_LOG=$STATE/server.log"
  } >"$FACTS.new"
  mv "$FACTS.new" "$FACTS" # whoever reads it meanwhile reads all of it
  cat "$FACTS"
}

case ${1:-up} in
up)
  ensure_server
  ensure_cluster
  start
  show ;;
start) [ -s "$STATE/data/PG_VERSION" ] || fail "nothing to start: run pg.sh up first"; start ;;
stop) stop ;;
crash) stop immediate; start ;;
down) stop immediate; rm -rf "$STATE" "$FACTS" ;;
status) running || { echo "not running" >&2; exit 3; }; show ;;
*) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
