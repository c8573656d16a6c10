# lib.sh: what the tests in shell have in common.
# shellcheck shell=bash
#
#	#!/bin/bash
#	# What this file is about.
#	# shellcheck source=tests/lib.sh
#	. "$(dirname "$0")/../lib.sh"
#	stack_up SCEP_NGINX_RATE=5
#	it_refuses_a_wrong_challenge() {
#		refuse enrol d1 "$SCEP_URL" --challenge wrong-one
#	}
#	run_tests "$@"
#
# Each function it_… is a test, in the order of the file; its name is the sentence.  It runs in a subshell under set -e, so it fails
# with its first command that does.  Files go into $work; everything is ended and removed at the end.  With names as arguments only
# those tests run.  A line comes out for each: "ok FILE: SENTENCE", "not ok …" with what was said, or "ok … # SKIP why".
set -u

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
here=$(basename "$(dirname "$0")")/$(basename "$0" .sh)
work=$(mktemp -d "${TMPDIR:-/tmp}/scep-test.XXXXXX") || exit 1
failed=0
PATH=$PATH:/usr/sbin:/sbin

# ---- ending ---------------------------------------------------------------------------------------------------------------------

# What a test starts in the background is its own to end; stacks and files go here.
clean_up() {
	local dir
	trap - EXIT
	for dir in "$work"/stack.* "$work"/*/stack.*; do
		[ ! -e "$dir/settings.env" ] || "$top/tests/stack" down "$dir"
	done
	if [ "$failed" -ne 0 ] && [ -n "${TEST_LOGS-}" ]; then
		mkdir -p "$TEST_LOGS/$here"
		for dir in "$work"/stack.* "$work"/*/stack.*; do
			cp -R "$dir/log" "$TEST_LOGS/$here/${dir##*/}" 2>/dev/null
		done
		cp "$work"/*.log "$TEST_LOGS/$here/" 2>/dev/null
	fi
	type at_end >/dev/null 2>&1 && at_end
	rm -rf "$work"
}
trap clean_up EXIT
trap 'failed=1; exit 1' INT TERM HUP

# ---- stacks ---------------------------------------------------------------------------------------------------------------------

# stack_up [NAME=VALUE…]: a stack of this file's own, or of one test's; its variables are set, and its directory is $STACK_DIR.
stack_up() {
	local dir
	dir=$(mktemp -d "${STACK_HOME:-$work}/stack.XXX")
	if ! env "$@" "$top/tests/stack" up "$dir" >"$work/up.log" 2>&1; then
		failed=1
		echo "not ok $here: its stack comes up"
		sed 's/^/#   /' "$work/up.log"
		exit 1
	fi
	# shellcheck disable=SC1091
	. "$dir/env"
}

stack() {
	local verb=$1
	shift
	"$top/tests/stack" "$verb" "$STACK_DIR" "$@" || return 1
	# shellcheck disable=SC1091
	. "$STACK_DIR/env"
}

# ---- running --------------------------------------------------------------------------------------------------------------------

skip() {
	echo "$*" >"$work/skip"
	exit 77
}

where_it_failed() {
	local i
	for ((i = 1; i < ${#FUNCNAME[@]}; i++)); do
		case ${FUNCNAME[i]} in
		it_*)
			echo "at $(basename "$0"):${BASH_LINENO[i - 1]}, exit status $1"
			return
			;;
		esac
	done
}

run_one() {
	local sentence status
	sentence=${1//_/ }
	rm -f "$work/skip"
	(
		set -eE
		trap 'where_it_failed $? >&2' ERR
		# Pids may have changed since.
		# shellcheck disable=SC1091
		[ -z "${STACK_DIR-}" ] || . "$STACK_DIR/env"
		"$1"
	) >"$work/$1.log" 2>&1 </dev/null
	status=$?
	if [ "$status" -eq 0 ]; then
		echo "ok $here: $sentence"
		rm -f "$work/$1.log"
	elif [ "$status" -eq 77 ] && [ -e "$work/skip" ]; then
		echo "ok $here: $sentence # SKIP $(cat "$work/skip")"
	else
		failed=1
		echo "not ok $here: $sentence"
		tail -n 40 "$work/$1.log" | cut -c1-400 | sed 's/^/#   /'
	fi
}

tests_here() {
	sed -n 's/^\(it_[a-zA-Z0-9_]*\)().*/\1/p' "$0"
}

run_tests() {
	local name names
	mapfile -t names < <(tests_here)
	for name in "${names[@]}"; do
		if [ $# -eq 0 ] || case " $* " in *" $name "*) true ;; *) false ;; esac; then
			run_one "$name"
		fi
	done
	exit "$failed"
}

# skip_all WHY: for a file that cannot run here at all: each of its tests is skipped, by name.
skip_all() {
	tests_here | tr _ ' ' | sed "s|.*|ok $here: & # SKIP $*|"
	exit 0
}

# ---- checks ---------------------------------------------------------------------------------------------------------------------

fail() {
	echo "$*"
	return 1
}

# check COMMAND…: it must succeed.
check() {
	local status=0
	"$@" || status=$?
	[ "$status" -eq 0 ] || fail "want success of: $* (have exit status $status)"
}

# refuse COMMAND…: it must fail.
refuse() {
	local status=0
	"$@" || status=$?
	[ "$status" -ne 0 ] || fail "want failure of: $*"
}

# equal WANT HAVE WHAT
equal() {
	[ "$1" = "$2" ] || fail "$3: want '$1', have '$2'"
}

# matches PATTERN TEXT WHAT: an extended regular expression; it may match anywhere, in any line.
matches() {
	grep -qE -- "$1" <<<"$2" || fail "$3: want /$1/, have '$2'"
}

no_match() {
	! grep -qE -- "$1" <<<"$2" || fail "$3: want nothing like /$1/, have '$2'"
}

# eventually SECONDS COMMAND…: until it succeeds.
eventually() {
	local until=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$until" ] || fail "not within the time given: $*" || return 1
		sleep 0.1
	done
}

# ---- the service ----------------------------------------------------------------------------------------------------------------

# new_minute: the stack's clock moves on to a minute that has just begun: what follows falls into one.
new_minute() {
	local moved now
	moved=$(cat "$STACK_DIR/clock")
	now=$(($(date +%s) + moved))
	stack clock +$((61 - now % 60))
}

# later: two minutes on, where no window has anything of before.
later() {
	stack clock +120
	new_minute
}

scepctl() {
	$SCEPCTL "$@"
}

# enrol NAME URL OPTIONS…: writes $work/NAME.key and $work/NAME.pem.
enrol() {
	local name=$1 url=$2
	shift 2
	rm -f "$work/$name.key" "$work/$name.pem"
	scepctl enrol "$url" --subject "CN=$name,O=Example" --key-out "$work/$name.key" --cert-out "$work/$name.pem" "$@"
}

# issued FILE: it is a certificate of this stack's CA, for a key that is there, and in the store, with an audit row.
issued() {
	local serial
	openssl verify -CAfile "$CA_PEM" "$1" &&
		serial=$(serial_of "$1") &&
		equal 1 "$(sql "SELECT count(*) FROM certificate WHERE status = 'valid' AND hex(serial) = upper('$serial')")" \
			"certificates of serial $serial in the store" &&
		matches '^[1-9]' "$(sql "SELECT count(*) FROM audit_event WHERE outcome = 'success' AND serial = lower('$serial')")" \
			"audit rows of serial $serial"
}

# The 16 octets of the serial number as the store has them.
serial_of() {
	local serial
	serial=$(openssl x509 -in "$1" -noout -serial) || return 1
	serial=${serial#serial=}
	while [ "${#serial}" -lt 32 ]; do
		serial=0$serial
	done
	echo "$serial"
}

sql() {
	sqlite3 -readonly -cmd '.timeout 5000' "$DB" "$1"
}

# http CURL-OPTIONS… URL: the status alone.
http() {
	curl -s -o /dev/null -m 20 --cacert "$CA_PEM" -w '%{http_code}' "$@"
}

# page CURL-OPTIONS… URL: status and headers, then the body.
page() {
	curl -s -i -m 20 --cacert "$CA_PEM" "$@" | tr -d '\r'
}

# raw TEXT: what comes back when printf TEXT is sent to nginx's plain port.
raw() {
	local address=${HTTP_URL#http://}
	exec 5<>"/dev/tcp/${address%:*}/${address#*:}"
	# shellcheck disable=SC2059
	printf "$1" >&5
	timeout 10 cat <&5 | tr -d '\r\0'
	exec 5>&-
}

# message FILE SUBJECT CHALLENGE [URL [OPTIONS…]]: a PKCSReq in $work/FILE.der, with a key of its own in $work/FILE.key.
message() {
	local file=$1 subject=$2 challenge=$3 url=${4:-$SCEP_URL_DYNAMIC}
	shift $(($# < 4 ? $# : 4))
	curl -s -o "$work/$file.p7" "$url?operation=GetCACert"
	[ -s "$work/$file.key" ] || openssl genrsa -out "$work/$file.key" 2048 2>/dev/null
	"$STACK_BIN/e2e/pkimessage" make --ca "$work/$file.p7" --key "$work/$file.key" --subject "$subject" --challenge "$challenge" \
		--out "$work/$file.der" "$@"
}

# send FILE [URL]: prints the HTTP status; headers go to $work/FILE.head, the body to $work/FILE.reply.
send() {
	curl -s -m 30 -D "$work/$1.head" -o "$work/$1.reply" -w '%{http_code}' --data-binary "@$work/$1.der" \
		"${2:-$SCEP_URL_DYNAMIC}?operation=PKIOperation" || true
}

# reply FILE: what the CertRep in $work/FILE.reply says; the certificate goes to $work/FILE.pem.
reply() {
	rm -f "$work/$1.crt"
	"$STACK_BIN/e2e/pkimessage" read --ca "$work/$1.p7" --key "$work/$1.key" --message "$work/$1.der" --reply "$work/$1.reply" \
		--cert-out "$work/$1.crt" || true
	[ ! -s "$work/$1.crt" ] || openssl x509 -inform DER -in "$work/$1.crt" -out "$work/$1.pem"
}

# workers PID: the children of a master, one a line.
workers() {
	tr ' ' '\n' <"/proc/$1/task/$1/children" | sed '/^$/d'
}

# gone PID: no such process, or one that nobody has taken leave of yet.
gone() {
	! grep -qs '^State:[[:space:]][A-WYa-y]' "/proc/$1/status"
}

# What always holds, read from the store: see docs/design.md.
invariants() {
	equal 0 "$(sql 'SELECT count(*) FROM (SELECT 1 FROM challenge_use GROUP BY challenge_id, use HAVING count(*) > 1)')" \
		"challenges used twice"
	equal 0 "$(sql "SELECT count(*) FROM certificate c JOIN scep_profile p ON p.id = c.scep_profile_id
		WHERE p.name = 'mdm' AND c.id NOT IN (SELECT certificate_id FROM challenge_use)")" \
		"certificates of one-time challenges without their use"
	equal 0 "$(sql "SELECT count(*) FROM certificate c WHERE c.scep_profile_id IS NOT NULL AND NOT EXISTS
		(SELECT 1 FROM audit_event a WHERE a.serial = lower(hex(c.serial)) AND a.outcome = 'success')")" \
		"certificates without an audit row"
	equal 0 "$(sql "SELECT count(*) FROM organization o WHERE o.seats_in_use <>
		(SELECT count(*) FROM seat s WHERE s.organization_id = o.id AND s.in_use = 1)")" "organizations whose count is wrong"
	equal 0 "$(sql 'SELECT count(*) FROM enrollment WHERE uses > max_uses')" "codes used too often"
	equal ok "$(sql 'PRAGMA integrity_check')" "the store's integrity"
}
