#!/usr/bin/env bash
# nethttp-server.sh [REGEXP]
# Go's own net/http server tests over server.Server. They are taken from GOROOT,
# each time anew: a build overlay gives net/http a hook, by which every http.Server
# of the tests, and httptest's, is one of ours. Nothing of Go's is kept.
# Without REGEXP, which picks tests, it fails if fewer cases pass than
# testdata/nethttp-server/minimum says. A case is a test, or a test in one mode.
# RATMOM_SUITE_CONTROL=1 has net/http serve itself, RATMOM_SUITE_KEEP=DIR keeps the work.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
need_go
ours=$ROOT/testdata/nethttp-server
goroot=$(go env GOROOT)
theirs=$goroot/src/net/http
work=${RATMOM_SUITE_KEEP:-$(mktemp -d)}
[ -n "${RATMOM_SUITE_KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work/net" "$work/suite/testenv" "$work/suite/testcert" "$work/out"

# hook METHOD BODY FILE: BODY runs first in a method of Server, whose receiver is \1.
hook() {
	local n
	n=$(grep -c suiteOwns "$3" || true)
	sed -i "s/^func (\(\w*\) \*Server) $1(.*{\$/&\n\tif suiteOwns(\1) { $2 }/" "$3"
	[ "$(grep -c suiteOwns "$3")" = $((n + 1)) ] || die "$(go version): net/http has no $1 to hook"
}
cp "$theirs/server.go" "$theirs/export_test.go" "$work/net/"
server=$work/net/server.go
hook Serve 'return SuiteServer.Serve(\1, l)' "$server"
# HTTP/2 is served by one of net/http's, of which the tests' own hook is not to hear.
sed -i 's/:= testHookServerServe; fn != nil {/:= testHookServerServe; fn != nil \&\& SuiteServer == nil {/' "$server"
hook ServeTLS 'return SuiteServer.ServeTLS(\1, l, certFile, keyFile)' "$server"
hook ListenAndServe 'return SuiteServer.ListenAndServe(\1)' "$server"
hook ListenAndServeTLS 'return SuiteServer.ListenAndServeTLS(\1, certFile, keyFile)' "$server"
hook Close 'return SuiteServer.Close(\1)' "$server"
hook Shutdown 'return SuiteServer.Shutdown(\1, ctx)' "$server"
hook SetKeepAlivesEnabled 'SuiteServer.SetKeepAlivesEnabled(\1, v); return' "$server"
hook RegisterOnShutdown 'SuiteServer.RegisterOnShutdown(\1, f); return' "$server"
hook ExportAllConnsIdle 'return suiteAllIdle(\1)' "$work/net/export_test.go"
hook ExportAllConnsByState 'return SuiteServer.States(\1)' "$work/net/export_test.go"
cat >"$work/overlay.json" <<END
{"Replace": {
	"$theirs/server.go": "$server",
	"$theirs/suite_export.go": "$work/net/export_test.go",
	"$theirs/suite_hook.go": "$ours/hook.go"
}}
END

cp "$theirs"/*_test.go "$work/suite/"
(cd "$work/suite" && grep -L '^package http_test' ./*.go | xargs rm -f)
cp "$ours/adapter_test.go" "$work/suite/suite_adapter_test.go"
cp -r "$theirs/testdata" "$work/suite/"
cp "$theirs/internal/testcert/testcert.go" "$work/suite/testcert/"
cp "$ours/testenv.go" "$work/suite/testenv/"
# What only the standard library may import has a stand-in.
sed -i -e 's,"internal/synctest","testing/synctest",' \
	-e 's,"internal/testenv","nethttpsuite/suite/testenv",' \
	-e 's,"net/http/internal/testcert","nethttpsuite/suite/testcert",' \
	-e 's,"internal/nettrace",nettrace "nethttpsuite/suite/testenv",' \
	-e 's,net/http_test\.,nethttpsuite/suite_test.,' \
	-e 's,"net/http/internal",internal "net/http/httputil",' "$work"/suite/*_test.go
{
	echo "module nethttpsuite"
	sed -n '/^go /,$p' go.mod
	echo "require github.com/ratmom/ratmom v0.0.0"
	echo "replace github.com/ratmom/ratmom => $ROOT"
} >"$work/go.mod"
cp go.sum "$work/"
(cd "$work/suite" && go test -c -vet=off -mod=mod -overlay "$work/overlay.json" -o "$work/suite.test" .)

# Each test is a process of its own, once over net/http's server, to know what passes here at all, and once over ours.
files=(serve_test.go clientserver_test.go responsecontroller_test.go fs_test.go request_test.go sniff_test.go alpn_test.go)
run_tests() {
	mkdir -p "$work/$1"
	# shellcheck disable=SC2016 # the inner shell's
	(cd "$work/suite" && sed -n 's/^func \(Test[A-Za-z0-9_]*\)(.*testing\.T.*/\1/p' "${files[@]}" | { grep -E "$only" || true; } |
		RATMOM_SUITE=$1 xargs -r -P 3 -I{} sh -c \
			'RATMOM_SUITE_SERVED=../$RATMOM_SUITE/{}.served timeout -k 5 60 ../suite.test -test.v -test.timeout 20s -test.run "^{}\$" >../$RATMOM_SUITE/{}.log 2>&1 || true')
	# A test's cases are its modes, or itself; those of a test that broke off are not all there.
	(cd "$work/$1" && grep -aE '^ {0,4}--- [A-Z]+: ' ./*.log | sed -E 's,^\./(.*)\.log: *--- ([A-Z]+): ([^ ]*) .*,\2 \3 \1,') |
		awk '{ result[$2] = $1; test[$2] = $3; if ($2 != $3) split_up[$3] = 1 }
			END { for (c in result) if (c != test[c] || !(c in split_up)) print result[c], c, test[c] }' | sort >"$work/$1.cases"
}
only=${1:-.}
RATMOM_SUITE_CONTROL=1 run_tests control
run_tests ours
awk 'NR == FNR { excluded[$1] = 1; next } $1 == "PASS" && !($3 in excluded) { print $2, $3 }' \
	<(grep -v '^#' "$ours/excluded") "$work/control.cases" |
	while read -r name test; do if [ -e "$work/ours/$test.served" ]; then echo "$name"; fi; done >"$work/applicable"
sed -n 's/^PASS \([^ ]*\) .*/\1/p' "$work/ours.cases" | sort | comm -12 - <(sort "$work/applicable") >"$work/passed"
sort "$work/applicable" | comm -23 - "$work/passed" | sed 's/^/FAIL /'
passed=$(wc -l <"$work/passed") applicable=$(wc -l <"$work/applicable")
echo "$passed of $applicable applicable cases pass"
[ "$only" = . ] || exit 0
minimum=$ours/minimum
[ -r "$minimum" ] || die "write the number to keep into $minimum"
want=$(cat "$minimum")
[ "$passed" -ge "$want" ] || die "$passed cases pass, $want did before"
[ $((passed * 10)) -ge $((applicable * 9)) ] || die "fewer than nine in ten pass"
