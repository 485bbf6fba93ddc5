# backports.sh: packages of bookworm-backports, unpacked into a folder; sourced.
# They come by apt with a source list, state and cache of their own: the
# system's lists stay as they are and nothing is installed.
# shellcheck shell=bash

BACKPORTS=$CACHE/backports
MIRROR=${RATMOM_DEBIAN_MIRROR:-http://deb.debian.org/debian}
KEYRING=${RATMOM_DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}

# backports_apt TOOL ARGS...: apt-get or apt-cache that knows backports only.
# apt itself checks the archive's signature against Debian's keyring, and every
# package against the signed list.
backports_apt() {
	local tool=$1
	shift
	"$tool" -q -c "$BACKPORTS/apt.conf" "$@"
}

# backports_update reads the list of packages, at most once an hour.
backports_update() {
	command -v apt-get >/dev/null || die "this needs Debian 12: apt-get is not here"
	[ -r "$KEYRING" ] || die "no $KEYRING: install debian-archive-keyring"
	local stamp=$BACKPORTS/updated
	mkdir -p "$BACKPORTS"/{sources,lists/partial,cache/archives/partial}
	cat >"$BACKPORTS/sources/backports.sources" <<-END
		Types: deb
		URIs: $MIRROR
		Suites: bookworm-backports
		Components: main
		Signed-By: $KEYRING
	END
	cat >"$BACKPORTS/apt.conf" <<-END
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear Acquire::IndexTargets::deb::DEP-11;
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$BACKPORTS/sources";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State::lists "$BACKPORTS/lists";
		Dir::Cache "$BACKPORTS/cache";
		Acquire::Languages "none";
		Acquire::AllowInsecureRepositories "false";
		Acquire::AllowWeakRepositories "false";
		APT::Get::AllowUnauthenticated "false";
		APT::Update::Error-Mode "any";
		APT::Sandbox::User "";
	END
	if [ -n "$(find "$stamp" -mmin -60 2>/dev/null)" ]; then return; fi
	note "reading the package list of bookworm-backports"
	backports_apt apt-get update >&2 || die "bookworm-backports cannot be read from $MIRROR"
	touch "$stamp"
}

# backports_version PACKAGE PREFIX: the newest version there that begins so.
backports_version() {
	backports_apt apt-cache madison "$1" |
		awk -v p="$2" '$5 ~ /bookworm-backports/ || /bookworm-backports/ { if (index($3, p) == 1) { print $3; exit } }'
}

# backports_unpack FOLDER PACKAGE=VERSION...: fetches and unpacks, installs nothing.
backports_unpack() {
	local into=$1 debs deb
	shift
	debs=$(mktemp -d "$BACKPORTS/debs.XXXXXX")
	if ! (cd "$debs" && backports_apt apt-get download "$@" >&2); then
		rm -rf "$debs"
		die "could not fetch $*"
	fi
	mkdir -p "$into"
	for deb in "$debs"/*.deb; do dpkg-deb -x "$deb" "$into"; done
	rm -rf "$debs"
}
