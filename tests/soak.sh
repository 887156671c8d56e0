#!/bin/bash
# The long attack, as root on Debian 12 (hours on two cores): kills, seeds, mutants. Starts its own PostgreSQL and RabbitMQ.
# Each part adds a dated row to tests/soak.md, to be committed; what it printed is in var/soak/.
# ROUNDS and SEEDS: how many (200, 20000); PARTS: which ones ("sqlite postgresql seeds mutants").
set -uo pipefail
cd "$(dirname "$0")/.."
ROUNDS=${ROUNDS:-200} SEEDS=${SEEDS:-20000}
LOGS=$PWD/var/soak
mkdir -p "$LOGS"
INTERDESK_PEERS=$(mktemp -d "${TMPDIR:-/tmp}/interdesk-soak.XXXXXX")
export INTERDESK_PEERS INTERDESK_CRASH_ROUNDS=$ROUNDS
failed=0 commit=$(git describe --always --dirty --exclude='*')

finish() {
  tests/peers/pg.sh down
  tests/peers/rabbitmq.sh down
  rm -rf "$INTERDESK_PEERS"
}
trap finish EXIT
trap 'exit 130' INT TERM

# part NAME "WHAT" COMMAND...: run it, and write down what came of it
part() {
  local started=$SECONDS result=held
  echo "== $2" >&2
  "${@:3}" >"$LOGS/$1.log" 2>&1 || { result=FAILED failed=1; tail -n 25 "$LOGS/$1.log" >&2; }
  printf '| %s | %s | %s | %s, in %d min |\n' "$(date -u +%F)" "$commit" "$2" "$result" $(((SECONDS - started + 59) / 60)) |
    tee -a tests/soak.md
}
# a test that is skipped has shown nothing
killed() { CI=true .venv/bin/pytest -q tests/crash/test_killed.py -k "$1"; }
servers() { tests/peers/pg.sh up && tests/peers/rabbitmq.sh up; }

for each in ${PARTS:-sqlite postgresql seeds mutants}; do
  case $each in
  sqlite) part sqlite "killed at every point and $ROUNDS times by lot: SQLite, one process" killed "not two_workers" ;;
  postgresql)
    servers >"$LOGS/servers.log" 2>&1 || { tail "$LOGS/servers.log" >&2; exit 1; }
    part postgresql "killed at every point and $ROUNDS times by lot: PostgreSQL and RabbitMQ, two workers" killed two_workers ;;
  seeds) part seeds "$SEEDS seeds of the simulation" .venv/bin/interdesk simulate --seeds "$SEEDS" ;;
  mutants) part mutants "mutants of the core" make mutants ;;
  *) echo "there is no part $each" >&2; exit 2 ;;
  esac
done
exit $failed
