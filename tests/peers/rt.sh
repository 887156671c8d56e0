#!/bin/bash
# A real Request Tracker 5 (Debian) on loopback, for tests and for trying things by hand.
#   rt.sh up        install, create and start what is missing; print KEY=VALUE lines for the tests' environment
#   rt.sh stop      stop the server, keep the tickets;      rt.sh start   start it again
#   rt.sh down      stop the server, remove the tickets;    rt.sh status  KEY=VALUE lines, exit 3 when it is not running
#   rt.sh timezone ZONE   the zone of the sync account ("" for the site's own), in which RT reads times in searches
#   rt.sh queue NAME      one more queue like RT_QUEUE, for a test that wants one of its own
# INTERDESK_PEERS: folder for the state; RT_PORT: first port to try when the state is created (18080).
set -euo pipefail
PEER=rt
. "$(dirname "$0")/server.sh"
STATE=$PEERS/rt
choose_port "${RT_PORT:-18080}"
export INTERDESK_RT_STATE=$STATE INTERDESK_RT_PORT=$PORT
export RT_SITE_CONFIG=$HERE/rt/RT_SiteConfig.pm RT_SITE_CONFIG_DIR=$STATE/conf.d LC_ALL=C.UTF-8

fact() { sed -n "s/^$1=//p" "$STATE/accounts"; }

ensure_database() {
  [ -s "$STATE/accounts" ] && return 0
  mkdir -p "$STATE"/{conf.d,mason,sessions,outbox}
  cp "$HERE/rt/sendmail" "$STATE/sendmail" && chmod +x "$STATE/sendmail"
  rm -f "$STATE"/rt.sqlite*
  /usr/sbin/rt-setup-database-5 --action init --skip-create >"$STATE/init.log" 2>&1 ||
    fail_with_log "$STATE/init.log" "the database could not be made"
  # a write-ahead log: readers do not block the one writer
  sqlite3 "$STATE/rt.sqlite" 'pragma journal_mode=wal' >/dev/null
  perl "$HERE/rt/setup.pl" site >"$STATE/accounts.new" 2>>"$STATE/init.log" ||
    fail_with_log "$STATE/init.log" "the accounts could not be made"
  mv "$STATE/accounts.new" "$STATE/accounts"
}

start() {
  running && return 0
  start_server "http://127.0.0.1:$PORT/REST/2.0/rt" --header "Authorization: token $(fact RT_TOKEN)" -- \
    starman --host 127.0.0.1 --port "$PORT" --workers 3 --max-requests 100000 "$HERE/rt/app.psgi"
}

show() {
  echo "INTERDESK_PEERS=$PEERS"
  echo "RT_URL=http://127.0.0.1:$PORT"
  cat "$STATE/accounts"
  echo "RT_ACCESS_LOG=$STATE/access.log"
  echo "RT_LOG=$STATE/server.log"
  echo "RT_OUTBOX=$STATE/outbox"
  echo "RT_WEBHOOK_FILE=$STATE/webhook"
}

case ${1:-up} in
up)
  ensure_packages request-tracker5 rt5-standalone rt5-db-sqlite starman sqlite3 w3m curl
  ensure_database
  start
  show ;;
start) [ -s "$STATE/accounts" ] || fail "nothing to start: run rt.sh up first"; start ;;
stop) stop_server ;;
down) stop_server; rm -rf "$STATE" ;;
status) [ -s "$STATE/accounts" ] && running || { echo "not running" >&2; exit 3; }; show ;;
timezone)
  curl --silent --show-error --fail --output /dev/null --user "$(fact RT_ADMIN):$(fact RT_ADMIN_PASSWORD)" --request PUT \
    --header 'Content-Type: application/json' --data "{\"Timezone\": \"${2-}\"}" \
    "http://127.0.0.1:$PORT/REST/2.0/user/$(fact RT_USER)" ;;
queue) perl "$HERE/rt/setup.pl" queue "${2:?rt.sh queue NAME}" ;;
*) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
