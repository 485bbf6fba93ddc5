#!/usr/bin/env bash
# bench.sh [ARGUMENTS...]: the benchmarks of the nested module bench/, against
# the same loop in C and against net/http, printing ratios.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
ci/setup.sh test
need_go
use_libcurl "${RATMOM_LIBCURL:-system}"
if [ -x bench/run.sh ]; then exec bench/run.sh "$@"; fi
if ! compgen -G 'bench/*.go' >/dev/null; then
	note "no benchmarks yet"
	exit 0
fi
cd bench
exec go run . "$@"
