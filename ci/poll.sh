#!/usr/bin/env bash
# poll.sh [FLAVOUR]: the suite over the portable loop (curl_multi_poll), which
# other systems use and -tags ratmom_poll selects here; without its heavy tests.
exec "$(dirname "$0")/suite.sh" "${1:-system}" -short -tags ratmom_poll
