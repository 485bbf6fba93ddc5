#!/usr/bin/env bash
# fuzz.sh [DURATION]: every fuzz target in turn, each that long (default 20s).
# New inputs that fail are kept under the package's testdata/fuzz.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
need_go
use_libcurl "${RATMOM_LIBCURL:-system}"
duration=${1:-20s}
bad=0 count=0 log=$CACHE/fuzz.$$.log
trap 'rm -f "$log"' EXIT

# fuzz TARGET PACKAGE. Go's fuzzer calls it a failure, too, when its time is over amid an
# input: "context deadline exceeded", and no input that failed.
fuzz() {
	# In its folder, which may be one of a nested module.
	go -C "$2" test -run '^$' -fuzz "^$1\$" -fuzztime "$duration" -fuzzminimizetime 2s . 2>&1 | tee "$log" && return 0
	grep -q '^ *context deadline exceeded$' "$log" && ! grep -qE 'Failing input|panic|fatal error|hung|terminated' "$log" || return 1
	note "its time was over amid an input"
}

while IFS=: read -r file target; do
	count=$((count + 1))
	timed "fuzz $target in $(dirname "$file") for $duration" fuzz "$target" "./$(dirname "$file")" || bad=1
done < <(sources '*_test.go' | xargs -r grep -HoE '^func Fuzz[A-Za-z0-9_]*' | sed 's/:func /:/')
note "$count fuzz targets"
exit $bad
