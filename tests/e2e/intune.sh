#!/bin/bash
# Intune from end to end, with a server that stands in for it: validation, notification, what is not delivered, revocations.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

stack_up WORKERS=4 SCEP_OUTBOUND_TIMEOUT_MS=3000
url=$SCEP_URL_INTUNE
intune=$INTUNE_DIR
scepctl profile set intune --renewal-threshold-days 36500 >/dev/null 2>&1

# behave LINE…: what the server does from now on; without lines what it should.
behave() {
	printf '%s\n' "$@" >"$intune/control.part"
	mv "$intune/control.part" "$intune/control"
}

# calls ACTION: how many the server has seen.
calls() {
	grep -c "\"action\": *\"$1\"" "$intune/log" || true
}

# of SUBJECT: "status delivery" of each certificate for it.
of() {
	sql "SELECT c.status || ' ' || coalesce(d.state, 'delivered') FROM certificate c
		LEFT JOIN certificate_delivery d ON d.certificate_id = c.id WHERE c.subject LIKE '%CN=$1%' ORDER BY c.id"
}

audit_has() {
	scepctl audit list --limit 500 | grep -qE -- "$1"
}

it_enrols_whom_intune_validates_and_tells_it() {
	local told
	told=$(calls successNotification)
	check enrol i1 "$url" --challenge intune-ok-1 --fingerprint "$CA_FINGERPRINT"
	check issued "$work/i1.pem"
	equal "valid delivered" "$(of i1)" "the certificate"
	equal $((told + 1)) "$(calls successNotification)" "notifications"
	eventually 5 audit_has 'scep.deliver.*intune: told \(client-request-id'
	matches "$(serial_of "$work/i1.pem" | sed 's/^0*//')" "$(grep successNotification "$intune/log" | tail -1)" "the serial that it was told"
}

it_asks_for_one_token_and_one_discovery_for_many_devices() {
	local before
	before=$(calls token)
	for n in 1 2 3 4 5 6 7 8; do
		check enrol "many$n" "$url" --challenge "intune-ok-many$n"
	done
	# Two scopes, for each of four workers at most.
	check test "$(($(calls token) - before))" -le 8
	check scepctl profile set demo --description 'another profile has changed'
	before=$(calls token)
	for n in 1 2 3 4 5 6 7 8; do
		check enrol "more$n" "$url" --challenge "intune-ok-more$n"
	done
	check test "$(($(calls token) - before))" -le 8
}

it_refuses_what_intune_refuses_and_says_why_in_the_audit_alone() {
	local code
	for code in ChallengeExpired SubjectNameMismatch SomethingNew; do
		message "r-$code" "CN=r-$code" "intune-$code" "$url"
		equal 200 "$(send "r-$code" "$url")" "HTTP"
		matches '^FAILURE badRequest.*the request is not authorised' "$(reply "r-$code" | tr '\n' ' ')" "the answer"
		no_match "$code" "$(reply "r-$code")" "what the device is told"
		eventually 5 audit_has "$code.*client-request-id"
		equal "" "$(of "r-$code")" "certificates"
	done
}

it_refuses_on_any_doubt_and_burns_nothing() {
	local doubt n=0
	for doubt in 'validateRequest 500' 'validateRequest 401' 'validateRequest 403' 'validateRequest garbage' 'validateRequest empty' \
		'validateRequest close' 'validateRequest code Unknown' 'validateRequest slow 20000' 'validateRequest redirect'; do
		n=$((n + 1))
		behave "$doubt"
		message "d$n" "CN=d$n" "intune-ok-d$n" "$url"
		equal 200 "$(send "d$n" "$url")" "HTTP with $doubt"
		matches '^FAILURE badRequest.*the request is not authorised' "$(reply "d$n" | tr '\n' ' ')" "the answer with $doubt"
		equal "" "$(of "d$n")" "certificates with $doubt"
		behave
		equal 200 "$(send "d$n" "$url")" "HTTP after $doubt"
		equal SUCCESS "$(reply "d$n")" "the same request after $doubt"
	done
}

it_tries_once_more_with_a_new_token_or_discovery() {
	behave 'validateRequest 401 once'
	check enrol once401 "$url" --challenge intune-ok-401
	behave 'validateRequest 503 once'
	check enrol once503 "$url" --challenge intune-ok-503
	behave
}

it_revokes_and_keeps_what_it_cannot_report() {
	local doubt n=0
	for doubt in 500 garbage 'code Unknown' 'slow 20000'; do
		n=$((n + 1))
		behave "successNotification $doubt"
		message "u$n" "CN=u$n" "intune-ok-u$n" "$url"
		equal 200 "$(send "u$n" "$url")" "HTTP with $doubt"
		matches '^FAILURE badRequest' "$(reply "u$n")" "the answer with $doubt"
		equal "revoked failed" "$(of "u$n")" "the certificate with $doubt"
		eventually 5 audit_has "failed +scep.deliver.*not delivered: intune"
		behave
		equal 200 "$(send "u$n" "$url")" "HTTP after $doubt"
		equal SUCCESS "$(reply "u$n")" "the same request afterwards"
		equal "revoked failed
valid delivered" "$(of "u$n")" "certificates in the end"
	done
}

# dies_at STEP: the same request afterwards gets the one certificate.
dies_at() {
	message "k-$1" "CN=k-$1" "intune-ok-k-$1" "$url"
	echo "$1 kill always" >"$FAULT_FILE"
	send "k-$1" "$url"
	rm -f "$FAULT_FILE"
	eventually 10 answers_200 "k-$1"
	equal SUCCESS "$(reply "k-$1")" "the same request after $1"
	check issued "$work/k-$1.pem"
	equal "valid delivered" "$(of "k-$1")" "certificates after $1"
	cp "$work/k-$1.pem" "$work/k-$1.first"
	equal 200 "$(send "k-$1" "$url")" "once more"
	equal SUCCESS "$(reply "k-$1")" "once more"
	check cmp "$work/k-$1.first" "$work/k-$1.pem"
}

answers_200() {
	[ "$(send "$1" "$url")" = 200 ]
}

it_goes_on_where_a_killed_worker_stopped() {
	local step
	for step in reserved issued committed marked told delivered; do
		dies_at "$step"
	done
	check invariants
}

# left_behind NAME: committed, and nobody was told.
left_behind() {
	message "$1" "CN=$1" "intune-ok-$1" "$url"
	echo "told kill always" >"$FAULT_FILE"
	send "$1" "$url"
	rm -f "$FAULT_FILE"
	equal "valid issued" "$(of "$1")" "the certificate that was left"
}

it_gives_nobody_an_undelivered_certificate() {
	local serial
	check enrol g1 "$url" --challenge intune-ok-g1
	left_behind g2
	serial=$(sql "SELECT hex(serial) FROM certificate WHERE subject LIKE '%CN=g2%'")
	openssl req -x509 -key "$work/g2.key" -subj /CN=g2 -days 1 -out "$work/g2.self" 2>/dev/null
	refuse scepctl get-cert "$url" --cert "$work/g2.self" --key "$work/g2.key" --serial "$serial" --out "$work/g2.got"
	refuse test -s "$work/g2.got"
	check scepctl get-cert "$url" --cert "$work/g1.pem" --key "$work/g1.key" --out "$work/g1.got"
}

it_revokes_what_nobody_came_back_for() {
	left_behind late
	stack clock +3700
	eventually 30 late_is_ended
	eventually 5 audit_has 'scep.deliver.*not told within an hour'
	stack clock =0
}

late_is_ended() {
	[ "$(of late)" = "revoked failed" ]
}

it_validates_a_renewal_as_an_enrolment() {
	local asked
	check enrol n1 "$url" --challenge intune-ok-n1
	asked=$(calls validateRequest)
	refuse scepctl enrol "$url" --renew "$work/n1.pem" --renew-key "$work/n1.key" --key-out "$work/n2.key" --cert-out "$work/n2.pem"
	equal "$asked" "$(calls validateRequest)" "validations without a challenge"
	check scepctl enrol "$url" --renew "$work/n1.pem" --renew-key "$work/n1.key" --key-out "$work/n2.key" --cert-out "$work/n2.pem" \
		--challenge intune-ok-n2
	equal $((asked + 1)) "$(calls validateRequest)" "validations"
}

it_serves_others_while_intune_is_slow() {
	local n pids=()
	behave 'validateRequest slow 2500'
	for n in 1 2 3 4 5 6; do
		message "s$n" "CN=s$n" "intune-ok-s$n" "$url"
	done
	for n in 1 2 3 4 5 6; do
		send "s$n" "$url" >"$work/s$n.code" &
		pids+=($!)
	done
	eventually 5 slow_ones 2
	check enrol quick "$SCEP_URL" --challenge "$CHALLENGE"
	wait "${pids[@]}"
	behave
	matches 503 "$(cat "$work"/s?.code)" "answers where half of the workers wait"
	matches 200 "$(cat "$work"/s?.code)" "answers of those that waited"
	for n in 1 2 3 4 5 6; do
		[ "$(cat "$work/s$n.code")" != 503 ] || check grep -qi '^Retry-After: [0-9]' "$work/s$n.head"
	done
}

# As many workers as may be are in a call.
slow_ones() {
	[ "$(http "$url?operation=GetCACaps")" = 200 ] && [ "$(cat "$work"/s?.code | grep -c 503)" -ge 1 ]
}

it_tells_intune_of_a_fault_of_its_own_after_validation() {
	local before
	before=$(calls failureNotification)
	message f1 CN=f1 intune-ok-f1 "$url"
	echo "issued fail" >"$FAULT_FILE"
	equal 503 "$(send f1 "$url")" "HTTP"
	eventually 10 told_failure $((before + 1))
	equal 200 "$(send f1 "$url")" "afterwards"
	equal SUCCESS "$(reply f1)" "afterwards"
}

told_failure() {
	[ "$(calls failureNotification)" -ge "$1" ]
}

it_revokes_what_intune_asks_for_and_nothing_else() {
	local serial other
	check enrol v1 "$url" --challenge intune-ok-v1
	check enrol v2 "$SCEP_URL" --challenge "$CHALLENGE"
	serial=$(serial_of "$work/v1.pem")
	other=$(serial_of "$work/v2.pem")
	printf '%s\n' "c1 $serial" "c2 0123456789ABCDEF" "c3 $other" >"$intune/revocations.part"
	mv "$intune/revocations.part" "$intune/revocations"
	stack clock +3700
	eventually 30 has_results 3
	matches '^c1 true 0$' "$(cat "$intune/results")" "results"
	matches '^c2 false 4004$' "$(cat "$intune/results")" "results"
	matches '^c3 false 4004$' "$(cat "$intune/results")" "results"
	equal revoked "$(sql "SELECT status FROM certificate WHERE hex(serial) = '$serial'")" "Intune's certificate"
	equal valid "$(sql "SELECT status FROM certificate WHERE hex(serial) = '$other'")" "another profile's"
	equal "refused 2
success 1" "$(sql "SELECT outcome || ' ' || count(*) FROM audit_event WHERE action = 'certificate.revoke' AND actor = 'intune:stack'
		GROUP BY outcome ORDER BY outcome")" "audit rows"
	stack clock =0
}

has_results() {
	[ "$(cat "$intune/results" 2>/dev/null | wc -l)" -ge "$1" ]
}

it_writes_no_secret_into_log_or_audit() {
	refuse grep -rqs -e intune-client-secret -e intune-ok- "$STACK_DIR/log"
	refuse grep -qs -e intune-client-secret -e intune-ok- <<<"$(scepctl audit list --json --limit 500)"
}

run_tests "$@"
