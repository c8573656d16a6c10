#!/bin/bash
# The next CA and the next RA certificate through the whole stack: told ahead, switched to, taken back; and what the old ones still do.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up

# exits STATUS COMMAND…: with exactly this exit status; what it said is in $work/said.
exits() {
	local want=$1 have=0
	shift
	"$@" >"$work/said" 2>&1 || have=$?
	cat "$work/said"
	[ "$have" -eq "$want" ] || fail "want exit status $want, have $have: $*"
}

# authority NAME [PROFILES…]: a CA of a test's own and profiles under it; $work/NAME.pem is its certificate.
authority() {
	local ca=$1 profile
	shift
	scepctl ca create "$ca" --subject "CN=$ca,O=Example" --key rsa:2048 --crl-url auto --ocsp-url auto >/dev/null &&
		scepctl ca show "$ca" --pem >"$work/$ca.pem" || return 1
	for profile; do
		scepctl profile create "$profile" --ca "$ca" --challenge "$CHALLENGE" --renewal-threshold-days 36500 >/dev/null 2>&1 || return 1
	done
}

caps() {
	curl -sf "$HTTP_URL/scep/$1?operation=GetCACaps"
}

has_next() {
	caps "$1" | grep -qx GetNextCACert
}

has_no_next() {
	! has_next "$1"
}

# device NAME PROFILE [OPTIONS…]
device() {
	local name=$1 profile=$2
	shift 2
	enrol "$name" "$HTTP_URL/scep/$profile" --challenge "$CHALLENGE" "$@"
}

by() {
	scepctl ca show "$1" --pem >"$work/$1.pem" && openssl verify -no_check_time -CAfile "$work/$1.pem" -partial_chain "$2"
}

# issues CA PROFILE: a new device gets its certificate from this CA; workers see a change within a moment, and nginx within two seconds.
issues() {
	device "by-$1" "$2" >/dev/null 2>&1 && by "$1" "$work/by-$1.pem"
}

it_says_that_there_is_no_next_ca() {
	check authority a1 p1
	check has_no_next p1
	equal 404 "$(http "$HTTP_URL/scep/p1?operation=GetNextCACert")" "GetNextCACert"
	exits 1 scepctl ca switch a1
	exits 1 scepctl ca rollover-cancel a1
}

it_tells_the_next_ca_signed_by_the_present_one() {
	check authority a2 p2
	check scepctl ca rollover a2 --days 30
	eventually 10 has_next p2
	check scepctl next-ca "$HTTP_URL/scep/p2" --out "$work/next2.pem" --fingerprint "$(scepctl ca show a2 --fingerprint)"
	check grep -qF "$(scepctl ca show a2-g2 --pem | sed -n 2p)" "$work/next2.pem"
	curl -sf -o "$work/next2.der" -D "$work/next2.head" "$HTTP_URL/scep/p2?operation=GetNextCACert"
	matches 'application/x-x509-next-ca-cert' "$(cat "$work/next2.head")" "Content-Type"
	check openssl cms -verify -inform DER -in "$work/next2.der" -CAfile "$work/a2.pem" -purpose any -out "$work/inner2.der"
	check openssl pkcs7 -inform DER -in "$work/inner2.der" -print_certs -out "$work/inner2.pem"
	equal 2 "$(grep -c 'BEGIN CERTIFICATE' "$work/inner2.pem")" "certificates in it"
	matches 'next +a2-g2' "$(scepctl ca show a2)" "ca show"
	matches 'generation +2' "$(scepctl ca show a2-g2)" "ca show of the next one"
	# A device may enrol with it ahead of time (RFC 8894, figure 9).
	check device ahead p2 --next
	check by a2-g2 "$work/ahead.pem"
	check issues a2 p2
}

it_issues_by_the_new_one_after_the_switch_and_goes_on_with_the_old_ones_work() {
	local old new
	check authority a3 p3
	check device d3 p3
	check device d3r p3
	old=$(serial_of "$work/d3.pem")
	check scepctl ca rollover a3
	check scepctl ca switch a3
	eventually 10 issues a3-g2 p3
	check has_no_next p3
	# Its CRL and OCSP.
	check scepctl certificate revoke "$old" --reason superseded
	eventually 10 listed a3 "$old"
	openssl ocsp -issuer "$work/a3.pem" -cert "$work/d3r.pem" -url "$HTTP_URL/ocsp/a3" -CAfile "$work/a3.pem" >"$work/ocsp3" 2>&1
	matches 'd3r.pem: good' "$(cat "$work/ocsp3")" "OCSP of the old one"
	openssl ocsp -issuer "$work/a3-g2.pem" -cert "$work/by-a3-g2.pem" -url "$HTTP_URL/ocsp/a3-g2" -CAfile "$work/a3-g2.pem" >"$work/ocsp3" 2>&1
	matches 'pem: good' "$(cat "$work/ocsp3")" "OCSP of the new one"
	equal "$HTTP_URL/ocsp/a3-g2" "$(openssl x509 -in "$work/by-a3-g2.pem" -noout -ocsp_uri)" "where OCSP is"
	# Renewal by a certificate of the old one.
	check scepctl enrol "$HTTP_URL/scep/p3" --renew "$work/d3r.pem" --renew-key "$work/d3r.key" --key-out "$work/new3.key" --cert-out "$work/new3.pem"
	check by a3-g2 "$work/new3.pem"
	new=$(scepctl certificate show "$(serial_of "$work/new3.pem")")
	matches 'CA +a3-g2' "$new" "show"
	matches "renews +$(serial_of "$work/d3r.pem" | tr A-F a-f)" "$new" "show"
	exits 1 scepctl profile create late --ca a3 --challenge "$CHALLENGE"
	matches 'a3-g2' "$(cat "$work/said")" "what it says"
	matches 'authority.switch' "$(scepctl audit list --limit 20)" "the audit"
}

listed() {
	curl -sf "$HTTP_URL/crl/$1.crl" | openssl crl -inform DER -noout -text -CAfile "$work/$1.pem" | grep -q "Serial Number: $2"
}

it_answers_what_is_encrypted_to_an_old_ra_certificate_until_the_overlap_ends() {
	check authority a4 p4
	check message m4 'CN=m4' "$CHALLENGE" "$HTTP_URL/scep/p4"
	check message m4b 'CN=m4b' "$CHALLENGE" "$HTTP_URL/scep/p4"
	check scepctl ca rollover a4
	check scepctl ca switch a4 --overlap 2h
	eventually 10 issues a4-g2 p4
	equal 200 "$(send m4 "$HTTP_URL/scep/p4")" "status"
	equal SUCCESS "$(reply m4)" "the answer"
	check by a4-g2 "$work/m4.pem"
	matches 'previous' "$(scepctl ra list p4)" "RA certificates"
	stack clock +$((3 * 3600))
	equal 200 "$(send m4b "$HTTP_URL/scep/p4")" "status after the overlap"
	stack clock =0
	no_match SUCCESS "$(reply m4b)" "the answer after the overlap"
}

it_forgets_old_ra_certificates_when_their_overlap_is_over() {
	check authority a5 p5
	check scepctl ra rotate p5
	check scepctl ra switch p5 --overlap 1h
	equal 1 "$(previous_of p5)" "previous ones"
	stack clock +7200
	# It looks when it starts, and then every hour.
	stack stop admin
	stack start admin
	eventually 15 forgotten p5
	stack clock =0
}

previous_of() {
	sql "SELECT count(*) FROM scep_profile_ra r JOIN scep_profile p ON p.id = r.scep_profile_id WHERE p.name = '$1'"
}

forgotten() {
	[ "$(previous_of "$1")" = 0 ]
}

it_takes_a_prepared_ca_back() {
	local keys
	check authority a6 p6
	keys=$(find "$STACK_DIR/state/keys" -type f | wc -l)
	check scepctl ca rollover a6
	exits 1 scepctl ca rollover a6
	eventually 10 has_next p6
	check scepctl ca rollover-cancel a6
	eventually 10 has_no_next p6
	exits 1 scepctl ca show a6-g2
	equal "$keys" "$(find "$STACK_DIR/state/keys" -type f | wc -l)" "key files"
	check device d6 p6
	check by a6 "$work/d6.pem"
}

it_keeps_a_prepared_ca_that_has_issued_already() {
	check authority a7 p7
	check scepctl ca rollover a7
	eventually 10 has_next p7
	check device d7 p7 --next
	exits 1 scepctl ca rollover-cancel a7
	check scepctl ca switch a7
}

it_rotates_an_ra_certificate_alone() {
	check authority a8 p8
	check message m8 'CN=m8' "$CHALLENGE" "$HTTP_URL/scep/p8"
	check scepctl ra rotate p8 --key rsa:3072
	exits 1 scepctl ra rotate p8
	exits 1 scepctl ca rollover a8
	check scepctl ra switch p8
	eventually 10 has_ra_of p8 3072
	check device d8 p8
	equal 200 "$(send m8 "$HTTP_URL/scep/p8")" "status"
	equal SUCCESS "$(reply m8)" "the answer to what was encrypted to the old one"
	check by a8 "$work/m8.pem"
	exits 1 scepctl ra switch p8
	check scepctl ra rotate p8
	check scepctl ra cancel p8
}

has_ra_of() {
	curl -sf "$HTTP_URL/scep/$1?operation=GetCACert" | openssl pkcs7 -inform DER -print_certs | openssl x509 -noout -text | grep -q "($2 bit)"
}

it_rolls_an_ec_ca_over_too() {
	check scepctl ca rollover ec-ca --name ec-ca-next --subject 'CN=Test EC CA 2,O=Example'
	check scepctl ca switch ec-ca-next
	eventually 10 ec_issues
	matches 'CN=Test EC CA 2' "$(openssl x509 -in "$work/ec1.pem" -noout -issuer -nameopt RFC2253)" "the issuer"
}

ec_issues() {
	enrol ec1 "$SCEP_URL_EC" --challenge "$CHALLENGE" >/dev/null 2>&1 && by ec-ca-next "$work/ec1.pem"
}

# What a device does whose request fell into the moment of the switch: it was told 503 and when to ask again, or it had fetched the CA certificate
# just before (nginx keeps it for two seconds) and holds what it got against the old one.  The same key makes it the same request.
device_again() {
	sleep 0.5
	rm -f "$work/$1.pem"
	scepctl enrol "$HTTP_URL/scep/$2" --subject "CN=$1,O=Example" --key-file "$work/$1.key" --cert-out "$work/$1.pem" \
		--challenge "$CHALLENGE"
}

it_loses_no_request_while_it_switches() {
	local n
	check authority a9 p9
	check scepctl ca rollover a9
	for n in 1 2 3 4; do
		(
			for m in 1 2 3 4 5; do
				device "s$n-$m" p9 >/dev/null 2>&1 || eventually 20 device_again "s$n-$m" p9 >/dev/null 2>&1 ||
					echo "s$n-$m" >>"$work/lost"
			done
		) &
	done
	sleep 0.5
	check scepctl ca switch a9
	wait
	check test ! -e "$work/lost"
	equal 20 "$(sql "SELECT count(*) FROM certificate c JOIN scep_profile p ON p.id = c.scep_profile_id WHERE p.name = 'p9'")" "certificates"
}

it_keeps_what_always_holds() {
	check invariants
}

run_tests "$@"
