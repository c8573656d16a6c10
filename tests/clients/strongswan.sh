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

# RenewalReq, signed by the old certificate, for a new key; without a challenge.
it_renews_with_the_old_certificate_by_type_17() {
	local old
	fetch_ca "$SCEP_URL"
	check request "$SCEP_URL" device6 "$CHALLENGE"
	old=$(serial_of "$work/device6.pem")
	check renew "$SCEP_URL" device6 device6b
	check issued "$work/device6b.pem"
	equal "RenewalReq $old" "$(sql "SELECT a.message_type || ' ' || hex(p.serial) FROM certificate c JOIN certificate p ON p.id = c.predecessor_id
		JOIN audit_event a ON a.serial = lower(hex(c.serial)) AND a.outcome = 'success' WHERE hex(c.serial) = '$(serial_of "$work/device6b.pem")'")" \
		"its message and its predecessor"
	# Not with a certificate of somebody else's.
	openssl req -x509 -newkey rsa:2048 -nodes -subj '/C=CH/O=Example/CN=device6' -keyout "$work/stranger.key" -out "$work/stranger.pem" 2>/dev/null
	refuse renew "$SCEP_URL" stranger device6c device6
	check test ! -s "$work/device6c.pem"
}

# renew URL OLD NEW [CN]
renew() {
	pki --gen --type rsa --size 2048 --outform pem >"$work/$3.key"
	pki --scep --url "$1" --in "$work/$3.key" --dn "C=CH, O=Example, CN=${4-$2}" --san "${4-$2}.example" --cert "$work/$2.pem" --key "$work/$2.key" \
		--cacert-enc "$work/ra.pem" --cacert-sig "$work/ra.pem" --cacert "$work/ca.pem" --interval 1 --maxpolltime 8 --outform pem >"$work/$3.pem"
}

# It polls by CertPoll (20).
it_polls_a_request_that_waits_for_approval() {
	local id status=0
	fetch_ca "$SCEP_URL_MANUAL"
	request "$SCEP_URL_MANUAL" device7 "$CHALLENGE" --maxpolltime 60 &
	eventually 20 waits device7
	id=$(scepctl transaction list | awk '$2 == "pending" && /CN=device7/ { print $1 }')
	scepctl transaction approve "$id"
	wait $! || status=$?
	equal 0 "$status" "exit status of the client that waited"
	check issued "$work/device7.pem"
	# One that is rejected gets nothing.
	request "$SCEP_URL_MANUAL" device8 "$CHALLENGE" --maxpolltime 60 &
	eventually 20 waits device8
	id=$(scepctl transaction list | awk '$2 == "pending" && /CN=device8/ { print $1 }')
	scepctl transaction reject "$id" --reason "not ours"
	status=0
	wait $! || status=$?
	refuse test "$status" = 0
	equal 0 "$(sql "SELECT count(*) FROM certificate WHERE subject LIKE '%CN=device8%'")" "certificates"
}

waits() {
	scepctl transaction list | grep -q "pending.*CN=$1"
}

run_tests "$@"
