#!/bin/bash
# How real clients renew, poll, and ask for certificates and CRLs: each habit with its twin that is refused (see habits.sh).
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up

habit() {
	"$STACK_BIN/e2e/habit" "$@"
}

ca() {
	[ -s "$work/ca.$1" ] || curl -s -o "$work/ca.$1" "$HTTP_URL/scep/$1?operation=GetCACert"
	echo "$work/ca.$1"
}

# ask FILE HABIT PROFILE [OPTIONS…]: make a message, send it, and print what the reply says; certificates go to $work/FILE1.pem …
ask() {
	local file=$1 habit=$2 profile=$3
	shift 3
	habit make "$habit" --ca "$(ca "$profile")" --challenge "$CHALLENGE" --out "$work/$file.der" "$@"
	again "$file" "$habit" "$profile"
}

# again FILE HABIT PROFILE: the same octets once more.
again() {
	rm -f "$work/${1}1.pem"
	equal 200 "$(curl -s -m 30 -o "$work/$1.reply" -w '%{http_code}' --data-binary "@$work/$1.der" "$HTTP_URL/scep/$3?operation=PKIOperation")" "$1"
	habit read "$2" --ca "$(ca "$3")" --message "$work/$1.der" --reply "$work/$1.reply" --certificates "$work/$1" || [ $? -eq 1 ]
}

# says TEXT STATUS [FAILINFO]
says() {
	matches "^pkiStatus $2\$" "$1" reply
	[ -z "${3-}" ] || matches "^failInfo $3\$" "$1" reply
}

# old_certificate HABIT PROFILE: in $work/HABIT.old.pem, one for the key and the subject of the habit, that was enrolled before.
old_certificate() {
	rm -f "$work/$1.old.pem"
	habit key "$1" "$work/$1.key"
	chmod 600 "$work/$1.key"
	scepctl enrol "$HTTP_URL/scep/$2" --subject "O=Habits,CN=$1" --challenge "$CHALLENGE" --key-file "$work/$1.key" \
		--cert-out "$work/$1.old.pem"
}

successors() {
	sql "SELECT count(*) FROM certificate WHERE predecessor_id = (SELECT id FROM certificate WHERE hex(serial) = upper('$(serial_of "$1")'))"
}

# renews HABIT: it does, its challenge is not looked at, and one octet changed spoils it.
renews() {
	local text
	old_certificate "$1" demo
	text=$(CHALLENGE=not-looked-at ask "$1" "$1" demo --old "$work/$1.old.pem")
	says "$text" SUCCESS
	check issued "$work/${1}1.pem"
	equal 1 "$(successors "$work/$1.old.pem")" "successors"
	refuse test "$(serial_of "$work/$1.old.pem")" = "$(serial_of "$work/${1}1.pem")"
	says "$(ask "$1-spoilt" "$1" demo --old "$work/$1.old.pem" --spoil yes)" FAILURE badMessageCheck
	equal 1 "$(successors "$work/$1.old.pem")" "successors after a spoilt one"
}

# ---- renewal --------------------------------------------------------------------------------------------------------------------

it_renews_by_a_PKCSReq_that_the_old_certificate_signs_as_Apple_sscep_and_certmonger_do() {
	renews sscep-renewal
}

it_renews_by_a_RenewalReq_as_strongSwan_does() {
	renews renewal-17
}

it_refuses_a_renewal_by_a_certificate_that_nobody_here_issued() {
	local before
	before=$(sql 'SELECT count(*) FROM certificate')
	says "$(CHALLENGE=wrong ask foreign renewal-17 demo)" FAILURE badCertId
	# By type 19 it may still be a first enrolment, whose challenge then counts.
	says "$(CHALLENGE=wrong ask foreign sscep-renewal demo)" FAILURE
	equal "$before" "$(sql 'SELECT count(*) FROM certificate')" "certificates"
}

it_refuses_a_renewal_of_a_certificate_of_another_profile() {
	old_certificate renewal-17 legacy
	says "$(CHALLENGE=wrong ask other renewal-17 demo --old "$work/renewal-17.old.pem")" FAILURE badCertId
}

# jscep's transactionID is a hash of the key, and the CSR of a key is the same octets each time: only the signer tells the renewal
# from the enrolment.
it_tells_a_renewal_of_jscep_from_a_repeat_though_CSR_and_transactionID_are_the_same() {
	local first second
	says "$(ask first jscep-ber demo)" SUCCESS
	first=$(serial_of "$work/first1.pem")
	says "$(again first jscep-ber demo)" SUCCESS
	equal "$first" "$(serial_of "$work/first1.pem")" "the enrolment again"
	says "$(ask second jscep-renewal demo --old "$work/first1.pem")" SUCCESS
	second=$(serial_of "$work/second1.pem")
	refuse test "$first" = "$second"
	equal 1 "$(successors "$work/first1.pem")" "successors"
	says "$(again second jscep-renewal demo)" SUCCESS
	equal "$second" "$(serial_of "$work/second1.pem")" "the renewal again"
	equal 1 "$(successors "$work/first1.pem")" "successors"
	equal 1 "$(sql "SELECT count(DISTINCT transaction_id) FROM audit_event WHERE serial IN (lower('$first'), lower('$second'))")" "transactionIDs"
	# Where the profile wants a new key, it is refused; with a challenge that holds it is an enrolment like the first.
	scepctl profile set demo --same-key-renewal no
	says "$(CHALLENGE=wrong ask third jscep-renewal demo --old "$work/second1.pem")" FAILURE badRequest
	says "$(ask third jscep-renewal demo --old "$work/second1.pem")" SUCCESS
	equal 0 "$(successors "$work/second1.pem")" "successors of the second"
	scepctl profile set demo --same-key-renewal yes
}

# ---- approval by hand -----------------------------------------------------------------------------------------------------------

# approve NAME: the request that waits for CN=NAME.
approve() {
	local id
	id=$(scepctl transaction list | awk -v name="CN=$1" '$2 == "pending" && index($0, name) { print $1 }')
	check test -n "$id"
	scepctl transaction approve "$id"
}

# A new message each time, with a nonce of its own: what is the same is the CSR, the key and the transactionID.
it_takes_a_PKCSReq_sent_again_for_a_poll_as_certmonger_sends_it() {
	local id serial
	id=$(printf '%077d' 4217)
	says "$(ask cm certmonger-77-digits manual --id "$id")" PENDING
	says "$(ask cm certmonger-77-digits manual --id "$id")" PENDING
	equal 1 "$(scepctl transaction list | grep -c CN=certmonger-77-digits)" "transactions"
	approve certmonger-77-digits
	says "$(ask cm certmonger-77-digits manual --id "$id")" SUCCESS
	check issued "$work/cm1.pem"
	serial=$(serial_of "$work/cm1.pem")
	says "$(ask cm certmonger-77-digits manual --id "$id")" SUCCESS
	equal "$serial" "$(serial_of "$work/cm1.pem")" "and again"
	# Another request under that transactionID is authorised for itself.
	says "$(CHALLENGE=wrong ask other nonce-64 manual --id "$id")" FAILURE badRequest
	says "$(ask other nonce-64 manual --id "$id")" PENDING
}

it_polls_by_type_20_as_sscep_does() {
	says "$(ask poll sscep-poll manual --id 4711)" FAILURE badCertId
	says "$(ask wait sscep-serial-32 manual --id 4711)" PENDING
	says "$(ask poll sscep-poll manual --id 4711)" PENDING
	says "$(ask poll sscep-poll manual --id 4712)" FAILURE badCertId
	approve sscep-serial-32
	says "$(ask poll sscep-poll manual --id 4711)" SUCCESS
	check issued "$work/poll1.pem"
	matches 'CN = sscep-serial-32' "$(openssl x509 -in "$work/poll1.pem" -noout -subject)" "what it polled for"
}

# ---- GetCert and GetCRL ---------------------------------------------------------------------------------------------------------

it_answers_GetCert_and_GetCRL_under_the_constant_transactionID_of_sscep() {
	local text
	old_certificate sscep-getcert demo
	text=$(ask getcert sscep-getcert demo --old "$work/sscep-getcert.old.pem")
	says "$text" SUCCESS
	matches '^certificates 1$' "$text" GetCert
	equal "$(serial_of "$work/sscep-getcert.old.pem")" "$(serial_of "$work/getcert1.pem")" "GetCert"
	text=$(ask getcrl sscep-getcrl demo --old "$work/sscep-getcert.old.pem")
	says "$text" SUCCESS
	matches '^crls 1$' "$text" GetCRL
	matches '^certificates 0$' "$text" GetCRL
	# Another device, the same transactionID: its own answer.
	old_certificate sscep-getcrl demo
	text=$(ask getcert sscep-getcert demo --old "$work/sscep-getcrl.old.pem")
	says "$text" SUCCESS
	equal "$(serial_of "$work/sscep-getcrl.old.pem")" "$(serial_of "$work/getcert1.pem")" "GetCert of another"
	# By a certificate that nobody here issued.
	says "$(ask getcert sscep-getcert demo)" FAILURE badCertId
}

it_keeps_what_always_holds() {
	check invariants
}

run_tests "$@"
