#!/usr/bin/env bash
# poll.sh [FLAVOUR]: the suite over the portable loop (curl_multi_poll), which
# other systems use and -tags ratmom_poll selects here.
exec "$(dirname "$0")/suite.sh" "${1:-system}" -tags ratmom_poll
