#!/bin/bash
# certmonger: its daemon on a bus of its own, and scep-submit, the program it asks the CA with.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
submit=/usr/lib/certmonger/scep-submit
[ -x "$submit" ] || skip_all "certmonger is not installed"
command -v dbus-run-session >/dev/null || skip_all "dbus is not installed"
stack_up

# with_daemon COMMAND…: a bus of its own, which starts certmonger when it is first asked; what it keeps is in a directory for each
# URL, so it goes on there the next time.  There is a CA "T" at $url.
with_daemon() {
	local home=$work/home.${url##*/}
	mkdir -p "$home"
	HOME=$home XDG_CONFIG_HOME=$home/config URL=$url CA=$CA_PEM timeout 120 dbus-run-session -- bash -c '
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

# status_becomes ID STATUS: a command for with_daemon, which waits for it.
status_becomes() {
	cat <<-END
		for i in \$(seq 60); do
			getcert list -s -i $1 | grep -q 'status: $2' && exit 0
			sleep 0.5
		done
		getcert list -s -i $1
		exit 1
	END
}

# Always as PKCSReq, signed by the certificate that it has; the challenge is still in it.
it_renews_with_the_certificate_that_it_has() {
	local old
	url=$SCEP_URL
	[ -s "$work/device1.pem" ] || it_enrols_with_the_static_challenge
	old=$(serial_of "$work/device1.pem")
	cp "$work/device1.pem" "$work/device1.old"
	check with_daemon bash -c "getcert resubmit -s -i r1 -w -v && $(status_becomes r1 MONITORING)"
	check issued "$work/device1.pem"
	refuse test "$old" = "$(serial_of "$work/device1.pem")"
	equal "PKCSReq $old" "$(sql "SELECT a.message_type || ' ' || hex(p.serial) FROM certificate c JOIN certificate p ON p.id = c.predecessor_id
		JOIN audit_event a ON a.serial = lower(hex(c.serial)) AND a.outcome = 'success' WHERE hex(c.serial) = '$(serial_of "$work/device1.pem")'")" \
		"its message and its predecessor"
}

it_polls_a_request_that_waits_for_approval_by_sending_it_again() {
	local id
	url=$SCEP_URL_MANUAL
	check with_daemon bash -c "getcert request -s -c T -k '$work/device3.key' -f '$work/device3.pem' -N CN=device3 -D device3.example \
		-L '$CHALLENGE' -I r3 -g 2048 && $(status_becomes r3 CA_WORKING)"
	check test ! -s "$work/device3.pem"
	# Still waiting, and still one transaction.
	check with_daemon bash -c "getcert refresh -s -i r3 && sleep 2 && $(status_becomes r3 CA_WORKING)"
	id=$(scepctl transaction list | awk '$2 == "pending" && /CN=device3/ { print $1 }')
	equal 1 "$(wc -w <<<"$id")" "transactions"
	scepctl transaction approve "$id"
	check with_daemon bash -c "getcert refresh -s -i r3 && $(status_becomes r3 MONITORING)"
	check issued "$work/device3.pem"
}

refused_device2() {
	[ "$(sql "SELECT count(*) FROM audit_event WHERE outcome = 'refused' AND subject LIKE '%CN=device2%'")" -ge 1 ]
}

run_tests "$@"
