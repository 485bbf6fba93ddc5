#!/usr/bin/env bash
# test.sh: what must be green before a change goes in (make test).
# Installs what is missing, lints, and runs the suite on the system's libcurl
# and on 8.14.1. Here a test that lacks its server fails instead of skipping.
. "$(dirname "$0")/env.sh"
export RATMOM_REQUIRE_SERVERS=1
cd "$ROOT"
begin=$SECONDS failed=()

step() {
	timed "$@" || failed+=("$1")
}

timed "set-up" ci/setup.sh test
need_go
step "lint" ci/lint.sh
step "suite on the system's libcurl" ci/suite.sh system
# The scheduler whose mutants are to be found knows nothing of libcurl.
step "suite on libcurl 8.14.1" ci/suite.sh 8.14.1 -skip '^TestModel_finds_every_mutant$'

if [ ${#failed[@]} != 0 ]; then
	printf '\nFAIL after %d s: %s\n' $((SECONDS - begin)) "$(printf '%s; ' "${failed[@]}")"
	exit 1
fi
printf '\nPASS: lint and both suites, in %d s\n' $((SECONDS - begin))
