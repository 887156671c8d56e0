#!/bin/bash
# A real RabbitMQ (Debian) on loopback, for tests and for trying things by hand. Nothing of it is shared with another node
# of this machine: own name, ports, cookie and data.
#   rabbitmq.sh up        install and start what is missing; print KEY=VALUE lines for the tests' environment
#   rabbitmq.sh stop      stop the node, keep its queues;     rabbitmq.sh start   start it again
#   rabbitmq.sh down      stop the node, remove everything;   rabbitmq.sh status  KEY=VALUE lines, exit 3 when it is not running
#   rabbitmq.sh restart   the broker inside the node stops and starts: quicker than stop and start, and as hard on its clients
#   rabbitmq.sh vhost NAME | drop NAME     make a virtual host for one test; remove it
#   rabbitmq.sh queues NAME                the queues of a virtual host: name, messages, consumers
# INTERDESK_PEERS: folder for the state; RABBITMQ_PORT: first port to try when the state is created (18672).
# RABBITMQ_LISTEN: the address it listens on for AMQP (127.0.0.1; a bridge's address, for hosts in network namespaces).
set -euo pipefail
PEER=rabbitmq
. "$(dirname "$0")/server.sh"
STATE=$PEERS/rabbitmq
choose_port "${RABBITMQ_PORT:-18672}"
PROGRAMS=/usr/lib/rabbitmq/bin # not /usr/sbin's wrappers: those insist on the user rabbitmq and its home
if [ -n "${RABBITMQ_LISTEN:-}" ]; then echo "$RABBITMQ_LISTEN" >"$STATE/listen"; fi
LISTEN=$(cat "$STATE/listen" 2>/dev/null || echo 127.0.0.1)
# below the ports that the kernel gives away by itself, and apart from those of a neighbour; a node name at localhost needs no resolvable host name; HOME holds the cookie
export HOME=$STATE RABBITMQ_NODENAME=interdesk$PORT@localhost RABBITMQ_NODE_PORT=$PORT RABBITMQ_NODE_IP_ADDRESS=$LISTEN \
  RABBITMQ_DIST_PORT=$((PORT - 4000)) ERL_EPMD_PORT=$((PORT + 4000)) ERL_EPMD_ADDRESS=127.0.0.1 \
  RABBITMQ_MNESIA_BASE=$STATE/data RABBITMQ_LOG_BASE=$STATE/log RABBITMQ_CONFIG_FILE=$STATE/rabbitmq \
  RABBITMQ_ENABLED_PLUGINS_FILE=$STATE/enabled_plugins RABBITMQ_PID_FILE=$STATE/node.pid RABBITMQ_CONF_ENV_FILE=$STATE/none \
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}" LC_ALL=C.UTF-8

control() { "$PROGRAMS/rabbitmqctl" --quiet --timeout 600 --node "$RABBITMQ_NODENAME" "$@"; }
account() { echo "interdesk:$(cat "$STATE/password")"; }

ensure_node() {
  mkdir -p "$STATE"/{data,log}
  [ -s "$STATE/password" ] || head -c 18 /dev/urandom | base64 | tr -d '+/=' >"$STATE/password"
  [ -s "$STATE/.erlang.cookie" ] || head -c 15 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$STATE/.erlang.cookie"
  chmod 400 "$STATE/.erlang.cookie"
  echo '[].' >"$STATE/enabled_plugins"
  cat >"$STATE/rabbitmq.conf" <<END
default_user = interdesk
default_pass = $(cat "$STATE/password")
loopback_users = none
log.file.level = warning
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 100MB
END
}

start() {
  running && return 0
  ! (: >"/dev/tcp/$LISTEN/$PORT") 2>/dev/null || fail "something else listens on port $PORT, which belongs to $STATE: stop it first"
  setsid "$PROGRAMS/rabbitmq-server" >>"$STATE/server.log" 2>&1 </dev/null &
  echo $! >"$STATE/server.pid"
  local deadline=$((SECONDS + 600))
  until (: >"/dev/tcp/$LISTEN/$PORT") 2>/dev/null; do
    kill -0 "$(server_group)" 2>/dev/null || fail_with_log "$STATE/server.log" "the node ended while starting"
    [ $SECONDS -lt $deadline ] || fail_with_log "$STATE/server.log" "the node did not listen within 600 s"
    sleep 0.1
  done
  control await_startup >/dev/null
}

stop() {
  stop_server
  epmd -port "$ERL_EPMD_PORT" -kill >/dev/null 2>&1 || true
}

show() {
  echo "INTERDESK_PEERS=$PEERS"
  echo "RABBITMQ_URL=amqp://$(account)@$LISTEN:$PORT"
  echo "RABBITMQ_LOG=$STATE/server.log"
}

case ${1:-up} in
up)
  ensure_packages rabbitmq-server
  ensure_node
  start
  show ;;
start) [ -s "$STATE/password" ] || fail "nothing to start: run rabbitmq.sh up first"; start ;;
stop) stop ;;
restart) control stop_app; control start_app ;;
down) stop; rm -rf "$STATE" ;;
status) [ -s "$STATE/password" ] && running || { echo "not running" >&2; exit 3; }; show ;;
vhost) control add_vhost "${2:?rabbitmq.sh vhost NAME}"; control set_permissions --vhost "$2" interdesk '.*' '.*' '.*' ;;
drop) control delete_vhost "${2:?rabbitmq.sh drop NAME}" ;;
queues) control list_queues --vhost "${2:?rabbitmq.sh queues NAME}" --no-table-headers name messages consumers ;;
*) sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
