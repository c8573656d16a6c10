#!/bin/bash
# strongSwan's pki --scepca and --scep.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
command -v pki >/dev/null || skip_all "strongswan-pki is not installed"
stack_up

# fetch_ca URL: ca.pem and ra.pem in $work.
fetch_ca() {
	pki --scepca --url "$1" --caout "$work/ca.pem" --raout "$work/ra.pem" --outform pem --force
}

# request URL NAME PASSWORD OPTIONS…
request() {
	local url=$1 name=$2 password=$3
	shift 3
	[ -s "$work/$name.key" ] || pki --gen --type rsa --size 2048 --outform pem >"$work/$name.key"
	pki --scep --url "$url" --in "$work/$name.key" --dn "C=CH, O=Example, CN=$name" --san "$name.example" --password "$password" \
		--cacert-enc "$work/ra.pem" --cacert-sig "$work/ra.pem" --cacert "$work/ca.pem" --interval 1 --maxpolltime 8 --outform pem "$@" \
		>"$work/$name.pem"
}

it_fetches_the_CA_and_the_RA_certificate() {
	check fetch_ca "$SCEP_URL"
	check openssl verify -CAfile "$CA_PEM" "$work/ra.pem"
	equal "$CA_FINGERPRINT" "$(openssl x509 -in "$work/ca.pem" -outform DER | sha256sum | cut -d' ' -f1)" "the CA's fingerprint"
}

it_enrols_with_the_static_challenge() {
	check request "$SCEP_URL" device1 "$CHALLENGE"
	check issued "$work/device1.pem"
	matches 'DNS:device1.example' "$(openssl x509 -in "$work/device1.pem" -noout -ext subjectAltName)" "subjectAltName"
}

it_is_refused_with_a_wrong_challenge() {
	refuse request "$SCEP_URL" device2 "wrong-$CHALLENGE"
	equal 0 "$(sql "SELECT count(*) FROM certificate WHERE subject LIKE '%CN=device2%'")" "certificates"
}

it_enrols_with_a_one_time_challenge_and_is_refused_a_second_time() {
	local once
	once=$(scepctl challenge new --profile mdm)
	fetch_ca "$SCEP_URL_DYNAMIC"
	check request "$SCEP_URL_DYNAMIC" device3 "$once"
	check issued "$work/device3.pem"
	refuse request "$SCEP_URL_DYNAMIC" device4 "$once"
	check invariants
}

it_enrols_with_SHA_512() {
	fetch_ca "$SCEP_URL"
	check request "$SCEP_URL" device5 "$CHALLENGE" --digest sha512
	check issued "$work/device5.pem"
}

run_tests "$@"
