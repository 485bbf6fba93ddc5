#!/usr/bin/env bash
# libcurl.sh FLAVOUR [--check]
# The libcurl matrix. Prepares one flavour of libcurl and prints the shell
# settings that build and run the module with it:
#
#     eval "$(ci/libcurl.sh 8.14.1)" && go test ./...
#
#   system         the system's own (Debian 12: 7.88.1, OpenSSL)
#   8.14.1         bookworm-backports' package, OpenSSL
#   8.14.1-gnutls  the same with GnuTLS, which speaks HTTP/3
#
# With --check it prints, instead of settings, what a program built with the
# flavour says of its libcurl, and fails if that is another one.
# The packages are unpacked in .cache/libcurl/FLAVOUR (RATMOM_CACHE moves .cache).
. "$(dirname "$0")/env.sh"
. "$ROOT/ci/backports.sh"

# Whoever evaluates the output of a failure must fail, too.
trap '[ $? = 0 ] || echo false' EXIT

flavour=${1:-}
prefix=$CACHE/libcurl/$flavour
cflags="-O2 -g -Wno-deprecated-declarations" # go-curl speaks of deprecated forms

# without_ours VALUE: a colon-separated list less the entries of the cache, so
# that a shell can go from one flavour to another.
without_ours() {
	printf '%s' "$1" | tr ':' '\n' | grep -v "^$CACHE/" | paste -sd: || true
}

# mark is a macro that nobody reads. Go's build cache does not see that headers
# have changed, but does see flags: each libcurl, and each update of one, has a mark.
mark() {
	local version
	if [ "$flavour" = system ]; then
		version=$(env -u PKG_CONFIG_PATH pkg-config --modversion libcurl 2>/dev/null || true)
		version+=" $(dpkg-query -W -f '${Version}' 'libcurl4-*-dev' 2>/dev/null || true)"
	else
		version=$(sed -n 's/^Description: //p' "$prefix/pkgconfig/libcurl.pc")
	fi
	printf 'RATMOM_BUILT_WITH_%s' "$(printf '%s' "$flavour $version" | tr -c 'A-Za-z0-9' _)"
}

export_or_unset() {
	if [ -n "$2" ]; then printf 'export %s=%q\n' "$1" "$2"; else echo "unset $1"; fi
}

settings() {
	local path libs
	path=$(without_ours "${PKG_CONFIG_PATH:-}")
	libs=$(without_ours "${LD_LIBRARY_PATH:-}")
	if [ "$flavour" != system ]; then
		path=$prefix/pkgconfig${path:+:$path}
		libs=$prefix/lib${libs:+:$libs}
	fi
	export_or_unset PKG_CONFIG_PATH "$path"
	# The flavour's own dependencies (ngtcp2, nghttp3) are not on its rpath.
	export_or_unset LD_LIBRARY_PATH "$libs"
	printf 'export CGO_CFLAGS=%q\n' "$cflags -D$(mark)"
	printf 'export RATMOM_LIBCURL=%q\n' "$flavour"
}

# fetch unpacks the flavour's packages, shared libraries that bookworm lacks
# among them, and writes a libcurl.pc that points there.
fetch() {
	local library=libcurl4 dev=libcurl4-openssl-dev more=() version so missing
	if [ "$flavour" = 8.14.1-gnutls ]; then
		library=libcurl3-gnutls dev=libcurl4-gnutls-dev
		more=(libngtcp2-16 libngtcp2-crypto-gnutls8 libnghttp3-9)
	fi
	say "fetching libcurl $flavour"
	backports_update
	version=$(backports_version "$library" 8.14.1-)
	[ -n "$version" ] || die "bookworm-backports no longer has $library 8.14.1; it offers: $(backports_apt apt-cache madison "$library")"

	local tmp=$prefix.new triplet
	rm -rf "$tmp"
	backports_unpack "$tmp" "$library=$version" "$dev=$version" ${more[@]+"${more[@]}"}
	triplet=$(basename "$(dirname "$(compgen -G "$tmp/usr/lib/*/libcurl.so")")")
	ln -s "usr/lib/$triplet" "$tmp/lib"
	ln -s "usr/include/$triplet" "$tmp/include"
	mkdir "$tmp/pkgconfig"
	# Not the package's own: that one asks for the development files of every
	# library beneath, which only a static link needs.
	cat >"$tmp/pkgconfig/libcurl.pc" <<-END
		Name: libcurl
		Description: libcurl $flavour, $version
		Version: 8.14.1
		Libs: -L\${pcfiledir}/../lib -Wl,-rpath,\${pcfiledir}/../lib -lcurl
		Cflags: -I\${pcfiledir}/../include
	END
	so=$(readlink -f "$tmp/lib/libcurl.so")
	missing=$(LD_LIBRARY_PATH=$tmp/lib ldd "$so" | grep 'not found' || true)
	[ -z "$missing" ] || die "libraries that $so needs are not here:
$missing"
	rm -rf "$prefix"
	mv "$tmp" "$prefix"
	note "libcurl $version is in $prefix"
}

check() {
	local out dir=$CACHE/check.$$
	mkdir "$dir"
	# shellcheck disable=SC2064 # the name as it is now
	trap "rm -rf '$dir'" EXIT
	eval "$(settings)"
	cat >"$dir/version.c" <<-'END'
		#include <curl/curl.h>
		#include <stdio.h>
		int main(void)
		{
			curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
			printf("%s (headers %s)%s%s\n", curl_version(), LIBCURL_VERSION,
			       v->features & CURL_VERSION_HTTP2 ? " HTTP/2" : "",
			       v->features & CURL_VERSION_HTTP3 ? " HTTP/3" : "");
			return 0;
		}
	END
	# shellcheck disable=SC2046 # flags are words
	gcc -o "$dir/version" "$dir/version.c" $(pkg-config --cflags --libs libcurl)
	out=$("$dir/version")
	echo "$out"
	case $flavour in
	8.14.1) [[ $out == *libcurl/8.14.1*OpenSSL/*"headers 8.14.1)"* ]] ;;
	8.14.1-gnutls) [[ $out == *libcurl/8.14.1*GnuTLS/*"headers 8.14.1)"*HTTP/3* ]] ;;
	esac || die "this is not libcurl $flavour"
}

case $flavour in
system) ;;
8.14.1 | 8.14.1-gnutls)
	mkdir -p "$CACHE/libcurl"
	# Two at once would unpack over one another.
	exec 9>"$CACHE/libcurl/lock"
	flock 9
	if [ ! -e "$prefix/pkgconfig/libcurl.pc" ]; then fetch; fi
	exec 9>&-
	;;
*)
	sed -n '2,16s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac

case ${2:-} in
--check) check ;;
*) settings ;;
esac
