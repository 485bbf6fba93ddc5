#!/bin/sh
# Builds the peers and runs the benchmark; arguments go to it (see README.md).
# PKG_CONFIG_PATH and LD_LIBRARY_PATH choose another libcurl; GOCACHE must then
# be another one too, since Go's build cache does not see C headers change.
set -eu
cd "$(dirname "$0")"
rm -rf bin
mkdir -p bin

: "${CC:=gcc}"
# shellcheck disable=SC2046 # flags are meant to be split
$CC -O2 -g -Wall -Wextra -Werror $(pkg-config --cflags libcurl) -o bin/cpeer c/*.c $(pkg-config --libs libcurl)
go build -o bin/ ./cmd/...
# The rows of HTTP/3 need a libcurl that speaks it: without their server they are left out.
bin/cpeer --can-http3 || rm -f bin/quic bin/client-quicgo

# Files: thousands of connections and some to spare.
ulimit -n "$(ulimit -H -n)" 2>/dev/null || true
exec bin/bench -programs bin "$@"
