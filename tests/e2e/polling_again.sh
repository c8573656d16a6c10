#!/bin/bash
# Requests for approval of one device after one another: what it is told when an earlier one was rejected, replaced, issued or revoked.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up
secret=$(openssl rand -hex 16)
scepctl profile create waits --ca test-ca --challenge "$secret" --approval manual --transaction-ttl 2h \
	--renewal-threshold-days 36500 >/dev/null
scepctl profile create once --ca test-ca --challenge-mode dynamic --approval manual >/dev/null
url=$HTTP_URL/scep/waits

# exits STATUS COMMAND…: with exactly this exit status; what it said is in $work/said.
exits() {
	local want=$1 have=0
	shift
	"$@" >"$work/said" 2>&1 || have=$?
	cat "$work/said"
	[ "$have" -eq "$want" ] || fail "want exit status $want, have $have: $*"
}

# ask NAME [OPTIONS…]: with the key of that name, made once, and a transactionID that stays the same.
ask() {
	local name=$1
	shift
	rm -f "$work/$name.pem"
	[ -s "$work/$name.key" ] || (umask 077 && openssl genrsa -out "$work/$name.key" 2048 2>/dev/null)
	scepctl enrol "$url" --subject "CN=$name,O=Example" --key-file "$work/$name.key" --cert-out "$work/$name.pem" \
		--transaction-id "the-$name" "$@"
}

# decide VERB NAME: approve or reject the one that waits with this common name.
decide() {
	scepctl transaction "$1" "$(scepctl transaction list | awk -v name="CN=$2" '$0 ~ name "(,|$)" && $2 == "pending" {print $1}')"
}

# rows NAME CONDITION: audit rows of its transactionID.
rows() {
	sql "SELECT count(*) FROM audit_event WHERE transaction_id = 'the-$1' AND $2"
}

it_answers_a_poll_for_the_request_that_waits_not_for_the_one_that_was_rejected() {
	exits 4 ask a1 --challenge "$secret"
	check decide reject a1
	exits 1 ask a1 --poll
	exits 4 ask a1 --challenge "$secret" --san dns:a1.example
	exits 4 ask a1 --poll
	check decide approve a1
	check ask a1 --poll
	check issued "$work/a1.pem"
}

it_answers_a_poll_for_the_request_that_waits_not_with_the_certificate_of_the_one_before() {
	exits 4 ask a2 --challenge "$secret"
	check decide approve a2
	check ask a2 --poll
	exits 4 ask a2 --challenge "$secret" --san dns:a2.example
	exits 4 ask a2 --poll
	check decide approve a2
	check ask a2 --poll
	matches a2.example "$(openssl x509 -in "$work/a2.pem" -noout -ext subjectAltName)" "its subjectAltName"
}

it_lets_somebody_decide_anew_when_the_rejection_is_forgotten() {
	exits 4 ask a3 --challenge "$secret"
	check decide reject a3
	exits 1 ask a3 --challenge "$secret"
	stack clock +$((25 * 3600))
	exits 4 ask a3 --challenge "$secret"
	check decide approve a3
	check ask a3 --poll
	stack clock =0
	check openssl verify -no_check_time -CAfile "$CA_PEM" "$work/a3.pem"
}

it_does_not_answer_with_a_certificate_that_was_revoked() {
	exits 4 ask a4 --challenge "$secret"
	check decide approve a4
	check ask a4 --poll
	check scepctl certificate revoke "$(serial_of "$work/a4.pem")" --reason superseded
	exits 1 ask a4 --poll
	exits 4 ask a4 --challenge "$secret"
	check decide approve a4
	check ask a4 --poll
	check issued "$work/a4.pem"
}

it_forgets_an_issued_request_with_its_repeats() {
	exits 4 ask a5 --challenge "$secret"
	check decide approve a5
	check ask a5 --poll
	stack clock +$((25 * 3600))
	exits 4 ask a5 --challenge "$secret"
	stack clock =0
}

it_ends_a_request_that_another_of_the_same_device_replaces() {
	local one two
	url=$HTTP_URL/scep/once
	one=$(scepctl challenge new --profile once)
	two=$(scepctl challenge new --profile once)
	exits 4 ask a6 --challenge "$one"
	exits 4 ask a6 --challenge "$two" --san dns:a6.example
	eventually 10 replaced a6
	# Its challenge is free again.
	exits 4 ask a6b --challenge "$one"
}

replaced() {
	[ "$(rows "$1" "outcome = 'pending' AND reason LIKE '%replaces transaction %'")" = 1 ]
}

it_records_once_that_an_approved_request_was_refused() {
	check enrol a7 "$SCEP_URL" --challenge "$CHALLENGE"
	check scepctl profile set waits --renew-from demo
	exits 4 scepctl enrol "$url" --renew "$work/a7.pem" --renew-key "$work/a7.key" --same-key --cert-out "$work/a7b.pem" \
		--transaction-id the-a7
	check decide approve a7
	check scepctl certificate revoke "$(serial_of "$work/a7.pem")" --reason keyCompromise
	exits 1 scepctl enrol "$url" --renew "$work/a7.pem" --renew-key "$work/a7.key" --same-key --cert-out "$work/a7b.pem" \
		--transaction-id the-a7 --poll
	eventually 10 refusal_is_there
	sleep 2
	equal 1 "$(rows a7 "outcome = 'refused'")" "audit rows of the refusal"
}

refusal_is_there() {
	[ "$(rows a7 "outcome = 'refused'")" -ge 1 ]
}

it_records_each_time_that_the_same_request_was_not_decided() {
	exits 4 ask a8 --challenge "$secret"
	stack clock +$((3 * 3600))
	eventually 15 expired a8 1
	exits 1 ask a8 --challenge "$secret"
	exits 4 ask a8 --challenge "$secret"
	stack clock +$((6 * 3600))
	eventually 15 expired a8 2
	stack clock =0
}

# expired NAME COUNT
expired() {
	[ "$(rows "$1" "actor = 'system' AND reason LIKE 'not approved in time%'")" = "$2" ]
}

it_keeps_what_always_holds() {
	check invariants
}

run_tests "$@"
