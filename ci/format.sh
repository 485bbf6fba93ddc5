#!/usr/bin/env bash
# format.sh: gofmt and clang-format, in place.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
need_go
sources '*.go' | xargs -r gofmt -w
sources 'cgo/*.c' 'cgo/*.h' 'bench/c/*.c' 'bench/c/*.h' | xargs -r clang-format -i
