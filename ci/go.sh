# go.sh: a Go for machines that have none, or one before 1.21; sourced by env.sh.
# Debian 12's own Go is too old. Its backports carry one that can fetch the Go
# that go.mod asks for, by Go's own means (module proxy, checksum database).
# shellcheck shell=bash

GO_BACKPORT=1.23
GO_TOOLCHAIN=go1.26.8

how_to_get_go() {
	cat >&2 <<-END
		error: this module needs Go 1.26 or later, and none was found on PATH or in /usr/local/go.
		Install it from https://go.dev/dl/, for instance:

		    curl -LO https://go.dev/dl/$GO_TOOLCHAIN.linux-amd64.tar.gz
		    sudo tar -C /usr/local -xzf $GO_TOOLCHAIN.linux-amd64.tar.gz
		    export PATH=\$PATH:/usr/local/go/bin
	END
	exit 1
}

# fetch_go puts Go in the cache folder and on PATH, or says how to install it.
fetch_go() {
	local into=$CACHE/go version
	if [ ! -x "$into/usr/lib/go-$GO_BACKPORT/bin/go" ]; then
		command -v apt-get >/dev/null || how_to_get_go
		say "no Go here: fetching one for this project alone, into $into"
		# shellcheck source=ci/backports.sh
		. "$ROOT/ci/backports.sh"
		backports_update
		version=$(backports_version "golang-$GO_BACKPORT-go" "$GO_BACKPORT")
		[ -n "$version" ] || how_to_get_go
		rm -rf "$into.new"
		backports_unpack "$into.new" "golang-$GO_BACKPORT-go=$version" "golang-$GO_BACKPORT-src=$version"
		rm -rf "$into"
		mv "$into.new" "$into"
	fi
	PATH=$into/usr/lib/go-$GO_BACKPORT/bin:$PATH
	export GOTOOLCHAIN=$GO_TOOLCHAIN+auto
	# The first go command fetches the Go that go.mod asks for.
	(cd "$ROOT" && go version >&2) || how_to_get_go
}
