#!/bin/bash
# Revoking certificates, and what CRL and OCSP say of them over HTTP, as openssl reads it; certificates of another program too.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up
scepctl ca set test-ca --crl-url auto --ocsp-url auto 2>/dev/null

# exits STATUS COMMAND…: with exactly this exit status; what it said is in $work/said.
exits() {
	local want=$1 have=0
	shift
	"$@" >"$work/said" 2>&1 || have=$?
	cat "$work/said"
	[ "$have" -eq "$want" ] || fail "want exit status $want, have $have: $*"
}

# device NAME: enrols one.
device() {
	enrol "$1" "$SCEP_URL" --challenge "$CHALLENGE"
}

# crl CA: what openssl reads in its CRL, once that is verified by the CA.
crl() {
	scepctl ca show "$1" --pem >"$work/$1.pem" &&
		curl -sf -o "$work/$1.crl" "$HTTP_URL/crl/$1.crl" &&
		openssl crl -inform DER -in "$work/$1.crl" -noout -CAfile "$work/$1.pem" &&
		openssl crl -inform DER -in "$work/$1.crl" -noout -text
}

# ocsp CA CERT [OPTIONS…]: good, revoked or unknown, and what goes with it; the response is verified.
ocsp() {
	local ca=$1 cert=$2
	shift 2
	scepctl ca show "$ca" --pem >"$work/$ca.pem"
	openssl ocsp -issuer "$work/$ca.pem" -cert "$cert" -url "$HTTP_URL/ocsp/$ca" -CAfile "$work/$ca.pem" "$@" 2>"$work/ocsp" || {
		cat "$work/ocsp"
		return 1
	}
	matches 'Response verify OK' "$(cat "$work/ocsp")" "the response"
}

# listed CA SERIAL: nginx may have the list of two seconds ago.
listed() {
	crl "$1" | grep -q "Serial Number: 0*$2\$"
}

not_listed() {
	! listed "$@"
}

it_says_in_certificates_where_crl_and_ocsp_are() {
	check device v1
	matches "URI:$HTTP_URL/crl/test-ca.crl" "$(openssl x509 -in "$work/v1.pem" -noout -ext crlDistributionPoints)" "CRL"
	equal "$HTTP_URL/ocsp/test-ca" "$(openssl x509 -in "$work/v1.pem" -noout -ocsp_uri)" "OCSP"
}

it_tells_a_revoked_certificate_by_crl_and_ocsp_from_the_next_answer_on() {
	local serial number
	check device v2
	serial=$(serial_of "$work/v2.pem")
	eventually 10 not_listed test-ca "$serial"
	matches 'good' "$(ocsp test-ca "$work/v2.pem")" "OCSP before"
	number=$(crl test-ca | grep -A1 'CRL Number' | tail -n 1)
	check scepctl certificate revoke "$serial" --reason keyCompromise
	eventually 10 listed test-ca "$serial"
	matches 'Key Compromise' "$(crl test-ca)" "the CRL"
	matches 'revoked' "$(ocsp test-ca "$work/v2.pem")" "OCSP"
	matches 'keyCompromise' "$(ocsp test-ca "$work/v2.pem")" "OCSP"
	check test "$(crl test-ca | grep -A1 'CRL Number' | tail -n 1)" -gt "$number"
	matches 'CRL +number [0-9]+, [0-9]+ revoked, until' "$(scepctl ca show test-ca)" "ca show"
	matches 'certificate.revoke.*keyCompromise' "$(scepctl audit list --limit 5)" "the audit"
	refuse openssl verify -crl_check -CRLfile <(openssl crl -inform DER -in "$work/test-ca.crl") -CAfile "$CA_PEM" "$work/v2.pem"
}

it_takes_a_hold_back() {
	local serial
	check device v3
	serial=$(serial_of "$work/v3.pem")
	check scepctl certificate revoke "$serial" --reason certificateHold
	eventually 10 listed test-ca "$serial"
	matches 'Certificate Hold' "$(crl test-ca)" "the CRL"
	matches 'revoked' "$(ocsp test-ca "$work/v3.pem")" "OCSP"
	check scepctl certificate unhold "$serial"
	eventually 10 not_listed test-ca "$serial"
	matches 'good' "$(ocsp test-ca "$work/v3.pem")" "OCSP"
	exits 1 scepctl certificate unhold "$serial"
}

it_makes_a_hold_good_and_keeps_its_date() {
	local serial since
	check device v4
	serial=$(serial_of "$work/v4.pem")
	check scepctl certificate revoke "$serial" --reason certificateHold
	since=$(sql "SELECT revoked_at FROM certificate WHERE hex(serial) = '$serial'")
	sleep 1.1
	check scepctl certificate revoke "$serial" --reason superseded
	equal "$since" "$(sql "SELECT revoked_at FROM certificate WHERE hex(serial) = '$serial'")" "since when"
	exits 1 scepctl certificate unhold "$serial"
	exits 1 scepctl certificate revoke "$serial"
	matches 'revoked already' "$(cat "$work/said")" "what it says"
}

it_tells_an_unknown_serial_that_it_is_unknown() {
	openssl req -x509 -newkey rsa:2048 -nodes -subj '/CN=Other' -keyout /dev/null -out "$work/other.pem" 2>/dev/null
	openssl ocsp -issuer "$CA_PEM" -serial 0x123456 -url "$HTTP_URL/ocsp/test-ca" -CAfile "$CA_PEM" >"$work/unknown" 2>&1 || true
	matches '0x123456: unknown' "$(cat "$work/unknown")" "OCSP"
	equal 404 "$(http "$HTTP_URL/crl/nobody.crl")" "the CRL of no CA"
}

it_leaves_an_expired_certificate_out_of_the_crl() {
	local serial
	check scepctl profile create short --ca test-ca --challenge "$CHALLENGE" --validity-days 2
	check enrol v5 "$HTTP_URL/scep/short" --challenge "$CHALLENGE"
	serial=$(serial_of "$work/v5.pem")
	check scepctl certificate revoke "$serial"
	eventually 10 listed test-ca "$serial"
	stack clock +$((10 * 86400)) # a week behind its end
	check device v5b
	check scepctl certificate revoke "$(serial_of "$work/v5b.pem")"
	eventually 10 not_listed test-ca "$serial"
	stack clock =0
}

it_goes_on_answering_ocsp_when_a_responder_ends() {
	local first
	check device v6
	matches 'good' "$(ocsp test-ca "$work/v6.pem")" "OCSP"
	first=$(sql "SELECT max(not_after) FROM ocsp_responder")
	stack clock +$((61 * 86400))
	openssl ocsp -issuer "$CA_PEM" -cert "$work/v6.pem" -url "$HTTP_URL/ocsp/test-ca" -CAfile "$CA_PEM" -no_check_time >"$work/later" 2>&1 || true
	stack clock =0
	matches 'good' "$(cat "$work/later")" "OCSP later"
	check test "$(sql "SELECT max(not_after) FROM ocsp_responder")" -gt "$first"
	equal '' "$(find "$STACK_DIR/state/keys" -type f ! -perm 600)" "key files that others can read"
}

it_takes_in_what_another_program_issued() {
	local n
	openssl req -x509 -newkey rsa:2048 -nodes -subj '/CN=Old CA' -days 30 -keyout "$work/old.key" -out "$work/old.pem" \
		-addext 'keyUsage=critical,keyCertSign,cRLSign,digitalSignature' 2>/dev/null
	chmod 600 "$work/old.key"
	for n in 1 2 3; do
		(umask 077 && openssl req -newkey rsa:2048 -nodes -subj "/CN=dev-$n" -keyout "$work/dev$n.key" -out "$work/dev$n.csr" 2>/dev/null)
		openssl x509 -req -in "$work/dev$n.csr" -CA "$work/old.pem" -CAkey "$work/old.key" -set_serial "$n" -days 20 \
			-out "$work/dev$n.pem" 2>/dev/null
	done
	check scepctl ca import old --certificate "$work/old.pem" --key-file "$work/old.key"
	check scepctl profile create old --ca old --challenge "$CHALLENGE" --renewal-threshold-days 36500
	cat "$work/dev1.pem" "$work/dev2.pem" "$CA_PEM" >"$work/both.pem"
	exits 1 scepctl certificate import "$work/both.pem" --profile old
	matches '^2 imported, 0 there already, 1 refused' "$(cat "$work/said")" "the count"
	exits 0 scepctl certificate import "$work/dev1.pem" --profile old
	matches '^0 imported, 1 there already, 0 refused' "$(cat "$work/said")" "the count again"
	check scepctl certificate import "$work/dev3.pem" --profile old --revoked-at 2026-01-02T03:04:05Z --reason superseded
	eventually 10 listed old 03
	matches 'Jan +2 03:04:05 2026' "$(crl old)" "since when"
	matches 'revoked' "$(ocsp old "$work/dev3.pem")" "OCSP"
	matches 'good' "$(ocsp old "$work/dev2.pem")" "OCSP"
	check scepctl certificate revoke 2 --ca old
	eventually 10 listed old 02
	matches 'purpose' "$(scepctl certificate show 1 --ca old)" "show"
}

it_renews_what_another_program_issued_unless_it_is_revoked() {
	local n
	for n in 1 2 3; do
		scepctl enrol "$HTTP_URL/scep/old" --renew "$work/dev$n.pem" --renew-key "$work/dev$n.key" --key-out "$work/new$n.key" \
			--cert-out "$work/new$n.pem" >"$work/renewal$n" 2>&1 || true
	done
	check openssl verify -CAfile "$work/old.pem" "$work/new1.pem"
	check test ! -e "$work/new2.pem"
	check test ! -e "$work/new3.pem"
	matches 'badCertId' "$(cat "$work/renewal2")" "the refusal"
	matches 'successors +1' "$(scepctl certificate show 1 --ca old)" "show"
	matches 'renews +0*1$' "$(scepctl certificate show "$(serial_of "$work/new1.pem")")" "show of the new one"
}

it_keeps_what_always_holds() {
	check invariants
}

run_tests "$@"
