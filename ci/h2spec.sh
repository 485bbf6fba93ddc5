#!/usr/bin/env bash
# h2spec.sh: h2spec over server.Server, with TLS and without. It fails if any case
# fails but those that docs/server.md explains.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
need_go
[ -x "$CACHE/bin/h2spec" ] || GOBIN=$CACHE/bin go install 'github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible'
RATMOM_H2SPEC=$CACHE/bin/h2spec go test -count=1 -run h2spec_but_for -v ./server
