#!/bin/bash
# Renewing a certificate through the whole stack: by RenewalReq and by PKCSReq, with RSA and EC keys, and being refused.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up
scepctl profile set demo --renewal-threshold-days 36500 --curves P-256,P-384,P-521 >/dev/null 2>&1

# exits STATUS COMMAND…: with exactly this exit status; what it said is in $work/said.
exits() {
	local want=$1 have=0
	shift
	"$@" >"$work/said" 2>&1 || have=$?
	cat "$work/said"
	[ "$have" -eq "$want" ] || fail "want exit status $want, have $have: $*"
}

# first NAME [OPTIONS…]: a certificate to renew.
first() {
	local name=$1
	shift
	enrol "$name" "$SCEP_URL" --challenge "$CHALLENGE" "$@" && issued "$work/$name.pem"
}

# renew OLD NEW [OPTIONS…]: with a new key.
renew() {
	local old=$1 new=$2
	shift 2
	rm -f "$work/$new.key" "$work/$new.pem"
	scepctl enrol "${url:-$SCEP_URL}" --renew "$work/$old.pem" --renew-key "$work/$old.key" --key-out "$work/$new.key" \
		--cert-out "$work/$new.pem" "$@"
}

# renew_same OLD NEW [OPTIONS…]: with its own key.
renew_same() {
	local old=$1 new=$2
	shift 2
	rm -f "$work/$new.pem"
	scepctl enrol "${url:-$SCEP_URL}" --renew "$work/$old.pem" --renew-key "$work/$old.key" --same-key --cert-out "$work/$new.pem" "$@"
}

# refused FAILINFO COMMAND…: exit status 1, with this failInfo.
refused() {
	local want=$1
	shift
	exits 1 "$@"
	matches "FAILURE: $want" "$(cat "$work/said")" "the answer"
}

# renewed OLD NEW: NEW is issued, for the same names, and the store says what it renews; whatever the stack's clock says.
renewed() {
	check openssl verify -no_check_time -CAfile "$CA_PEM" "$work/$2.pem" &&
		matches '^[1-9]' "$(sql "SELECT count(*) FROM audit_event WHERE outcome = 'success' AND serial = lower('$(serial_of "$work/$2.pem")')")" \
			"audit rows" &&
		equal "$(openssl x509 -in "$work/$1.pem" -noout -subject -ext subjectAltName 2>/dev/null)" \
			"$(openssl x509 -in "$work/$2.pem" -noout -subject -ext subjectAltName 2>/dev/null)" "the names" &&
		equal "$(serial_of "$work/$1.pem" | tr A-F a-f)" \
			"$(sql "SELECT lower(hex(o.serial)) FROM certificate n JOIN certificate o ON o.id = n.predecessor_id
				WHERE hex(n.serial) = upper('$(serial_of "$work/$2.pem")')")" "what it renews"
}

key_of() {
	openssl x509 -in "$work/$1.pem" -noout -pubkey
}

# message_type NAME: in the audit.
message_type() {
	sql "SELECT message_type FROM audit_event WHERE outcome = 'success' AND serial = lower('$(serial_of "$work/$1.pem")')"
}

it_renews_by_RenewalReq_with_a_new_key_and_without_a_challenge() {
	check first r1 --san dns:r1.example,ip:192.0.2.1
	check renew r1 r1b
	check renewed r1 r1b
	refuse test "$(key_of r1)" = "$(key_of r1b)"
	equal RenewalReq "$(message_type r1b)" "messageType in the audit"
	# And on, from the new one.
	check renew r1b r1c
	check renewed r1b r1c
}

it_renews_by_PKCSReq_that_the_old_certificate_signs() {
	check first r2
	check renew r2 r2b --pkcsreq
	check renewed r2 r2b
	equal PKCSReq "$(message_type r2b)" "messageType in the audit"
}

it_renews_by_GET_too() {
	check first r3
	check renew r3 r3b --get
	check renewed r3 r3b
}

it_renews_with_the_same_key_by_either_message() {
	check first r4
	check renew_same r4 r4b
	check renewed r4 r4b
	equal "$(key_of r4)" "$(key_of r4b)" "the key"
	refuse cmp "$work/r4.pem" "$work/r4b.pem"
	check renew_same r4 r4c --pkcsreq
	check issued "$work/r4c.pem"
}

it_refuses_the_same_key_where_the_profile_says_so() {
	check scepctl profile create fresh --ca test-ca --challenge "$CHALLENGE" --renewal-threshold-days 36500 --same-key-renewal no
	url=$HTTP_URL/scep/fresh
	check enrol r5 "$url" --challenge "$CHALLENGE"
	refused badRequest renew_same r5 r5b
	check test ! -e "$work/r5b.pem"
	check renew r5 r5b
	check renewed r5 r5b
}

it_asks_for_a_challenge_where_certificates_do_not_renew_by_themselves() {
	check scepctl profile create strict --ca test-ca --challenge "$CHALLENGE" --renewal-threshold-days 36500 --certificate-renewal no
	url=$HTTP_URL/scep/strict
	check enrol r6 "$url" --challenge "$CHALLENGE"
	exits 1 renew r6 r6b
	check test ! -e "$work/r6b.pem"
	check renew r6 r6b --challenge "$CHALLENGE"
	check issued "$work/r6b.pem"
}

it_ignores_a_challenge_beside_a_certificate_that_authorises() {
	check first r7
	check renew r7 r7b --challenge not-the-challenge
	check renewed r7 r7b
}

it_answers_the_same_renewal_again_with_its_first_certificate() {
	check first r8
	(umask 077 && openssl genrsa -out "$work/r8b.key" 2048 2>/dev/null)
	for n in 1 2; do
		check scepctl enrol "$SCEP_URL" --renew "$work/r8.pem" --renew-key "$work/r8.key" --key-file "$work/r8b.key" \
			--cert-out "$work/r8b$n.pem"
	done
	check cmp "$work/r8b1.pem" "$work/r8b2.pem"
	check renewed r8 r8b1
}

it_refuses_a_key_that_is_not_the_certificates() {
	check first r9
	check first r9x
	exits 1 scepctl enrol "$SCEP_URL" --renew "$work/r9.pem" --renew-key "$work/r9x.key" --same-key --cert-out "$work/r9b.pem"
	matches 'is not the key of' "$(cat "$work/said")" "what scepctl says"
}

it_refuses_a_certificate_that_only_looks_like_one_of_its_own() {
	# The issuer's name and the serial number of r21, by a CA of the forger's.
	check first r21
	(umask 077 && openssl req -x509 -newkey rsa:2048 -nodes -subj '/CN=Test CA/O=Example' -days 10 -keyout "$work/forger.key" -out "$work/forger.pem" 2>/dev/null &&
		openssl req -newkey rsa:2048 -nodes -subj '/CN=r21/O=Example' -keyout "$work/r21x.key" -out "$work/r21x.csr" 2>/dev/null)
	openssl x509 -req -in "$work/r21x.csr" -CA "$work/forger.pem" -CAkey "$work/forger.key" -set_serial "0x$(serial_of "$work/r21.pem")" \
		-days 5 -out "$work/r21x.pem" 2>/dev/null
	equal "$(serial_of "$work/r21.pem")" "$(serial_of "$work/r21x.pem")" "the serial number"
	refused badCertId renew r21x r21b
	refused badCertId renew_same r21x r21b --pkcsreq
	check test ! -e "$work/r21b.pem"
}

it_refuses_another_subject_or_SAN() {
	check first r10 --san dns:r10.example
	refused badRequest renew r10 r10b --subject CN=r10,O=Other
	refused badRequest renew r10 r10b --san dns:r11.example
	refused badRequest renew r10 r10b --san ''
	refused badRequest renew r10 r10b --pkcsreq --subject CN=other,O=Example
	check test ! -e "$work/r10b.key"
	check renew r10 r10b --subject CN=r10,O=Example --san dns:r10.example
	check renewed r10 r10b
}

it_refuses_a_certificate_that_has_ended_but_a_challenge_enrols_it_anew() {
	check scepctl profile create short --ca test-ca --challenge "$CHALLENGE" --validity-days 2 --renewal-threshold-days 1
	url=$HTTP_URL/scep/short
	check enrol r12 "$url" --challenge "$CHALLENGE"
	stack clock +180000
	refused badCertId renew r12 r12b
	check renew r12 r12b --challenge "$CHALLENGE"
	stack clock =0
	check openssl verify -no_check_time -CAfile "$CA_PEM" "$work/r12b.pem"
}

it_refuses_a_renewal_that_comes_too_early() {
	check scepctl profile create timely --ca test-ca --challenge "$CHALLENGE" --validity-days 10 --renewal-threshold-days 3
	url=$HTTP_URL/scep/timely
	check enrol r13 "$url" --challenge "$CHALLENGE"
	refused badRequest renew r13 r13b
	stack clock +$((6 * 86400))
	refused badRequest renew r13 r13b
	stack clock +$((2 * 86400))
	check renew r13 r13b
	check renewed r13 r13b
	stack clock =0
}

it_refuses_a_revoked_certificate() {
	check first r14
	check renew r14 r14b
	check scepctl certificate revoke "$(serial_of "$work/r14.pem")" --reason keyCompromise
	refused badCertId renew r14 r14c
	refused badCertId renew_same r14 r14c --pkcsreq
	check test ! -e "$work/r14c.pem"
	# Its successor is its own.
	check renew r14b r14c
}

it_refuses_certificates_of_other_profiles_but_those_in_renew_from() {
	check scepctl profile create island --ca test-ca --challenge "$CHALLENGE" --renewal-threshold-days 36500
	check enrol r15 "$HTTP_URL/scep/island" --challenge "$CHALLENGE"
	refused badCertId renew r15 r15b
	check scepctl profile create harbour --ca test-ca --challenge "$CHALLENGE" --renewal-threshold-days 36500 --renew-from island
	url=$HTTP_URL/scep/harbour check renew r15 r15b
	check renewed r15 r15b
}

it_refuses_certificates_that_are_not_its_CAs() {
	(umask 077 && openssl req -x509 -newkey rsa:2048 -nodes -subj '/CN=r16/O=Example' -days 10 -keyout "$work/r16.key" -out "$work/r16.pem" 2>/dev/null)
	(umask 077 && openssl req -x509 -newkey rsa:2048 -nodes -subj '/CN=Else' -days 10 -keyout "$work/else.key" -out "$work/else.pem" 2>/dev/null &&
		openssl req -newkey rsa:2048 -nodes -subj '/CN=r17/O=Example' -keyout "$work/r17.key" -out "$work/r17.csr" 2>/dev/null)
	openssl x509 -req -in "$work/r17.csr" -CA "$work/else.pem" -CAkey "$work/else.key" -CAcreateserial -days 5 -out "$work/r17.pem" 2>/dev/null
	exits 1 renew r16 r16b
	refused badCertId renew r17 r17b
	check test ! -e "$work/r16b.pem"
	check test ! -e "$work/r17b.pem"
}

it_lets_a_certificate_have_so_many_successors_and_no_more() {
	check scepctl profile create twice --ca test-ca --challenge "$CHALLENGE" --renewal-threshold-days 36500 --max-successors 2
	url=$HTTP_URL/scep/twice
	check enrol r18 "$url" --challenge "$CHALLENGE"
	check renew r18 r18a
	check renew r18 r18b
	exits 1 renew r18 r18c
	check test ! -e "$work/r18c.pem"
	check renew r18b r18c
}

it_renews_EC_certificates_of_three_curves_under_a_challenge() {
	local curve secret
	secret=$(openssl rand -hex 16)
	check scepctl profile create curves --ca test-ca --challenge "$secret" --renewal-threshold-days 36500 --curves P-256,P-384,P-521
	url=$HTTP_URL/scep/curves
	for curve in P-256 P-384 P-521; do
		check enrol "$curve" "$url" --challenge "$secret" --key "ec:$curve"
		check issued "$work/$curve.pem"
		check renew "$curve" "$curve-b" --challenge "$secret"
		check renewed "$curve" "$curve-b"
		check renew_same "$curve" "$curve-c" --challenge "$secret" --pkcsreq
		check renewed "$curve" "$curve-c"
		# The certificate authorises: the challenge only keys the reply, so any other does it.
		check renew "$curve" "$curve-d" --challenge "$(openssl rand -hex 16)"
		exits 2 renew "$curve" "$curve-e"
		matches 'encrypted under the challenge' "$(cat "$work/said")" "what scepctl says"
	done
}

it_renews_from_RSA_to_EC_and_back() {
	check first r19
	check renew r19 r19b --key ec:P-256
	check renewed r19 r19b
	check renew r19b r19c --key rsa:2048 --challenge "$(openssl rand -hex 16)"
	check renewed r19b r19c
}

it_writes_why_a_renewal_was_refused_into_the_audit_alone() {
	check first r20
	refused badRequest renew r20 r20b --subject CN=elsewhere,O=Example
	eventually 5 audit_tells 'RenewalReq.*elsewhere|elsewhere.*RenewalReq'
}

audit_tells() {
	scepctl audit list --failed --limit 500 --json | tr -d '\n' | sed 's/},/},\n/g' | grep -qE "$1"
}

it_keeps_what_always_holds() {
	check invariants
}

run_tests "$@"
