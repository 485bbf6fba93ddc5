#!/usr/bin/env bash
# valgrind.sh [FLAVOUR]: the tests of cgo/ (RATMOM_VALGRIND_PACKAGES for others),
# and with them the loop in C, under valgrind: no invalid access, no lost block.
# Runs with -test.short: a test that counts milliseconds has no place here.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
need_go
use_libcurl "${1:-system}"
command -v valgrind >/dev/null || die "valgrind is not installed: make setup"
# Debian 12's valgrind reads no DWARF 5; without line numbers reports are riddles.
export GOEXPERIMENT=nodwarf5
mkdir -p "$CACHE/valgrind"
bad=0
for package in $(packages ${RATMOM_VALGRIND_PACKAGES:-cgo}); do
	bin=$CACHE/valgrind/$(basename "$package").test
	rm -f "$bin"
	# The tag makes Go's runtime tell valgrind about its stacks and its heap.
	go test -c -tags valgrind -o "$bin" "$package"
	if [ ! -e "$bin" ]; then
		note "no tests in $package yet"
		continue
	fi
	(cd "$package" && valgrind --quiet --error-exitcode=99 --fair-sched=yes \
		--suppressions="$ROOT/ci/valgrind.supp" --leak-check=full \
		--show-leak-kinds=definite --errors-for-leak-kinds=definite --num-callers=25 \
		"$bin" -test.short -test.timeout "${RATMOM_TEST_TIMEOUT:-20m}") || bad=1
done
exit $bad
