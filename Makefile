# Thin names for the scripts in ci/, which set everything up themselves.
.DEFAULT_GOAL := help
.PHONY: help setup run test lint format fuzz bench asan valgrind poll nethttp nethttp-server h2spec soak clean

URL      ?=
LIBCURL  ?= system
TIME     ?=
ARGS     ?=

help: ## this list
	@echo 'make TARGET [LIBCURL=system|8.14.1|8.14.1-gnutls] [TIME=30s]'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1 \2/p' $(MAKEFILE_LIST) | \
		while read -r name what; do printf '  %-15s %s\n' "$$name" "$$what"; done

run: ## build and fetch a page from the embedded server, or URL=https://…
	@ci/run.sh '$(URL)'

test: ## install test servers, lint, whole suite with -race on both libcurl versions
	@ci/test.sh

setup: ## install what building and testing take (Debian 12)
	@ci/setup.sh

lint: ## gofmt, vet, golangci-lint, clang-format, rules of the project
	@ci/lint.sh

format: ## gofmt and clang-format, in place
	@ci/format.sh

poll: ## the suite over the portable loop (-tags ratmom_poll)
	@ci/poll.sh $(LIBCURL)

asan: ## tests near C under the address sanitizer
	@ci/asan.sh $(LIBCURL)

valgrind: ## the C loop and its memory under valgrind
	@ci/valgrind.sh $(LIBCURL)

fuzz: ## every fuzz target for TIME (20s)
	@ci/fuzz.sh $(TIME)

soak: ## long-running tests for TIME (10m)
	@ci/soak.sh $(TIME)

nethttp: ## Go's own net/http client tests over Transport(), where that suite is here
	@ci/nethttp.sh $(LIBCURL)

nethttp-server: ## Go's own net/http server tests over server.Server
	@ci/nethttp-server.sh

h2spec: ## h2spec over server.Server
	@ci/h2spec.sh

bench: ## benchmarks against C, net/http and others, into bench/results (ARGS=-short: a quick look)
	@RATMOM_LIBCURL=$(LIBCURL) ci/bench.sh $(ARGS)

clean: ## remove everything fetched or built (.cache)
	@chmod -R u+w .cache 2>/dev/null; rm -rf .cache
