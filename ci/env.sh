# env.sh: what every script here begins with; sourced, never run.
# Finds the project, its cache folder and Go, and gives a few words to speak with.
# shellcheck shell=bash

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Everything that is fetched or built for tests and tools; deleting it is always safe.
CACHE=${RATMOM_CACHE:-$ROOT/.cache}
mkdir -p "$CACHE"
CACHE=$(cd "$CACHE" && pwd)

# Daemons live in sbin, which an ordinary user's PATH lacks on Debian.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
[ -n "${HOME:-}" ] || HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
export PATH HOME

say() { printf '\n==> %s\n' "$*" >&2; }
note() { printf '    %s\n' "$*" >&2; }
die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# timed NAME COMMAND...: announces a check, runs it, says how long it took.
timed() {
	local name=$1 begin=$SECONDS status=0
	shift
	say "$name"
	"$@" || status=$?
	local word=passed
	[ "$status" = 0 ] || word="FAILED (exit $status)"
	note "$name: $word after $((SECONDS - begin)) s"
	return "$status"
}

# as_root COMMAND...: runs it as root, through sudo for anybody else.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this needs root and there is no sudo here; as root, run: $*"
	fi
}

# need_go puts a Go on PATH that can build the module, or says how to get one.
need_go() {
	command -v go >/dev/null || PATH=$PATH:/usr/local/go/bin
	# A Go older than the module asks for fetches the right one itself, from 1.21 on.
	if ! go_can_build; then
		# shellcheck source=ci/go.sh
		. "$ROOT/ci/go.sh"
		fetch_go
	fi
	export PATH
}

go_can_build() {
	command -v go >/dev/null && (cd "$ROOT" && go list -m) >/dev/null 2>&1
}

# use_libcurl FLAVOUR points this shell at a flavour of libcurl, or ends it: a
# suite must not quietly run on another one.
use_libcurl() {
	local settings
	settings=$("$ROOT/ci/libcurl.sh" "$1") || die "libcurl $1 is not to be had"
	eval "$settings"
}

# packages prints those of the folders given that hold Go files, as go arguments.
packages() {
	local dir
	for dir in "$@"; do
		if compgen -G "$ROOT/$dir/*.go" >/dev/null; then echo "./$dir"; fi
	done
}

# sources GLOB...: the project's files, whether committed yet or not.
sources() {
	cd "$ROOT"
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files -co --exclude-standard -- "$@" | while read -r f; do
			if [ -f "$f" ]; then echo "$f"; fi
		done
	else
		local glob args=()
		for glob in "$@"; do args+=(-o -path "./$glob"); done
		find . -path ./.cache -prune -o -type f \( "${args[@]:1}" \) -print | sed 's,^\./,,'
	fi
}

# modules prints the folders of the modules nested in this one.
modules() {
	sources '*/go.mod' | grep -v -e '^testdata/' -e '/testdata/' | xargs -r -n 1 dirname
}
