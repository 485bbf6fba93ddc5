#!/usr/bin/env bash
# valgrind.sh [FLAVOUR]: the loop under valgrind: no invalid access, no lost block.
# First without Go, driven by cgo/ctest against a server of its own and an nginx
# for HTTP/2; then the tests of cgo/ (RATMOM_VALGRIND_PACKAGES for others), with
# -test.short: a test that counts milliseconds has no place here.
. "$(dirname "$0")/env.sh"
cd "$ROOT"
need_go
use_libcurl "${1:-system}"
command -v valgrind >/dev/null || die "valgrind is not installed: make setup"
mkdir -p "$CACHE/valgrind"
bad=0

# plain_c builds the driver and runs it under memcheck.
plain_c() {
	local bin=$CACHE/valgrind/loop.$$ work urls=() status=0
	work=$(mktemp -d)
	# shellcheck disable=SC2046 # flags are words
	gcc -O1 -g -gdwarf-4 -Wall -Wextra -DRATMOM_PLAIN_MALLOC -Wl,--wrap=epoll_ctl -o "$bin" \
		cgo/*.c cgo/ctest/*.c $(pkg-config --cflags --libs libcurl) -lpthread || return 1
	if command -v nginx >/dev/null && command -v openssl >/dev/null; then
		h2_server "$work" && urls=("https://127.0.0.1:$port")
	fi
	valgrind --quiet --error-exitcode=99 --suppressions="$ROOT/ci/valgrind.supp" \
		--leak-check=full --show-leak-kinds=definite,indirect,possible \
		--errors-for-leak-kinds=definite,indirect,possible --num-callers=25 \
		"$bin" "${urls[@]}" || status=$?
	if [ -e "$work/pid" ]; then kill "$(cat "$work/pid")"; fi
	rm -rf "$bin" "$work"
	return $status
}

# h2_server DIR starts an nginx that speaks HTTP/2 on $port.
h2_server() {
	local try
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
		-keyout "$1/key.pem" -out "$1/cert.pem" 2>/dev/null || return 1
	head -c 1000000 /dev/zero >"$1/big"
	for try in 1 2 3 4 5; do
		port=$((20000 + (RANDOM + try) % 10000))
		cat >"$1/nginx.conf" <<-END
			pid $1/pid;
			error_log $1/error.log;
			events {}
			http {
				access_log off;
				client_body_temp_path $1/body;
				proxy_temp_path $1/proxy;
				fastcgi_temp_path $1/fastcgi;
				uwsgi_temp_path $1/uwsgi;
				scgi_temp_path $1/scgi;
				server {
					listen 127.0.0.1:$port ssl http2;
					ssl_certificate $1/cert.pem;
					ssl_certificate_key $1/key.pem;
					root $1;
				}
			}
		END
		chmod 755 "$1" && nginx -e "$1/error.log" -c "$1/nginx.conf" 2>/dev/null && return 0
	done
	return 1
}

# memory tries libcurl's memory functions from several threads: by itself, under
# the thread sanitizer where that runs, and under memcheck.
memory() {
	local bin=$CACHE/valgrind/memory.$$ status=0
	# shellcheck disable=SC2046 # flags are words
	set -- cgo/ctest/alloc/main.c $(pkg-config --cflags --libs libcurl) -lpthread
	gcc -O2 -g -gdwarf-4 -Wall -Wextra -o "$bin" "$@" && "$bin" && BIG_PAGES=1 "$bin" || status=$?
	valgrind --quiet --error-exitcode=99 --leak-check=full "$bin" threads || status=$?
	if gcc -O1 -g -fsanitize=thread -o "$bin" "$@" 2>/dev/null; then
		setarch -R "$bin" threads || status=$?
	fi
	rm -f "$bin"
	return $status
}

timed "the loop in C" plain_c || bad=1
timed "libcurl's memory in C" memory || bad=1

# Debian 12's valgrind reads no DWARF 5; without line numbers reports are riddles.
export GOEXPERIMENT=nodwarf5
CGO_CFLAGS+=" -DRATMOM_PLAIN_MALLOC"
for package in $(packages ${RATMOM_VALGRIND_PACKAGES:-cgo}); do
	bin=$CACHE/valgrind/$(basename "$package").test
	rm -f "$bin"
	# The tag makes Go's runtime tell valgrind about its stacks and its heap.
	go test -c -tags valgrind -o "$bin" "$package"
	if [ ! -e "$bin" ]; then
		note "no tests in $package yet"
		continue
	fi
	# Memcheck does not see what Go's collector frees, and gives up at the leak
	# check when such memory is used again; nor does it follow a goroutine's stack
	# when a signal preempts it. Its heuristics for pointers into blocks, of use for C++,
	# give up where a small object of Go's begins at an odd address.
	(cd "$package" && GOGC=off GODEBUG=asyncpreemptoff=1 valgrind --quiet \
		--error-exitcode=99 --fair-sched=yes \
		--suppressions="$ROOT/ci/valgrind.supp" --leak-check=full --leak-check-heuristics=none \
		--show-leak-kinds=definite --errors-for-leak-kinds=definite --num-callers=25 \
		"$bin" -test.short -test.timeout "${RATMOM_TEST_TIMEOUT:-20m}") || bad=1
done
exit $bad
