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

status=0
for dir in . $(modules); do
	cd "$ROOT/$dir"
	if [ -z "$(go list ./...)" ]; then
		note "no packages in $dir yet"
		continue
	fi
	# -shuffle also keeps Go from answering with a cached result.
	go test -race -shuffle=on -timeout "${RATMOM_TEST_TIMEOUT:-10m}" "$@" ./... || status=1
done
exit $status
