#!/usr/bin/env bash
# memory.sh FLAVOUR
# The tests of what floods, slow readers and cancels cost, without the race
# detector, whose own memory would hide it.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
need_go
use_libcurl "${1:-system}"
go test -count=1 -timeout 15m ./internal/endurance
