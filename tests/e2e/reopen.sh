#!/bin/bash
# A device whose reply never arrived, and which asks anew with another key: challenge reopen.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up

# lost NAME [TTL]: a device has enrolled with $challenge, and what came back is of no use to it.
lost() {
	challenge=$(scepctl challenge new --profile mdm)
	check enrol "$1" "$SCEP_URL_DYNAMIC" --challenge "$challenge"
	serial=$(serial_of "$work/$1.pem" | tr A-F a-f)
	rm "$work/$1.key" "$work/$1.pem"
}

revoked() {
	[ "$(sql "SELECT status || ' ' || revocation_reason FROM certificate WHERE hex(serial) = upper('$1')")" = 'revoked 4' ]
}

it_lets_a_device_use_its_challenge_again_and_revokes_what_never_arrived() {
	lost first
	refuse enrol again "$SCEP_URL_DYNAMIC" --challenge "$challenge"
	check scepctl challenge reopen --serial "$serial"
	check revoked "$serial"
	check enrol again "$SCEP_URL_DYNAMIC" --challenge "$challenge"
	check issued "$work/again.pem"
	refuse enrol thrice "$SCEP_URL_DYNAMIC" --challenge "$challenge"
	invariants
}

it_is_in_the_audit_and_without_the_challenge() {
	local row
	lost audited
	check scepctl challenge reopen --serial "$serial"
	row=$(sql "SELECT outcome || ' ' || profile || ' ' || serial || ' ' || subject || ' ' || reason FROM audit_event WHERE action = 'challenge.reopen' ORDER BY id DESC LIMIT 1")
	matches "^success mdm $serial .*CN=audited.* one-time challenge; its certificate is revoked; expires 20" "$row" "the row"
	refuse grep -q "$challenge" <<<"$row"
}

it_takes_the_id_too_and_tells_it_in_JSON() {
	local json
	lost by-id
	json=$(scepctl --json challenge reopen --serial "$serial" --ttl 2h)
	matches '"enrollmentCode": false' "$json" "JSON"
	matches "\"revokedSerial\": \"$serial\"" "$json" "JSON"
	id=$(grep -o '"id": "[0-9a-f]*' <<<"$json" | sed 's/.*"//')
	check enrol by-id2 "$SCEP_URL_DYNAMIC" --challenge "$challenge"
	check scepctl challenge reopen "$id"
	check enrol by-id3 "$SCEP_URL_DYNAMIC" --challenge "$challenge"
	refuse scepctl challenge reopen "${id%?}"
	refuse scepctl challenge reopen "$(printf '0%.0s' $(seq 64))"
}

it_works_when_redis_no_longer_has_it() {
	local said
	lost forgotten
	redis-cli -s "$REDIS_SOCKET" flushall >/dev/null
	said=$(scepctl challenge reopen --serial "$serial" 2>&1)
	matches 'Redis had forgotten the challenge' "$said" "the warning"
	check enrol forgotten2 "$SCEP_URL_DYNAMIC" --challenge "$challenge"
	refuse enrol forgotten3 "$SCEP_URL_DYNAMIC" --challenge "$challenge"
}

it_changes_nothing_while_redis_is_away() {
	local status=0
	lost away
	stack stop redis
	scepctl challenge reopen --serial "$serial" || status=$?
	equal 3 "$status" "exit status"
	refuse revoked "$serial"
	stack start redis
	eventually 10 scepctl challenge count --profile mdm
	check scepctl challenge reopen --serial "$serial"
	check revoked "$serial"
}

it_keeps_to_what_the_challenge_was_bound_to() {
	challenge=$(scepctl challenge new --profile mdm --bind-cn bound)
	check enrol bound "$SCEP_URL_DYNAMIC" --challenge "$challenge"
	check scepctl challenge reopen --serial "$(serial_of "$work/bound.pem")"
	refuse enrol other "$SCEP_URL_DYNAMIC" --challenge "$challenge"
	check enrol bound "$SCEP_URL_DYNAMIC" --challenge "$challenge"
}

it_lives_as_long_as_it_is_told() {
	lost brief
	check scepctl challenge reopen --serial "$serial" --ttl 1m
	stack clock +61
	refuse enrol brief2 "$SCEP_URL_DYNAMIC" --challenge "$challenge"
	stack clock =0
	refuse scepctl challenge reopen --serial "$serial" --ttl 59s
	refuse scepctl challenge reopen --serial "$serial" --ttl 31d
}

it_opens_an_expired_challenge_too() {
	lost late
	stack clock +7200
	check scepctl challenge reopen --serial "$serial"
	check enrol late2 "$SCEP_URL_DYNAMIC" --challenge "$challenge"
	stack clock =0
}

it_gives_an_enrolment_code_its_use_back() {
	local code
	check scepctl seat create reopen-1 --type device
	code=$(scepctl enrollment create --profile seats --seat reopen-1)
	check enrol reopen-1 "$SCEP_URL_SEATS" --challenge "$code"
	serial=$(serial_of "$work/reopen-1.pem")
	refuse enrol reopen-1 "$SCEP_URL_SEATS" --challenge "$code"
	refuse scepctl challenge reopen --serial "$serial" --ttl 1h
	check scepctl challenge reopen --serial "$serial"
	check revoked "$serial"
	check enrol reopen-1 "$SCEP_URL_SEATS" --challenge "$code"
	refuse enrol reopen-1 "$SCEP_URL_SEATS" --challenge "$code"
}

it_refuses_what_came_by_no_challenge_or_was_renewed() {
	check enrol static "$SCEP_URL" --challenge "$CHALLENGE"
	refuse scepctl challenge reopen --serial "$(serial_of "$work/static.pem")"
	refuse scepctl challenge reopen --serial 0123456789abcdef0123456789abcdef
	check scepctl profile create renews --ca test-ca --challenge-mode dynamic --renewal-threshold-days 36500
	challenge=$(scepctl challenge new --profile renews)
	check enrol alive "$HTTP_URL/scep/renews" --challenge "$challenge"
	check scepctl enrol "$HTTP_URL/scep/renews" --renew "$work/alive.pem" --renew-key "$work/alive.key" \
		--key-out "$work/alive2.key" --cert-out "$work/alive2.pem"
	refuse scepctl challenge reopen --serial "$(serial_of "$work/alive.pem")"
	refuse revoked "$(serial_of "$work/alive.pem")"
}

it_answers_a_repeat_of_the_lost_request_with_a_new_certificate() {
	local first
	challenge=$(scepctl challenge new --profile mdm)
	message repeated CN=repeated "$challenge"
	equal 200 "$(send repeated)" "first"
	reply repeated >/dev/null
	first=$(serial_of "$work/repeated.pem")
	check scepctl challenge reopen --serial "$first"
	equal 200 "$(send repeated)" "the same once more"
	reply repeated >/dev/null
	refuse test "$first" = "$(serial_of "$work/repeated.pem")"
	invariants
}

run_tests "$@"
