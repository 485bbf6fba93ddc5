#!/usr/bin/env bash
# nethttp.sh [FLAVOUR]
# Go's own net/http client tests over Client.Transport(). The runner lives outside
# of this repository; RATMOM_NETHTTP_SUITE is its folder, and without it nothing
# is done. Fails if fewer cases pass than testdata/nethttp/minimum-FLAVOUR says.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
flavour=${1:-system}
suite=${RATMOM_NETHTTP_SUITE:-../shared/nethttp-suite}
minimum=testdata/nethttp/minimum-$flavour
result=$CACHE/nethttp-$flavour.json

if [ ! -x "$suite/check" ]; then
	note "no net/http suite in $suite (RATMOM_NETHTTP_SUITE): skipped"
	exit 0
fi
if ! compgen -G 'testdata/nethttp/*_test.go' >/dev/null; then
	note "no factory in testdata/nethttp yet: skipped"
	exit 0
fi
command -v python3 >/dev/null || die "the net/http suite needs python3"
need_go
use_libcurl "$flavour"
suite=$(cd "$suite" && pwd)

# The runner takes golang.org/x/text and x/net from GOROOT, which vendors a part of
# each; what this module imports of them is not all in that part.
modules="github.com/ratmom/ratmom=$ROOT $(go list -m -f '{{.Path}}={{.Dir}}' golang.org/x/net golang.org/x/text | paste -sd' ')"
# The cases count what libcurl did, which shows that nothing else did it.
RATMOM_TRANSFERS=$(mktemp -d)
export RATMOM_TRANSFERS
trap 'rm -rf "$RATMOM_TRANSFERS"' EXIT
log=$(timeout -k 10 15m "$suite/check" -factory ratmom -dir "$ROOT/testdata/nethttp" \
	-module "$modules" -out "$result") || die "the net/http suite did not run: $log"
printf '%s\n' "$log"
transfers=$(find "$RATMOM_TRANSFERS" -type f -exec awk '{n += $1} END {print n + 0}' {} +)
note "${transfers:-0} transfers by libcurl in $(find "$RATMOM_TRANSFERS" -type f | wc -l) processes"
[ "${transfers:-0}" -gt 0 ] || die "libcurl carried nothing: something else did the work"
passed=$(sed -n 's/^\([0-9]*\) passed, .*/\1/p' <<<"$log" | tail -1)
[ -n "$passed" ] || die "the net/http suite reported no count"
[ -r "$minimum" ] || die "$passed passed; write the number to keep into $minimum"
want=$(cat "$minimum")
if [ "$passed" -lt "$want" ]; then die "$passed cases pass on libcurl $flavour, $want did before"; fi
note "$passed cases pass on libcurl $flavour, at least $want must; details in $result"
