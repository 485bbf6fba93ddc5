#!/usr/bin/env bash
# setup.sh [build|test]
# Installs, on Debian 12, what is missing:
#   build  what compiling takes: libcurl's headers, pkg-config, gcc
#   test   (default) also the servers, proxies and tools that the tests run
# Nothing is done when all is there. Services that come with the packages are
# not started, and not at the next boot either; those already here are left alone.
. "$(dirname "$0")/env.sh"

# A line is: package, a command or file that shows that it is here.
build_needs="
gcc gcc
libc6-dev /usr/include/stdlib.h
pkg-config pkg-config
libcurl4-openssl-dev pkg-config:libcurl
ca-certificates /etc/ssl/certs/ca-certificates.crt
"
test_needs="
make make
git git
nginx-light nginx
apache2 apache2
apache2-utils htpasswd
libapache2-mod-auth-gssapi /usr/lib/apache2/modules/mod_auth_gssapi.so
krb5-kdc krb5kdc
krb5-admin-server kadmin.local
krb5-user kinit
squid squid
haproxy haproxy
dante-server danted
microsocks microsocks
bind9 named
caddy caddy
varnish varnishtest
slowhttptest slowhttptest
nghttp2-server nghttpd
nghttp2-proxy nghttpx
nghttp2-client h2load
wrk wrk
valgrind valgrind
libc6-dbg deb:libc6-dbg
clang-format clang-format
iproute2 ip
procps ps
systemd systemd-socket-activate
openssl openssl
curl curl
"

present() {
	case $1 in
	pkg-config:*) env -u PKG_CONFIG_PATH pkg-config --exists "${1#*:}" 2>/dev/null ;;
	deb:*) [[ $(dpkg-query -W -f '${db:Status-Status}' "${1#*:}" 2>/dev/null) == installed* ]] ;;
	/*) [ -e "$1" ] ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

missing() {
	local package sign
	while read -r package sign; do
		if [ -n "$package" ] && ! present "$sign"; then echo "$package"; fi
	done
}

# services prints the units that would start at boot.
services() {
	if [ -d /run/systemd/system ]; then
		systemctl list-unit-files --type=service --state=enabled --no-legend --plain | awk '{ print $1 }' | sort
	fi
}

install_packages() {
	local before fresh policy=/usr/sbin/policy-rc.d
	# A source of somebody else's that is down must not stop us.
	as_root apt-get -q update >&2 || note "some package lists could not be read; going on"
	before=$(services)
	# Debian asks policy-rc.d before it starts a service: 101 means no.
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
		as_root chmod 755 $policy
		# shellcheck disable=SC2064 # the name as it is now
		trap "as_root rm -f $policy" EXIT
	fi
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y --no-install-recommends install "$@" >&2 || die "apt-get could not install: $*"
	fresh=$(comm -13 <(echo "$before") <(services))
	# shellcheck disable=SC2086 # names of units are words
	if [ -n "$fresh" ]; then as_root systemctl -q disable $fresh; fi
}

case ${1:-test} in
build) needs=$build_needs ;;
test) needs=$build_needs$test_needs ;;
*)
	sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac

mapfile -t lacking < <(missing <<<"$needs")
if [ ${#lacking[@]} != 0 ]; then
	command -v apt-get >/dev/null || die "please install the counterparts of these Debian packages: ${lacking[*]}"
	say "installing ${lacking[*]}"
	install_packages "${lacking[@]}"
	mapfile -t lacking < <(missing <<<"$needs")
	[ ${#lacking[@]} = 0 ] || die "still not here after installing: ${lacking[*]}"
fi
need_go
