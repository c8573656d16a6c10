#!/bin/bash
# GetCert and GetCRL through the whole stack, as scepctl asks them.
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

# first NAME [OPTIONS…]
first() {
	local name=$1
	shift
	enrol "$name" "$SCEP_URL" --challenge "$CHALLENGE" "$@"
}

# ask VERB NAME [OPTIONS…]: signed by NAME's certificate; the answer goes to $work/NAME.out.
ask() {
	local verb=$1 name=$2
	shift 2
	rm -f "$work/$name.out"
	scepctl "$verb" "${url:-$SCEP_URL}" --cert "$work/$name.pem" --key "$work/$name.key" --out "$work/$name.out" "$@"
}

# refused FAILINFO COMMAND…
refused() {
	local want=$1
	shift
	exits 1 "$@"
	matches "FAILURE: $want" "$(cat "$work/said")" "the answer"
}

# crl_of NAME: what openssl reads in the CRL that NAME got.
crl_of() {
	openssl crl -in "$work/$1.out" -noout -text
}

it_gives_a_certificate_to_its_own_key() {
	check first q1
	check ask get-cert q1
	check cmp "$work/q1.pem" "$work/q1.out"
	check ask get-cert q1 --get
	check ask get-cert q1 --serial "$(serial_of "$work/q1.pem" | sed 's/../&:/g; s/:$//')" --fingerprint "$CA_FINGERPRINT"
	check cmp "$work/q1.pem" "$work/q1.out"
}

it_gives_a_predecessor_to_its_successor() {
	check first q2
	check scepctl enrol "$SCEP_URL" --renew "$work/q2.pem" --renew-key "$work/q2.key" --key-out "$work/q2b.key" --cert-out "$work/q2b.pem"
	check ask get-cert q2b --serial "$(serial_of "$work/q2.pem")"
	check cmp "$work/q2.pem" "$work/q2b.out"
}

it_gives_nobody_the_certificate_of_another() {
	check first q3
	check first q3x
	refused badCertId ask get-cert q3 --serial "$(serial_of "$work/q3x.pem")"
	refused badCertId ask get-cert q3 --serial 0123456789abcdef
	check test ! -e "$work/q3.out"
}

it_gives_the_CRL_with_what_is_revoked_in_it() {
	check first q4
	check first q4x
	check ask get-crl q4
	check openssl crl -in "$work/q4.out" -noout -CAfile "$CA_PEM"
	no_match "$(serial_of "$work/q4x.pem")" "$(crl_of q4)" "the CRL"
	check scepctl certificate revoke "$(serial_of "$work/q4x.pem")" --reason keyCompromise
	check ask get-crl q4
	check openssl crl -in "$work/q4.out" -noout -CAfile "$CA_PEM"
	matches "$(serial_of "$work/q4x.pem")" "$(crl_of q4 | sed 's/Serial Number: //')" "the CRL"
	matches 'Key Compromise' "$(crl_of q4)" "the CRL"
}

it_gives_the_CRL_of_an_EC_CA() {
	url=$SCEP_URL_EC
	check enrol q5 "$url" --challenge "$CHALLENGE"
	check ask get-crl q5
	matches 'ecdsa-with-SHA256' "$(crl_of q5)" "the CRL"
}

it_tells_an_EC_key_that_it_cannot_be_answered() {
	check first q6 --key ec:P-256
	refused badRequest ask get-crl q6
	matches 'EC key' "$(cat "$work/said")" "the answer"
	refused badRequest ask get-cert q6
}

it_knows_no_CA_but_its_own() {
	check first q7
	(umask 077 && openssl req -x509 -newkey rsa:2048 -nodes -subj '/CN=Else' -days 10 -keyout "$work/else.key" -out "$work/else.pem" 2>/dev/null)
	refused badCertId ask get-crl q7 --serial 1 --issuer "$work/else.pem"
	refused badCertId ask get-cert q7 --serial "$(serial_of "$work/q7.pem")" --issuer "$work/else.pem"
}

it_has_no_next_CA_to_tell_of() {
	exits 1 scepctl next-ca "$SCEP_URL" --out "$work/next.pem"
	matches 'GetNextCACert: the server answers 4' "$(cat "$work/said")" "what scepctl says"
	check test ! -e "$work/next.pem"
}

it_serves_the_CRL_that_is_in_time_when_no_new_one_can_be_made() {
	check first q20
	check test "$(http "$HTTP_URL/crl/test-ca.crl")" = 200
	check scepctl certificate revoke "$(serial_of "$work/q20.pem")" --reason keyCompromise
	sleep 2.1
	echo 'crl fail' >"$FAULT_FILE"
	equal 200 "$(http "$HTTP_URL/crl/test-ca.crl")" "status without a new CRL"
	check test ! -e "$FAULT_FILE"
	sleep 2.1
	curl -s -m 5 -o "$work/q20.crl" "$HTTP_URL/crl/test-ca.crl"
	matches "$(serial_of "$work/q20.pem")" "$(openssl crl -inform DER -in "$work/q20.crl" -noout -text | sed 's/Serial Number: //')" "the CRL"
}

it_keeps_what_always_holds() {
	check invariants
}

run_tests "$@"
