#!/bin/bash
# A real exim (SMTP) and Dovecot (IMAP) on loopback, for tests and for trying things by hand; nothing leaves the machine.
#   mail.sh up      install, create and start what is missing; print KEY=VALUE lines for the tests' environment
#   mail.sh down    stop both, remove the mail;       mail.sh status   KEY=VALUE lines, exit 3 when it is not running
#   Every NAME@any.domain is a mailbox, with the password MAIL_PASSWORD; `nobody` is refused at once, and the mail of
#   `gone` is taken and comes back.
# INTERDESK_PEERS: folder for the state, at most 60 characters long; MAIL_PORT: first port to try (18100, and the six after it).
set -euo pipefail
PEER=mail
. "$(dirname "$0")/server.sh"
STATE=$PEERS/mail
choose_port "${MAIL_PORT:-18100}"
LMTP=$PORT SMTP=$((PORT + 1)) SMTP_STARTTLS=$((PORT + 2)) SMTPS=$((PORT + 3))
IMAP=$((PORT + 4)) IMAPS=$((PORT + 5))
PASSWORD=lab-mailbox-password

# Each forks itself into the background and writes its own pid.
alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }
up() { alive "$STATE/run/master.pid" && alive "$STATE/exim.pid"; }

ensure_certificate() {
  [ -s "$STATE/cert.pem" ] && return 0
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$STATE/key.pem" -out "$STATE/cert.pem" 2>/dev/null
  chgrp Debian-exim "$STATE/key.pem"
  chmod 640 "$STATE/key.pem"
}

configure() {
  mkdir -p "$STATE"/{box,run,spool,log}
  chmod 755 "$PEERS" "$STATE" "$STATE/box"
  chown mail:mail "$STATE/box"
  chown -R Debian-exim:Debian-exim "$STATE/spool" "$STATE/log"
  ensure_certificate
  cat >"$STATE/dovecot.conf" <<CONF
base_dir = $STATE/run
state_dir = $STATE/run
log_path = $STATE/dovecot.log
instance_name = interdesk-$PORT
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <$STATE/cert.pem
ssl_key = <$STATE/key.pem
auth_mechanisms = plain login
mail_location = maildir:$STATE/box/%n
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
first_valid_gid = 1
recipient_delimiter = +
lmtp_save_to_detail_mailbox = no
mail_fsync = never
default_vsz_limit = 256M
mail_max_userip_connections = 100
passdb {
  driver = static
  args = password=$PASSWORD
}
userdb {
  driver = static
  args = uid=mail gid=mail home=$STATE/box/%n
}
service imap-login {
  inet_listener imap {
    port = $IMAP
  }
  inet_listener imaps {
    port = $IMAPS
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = $LMTP
  }
}
CONF
  cat >"$STATE/exim.conf" <<CONF
primary_hostname = mail.lab
spool_directory = $STATE/spool
log_file_path = $STATE/log/%slog
local_interfaces = 127.0.0.1
daemon_smtp_ports = $SMTP : $SMTP_STARTTLS : $SMTPS
tls_on_connect_ports = $SMTPS
tls_advertise_hosts = \${if eq{\$received_port}{$SMTP}{}{*}}
tls_certificate = $STATE/cert.pem
tls_privatekey = $STATE/key.pem
pid_file_path = $STATE/exim.pid
never_users =
qualify_domain = lab
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
queue_run_max = 2
message_size_limit = 50M
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data
begin acl
acl_rcpt:
  deny local_parts = nobody
       message = nobody lives here
  accept
acl_data:
  accept
begin routers
lost:
  driver = redirect
  local_parts = gone
  allow_fail
  data = :fail: nobody lives here any more
known:
  driver = accept
  transport = dovecot
begin transports
dovecot:
  driver = smtp
  protocol = lmtp
  hosts = 127.0.0.1
  port = $LMTP
  allow_localhost
  hosts_try_fastopen =
  hosts_override
  hosts_avoid_tls = *
  rcpt_include_affixes
begin retry
* * F,10m,5s
CONF
}

listening() { (: >"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

start() {
  up && return 0
  configure
  if ! alive "$STATE/run/master.pid"; then
    rm -f "$STATE/run/master.pid"
    setsid dovecot -c "$STATE/dovecot.conf" </dev/null >>"$STATE/start.log" 2>&1 || fail_with_log "$STATE/start.log" "Dovecot did not start"
  fi
  if ! alive "$STATE/exim.pid"; then
    rm -f "$STATE/exim.pid"
    # -q2s: a delivery that failed is tried again after a few seconds
    setsid /usr/sbin/exim4 -C "$STATE/exim.conf" -bd -q2s </dev/null >>"$STATE/start.log" 2>&1 || fail_with_log "$STATE/start.log" "exim did not start"
  fi
  local deadline=$((SECONDS + 600))
  until up && listening "$SMTPS" && listening "$IMAPS" && listening "$LMTP"; do
    [ $SECONDS -lt $deadline ] || fail_with_log "$STATE/start.log" "the mail servers did not answer within 600 s"
    sleep 0.1
  done
}

stop() {
  local file pid
  for file in "$STATE/exim.pid" "$STATE/run/master.pid"; do
    alive "$file" || continue
    pid=$(cat "$file")
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
  done
}

show() {
  echo "INTERDESK_PEERS=$PEERS"
  echo "MAIL_SMTP=$SMTP"
  echo "MAIL_SMTP_STARTTLS=$SMTP_STARTTLS"
  echo "MAIL_SMTPS=$SMTPS"
  echo "MAIL_IMAP=$IMAP"
  echo "MAIL_IMAPS=$IMAPS"
  echo "MAIL_CA=$STATE/cert.pem"
  echo "MAIL_PASSWORD=$PASSWORD"
  echo "MAIL_BOXES=$STATE/box"
}

case ${1:-up} in
up)
  ensure_packages dovecot-imapd dovecot-lmtpd exim4-daemon-light openssl
  start
  show ;;
down) stop; rm -rf "$STATE" ;;
status) up || { echo "not running" >&2; exit 3; }; show ;;
*) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
