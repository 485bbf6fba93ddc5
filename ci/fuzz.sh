#!/usr/bin/env bash
# fuzz.sh [DURATION]: every fuzz target in turn, each that long (default 20s).
# New inputs that fail are kept under the package's testdata/fuzz.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
need_go
use_libcurl "${RATMOM_LIBCURL:-system}"
duration=${1:-20s}
bad=0 count=0
while IFS=: read -r file target; do
	count=$((count + 1))
	timed "fuzz $target in $(dirname "$file") for $duration" \
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$duration" -fuzzminimizetime 2s "./$(dirname "$file")" || bad=1
done < <(sources '*_test.go' | xargs -r grep -HoE '^func Fuzz[A-Za-z0-9_]*' | sed 's/:func /:/')
note "$count fuzz targets"
exit $bad
