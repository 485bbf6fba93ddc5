#!/usr/bin/env bash
# bench.sh [ARGUMENTS...]: the benchmarks of the nested module bench/. Without
# -rows or -peers the results go to bench/results/, into a folder for each libcurl.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
ci/setup.sh test
need_go
use_libcurl "${RATMOM_LIBCURL:-system}"

folder=results/libcurl-$(pkg-config --modversion libcurl)
case ${RATMOM_LIBCURL:-system} in *-gnutls) folder=${folder%-gnutls}-gnutls ;; esac
case " $* " in
*" -rows"* | *" -peers"* | *" -results"* | *" -list"*) ;;
*) set -- -results "$folder" "$@" ;;
esac
exec bench/run.sh "$@"
