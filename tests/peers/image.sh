#!/bin/bash
# Proves docker/Dockerfile without a container daemon: builds it with buildah on a base made by debootstrap, starts it until
# /healthz answers, stops it, and starts it again on the same state. As root on Debian 12; takes about two minutes the first time.
# INTERDESK_PEERS: folder for the base, the wheels and the image; IMAGE_PORT: first port on loopback to try (18350).
set -euo pipefail
PEER=image
. "$(dirname "$0")/server.sh"
STATE=$PEERS/image
choose_port "${IMAGE_PORT:-18350}"
REPOSITORY=$(cd "$HERE/../.." && pwd)
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
buildah=(buildah --root "$STATE/store" --runroot "$STATE/run")

ensure_base() {
  [ -s "$STATE/base" ] && return 0
  rm -rf "$STATE/rootfs"
  debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$STATE/rootfs" >"$STATE/debootstrap.log" 2>&1 ||
    fail_with_log "$STATE/debootstrap.log" "debootstrap could not make a base"
  rm -rf "$STATE/rootfs/var/cache/apt/archives" "$STATE/rootfs/var/lib/apt/lists"
  local base
  base=$("${buildah[@]}" from scratch)
  "${buildah[@]}" add --quiet "$base" "$STATE/rootfs" / >/dev/null
  "${buildah[@]}" commit --quiet --rm "$base" localhost/debian-python >"$STATE/base.new"
  rm -rf "$STATE/rootfs"
  mv "$STATE/base.new" "$STATE/base"
}

# The wheels of the locked requirements and of this source tree, for the base's Python.
make_wheelhouse() {
  rm -rf "$STATE/context"
  mkdir "$STATE/context"
  cp "$REPOSITORY/docker/Dockerfile" "$STATE/context/"
  [ -x "$STATE/venv/bin/pip" ] || /usr/bin/python3 -m venv "$STATE/venv"
  local wheel=("$STATE/venv/bin/pip" wheel --quiet --wheel-dir "$STATE/context/wheelhouse")
  "${wheel[@]}" --requirement "$REPOSITORY/requirements.lock"
  "${wheel[@]}" --no-deps "$REPOSITORY"
}

# With no network at all: what RUN needs is in the base and in the wheelhouse.
build() {
  unshare --net "${buildah[@]}" build --quiet --pull-never --build-arg BASE=localhost/debian-python --tag localhost/interdesk "$STATE/context" \
    >"$STATE/build.log" 2>&1 || fail_with_log "$STATE/build.log" "the image could not be built"
  "${buildah[@]}" rmi --prune >/dev/null # the image of an earlier run
}

# One life of the container, from its start to the clean end that SIGTERM asks for.
live() {
  local container=$1 command deadline
  read -ra command <<<"$("${buildah[@]}" inspect --format \
    '{{range .OCIv1.Config.Entrypoint}}{{.}} {{end}}{{range .OCIv1.Config.Cmd}}{{.}} {{end}}' "$container")"
  # the image's own command and environment; only the port is ours, for here the container shares the host's network
  start_server "http://127.0.0.1:$PORT/healthz" -- \
    "${buildah[@]}" run --env "INTERDESK_LISTEN=127.0.0.1:$PORT" --volume "$STATE/volume:/var/lib/interdesk" "$container" -- "${command[@]}"
  # of the group only the newest process is interdesk itself; buildah around it would kill it unasked
  kill -TERM "$(pgrep --newest --pgroup "$(server_group)")"
  deadline=$((SECONDS + 120))
  while running && [ $SECONDS -lt $deadline ]; do sleep 0.1; done
  ! running && wait "$(server_group)" || fail_with_log "$STATE/server.log" "the image did not end cleanly within 120 s of SIGTERM"
  [ -n "$(ls -A "$STATE/volume")" ] || fail "the image kept nothing in /var/lib/interdesk"
}

ensure_packages buildah debootstrap curl procps python3-venv
ensure_base
make_wheelhouse
build
container=$("${buildah[@]}" from --pull-never localhost/interdesk)
trap 'stop_server; "${buildah[@]}" rm "$container" >/dev/null' EXIT
rm -rf "$STATE/volume"
install -d -o "$(chroot "$("${buildah[@]}" mount "$container")" id -u interdesk)" "$STATE/volume"
live "$container"
live "$container"
echo "the image was built, started, stopped and started again on its state: localhost/interdesk"
