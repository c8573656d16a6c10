#!/bin/bash
# A repeated request gets its first answer, and costs nothing; what only looks like one does not.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up

it_answers_a_repeated_request_with_the_first_certificate() {
	local before
	before=$(sql 'SELECT count(*) FROM certificate')
	message twice CN=twice "$CHALLENGE" "$SCEP_URL"
	equal 200 "$(send twice "$SCEP_URL")" "first"
	equal SUCCESS "$(reply twice)" "first"
	cp "$work/twice.pem" "$work/twice.first"
	equal 200 "$(send twice "$SCEP_URL")" "second"
	equal SUCCESS "$(reply twice)" "second"
	check cmp "$work/twice.first" "$work/twice.pem"
	eventually 10 repeat_is_recorded "$work/twice.pem"
	equal $((before + 1)) "$(sql 'SELECT count(*) FROM certificate')" "certificates"
}

repeat_is_recorded() {
	equal 1 "$(sql "SELECT count(*) FROM audit_event WHERE outcome = 'success' AND reason LIKE 'a repeat%' AND serial = lower('$(serial_of "$1")')")" \
		"audit rows of the repeat"
}

it_burns_no_second_challenge_for_a_repeat() {
	local once
	once=$(scepctl challenge new --profile mdm)
	message again CN=again "$once"
	equal 200 "$(send again)" "first"
	equal SUCCESS "$(reply again)" "first"
	cp "$work/again.pem" "$work/again.first"
	equal 200 "$(send again)" "second"
	equal SUCCESS "$(reply again)" "second"
	check cmp "$work/again.first" "$work/again.pem"
	check invariants
}

it_refuses_another_CSR_with_a_used_challenge() {
	local once
	once=$(scepctl challenge new --profile mdm)
	message csr1 CN=csr1 "$once"
	equal 200 "$(send csr1)" "first"
	equal SUCCESS "$(reply csr1)" "first"
	message csr2 CN=csr2 "$once"
	equal 200 "$(send csr2)" "second"
	matches '^FAILURE badRequest' "$(reply csr2)" "second"
	no_match used "$(reply csr2)" "the reason, on the wire"
	eventually 5 audit_says "used"
}

audit_says() {
	scepctl audit list --failed --limit 100 | grep -q -- "$1"
}

it_takes_a_repeat_sent_at_another_profile_for_a_new_request() {
	local before
	message profile1 CN=profile1 "$CHALLENGE" "$SCEP_URL"
	equal 200 "$(send profile1 "$SCEP_URL")" "at demo"
	before=$(sql 'SELECT count(*) FROM certificate')
	# Enveloped to the RA of demo, so legacy cannot read it: the same answer as to any broken message.
	equal 200 "$(send profile1 "$SCEP_URL_LEGACY")" "at legacy"
	curl -s -o "$work/profile1.p7" "$SCEP_URL_LEGACY?operation=GetCACert"
	equal 'FAILURE badMessageCheck ' "$(reply profile1)" "at legacy"
	equal "$before" "$(sql 'SELECT count(*) FROM certificate')" "certificates"
}

it_takes_the_same_CSR_with_another_transactionID_for_a_new_request() {
	local first
	message trans CN=trans "$CHALLENGE" "$SCEP_URL"
	equal 200 "$(send trans "$SCEP_URL")" "first"
	equal SUCCESS "$(reply trans)" "first"
	first=$(serial_of "$work/trans.pem")
	message trans CN=trans "$CHALLENGE" "$SCEP_URL"
	equal 200 "$(send trans "$SCEP_URL")" "second"
	equal SUCCESS "$(reply trans)" "second"
	refuse test "$first" = "$(serial_of "$work/trans.pem")"
}

it_forgets_a_repeat_after_the_profiles_replay_hours() {
	local first
	message hours CN=hours "$CHALLENGE" "$SCEP_URL"
	equal 200 "$(send hours "$SCEP_URL")" "first"
	equal SUCCESS "$(reply hours)" "first"
	first=$(serial_of "$work/hours.pem")
	stack clock +$((23 * 3600))
	equal 200 "$(send hours "$SCEP_URL")" "after 23 hours"
	equal SUCCESS "$(reply hours)" "after 23 hours"
	equal "$first" "$(serial_of "$work/hours.pem")" "after 23 hours"
	stack clock +$((2 * 3600))
	equal 200 "$(send hours "$SCEP_URL")" "after 25 hours"
	equal SUCCESS "$(reply hours)" "after 25 hours"
	refuse test "$first" = "$(serial_of "$work/hours.pem")"
	stack clock =0
}

it_gives_copies_that_come_at_the_same_moment_one_certificate() {
	local once before i sending
	before=$(sql 'SELECT count(*) FROM certificate')
	once=$(scepctl challenge new --profile mdm)
	message copies CN=copies "$once"
	for i in 1 2 3 4 5 6 7 8; do
		cp "$work/copies.der" "$work/copies$i.der"
		cp "$work/copies.der.state" "$work/copies$i.der.state"
		cp "$work/copies.der.signer" "$work/copies$i.der.signer"
		cp "$work/copies.key" "$work/copies$i.key"
		cp "$work/copies.p7" "$work/copies$i.p7"
	done
	sending=()
	for i in 1 2 3 4 5 6 7 8; do
		send "copies$i" >"$work/copies$i.code" &
		sending+=($!)
	done
	wait "${sending[@]}"
	for i in 1 2 3 4 5 6 7 8; do
		equal 200 "$(cat "$work/copies$i.code")" "copy $i"
		equal SUCCESS "$(reply "copies$i")" "copy $i"
		check cmp "$work/copies1.pem" "$work/copies$i.pem"
	done
	equal $((before + 1)) "$(sql 'SELECT count(*) FROM certificate')" "certificates"
	check invariants
}

run_tests "$@"
