#!/usr/bin/env bash
# lint.sh: formatting, vet, the linters of .golangci.yml, and checks.sh.
# golangci-lint is built once, at the version below, into .cache/bin.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
need_go
use_libcurl "${RATMOM_LIBCURL:-system}"

GOLANGCI=v2.15.0
bad=0
check() { timed "$@" || bad=1; }

go_format() {
	local ugly
	ugly=$(sources '*.go' | xargs -r gofmt -l)
	if [ -n "$ugly" ]; then
		printf 'gofmt -w is wanted on:\n%s\n' "$ugly" >&2
		return 1
	fi
}

c_format() {
	local f ugly=()
	for f in $(sources 'cgo/*.c' 'cgo/*.h' 'bench/c/*.c' 'bench/c/*.h'); do
		clang-format --dry-run -Werror "$f" 2>/dev/null || ugly+=("$f")
	done
	if [ ${#ugly[@]} != 0 ]; then
		printf 'clang-format -i is wanted on: %s\n' "${ugly[*]}" >&2
		return 1
	fi
}

# each_module COMMAND...: in the root module and in every nested one.
each_module() {
	local dir status=0
	for dir in . $(modules); do
		if [ -n "$(cd "$dir" && go list ./... 2>/dev/null)" ]; then
			(cd "$dir" && "$@") || status=1
		fi
	done
	return $status
}

vet() {
	each_module go vet ./... && each_module go vet -tags ratmom_poll ./...
}

# Packages that need no cgo also build elsewhere than on Linux; where their tests need
# none either, those do, too.
without_cgo() (
	export GOOS=darwin CGO_ENABLED=0
	local all tested
	all=$(go list -e -f '{{.ImportPath}} {{join .Deps " "}}' ./...) || return 1
	tested=$(go list -e -test -f '{{or .ForTest .ImportPath}} {{join .Deps " "}}' ./...) || return 1
	# shellcheck disable=SC2046 # paths are words
	go build $(needing_no_cgo <<<"$all") && go vet $(needing_no_cgo <<<"$tested")
)

# needing_no_cgo: of lines "package dependency...", the packages none of whose lines
# has our package cgo.
needing_no_cgo() {
	awk '{
		sub(/\.test$/, "", $1)
		seen[$1]
		for (i = 1; i <= NF; i++) if ($i ~ /\/ratmom\/cgo$/) cgo[$1]
	}
	END { for (p in seen) if (!(p in cgo)) print p }'
}

tidy() {
	each_module go mod tidy -diff
}

golangci() {
	local bin=$CACHE/bin/golangci-lint-$GOLANGCI
	if [ ! -x "$bin" ]; then
		note "building golangci-lint $GOLANGCI; the first time takes two minutes"
		GOBIN="$CACHE/bin" GOFLAGS= CGO_ENABLED=0 \
			go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$GOLANGCI" || return 1
		mv "$CACHE/bin/golangci-lint" "$bin"
	fi
	# Its own cache beside ours; two runs at once wait for each other.
	GOLANGCI_LINT_CACHE=$CACHE/golangci each_module \
		"$bin" run --allow-parallel-runners --timeout 10m -c "$ROOT/.golangci.yml" ./...
}

# Known vulnerabilities: where the tool is here and its database can be read.
vulnerabilities() {
	local status=0 out
	command -v govulncheck >/dev/null || {
		note "govulncheck is not installed: skipped"
		return
	}
	out=$(govulncheck ./... 2>&1) || status=$?
	case $status in
	0) ;;
	3)
		echo "$out" >&2
		return 1
		;;
	*) note "govulncheck could not run: skipped" ;;
	esac
}

check "gofmt" go_format
check "project rules" ci/checks.sh
if command -v clang-format >/dev/null; then check "clang-format" c_format; fi
check "go vet" vet
check "go vet without cgo" without_cgo
check "go mod tidy" tidy
check "golangci-lint" golangci
check "govulncheck" vulnerabilities
exit $bad
