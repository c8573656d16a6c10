#!/bin/bash
# What may be in the certificate, through the whole stack: rules of fields from each source, Microsoft's extensions, an end by date, and
# who may have several certificates.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up

# profile NAME [OPTIONS…]: a profile of a test's own, with the stack's challenge; its URL is $url.
profile() {
	local name=$1
	shift
	url=$HTTP_URL/scep/$name
	scepctl profile create "$name" --ca test-ca --challenge "$CHALLENGE" --renewal-threshold-days 36500 "$@"
}

# get NAME SUBJECT [OPTIONS…]: enrol at $url for a subject; writes $work/NAME.key and $work/NAME.pem.
get() {
	local name=$1 subject=$2
	shift 2
	rm -f "$work/$name.key" "$work/$name.pem"
	scepctl enrol "$url" --subject "$subject" --challenge "$CHALLENGE" --key ec:P-256 --key-out "$work/$name.key" \
		--cert-out "$work/$name.pem" "$@"
}

# refused TEXT COMMAND…: badRequest with this failInfoText, and an audit row that says so.
refused() {
	local want=$1 have=0
	shift
	"$@" >"$work/said" 2>&1 || have=$?
	cat "$work/said"
	equal 1 "$have" "exit status"
	matches 'badRequest' "$(cat "$work/said")" "the answer"
	matches "$want" "$(cat "$work/said")" "the text of the answer"
	eventually 10 audited "$want"
}

audited() {
	test "$(sql "SELECT count(*) FROM audit_event WHERE outcome = 'refused' AND reason LIKE '%$1%'")" -gt 0
}

subject_of() {
	openssl x509 -in "$work/$1.pem" -noout -subject -nameopt RFC2253,-esc_msb,utf8
}

san_of() {
	openssl x509 -in "$work/$1.pem" -noout -ext subjectAltName 2>/dev/null | sed -n '2s/^ *//p'
}

revoked() {
	test "$(sql "SELECT status FROM certificate WHERE hex(serial) = upper('$(serial_of "$work/$1.pem")')")" = revoked
}

it_keeps_the_order_and_drops_or_refuses_what_no_rule_names() {
	check profile order --field subject.commonName,required --field subject.organizationalUnit,multiple --field san.dns,multiple
	check get o1 'OU=b,O=dropped,CN=o1,OU=a' --san dns:a.example,ip:192.0.2.1,dns:b.example
	equal 'subject=OU=a,CN=o1,OU=b' "$(subject_of o1)" "the subject"
	equal 'DNS:a.example, DNS:b.example' "$(san_of o1)" "the SAN"
	check scepctl profile set order --extra refuse
	refused 'subject.organization: not allowed' get o2 'O=refused,CN=o2'
	refused 'san.ip: not allowed' get o2 'CN=o2' --san ip:192.0.2.1
	refused 'subject.commonName: required' get o2 'OU=a'
	check scepctl field set order subject.organizationalUnit subject.organizationalUnit
	refused 'subject.organizationalUnit: more than one' get o2 'CN=o2,OU=a,OU=b'
}

it_puts_fixed_values_of_each_kind_into_the_certificate() {
	check profile fixed --field subject.commonName,required --field 'subject.organization,fixed=Example, Inc.' \
		--field subject.country,fixed=CH --field subject.domainComponent,fixed=org --field subject.domainComponent,fixed=example \
		--field san.uri,fixed=urn:x:1 --field san.ip,fixed=2001:db8::1 --field san.registeredId,fixed=1.2.3 \
		--field san.upn,fixed=u@x.example --field 'san.directoryName,fixed=O=Example,CN=d'
	check get f1 'O=asked,CN=f1' --san uri:urn:asked
	equal 'subject=DC=example,DC=org,C=CH,O=Example\, Inc.,CN=f1' "$(subject_of f1)" "the subject"
	matches 'URI:urn:x:1, IP Address:2001:DB8:0:0:0:0:0:1, Registered ID:1.2.3, othername:.*DirName:/?O ?= ?Example' "$(san_of f1)" "the SAN"
	no_match 'urn:asked' "$(san_of f1)" "the SAN"
	openssl asn1parse -in "$work/f1.pem" >"$work/f1.asn1"
	matches 'PRINTABLESTRING *:CH' "$(cat "$work/f1.asn1")" "the country"
	matches 'IA5STRING *:org' "$(cat "$work/f1.asn1")" "the domain component"
	# Its own names asked for again are no others.
	check scepctl enrol "$url" --renew "$work/f1.pem" --renew-key "$work/f1.key" --key ec:P-256 --key-out "$work/f1b.key" \
		--cert-out "$work/f1b.pem" --challenge "$CHALLENGE"
	equal "$(subject_of f1)" "$(subject_of f1b)" "the subject of the renewal"
	equal "$(san_of f1)" "$(san_of f1b)" "the SAN of the renewal"
}

it_refuses_values_that_have_not_the_form_or_length() {
	check profile form --field 'subject.commonName,required,min=4,max=8,pattern=d-[0-9]+|[[:alpha:]äöü]{2,}' \
		--field 'san.dns,multiple,pattern=([a-z0-9-]+\.)+example' --field 'san.ip,pattern=10\..*'
	check get p1 CN=d-17 --san dns:a.b.example,dns:c.example,ip:10.1.2.3
	check get p2 CN=Küche
	refused 'subject.commonName: too short' get p3 CN=d-1
	refused 'subject.commonName: too long' get p3 CN=d-1234567
	refused 'subject.commonName: not of the form' get p3 CN=xd-17
	refused 'san.dns: not of the form' get p3 CN=d-17 --san dns:a.example,dns:a.example.org
	refused 'san.ip: not of the form' get p3 CN=d-17 --san ip:11.1.2.3
	# What would take others forever.
	check profile slow --field 'subject.commonName,pattern=(a|aa)+b'
	refused 'not of the form' get p4 "CN=$(printf 'a%.0s' {1..1000})"
}

it_changes_rules_one_by_one_and_keeps_required_ones_of_a_profile_in_use() {
	local out
	check profile rules --field subject.commonName,required
	check scepctl field add rules --field san.dns,multiple --field 'san.dns,fixed=f.example' --field subject.title
	check scepctl field set rules san.dns/scepRequest 'san.dns,pattern=[a-z.]+'
	check scepctl field delete rules subject.title
	equal ' 1  subject.commonName,required
 2  san.dns,pattern=[a-z.]+
 3  san.dns,fixed=f.example' "$(scepctl field list rules)" "the list"
	equal '[a-z.]+' "$(scepctl --json field list rules | sed -n 's/.*"pattern": *"\([^"]*\)".*/\1/p' | head -n 1)" "the pattern in JSON"
	check get l1 CN=l1 --san dns:a.example
	equal 'DNS:a.example, DNS:f.example' "$(san_of l1)" "the SAN"
	out=$(scepctl field delete rules subject.commonName 2>&1 || true)
	matches 'clone' "$out" "deleting a required one"
	out=$(scepctl profile set rules --no-fields 2>&1 || true)
	matches 'clone' "$out" "deleting all"
	check scepctl field delete rules san.dns/fixed
	refuse scepctl field add rules --field 'subject.title,pattern=(a)\1'
	refuse scepctl field add rules --field subject.nothing
	refuse scepctl field delete rules 9
	matches 'fields: 3 -> 2 \(-san.dns,fixed=f.example\)' "$(sql "SELECT reason FROM audit_event WHERE action = 'raProfile.update'
		ORDER BY id DESC LIMIT 1")" "the audit"
	check scepctl profile clone rules rules2 --challenge "$CHALLENGE" --enabled
	equal "$(scepctl field list rules)" "$(scepctl field list rules2)" "the copy's rules"
}

# with_extensions NAME EXTENSION…: send a CSR with these by way of openssl; the answer is in $work/NAME.said.
with_extensions() {
	local name=$1 line
	shift
	{
		printf '[req]\nprompt=no\ndistinguished_name=dn\nattributes=a\nreq_extensions=e\n[dn]\nCN=%s\n' "$name"
		printf '[a]\nchallengePassword=%s\n[e]\n' "$CHALLENGE"
		for line in "$@"; do
			printf '%s\n' "$line"
		done
	} >"$work/$name.cnf"
	openssl genrsa -out "$work/$name.key" 2048 2>/dev/null
	openssl req -new -config "$work/$name.cnf" -key "$work/$name.key" -outform DER -out "$work/$name.csr"
	message "$name" "CN=$name" "$CHALLENGE" "$url" --content "$work/$name.csr"
	equal 200 "$(send "$name" "$url")" "HTTP status"
	reply "$name" >"$work/$name.said"
	cat "$work/$name.said"
}

sid='1.3.6.1.4.1.311.25.2=ASN1:SEQUENCE:sid
[sid]
name=IMPLICIT:0,SEQUENCE:other
[other]
id=OID:1.3.6.1.4.1.311.25.2.1
value=EXPLICIT:0,FORMAT:ASCII,OCTETSTRING:S-1-5-21-1-2-3-512'

it_copies_the_extensions_of_microsoft_by_switch() {
	check profile ms
	check with_extensions m1 '1.3.6.1.4.1.311.20.2=ASN1:BMPSTRING:User' "$sid"
	no_match '1.3.6.1.4.1.311' "$(openssl x509 -in "$work/m1.pem" -noout -text)" "extensions without the switches"
	check scepctl profile set ms --microsoft-sid yes --microsoft-template yes
	check with_extensions m2 '1.3.6.1.4.1.311.20.2=ASN1:BMPSTRING:User' "$sid"
	openssl x509 -in "$work/m2.pem" -noout -text >"$work/m2.text"
	matches 'S-1-5-21-1-2-3-512|1.3.6.1.4.1.311.25.2' "$(cat "$work/m2.text")" "the SID"
	matches 'Microsoft certificate template|1.3.6.1.4.1.311.20.2|U.s.e.r' "$(cat "$work/m2.text")" "the template"
	check with_extensions m3 '1.3.6.1.4.1.311.25.2=DER:30:03:02:01:05'
	matches 'FAILURE badRequest.*microsoftSid: malformed' "$(cat "$work/m3.said")" "a malformed SID"
	check scepctl profile set ms --microsoft-sid no --extensions refuse
	check with_extensions m4 "$sid"
	matches 'FAILURE badRequest.*microsoftSid: not allowed' "$(cat "$work/m4.said")" "a SID that is not copied"
}

it_ends_certificates_at_the_profiles_date() {
	local day=$((86400)) end
	end=$(date -u -d "@$(($(date +%s) + 10 * day))" +%Y-%m-%dT00:00:00Z)
	check profile dated --not-after "$end"
	check get d1 CN=d1
	equal "$(date -u -d "$end" +%s)" "$(date -u -d "$(openssl x509 -in "$work/d1.pem" -noout -enddate | cut -d= -f2)" +%s)" "notAfter"
	matches "not after +$end" "$(scepctl profile show dated)" "profile show"
	stack clock +$((11 * day))
	refused 'ended at' get d2 CN=d2
	check scepctl profile set dated --not-after none
	check get d3 CN=d3
	stack clock =0
	refuse scepctl profile set dated --not-after 2001-01-01
}

it_refuses_a_second_certificate_for_a_subject() {
	check profile one
	check get s1 CN=s1
	check scepctl profile set one --duplicates refuse
	refused 'there is a valid certificate for this already' get s1b CN=s1
	check get s2 CN=s2
	refused 'there is a valid certificate for this already' get s2b CN=s2
	# Renewing is not enrolling again, and what is revoked does not count.
	check scepctl enrol "$url" --renew "$work/s1.pem" --renew-key "$work/s1.key" --key ec:P-256 --key-out "$work/s1c.key" \
		--cert-out "$work/s1c.pem" --challenge "$CHALLENGE"
	check scepctl certificate revoke "$(serial_of "$work/s2.pem")"
	check get s2c CN=s2
}

it_revokes_the_older_certificate_when_the_newer_is_used_or_after_the_grace() {
	check profile swap --duplicates replace --duplicate-grace 2d
	check get r1 CN=r1
	check get r1b CN=r1
	sleep 0.1
	refuse revoked r1
	# The newer asks for itself, by OCSP or by a message that it signs.
	openssl ocsp -issuer "$CA_PEM" -cert "$work/r1b.pem" -url "$HTTP_URL/ocsp/test-ca" -CAfile "$CA_PEM" >/dev/null 2>&1
	eventually 20 revoked r1
	refuse revoked r1b
	check get r2 CN=r2
	check get r2b CN=r2
	check scepctl enrol "$url" --renew "$work/r2b.pem" --renew-key "$work/r2b.key" --key ec:P-256 --key-out "$work/r2c.key" \
		--cert-out "$work/r2c.pem" --challenge "$CHALLENGE"
	eventually 20 revoked r2
	check get r3 CN=r3
	check get r3b CN=r3
	stack clock +$((2 * 86400 + 60))
	eventually 20 revoked r3
	refuse revoked r3b
	stack clock =0
	scepctl ca show test-ca >/dev/null
	eventually 20 listed r3
	matches 'superseded: replaced by' "$(sql "SELECT reason FROM audit_event WHERE action = 'certificate.revoke'
		AND serial = lower('$(serial_of "$work/r3.pem")')")" "the audit"
}

listed() {
	curl -s "$HTTP_URL/crl/test-ca.crl" | openssl crl -inform DER -noout -text 2>/dev/null |
		grep -qi "$(openssl x509 -in "$work/$1.pem" -noout -serial | cut -d= -f2)"
}

it_lets_a_key_have_one_subject_where_keys_are_unique() {
	check profile keys
	check get k1 CN=k1
	check scepctl profile set keys --unique-keys yes
	refused 'the key is certified for another subject' scepctl enrol "$url" --subject CN=k2 --challenge "$CHALLENGE" \
		--key-file "$work/k1.key" --cert-out "$work/k2.pem"
	check scepctl profile set keys --unique-keys no
	check scepctl enrol "$url" --subject CN=k2 --challenge "$CHALLENGE" --key-file "$work/k1.key" --cert-out "$work/k2.pem"
}

it_puts_what_was_given_with_the_enrolment_into_the_certificate() {
	[ -n "${SCEP_URL_SEATS-}" ] || skip "no profile of enrolment codes"
	scepctl enrollment create --help 2>&1 | grep -q -- --attribute || skip "enrolments have no attributes"
	check scepctl profile create given --ca test-ca --challenge-mode enrollmentCode --field subject.commonName,required \
		--field 'subject.title,required,source=manual,pattern=[A-Z].*'
	url=$HTTP_URL/scep/given
	check scepctl enrollment create --profile given --seat stack-1 --attribute 'subject.title=Chief' --code-file - <<<"5f1c-code-of-the-fields-test-0001"
	check scepctl enrol "$url" --subject CN=stack-1,title=asked --challenge "5f1c-code-of-the-fields-test-0001" --key ec:P-256 \
		--key-out "$work/g1.key" --cert-out "$work/g1.pem"
	equal 'subject=title=Chief,CN=stack-1' "$(subject_of g1)" "the subject"
}

it_holds_what_always_holds() {
	invariants
}

run_tests "$@"
