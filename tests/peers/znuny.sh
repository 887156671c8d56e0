#!/bin/bash
# A real Znuny 6.5 (the OTRS of Debian's non-free) on loopback, for tests and for trying things by hand. As root.
#   znuny.sh up        install, create and start what is missing; print KEY=VALUE lines for the tests' environment
#   znuny.sh stop      stop the server, keep the tickets;      znuny.sh start   start it again
#   znuny.sh down      stop the server, remove the tickets;    znuny.sh status  KEY=VALUE lines, exit 3 when it is not running
#   znuny.sh timezone ZONE   the zone in which it writes times down ("" for UTC)
#   znuny.sh queue NAME      one more queue like ZNUNY_QUEUE, for a test that wants one of its own
#   znuny.sh reword ARTICLE TEXT   another text for an article, as people edit it; "" takes it away
#   znuny.sh mail QUEUE      take in the mail on stdin, as its postmaster does
#   znuny.sh answer TICKET TEXT    an agent answers the ticket's latest mail; what is sent goes into ZNUNY_OUTBOX
# INTERDESK_PEERS: folder for the state; ZNUNY_PORT: first port to try when the state is created (18100).
# The machine's package sources stay as they are: non-free is read through a view of their own below that folder.
set -euo pipefail
PEER=znuny
. "$(dirname "$0")/server.sh"
STATE=$PEERS/znuny
choose_port "${ZNUNY_PORT:-18100}"
SITE=$STATE/site # where the program finds itself: its code, its configuration, its files
WEB=http://127.0.0.1:$PORT/otrs
SERVICES=$WEB/nph-genericinterface.pl/Webservice
export INTERDESK_ZNUNY_STATE=$STATE INTERDESK_ZNUNY_PORT=$PORT LC_ALL=C.UTF-8

fact() { sed -n "s/^$1=//p" "$STATE/accounts"; }
database() { (cd / && INTERDESK_PEERS=$STATE PG_PORT=$((PORT + 1)) "$HERE/pg.sh" "$@"); }
in_znuny() { (cd "$SITE" && runuser -u www-data -- perl "$@"); }

# The machine's own Debian sources once more, with contrib and non-free.
apt_view() {
  local view=$PEERS/znuny-apt
  mkdir -p "$view"/{parts,lists/partial,cache/archives/partial}
  find "$view/parts" -type f -delete
  # nobody has both kinds of files, and those of other vendors have none of this
  { cat /etc/apt/sources.list.d/debian.sources 2>/dev/null || true; } |
    sed 's/^Components:.*/Components: main contrib non-free/' >"$view/parts/debian.sources"
  { cat /etc/apt/sources.list 2>/dev/null || true; } |
    sed -n 's/^\(deb .* bookworm[^ ]*\) .*/\1 main contrib non-free/p' >"$view/parts/debian.list"
  APT_VIEW=(-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$view/parts" -o Dir::State::lists="$view/lists" -o Dir::Cache="$view/cache")
}

# The transports of its web services need Perl modules that the package does not ask for: without them a request hangs.
ensure_znuny() {
  local modules=(libapache2-mod-perl2 libdbd-pg-perl librest-client-perl libsoap-lite-perl media-types)
  apt_view
  ensure_packages otrs2 "${modules[@]}" curl
  rm -rf "$PEERS/znuny-apt"
}

ensure_site() {
  [ -s "$STATE/accounts" ] && return 0
  local url file service
  chmod 755 "$PEERS" "$STATE" # postgres and www-data must get through
  rm -rf "$SITE"
  cp -a /usr/share/otrs "$SITE"
  # the package links its own configuration and files into its code: here they are copies
  rm -rf "$SITE"/{var,Kernel/Config.pm,Kernel/Config/{Backups,Files,GenericAgent.pm}}
  cp -a /var/lib/otrs "$SITE/var"
  rm -rf "$SITE"/var/{run,spool}
  mkdir -p "$SITE"/{Custom,var/run,var/spool}
  cp -a /var/lib/otrs/Config/. "$SITE/Kernel/Config/"
  cp "$HERE/znuny/Config.pm" "$SITE/Kernel/Config.pm"
  url=$(database up | sed -n 's/^PG_URL=//p')
  echo "$url" >"$STATE/database"
  cp "$HERE/znuny/startup.pl" "$STATE/"
  cp "$HERE/rt/sendmail" "$STATE/sendmail" && chmod +x "$STATE/sendmail" && mkdir -p "$STATE/outbox"
  touch "$STATE"/{znuny,access}.log
  chown -R www-data: "$SITE" "$STATE/database" "$STATE/outbox" "$STATE"/{znuny,access}.log
  psql -qX -v ON_ERROR_STOP=1 "$url" -c 'drop database if exists znuny' -c "create database znuny encoding 'UTF8' template template0" >"$STATE/init.log" 2>&1 ||
    fail_with_log "$STATE/init.log" "the database could not be made"
  for file in schema initial_insert schema-post; do
    psql -qX -v ON_ERROR_STOP=1 -1 "${url%/*}/znuny" -f "$SITE/scripts/database/$file.postgresql.sql" >>"$STATE/init.log" 2>&1 ||
      fail_with_log "$STATE/init.log" "the database could not be filled"
  done
  in_znuny bin/otrs.Console.pl Maint::Config::Rebuild >>"$STATE/init.log" 2>&1 ||
    fail_with_log "$STATE/init.log" "the configuration could not be made"
  cp "$HERE"/../../connectors/profiles/znuny-*.yml "$HERE/znuny/setup.pl" "$SITE/var/tmp/" # where www-data may read them
  in_znuny var/tmp/setup.pl site >"$STATE/accounts.new" 2>>"$STATE/init.log" ||
    fail_with_log "$STATE/init.log" "the accounts could not be made"
  # the vendor's own description of the SOAP service, with our address in it
  sed "s#location=\"[^\"]*\"#location=\"$SERVICES/InterdeskSOAP\"#" \
    "$SITE/scripts/test/Console/Command/Admin/WebService/GenericTicketConnectorSOAP.wsdl" >"$STATE/interdesk.wsdl"
  mv "$STATE/accounts.new" "$STATE/accounts"
}

start() {
  running && return 0
  database start
  start_server "$SERVICES/Interdesk/TicketSearch?Limit=1&UserLogin=$(fact ZNUNY_USER)&Password=$(fact ZNUNY_PASSWORD)" -- \
    /usr/sbin/apache2 -D FOREGROUND -f "$HERE/znuny/apache.conf"
}

stop() {
  stop_server
  [ ! -d "$STATE/pg" ] || database stop
}

show() {
  echo "INTERDESK_PEERS=$PEERS"
  echo "ZNUNY_URL=$WEB"
  echo "ZNUNY_REST=$SERVICES/Interdesk"
  echo "ZNUNY_SOAP=$SERVICES/InterdeskSOAP"
  echo "ZNUNY_WSDL=$STATE/interdesk.wsdl"
  echo "ZNUNY_PEOPLE=$SERVICES/People"
  cat "$STATE/accounts"
  echo "ZNUNY_ACCESS_LOG=$STATE/access.log"
  echo "ZNUNY_LOG=$STATE/znuny.log"
  echo "ZNUNY_OUTBOX=$STATE/outbox"
}

[ "$(id -u)" = 0 ] || fail "runs as root: the server and its database have users of their own"
case ${1:-up} in
up)
  ensure_znuny
  ensure_site
  start
  show ;;
start) [ -s "$STATE/accounts" ] || fail "nothing to start: run znuny.sh up first"; start ;;
stop) stop ;;
down) stop; [ ! -d "$STATE/pg" ] || database down; rm -rf "$STATE" ;;
status) [ -s "$STATE/accounts" ] && running || { echo "not running" >&2; exit 3; }; show ;;
timezone)
  echo "${2-}" >"$STATE/timezone"
  stop_server
  start ;;
queue) in_znuny var/tmp/setup.pl queue "${2:?znuny.sh queue NAME}" ;;
reword) in_znuny var/tmp/setup.pl reword "${2:?znuny.sh reword ARTICLE TEXT}" "${3-}" ;;
mail) in_znuny bin/otrs.Console.pl Maint::PostMaster::Read --target-queue "${2:?znuny.sh mail QUEUE}" ;;
answer)
  in_znuny var/tmp/setup.pl answer "${2:?znuny.sh answer TICKET TEXT}" "${3:?znuny.sh answer TICKET TEXT}"
  in_znuny bin/otrs.Console.pl Maint::Email::MailQueue --send --force ;;
*) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
