#!/usr/bin/env bash
# suite.sh FLAVOUR [GO TEST ARGUMENTS...]
# The whole test suite, and that of every nested module, with the race detector
# and in random order, on one flavour of libcurl (see libcurl.sh).
. "$(dirname "$0")/env.sh"
cd "$ROOT"
need_go
flavour=$1
shift
ci/libcurl.sh "$flavour" --check >&2
use_libcurl "$flavour"

# linked fails if a test binary would run with another libcurl than its flavour's.
linked() {
	local bin=$CACHE/linked.$$
	if [ "$flavour" = system ] || [ -z "$(packages cgo)" ]; then return; fi
	go test -c -o "$bin" ./cgo || return 1
	[ -e "$bin" ] || return 0
	ldd "$bin" | grep libcurl | grep -qF "$CACHE/libcurl/$flavour/" || die "tests are not linked to libcurl $flavour"
	rm -f "$bin"
}
linked

# under_test [GO TEST ARGUMENTS...]: prints the packages of this module to test.
under_test() {
	if [ "$flavour" = system ] && [ $# = 0 ]; then
		go list ./...
		return
	fi
	go list -test -f '{{.ImportPath}}{{range .Deps}} {{.}}{{end}}' ./... |
		awk -v cgo="$MODULE/cgo" '$1 ~ /\.test$/ { for (i = 2; i <= NF; i++) if ($i == cgo) { sub(/\.test$/, "", $1); print $1; next } }'
}

MODULE=$(go list -m)
status=0 ran=0 log=$CACHE/suite.$$.log
trap 'rm -f "$log"' EXIT
for dir in . $(modules); do
	cd "$ROOT/$dir"
	mapfile -t tested < <(under_test "$@")
	if [ ${#tested[@]} = 0 ]; then continue; fi
	# -shuffle also keeps Go from answering with a cached result.
	go test -race -shuffle=on -timeout "${RATMOM_TEST_TIMEOUT:-10m}" "$@" "${tested[@]}" 2>&1 | tee "$log" || status=1
	# "ok" without "[no tests to run]" is a package in which something ran.
	if awk '/^(ok|FAIL)[ \t]/ && !/\[no tests to run\]/ { n++ } END { exit !n }' "$log"; then ran=1; fi
done
# A filter that matches nothing checks nothing, and Go calls that a success.
[ "$ran" = 1 ] || die "no test ran at all: go test $*"
exit $status
