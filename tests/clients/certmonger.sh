#!/bin/bash
# certmonger: its daemon on a bus of its own, and scep-submit, the program it asks the CA with.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
submit=/usr/lib/certmonger/scep-submit
[ -x "$submit" ] || skip_all "certmonger is not installed"
command -v dbus-run-session >/dev/null || skip_all "dbus is not installed"
stack_up

# with_daemon COMMAND…: a bus of its own, which starts certmonger when it is first asked; what it keeps is below $work/home, so it
# goes on there the next time.  There is a CA "T" at $url.
with_daemon() {
	mkdir -p "$work/home"
	HOME=$work/home XDG_CONFIG_HOME=$work/home/config URL=$url CA=$CA_PEM timeout 120 dbus-run-session -- bash -c '
		getcert list-cas -s | grep -q "^CA .T.:" || getcert add-scep-ca -s -c T -u "$URL" -N "$CA" || exit 1
		"$@"' session "$@"
}

it_reads_the_capabilities() {
	local caps
	caps=$("$submit" -u "$SCEP_URL" -c)
	matches '^SCEPStandard' "$caps" "GetCACaps"
	matches '^SHA-256' "$caps" "GetCACaps"
}

it_reads_the_CAs_certificates() {
	"$submit" -u "$SCEP_URL" -C >"$work/cas.txt"
	check grep -q 'BEGIN CERTIFICATE' "$work/cas.txt"
}

it_enrols_with_the_static_challenge() {
	url=$SCEP_URL
	check with_daemon getcert request -s -c T -k "$work/device1.key" -f "$work/device1.pem" -N 'CN=device1' -D device1.example \
		-L "$CHALLENGE" -I r1 -g 2048 -w -v
	check issued "$work/device1.pem"
	matches 'DNS:device1.example' "$(openssl x509 -in "$work/device1.pem" -noout -ext subjectAltName)" "subjectAltName"
	# It always speaks GET.
	equal http-get "$(sql "SELECT transport FROM audit_event WHERE outcome = 'success' AND serial = lower('$(serial_of "$work/device1.pem")')")" transport
}

it_is_refused_with_a_wrong_challenge() {
	url=$SCEP_URL
	with_daemon getcert request -s -c T -k "$work/device2.key" -f "$work/device2.pem" -N 'CN=device2' -D device2.example \
		-L "wrong-$CHALLENGE" -I r2 -g 2048 -w -v || true
	check test ! -s "$work/device2.pem"
	equal 0 "$(sql "SELECT count(*) FROM certificate WHERE subject LIKE '%CN=device2%'")" "certificates"
	eventually 5 refused_device2
}

refused_device2() {
	[ "$(sql "SELECT count(*) FROM audit_event WHERE outcome = 'refused' AND subject LIKE '%CN=device2%'")" -ge 1 ]
}

run_tests "$@"
