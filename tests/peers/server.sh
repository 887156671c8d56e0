# What the scripts of the peers share: Debian packages, a state folder, one server process group. Sourced, never run.
#   PEER names the tracker; STATE is its folder; PORT is where it listens on loopback.

PEERS=${INTERDESK_PEERS:-}
if [ -z "$PEERS" ]; then
  PEERS=$(mktemp -d "${TMPDIR:-/tmp}/interdesk-peers.XXXXXX")
  echo "INTERDESK_PEERS is not set: the state goes to $PEERS" >&2
fi
mkdir -p "$PEERS"
export INTERDESK_PEERS=$(cd "$PEERS" && pwd)
PEERS=$INTERDESK_PEERS
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() { echo "$PEER.sh: $*" >&2; exit 1; }
fail_with_log() { tail -n 25 "$1" >&2; fail "$2 (all of it: $1)"; }

# A port is chosen once, the first free one from $1 on, and stays with the state folder.
choose_port() {
  mkdir -p "$STATE"
  if [ ! -s "$STATE/port" ]; then
    PORT=$1
    while (: >"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; do PORT=$((PORT + 1)); done
    echo "$PORT" >"$STATE/port"
  fi
  PORT=$(cat "$STATE/port")
}

APT_VIEW=() # options of apt-get for a peer that needs other sources than the machine's own

# The Debian packages named, without recommended ones and without questions.
ensure_packages() {
  local log=$PEERS/$PEER-apt.log
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -qq "${APT_VIEW[@]}")
  # dbconfig-common would make a database of its own; dbconfig-no-thanks stands in for it. They exclude each other.
  dpkg-query -Wf '${Status}' dbconfig-common 2>/dev/null | grep -q ' installed' || set -- "$@" dbconfig-no-thanks
  dpkg -s "$@" >/dev/null 2>&1 && return 0
  [ "$(id -u)" = 0 ] || fail "needs Debian packages; as root: apt-get install --no-install-recommends $*"
  "${apt[@]}" -y --no-install-recommends install "$@" >"$log" 2>&1 && return 0
  # the package lists may be missing or stale: once more with fresh ones
  "${apt[@]}" update >>"$log" 2>&1 || true
  "${apt[@]}" -y --no-install-recommends install "$@" >>"$log" 2>&1 || fail_with_log "$log" "apt-get could not install $*"
}

server_group() { cat "$STATE/server.pid" 2>/dev/null || true; }
running() { local group; group=$(server_group); [ -n "$group" ] && kill -0 -- "-$group" 2>/dev/null; }
answers() { curl --silent --fail --max-time 60 --output /dev/null "$@"; }

# start_server READY_URL CURL_OPTION... -- COMMAND...   runs COMMAND in a process group of its own, waits until READY_URL answers.
start_server() {
  local ready=()
  while [ "$1" != -- ]; do ready+=("$1"); shift; done
  shift
  ! (: >"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null || fail "something else listens on port $PORT, which belongs to $STATE: stop it first"
  setsid "$@" >>"$STATE/server.log" 2>&1 </dev/null &
  echo $! >"$STATE/server.pid"
  local deadline=$((SECONDS + 600))
  until answers "${ready[@]}"; do
    running || fail_with_log "$STATE/server.log" "the server ended while starting"
    [ $SECONDS -lt $deadline ] || fail_with_log "$STATE/server.log" "the server did not answer within 600 s"
    sleep 0.1
  done
}

stop_server() {
  local group deadline=$((SECONDS + 60))
  group=$(server_group)
  if running; then
    kill -TERM -- "-$group" 2>/dev/null || true
    while running && [ $SECONDS -lt $deadline ]; do sleep 0.05; done
    kill -KILL -- "-$group" 2>/dev/null || true
    while running; do sleep 0.05; done
  fi
  rm -f "$STATE/server.pid"
}
