#!/bin/bash
# Clauses of RFC 8894 through the whole stack that no other file shows; docs/conformance.md names the tests of all of them.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up
static=(--ca test-ca --challenge-mode static --challenge "$CHALLENGE" --renewal-threshold-days 36500)

# exits STATUS COMMAND…: with exactly this exit status; what it said is in $work/said.
exits() {
	local want=$1 have=0
	shift
	"$@" >"$work/said" 2>&1 || have=$?
	cat "$work/said"
	[ "$have" -eq "$want" ] || fail "want exit status $want, have $have: $*"
}

# ask NAME TYPE URL [OPTIONS…]: makes $work/NAME.der by pkimessage with $work/NAME.key, sends it, and prints what comes back.
ask() {
	local name=$1 type=$2 url=$3
	shift 3
	message "$name" "CN=$name,O=Example" "${challenge-$CHALLENGE}" "$url" --type "$type" "$@"
	equal 200 "$(send "$name" "$url")" "HTTP status"
	reply "$name"
}

# certificates_of NAME: how many were issued to CN=NAME.
certificates_of() {
	sql "SELECT count(*) FROM certificate WHERE subject LIKE '%CN=$1,%' OR subject LIKE '%CN=$1'"
}

# ---- 2.1.2 ----------------------------------------------------------------------------------------------------------------------

usage_of() {
	openssl x509 -in "$1" -noout -ext keyUsage | sed -n 's/^ *//; 2p'
}

it_says_in_the_keyUsage_of_CA_and_RA_what_their_keys_do() {
	local url
	for url in "$SCEP_URL" "$SCEP_URL_EC"; do
		curl -s -o "$work/list.p7" "$url?operation=GetCACert"
		openssl pkcs7 -inform DER -in "$work/list.p7" -print_certs | awk -v work="$work" '/BEGIN/ {n++} n {print >(work "/list" n ".pem")}'
		equal 'Digital Signature, Key Encipherment' "$(usage_of "$work/list1.pem")" "the RA's, at $url"
		equal 'Digital Signature, Certificate Sign, CRL Sign' "$(usage_of "$work/list2.pem")" "the CA's, at $url"
	done
}

# import NAME KEYUSAGE: a CA whose certificate another program made; what is said of it is in $work/said.
import() {
	(umask 077 && openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=$1" -days 100 -keyout "$work/$1.key" -out "$work/$1.pem" \
		-addext basicConstraints=critical,CA:TRUE -addext "keyUsage=critical,$2" 2>/dev/null)
	exits 0 scepctl ca import "$1" --certificate "$work/$1.pem" --key-file "$work/$1.key"
}

it_warns_of_an_imported_CA_that_may_not_sign_what_GetNextCACert_tells() {
	import bare keyCertSign,cRLSign
	matches 'warning: .*digitalSignature' "$(cat "$work/said")" "without digitalSignature"
	import whole digitalSignature,keyCertSign,cRLSign
	no_match 'digitalSignature' "$(cat "$work/said")" "with digitalSignature"
}

# ---- 2.3, 2.4: who signs --------------------------------------------------------------------------------------------------------

# The signer's certificate is self-signed, but for another key than the CSR's.
it_wants_the_CSRs_key_of_a_self_signed_signer_unless_the_profile_does_not() {
	local signer=(--signer-cert "$work/self.pem" --signer-key "$work/self.key")
	(umask 077 && openssl req -x509 -newkey rsa:2048 -nodes -subj '/O=Example/CN=selfish' -days 10 -keyout "$work/self.key" -out "$work/self.pem" 2>/dev/null)
	equal 'FAILURE badMessageCheck ' "$(ask selfish 19 "$SCEP_URL" "${signer[@]}")" "two keys"
	equal SUCCESS "$(ask selfish 19 "$SCEP_URL")" "one key"
	scepctl profile create loose "${static[@]}" --require-signer-key no
	equal SUCCESS "$(ask selfish 19 "$HTTP_URL/scep/loose" "${signer[@]}")" "two keys, where that is allowed"
}

# It authenticates nobody; the challenge beside it does, as with any first enrolment.
it_takes_a_RenewalReq_of_a_self_signed_signer_for_no_renewal() {
	matches '^FAILURE badCertId .*self-signed' "$(challenge=wrong ask unsigned 17 "$SCEP_URL")" "a wrong challenge"
	equal 0 "$(certificates_of unsigned)" "certificates"
	equal SUCCESS "$(ask unsigned 17 "$SCEP_URL")" "the right challenge"
	equal 1 "$(certificates_of unsigned)" "certificates"
	equal 0 "$(sql "SELECT count(*) FROM certificate WHERE subject LIKE '%CN=unsigned%' AND predecessor_id IS NOT NULL")" "renewals"
}

# manufacturer NAME: a CA, $work/NAME.pem, and a device's certificate by it, $work/NAME-device.pem.
manufacturer() {
	(umask 077 && openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=$1" -days 10 -keyout "$work/$1.key" -out "$work/$1.pem" \
		-addext basicConstraints=critical,CA:TRUE 2>/dev/null &&
		openssl req -newkey rsa:2048 -nodes -subj "/O=$1/CN=device-of-$1" -keyout "$work/$1-device.key" -out "$work/$1-device.csr" 2>/dev/null)
	openssl x509 -req -in "$work/$1-device.csr" -CA "$work/$1.pem" -CAkey "$work/$1.key" -set_serial 77 -days 5 -out "$work/$1-device.pem" 2>/dev/null
}

# by_device NAME NEW [OPTIONS…]: a certificate for the manufacturer's device's own name.
by_device() {
	local name=$1 new=$2
	shift 2
	rm -f "$work/$new.key" "$work/$new.pem"
	scepctl enrol "$HTTP_URL/scep/made" --renew "$work/$name-device.pem" --renew-key "$work/$name-device.key" --key-out "$work/$new.key" \
		--cert-out "$work/$new.pem" "$@"
}

it_takes_a_certificate_of_another_CA_where_the_profile_trusts_that_CA() {
	manufacturer maker
	manufacturer stranger
	scepctl profile create made "${static[@]}"
	exits 1 by_device maker made1
	matches 'FAILURE: badCertId' "$(cat "$work/said")" "before it is trusted"
	check scepctl anchor add made "$work/maker.pem"
	check by_device maker made1
	check issued "$work/made1.pem"
	matches 'CN = device-of-maker' "$(openssl x509 -in "$work/made1.pem" -noout -subject)" "its name"
	check by_device maker made2 --pkcsreq
	check issued "$work/made2.pem"
	exits 1 by_device stranger made3
	matches 'FAILURE: badCertId' "$(cat "$work/said")" "of a CA that is not trusted"
	exits 1 by_device maker made3 --subject CN=another,O=maker
	exits 1 by_device maker made3 --san dns:made.example
	check test ! -e "$work/made3.pem"
}

it_asks_for_the_challenge_where_somebody_approves_too() {
	matches '^FAILURE badRequest' "$(challenge=wrong ask manual1 19 "$SCEP_URL_MANUAL")" "a wrong challenge"
	equal PENDING "$(ask manual1 19 "$SCEP_URL_MANUAL")" "the right one"
}

# ---- 2.9, 3.5.2 -----------------------------------------------------------------------------------------------------------------

it_promises_SCEPStandard_only_where_MD5_and_single_DES_are_refused() {
	matches '^SCEPStandard$' "$(curl -s "$SCEP_URL?operation=GetCACaps")" demo
	no_match '^SCEPStandard$' "$(curl -s "$SCEP_URL_LEGACY?operation=GetCACaps")" legacy
	matches '^POSTPKIOperation$' "$(curl -s "$SCEP_URL_LEGACY?operation=GetCACaps")" legacy
	scepctl profile create older "${static[@]}" --digests SHA-256,SHA-1 --ciphers AES-128-CBC,DES3
	matches '^SCEPStandard$' "$(curl -s "$HTTP_URL/scep/older?operation=GetCACaps")" "SHA-1 and triple DES are allowed"
}

# ---- 3.2, 3.3: what is in the envelope ------------------------------------------------------------------------------------------

it_refuses_content_that_is_not_of_the_messageType() {
	local url=$SCEP_URL
	equal SUCCESS "$(ask typed 19 "$url")" "a CSR in a PKCSReq"
	check enrol mine "$url" --challenge "$CHALLENGE"
	# No CSR in a PKCSReq and a RenewalReq; a CSR in GetCert and GetCRL.
	printf '0\203\001\0\0' >"$work/junk"
	openssl req -new -key "$work/typed.key" -subj /CN=typed -outform DER -out "$work/csr.der" 2>/dev/null
	equal 'FAILURE badMessageCheck ' "$(ask typed 19 "$url" --content "$work/junk")" "octets in a PKCSReq"
	equal 'FAILURE badMessageCheck ' "$(ask typed 17 "$url" --content "$work/junk")" "octets in a RenewalReq"
	cp "$work/mine.key" "$work/query.key"
	query=(--signer-cert "$work/mine.pem" --signer-key "$work/mine.key")
	equal SUCCESS "$(ask query 21 "$url" "${query[@]}")" "an IssuerAndSerialNumber in GetCert"
	matches '^FAILURE badCertId' "$(ask query 21 "$url" "${query[@]}" --content "$work/csr.der")" "a CSR in GetCert"
	matches '^FAILURE badCertId' "$(ask query 22 "$url" "${query[@]}" --content "$work/csr.der")" "a CSR in GetCRL"
}

# What does not open is answered, to the octet of failInfoText, as what matches nothing: its content is signed by nobody.
it_answers_a_query_that_does_not_open_like_one_that_matches_nothing() {
	local type want have
	check enrol asker "$SCEP_URL" --challenge "$CHALLENGE"
	query=(--signer-cert "$work/asker.pem" --signer-key "$work/asker.key")
	curl -s -o "$work/other.p7" "$SCEP_URL_LEGACY?operation=GetCACert"
	openssl pkcs7 -inform DER -in "$work/other.p7" -print_certs | openssl x509 -out "$work/other-ra.pem"
	for type in 21 22; do
		want=$(ask asker "$type" "$SCEP_URL" "${query[@]}" --issuer 'CN=No CA' --serial 4711)
		matches '^FAILURE badCertId ' "$want" "type $type, nothing matches"
		have=$(ask asker "$type" "$SCEP_URL" "${query[@]}" --recipient-cert "$work/other-ra.pem")
		equal "$want" "$have" "type $type, for another recipient"
		equal SUCCESS "$(ask asker "$type" "$SCEP_URL" "${query[@]}")" "type $type, as it should be"
	done
	eventually 5 audit_tells 'the envelope is for another recipient'
}

audit_tells() {
	scepctl audit list --failed --limit 100 | grep -qE -- "$1"
}

# 3.3.3: transactionID and key tell the transaction; what the poll says beside them is not looked at.
it_goes_by_the_transactionID_of_a_poll_and_not_by_its_content() {
	equal PENDING "$(ask polled 19 "$SCEP_URL_MANUAL" --transaction-id polled-4711)" "the request"
	printf 'not an IssuerAndSubject' >"$work/junk"
	equal PENDING "$(ask polled 20 "$SCEP_URL_MANUAL" --transaction-id polled-4711 --content "$work/junk")" "a poll with other content"
	equal PENDING "$(ask polled 20 "$SCEP_URL_MANUAL" --transaction-id polled-4711 --issuer 'CN=No CA')" "a poll that names another CA"
	matches '^FAILURE badCertId' "$(ask polled 20 "$SCEP_URL_MANUAL" --transaction-id polled-4712)" "another transactionID"
}

it_keeps_requests_of_one_key_apart_by_their_transactionIDs() {
	equal PENDING "$(ask apart 19 "$SCEP_URL_MANUAL" --transaction-id apart-1)" "the first"
	equal PENDING "$(ask apart 19 "$SCEP_URL_MANUAL" --transaction-id apart-2 --san dns:apart.example)" "the second"
	check scepctl transaction approve apart-2
	equal PENDING "$(ask apart 20 "$SCEP_URL_MANUAL" --transaction-id apart-1)" "a poll for the first"
	equal SUCCESS "$(ask apart 20 "$SCEP_URL_MANUAL" --transaction-id apart-2)" "a poll for the second"
	matches 'DNS:apart.example' "$(openssl x509 -in "$work/apart.pem" -noout -ext subjectAltName)" "what it polled for"
}

# ---- 4.1 ------------------------------------------------------------------------------------------------------------------------

it_is_sent_messages_by_POST_unless_told_otherwise() {
	check enrol posted "$SCEP_URL" --challenge "$CHALLENGE"
	equal http-post "$(transport posted)" transport
	check enrol gotten "$SCEP_URL" --challenge "$CHALLENGE" --get
	equal http-get "$(transport gotten)" "transport with --get"
}

transport() {
	sql "SELECT transport FROM audit_event WHERE outcome = 'success' AND serial = lower('$(serial_of "$work/$1.pem")')"
}

it_keeps_what_always_holds() {
	check invariants
}

run_tests "$@"
