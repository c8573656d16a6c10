#!/bin/sh
# setup.sh [run|test|containers]: install what is missing of Debian's packages, and say what and why.
#
#   setup.sh        what `make run` needs: the compiler and libraries, nginx, Redis
#   setup.sh run    the same
#   setup.sh test   that, and what `make test` needs: clang, cmocka, other people's SCEP clients
#   setup.sh containers   what tests/e2e/containers.sh needs, which calls it itself
#
# Says nothing and ends at once when all is there.  Changes nothing else: nginx and Redis are installed, not started.
set -eu

# One group a line: its name, why, its packages.  A package may be "a|b|c": any one of them does, the first is installed.
groups() {
	cat <<-'LIST'
	build:to build the programs: gcc make pkg-config libfcgi-dev libssl-dev libhiredis-dev libsqlite3-dev libjansson-dev libcurl4-openssl-dev
	run:to run them: nginx-light|nginx|nginx-core|nginx-full|nginx-extras redis-server openssl curl ca-certificates
	test:to test them: clang llvm libclang-rt-14-dev clang-format libcmocka-dev cppcheck shellcheck sqlite3 iproute2
	test:as independent SCEP clients: strongswan-pki libstrongswan-extra-plugins certmonger dbus scep
	containers:to test the containers: docker.io|docker-ce docker-compose debootstrap iproute2 iptables
	LIST
}

case ${1-run} in
run) wanted='build run' ;;
test) wanted='build run test' ;;
containers) wanted=containers ;;
*)
	echo "usage: setup.sh [run|test|containers]" >&2
	exit 2
	;;
esac

say() {
	echo "setup: $*"
}

in_words() {
	case " $2 " in *" $1 "*) return 0 ;; esac
	return 1
}

if ! command -v dpkg-query >/dev/null; then
	say "this is no Debian (no dpkg-query): see to it that these are there:" >&2
	groups | sed 's/^[^:]*:/  /' >&2
	exit 0
fi

names=$(groups | sed 's/^[^:]*:[^:]*://; s/|/ /g')
# shellcheck disable=SC2086
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $names 2>/dev/null | sed -n 's/ installed$//p' | tr '\n' ' ') || true

# $missing gets what to install; with a first argument it is told, group by group.
missing=
look() {
	missing=
	while IFS=: read -r group why packages; do
		in_words "$group" "$wanted" || continue
		lacking=
		for one in $packages; do
			found=
			for name in $(echo "$one" | tr '|' ' '); do
				in_words "$name" "$installed" && found=yes
			done
			[ -n "$found" ] || lacking="$lacking ${one%%|*}"
		done
		[ -z "$lacking" ] || say "missing, $why:$lacking"
		missing="$missing$lacking"
	done <<-LIST
	$(groups)
	LIST
}
look
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
	root=
elif ! command -v sudo >/dev/null; then
	say "you are not root and there is no sudo: have this done as root: apt-get install --no-install-recommends$missing" >&2
	exit 1
elif [ -t 0 ]; then
	root=sudo
else
	root='sudo -n'
fi

# Debian starts nginx and Redis when it installs them, unless policy-rc.d says no; a policy that was there comes back afterwards.
policy=/usr/sbin/policy-rc.d
kept=$policy.before-setup
restore_policy() {
	if [ -e "$kept" ]; then
		$root mv -f "$kept" "$policy"
	else
		$root rm -f "$policy"
	fi
}
if ! $root true; then
	say "sudo refuses: have this done as root: apt-get install --no-install-recommends$missing" >&2
	exit 1
fi
# One that an earlier, killed run left behind is no policy to keep.
if [ -e "$policy" ] && ! grep -q 'for the moment of setup.sh' "$policy"; then
	$root mv "$policy" "$kept"
fi
trap restore_policy EXIT
trap 'exit 1' INT TERM HUP
printf '#!/bin/sh\n# for the moment of setup.sh: start nothing\nexit 101\n' | $root tee "$policy" >/dev/null
$root chmod 755 "$policy"

apt() {
	# shellcheck disable=SC2086
	$root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"
}
# shellcheck disable=SC2086
install_missing() {
	apt install --no-install-recommends $missing
}

say "installing them with apt-get (nothing is started)"
# The package lists are fetched only when those that are here do not do: none yet, or too old to find the files.
# shellcheck disable=SC2086
if ! apt install --no-install-recommends --simulate $missing >/dev/null 2>&1; then
	say "fetching the package lists"
	apt update
	install_missing
elif ! install_missing; then
	say "that failed: fetching the package lists and trying once more"
	apt update
	install_missing
fi
say "done"
