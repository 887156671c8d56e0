#!/bin/bash
# The SOAP clients that interfaces to GGUS were written with: PHP's SoapClient and Perl's SOAP::Lite, from Debian.
#   soap.sh up      install what is missing;       soap.sh status   exit 3 when something is missing
#   soap.sh down    nothing: they serve nobody
set -euo pipefail
PEER=soap
. "$(dirname "$0")/server.sh"

there() { php -r 'exit(class_exists("SoapClient") ? 0 : 1);' 2>/dev/null && perl -MSOAP::Lite -e 1 2>/dev/null; }

case "${1:-}" in
  up) there || ensure_packages php-cli php-soap libsoap-lite-perl; there || fail "PHP's or Perl's SOAP client is missing" ;;
  down) ;;
  status) there || exit 3 ;;
  *) fail "up, down or status" ;;
esac
