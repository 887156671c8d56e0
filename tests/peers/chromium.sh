#!/bin/bash
# Debian's Chromium, in which the tests use the pages as people do.
#   chromium.sh up      install what is missing;       chromium.sh status   exit 3 when something is missing
#   chromium.sh down    nothing: it serves nobody
set -euo pipefail
PEER=chromium
. "$(dirname "$0")/server.sh"

there() { [ -x /usr/bin/chromium ]; }

case "${1:-}" in
  up) there || ensure_packages chromium fonts-dejavu-core; there || fail "Chromium is missing" ;;
  down) ;;
  status) there || exit 3 ;;
  *) fail "up, down or status" ;;
esac
