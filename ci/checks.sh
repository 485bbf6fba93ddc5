#!/usr/bin/env bash
# checks.sh: rules of this project that no general linter knows.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
# refuse ends pipelines, and must be able to say so.
shopt -s lastpipe

bad=0
# refuse WHY: fails, with the lines of standard input, if there are any.
refuse() {
	local lines
	lines=$(cat)
	if [ -n "$lines" ]; then
		printf '%s:\n%s\n' "$1" "$lines" >&2
		bad=1
	fi
}

# in_go PATTERN FOLDER-PATTERN: lines of Go files whose path matches; -v first
# means those that do not.
in_go() {
	local invert=()
	if [ "$1" = -v ]; then
		invert=(-v)
		shift
	fi
	sources '*.go' | { grep "${invert[@]}" -E "$2" || true; } | xargs -r grep -nE "$1" -- /dev/null || true
}

in_go -v '^[[:space:]]*(import )?"C"$' '^cgo/|^testdata/' |
	refuse 'only cgo/ may import "C"'
in_go -v '"github.com/andelf/go-curl' '^cgo/|^testdata/|^bench/' |
	refuse 'only cgo/ may import go-curl'

# go-curl's callbacks, multi, share and forms crash or race; forms and pointers
# to Setopt panic. What is ours does the same work in C. (foreign_test.go is the others.)
banned='\bcurl\.(MultiInit|ShareInit|NewForm|GlobalCleanup|EasyInit\(\)\.(Perform|Setopt))|\.(Perform|Duphandle|Send|Recv|Fdset|Info_read)\(|OPT_(WRITE|READ|HEADER|PROGRESS|XFERINFO|DEBUG|SEEK|OPENSOCKET|CLOSESOCKET|SOCKOPT|PREREQ|TRAILER|IOCTL|SSL_CTX|CHUNK_BGN|CHUNK_END|FNMATCH|RESOLVER_START)_?(FUNCTION|DATA)\b'
for f in $(sources 'cgo/*.go' | grep -v foreign_test); do
	if grep -q '"github.com/andelf/go-curl"' "$f"; then grep -HnE "$banned" "$f" || true; fi
done | refuse 'these parts of go-curl are not to be used'

# go-curl exports symbols such as write_function: ours are static or prefixed. Those of
# nghttp2's that early_end.c, half_read.c and no_body.c take the place of are weak, and so are
# those of the C library's that gather.c, look_once.c, read_ahead.c and step_clock.c do.
foreign_symbols() {
	local f object=$CACHE/symbols.o
	for f in $(sources 'cgo/*.c' | grep -v /ctest/); do
		# shellcheck disable=SC2046 # flags are words
		gcc -c -w -D_GNU_SOURCE -o "$object" "$f" $(pkg-config --cflags libcurl) || {
			echo "$f does not compile"
			continue
		}
		nm -g --defined-only "$object" | awk -v f="$f" '$3 !~ /^ratmom_/ && $2 " " $3 !~ /^W (nghttp2_.*|poll|clock_gettime|send|recv)$/ { print f ": " $3 }'
	done
	rm -f "$object"
}
foreign_symbols | refuse 'C symbols are static or begin with ratmom_'

exit $bad
