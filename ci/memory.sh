#!/usr/bin/env bash
# memory.sh FLAVOUR
# The tests of what floods, slow readers and cancels cost, and of what a request of the grid allocates,
# without the race detector, whose own memory would hide it.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
need_go
use_libcurl "${1:-system}"
go test -count=1 -timeout 15m ./internal/endurance &&
	go test -count=1 -timeout 15m -run '_allocates?_|_memory_|_cost_' ./grid ./grid/internal/ws
