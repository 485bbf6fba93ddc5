#!/usr/bin/env bash
# asan.sh [FLAVOUR]: the tests of everything near C under the address sanitizer,
# which also reports C memory that is lost when a test binary ends.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
need_go
use_libcurl "${1:-system}"
mapfile -t near < <(packages cgo agent handler body internal/dialling .)
mapfile -t far < <(packages peer) # whose heavy tests have the same C beneath them
if [ ${#near[@]} = 0 ]; then
	note "nothing to check yet"
	exit 0
fi
export LSAN_OPTIONS=suppressions=$ROOT/ci/lsan.supp:print_suppressions=0
go test -asan -timeout "${RATMOM_TEST_TIMEOUT:-15m}" "${near[@]}"
[ ${#far[@]} = 0 ] || go test -asan -short -timeout "${RATMOM_TEST_TIMEOUT:-15m}" "${far[@]}"
