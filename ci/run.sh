#!/usr/bin/env bash
# run.sh [URL]: installs what building takes, builds, and fetches the URL, or a
# page from a server within the program itself, showing response and metrics.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
ci/setup.sh build
need_go
use_libcurl "${RATMOM_LIBCURL:-system}"
if ! compgen -G 'cmd/ratmom/*.go' >/dev/null; then die "cmd/ratmom is not written yet"; fi
note "building (the first time takes a minute)"
mkdir -p "$CACHE/bin"
go build -o "$CACHE/bin/ratmom" ./cmd/ratmom
if [ $# = 0 ] || [ -z "$1" ]; then set -- --demo; fi
say "ratmom fetch -v -w json $*"
exec "$CACHE/bin/ratmom" fetch -v -w json "$@"
