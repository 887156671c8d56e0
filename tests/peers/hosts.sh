#!/bin/bash
# Two hosts in network namespaces, and a PostgreSQL and a RabbitMQ that only they and this machine reach. Each host has a
# wire of its own to each of three places: database, broker, trackers. A cut is silence, as of a dead switch: nothing is
# refused, nothing is answered.
#   hosts.sh up        install, make and start what is missing; print KEY=VALUE lines for the tests' environment
#   hosts.sh cut  a|b PLACE...     cut the wires of a host to these places
#   hosts.sh heal                  mend every wire
#   hosts.sh vhost NAME | drop NAME    make a virtual host of the broker for one test; remove it
#   hosts.sh down      remove all of it;   hosts.sh status   KEY=VALUE lines, exit 3 when it is not up
# INTERDESK_PEERS: folder for the state; names and addresses (198.18.0.0/15 belongs to nobody) follow from it.
set -euo pipefail
PEER=hosts
. "$(dirname "$0")/server.sh"
STATE=$PEERS/hosts
PLACES=(database broker trackers)
NUMBER=$(printf %s "$PEERS" | cksum | cut -d ' ' -f 1)
NET=198.18.$((NUMBER % 256))
TAG=idk$((NUMBER % 100000))

namespace() { echo "$TAG-$1"; }
address() { echo "$NET.$(($1 + 1))"; }           # of a place, by its number
wire() { echo "$TAG-$1$2"; }                      # our end of a host's wire to a place
end() { local of=0; [ "$1" = a ] || of=1; echo "$NET.$((16 + 2 * (3 * of + $2)))"; } # its address; the host's is the next one
next() { echo "${1%.*}.$((${1##*.} + 1))"; }
number() { case $1 in database) echo 0 ;; broker) echo 1 ;; trackers) echo 2 ;; *) fail "there is no place $1" ;; esac; }
beside() { INTERDESK_PEERS=$STATE "$HERE/$1" "${@:2}"; }

# What comes for a wire that is cut gets lost here, and does not leave this machine.
ensure_hosts() {
  local host place name ours
  for place in 0 1 2; do ip address replace "$(address $place)/32" dev lo; done
  ip route replace blackhole "$NET.16/28" metric 9999
  for host in a b; do
    name=$(namespace $host)
    [ -e "/run/netns/$name" ] || ip netns add "$name" 2>/dev/null ||
      fail "network namespaces cannot be made here: it takes root, and a kernel that has them"
    ip -n "$name" link set lo up
    for place in 0 1 2; do
      ours=$(end $host $place)
      [ -e "/sys/class/net/$(wire $host $place)" ] ||
        ip link add "$(wire $host $place)" type veth peer name "${PLACES[$place]}" netns "$name"
      ip address replace "$ours/31" dev "$(wire $host $place)"
      ip link set "$(wire $host $place)" up
      ip -n "$name" address replace "$(next "$ours")/31" dev "${PLACES[$place]}"
      ip -n "$name" link set "${PLACES[$place]}" up
      ip -n "$name" route replace "$(address $place)/32" via "$ours" dev "${PLACES[$place]}"
    done
  done
}

up() { [ -e "/run/netns/$(namespace b)" ] && beside pg.sh status >/dev/null 2>&1 && beside rabbitmq.sh status >/dev/null 2>&1; }

show() {
  echo "HOST_A=$(namespace a)"
  echo "HOST_B=$(namespace b)"
  echo "TRACKERS=$(address 2)"
  beside pg.sh status | grep '^PG_URL='
  beside rabbitmq.sh status | grep '^RABBITMQ_URL='
}

down() {
  local host place
  [ ! -d "$STATE" ] || { beside pg.sh down; beside rabbitmq.sh down; }
  for host in a b; do
    for place in 0 1 2; do ip link delete "$(wire $host $place)" 2>/dev/null || true; done
    ip netns delete "$(namespace $host)" 2>/dev/null || true
  done
  ip route delete blackhole "$NET.16/28" metric 9999 2>/dev/null || true
  for place in 0 1 2; do ip address delete "$(address $place)/32" dev lo 2>/dev/null || true; done
  rm -rf "$STATE"
}

case ${1:-up} in
up)
  ensure_packages iproute2
  ensure_hosts
  mkdir -p "$STATE" # ports of their own, apart from those that servers on loopback look for
  PG_LISTEN=$(address 0) PG_PORT=19432 beside pg.sh up >/dev/null
  RABBITMQ_LISTEN=$(address 1) RABBITMQ_PORT=19672 beside rabbitmq.sh up >/dev/null
  show ;;
cut) for place in "${@:3}"; do ip link set "$(wire "${2:?hosts.sh cut a|b PLACE...}" "$(number "$place")")" down; done ;;
heal) ensure_hosts ;;
vhost | drop) beside rabbitmq.sh "$@" ;;
down) down ;;
status) up || { echo "not up" >&2; exit 3; }; show ;;
*) sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
