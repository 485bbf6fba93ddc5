#!/usr/bin/env bash
# soak.sh [DURATION [PACKAGE...]]: the tests named TestSoak…, of all packages by default,
# which run as long as RATMOM_SOAK says (default 10m) and skip without it.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
need_go
use_libcurl "${RATMOM_LIBCURL:-system}"
export RATMOM_SOAK=${1:-10m}
# What malloc keeps for itself, arena by arena, would look like a leak: with these
# the memory stays level, without them it rises by megabytes in each round.
export MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=65536 MALLOC_MMAP_THRESHOLD_=65536
soaks=("${@:2}")
[ $# -gt 1 ] || mapfile -t soaks < <(sources '*_test.go' | xargs -r grep -lE '^func TestSoak' | xargs -r -n 1 dirname | sort -u)
[ ${#soaks[@]} != 0 ] || die "there is no soak test: no func TestSoak… in any _test.go"
# One at a time: several look at what the machine does meanwhile.
go test -p 1 -count=1 -v -timeout 0 -run '^TestSoak' "${soaks[@]/#/./}"
