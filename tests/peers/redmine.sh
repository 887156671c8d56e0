#!/bin/bash
# A real Redmine 5 (Debian) on loopback, for tests and for trying things by hand.
#   redmine.sh up        install, create and start what is missing; print KEY=VALUE lines for the tests' environment
#   redmine.sh stop      stop the server, keep the issues;      redmine.sh start   start it again
#   redmine.sh down      stop the server, remove the issues;    redmine.sh status  KEY=VALUE lines, exit 3 when not running
#   redmine.sh project NAME   one more project like REDMINE_PROJECT, for a test that wants one of its own
# INTERDESK_PEERS: folder for the state; REDMINE_PORT: first port to try when the state is created (18090).
# Outside that folder: one symbolic link /var/lib/redmine/interdesk-PORT, by which Debian's Redmine finds the state (needs root).
set -euo pipefail
PEER=redmine
. "$(dirname "$0")/server.sh"
STATE=$PEERS/redmine
choose_port "${REDMINE_PORT:-18090}"
SITE=$STATE/site
APP=/usr/share/redmine
# ruby's security update ships a bundler that does not know Debian's gems: pin the packaged one, for the installation too
packaged_bundler() { apt-cache policy ruby-bundler | sed -n "s/^ *$1: *\([0-9.]*\).*/\1/p"; }

in_redmine() {
  cd "$APP"
  BUNDLER_VERSION=$(packaged_bundler Installed) BUNDLE_GEMFILE=$STATE/Gemfile REDMINE_INSTANCE=interdesk-$PORT RAILS_ENV=production \
    INTERDESK_REDMINE_STATE=$STATE LC_ALL=C.UTF-8 LANG=C.UTF-8 TZ=UTC exec "$@"
}
fact() { sed -n "s/^$1=//p" "$STATE/accounts"; }

ensure_redmine() {
  if ! dpkg -s redmine >/dev/null 2>&1; then
    [ -n "$(packaged_bundler Candidate)" ] || apt-get -o DPkg::Lock::Timeout=600 -qq update
    echo 'redmine redmine/instances/default/dbconfig-install boolean false' | debconf-set-selections
  fi
  BUNDLER_VERSION=$(packaged_bundler Candidate) ensure_packages redmine redmine-sqlite puma curl
}

ensure_site() {
  local link=/var/lib/redmine/interdesk-$PORT
  [ "$(readlink "$link")" = "$SITE" ] || ln -sfn "$SITE" "$link" || fail "needs root once, for the link $link"
  [ -s "$STATE/accounts" ] && return 0
  mkdir -p "$SITE"/{config,files,log,tmp/pids,public/plugin_assets}
  rm -f "$STATE"/redmine.sqlite*
  cp "$HERE/redmine/Gemfile" "$STATE/Gemfile"
  printf 'production:\n  adapter: sqlite3\n  database: %s/redmine.sqlite\n  timeout: 20000\n' "$STATE" >"$SITE/config/database.yml"
  head -c32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$SITE/config/secret_key.txt"
  (in_redmine bundle exec ruby bin/rails runner "$HERE/redmine/setup.rb" "$STATE/accounts.new") >"$STATE/init.log" 2>&1 ||
    fail_with_log "$STATE/init.log" "the site could not be made"
  mv "$STATE/accounts.new" "$STATE/accounts"
}

start() {
  running && return 0
  # worker processes of one thread: several threads in one process wait for themselves on SQLite and answer 500
  start_server "http://127.0.0.1:$PORT/login" -- "$0" serve
}

show() {
  echo "INTERDESK_PEERS=$PEERS"
  echo "REDMINE_URL=http://127.0.0.1:$PORT"
  cat "$STATE/accounts"
  echo "REDMINE_ACCESS_LOG=$STATE/access.log"
  echo "REDMINE_LOG=$SITE/log/production.log"
  echo "REDMINE_WEBHOOK_FILE=$STATE/webhook"
}

new_project() {
  local send=(curl --silent --show-error --fail --header "X-Redmine-API-Key: $(fact REDMINE_ADMIN_API_KEY)" --header 'Content-Type: application/json')
  local url=http://127.0.0.1:$PORT member
  "${send[@]}" --output /dev/null "$url/projects.json" \
    --data "{\"project\": {\"name\": \"$1\", \"identifier\": \"$1\", \"is_public\": false, \"enabled_module_names\": [\"issue_tracking\"], \"issue_custom_field_ids\": [$(fact REDMINE_CF_ID)]}}"
  for member in "$(fact REDMINE_USER_ID):$(fact REDMINE_ROLE_ID)" "$(fact REDMINE_AGENT_ID):$(fact REDMINE_AGENT_ROLE_ID)"; do
    "${send[@]}" --output /dev/null "$url/projects/$1/memberships.json" \
      --data "{\"membership\": {\"user_id\": ${member%:*}, \"role_ids\": [${member#*:}]}}"
  done
  echo "REDMINE_PROJECT=$1"
}

case ${1:-up} in
up)
  ensure_redmine
  ensure_site
  start
  show ;;
start) [ -s "$STATE/accounts" ] || fail "nothing to start: run redmine.sh up first"; start ;;
serve) # by start
  in_redmine bundle exec puma -e production -b "tcp://127.0.0.1:$PORT" -w 2 --preload -t 1:1 --dir "$APP" "$HERE/redmine/config.ru" ;;
stop) stop_server ;;
down) stop_server; rm -rf "$STATE" "/var/lib/redmine/interdesk-$PORT" ;;
status) [ -s "$STATE/accounts" ] && running || { echo "not running" >&2; exit 3; }; show ;;
project) new_project "${2:?redmine.sh project NAME}" ;;
*) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
