#!/bin/bash
# Enrolment codes: each for one seat and so many certificates, whatever dies meanwhile; what guessing at them does and does not do; licences,
# renewals, approval by hand.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up WORKERS=3 SCEP_CODE_TRIES_PER_WINDOW=4 SCEP_CODE_LOCK_AFTER=8 SCEP_WRONG_PER_MINUTE=1000
url=$SCEP_URL_SEATS
scepctl profile create seats-by-hand --ca test-ca --challenge-mode enrollmentCode --approval manual >/dev/null

# seat NAME [OPTIONS…]
seat() {
	scepctl seat create "$1" --type device "${@:2}" >/dev/null
}

# code SEAT [OPTIONS…]: a code for it, drawn; prints it.
code() {
	scepctl enrollment create --profile seats --seat "$1" "${@:2}" | sed 1q
}

# Of the newest enrolment of a seat.
enrollment_is() {
	sql "SELECT n.$2 FROM enrollment n JOIN seat s ON s.id = n.seat_id WHERE s.seat_id = '$1' ORDER BY n.id DESC LIMIT 1"
}

in_use() {
	sql "SELECT in_use FROM seat WHERE seat_id = '$1'"
}

certificates_of() {
	sql "SELECT count(*) FROM certificate c JOIN seat s ON s.id = c.seat_id WHERE s.seat_id = '$1'"
}

# ask NAME SEAT CODE: a request that is sent to the profile; the answer is in $said.
ask() {
	message "$1" "CN=$2" "$3" "$url"
	status=$(send "$1" "$url")
	said=
	[ "$status" != 200 ] || said=$(reply "$1")
}

# refused_with NAME PATTERN: the wire says no more than that it is refused; the audit says this.
refused_with() {
	equal 200 "$status" "the status"
	matches '^FAILURE badRequest' "$said" "the answer"
	# What the wire says of one refusal it says of all.
	[ -e "$work/refusal" ] || echo "$said" >"$work/refusal"
	equal "$(cat "$work/refusal")" "$said" "the answer"
	eventually 10 audit_says "$1" "$2"
}

audit_says() {
	sql "SELECT reason FROM audit_event WHERE transaction_id = '$(head -n 1 "$work/$1.der.state" | cut -d' ' -f1)'" | grep -qE -- "$2"
}

it_issues_one_certificate_for_a_code() {
	seat c1 --department Attic
	once=$(code c1)
	ask c1 c1 "$once"
	equal SUCCESS "$said" "the answer"
	check issued "$work/c1.pem"
	equal redeemed "$(enrollment_is c1 status)" "the enrolment"
	equal 1 "$(in_use c1)" "the seat is in use"
	matches '^seat +c1$' "$(scepctl certificate show "$(serial_of "$work/c1.pem")")" "the certificate"
	equal Attic "$(sql "SELECT department FROM audit_event WHERE serial = lower('$(serial_of "$work/c1.pem")') AND outcome = 'success'")" \
		"the department in the audit"
	cp "$work/c1.pem" "$work/c1.first"
	equal 200 "$(send c1 "$url")" "the same request again"
	equal SUCCESS "$(reply c1)" "the same request again"
	check cmp "$work/c1.first" "$work/c1.pem"
	ask c1x c1 "$once"
	refused_with c1x 'enrolment code: redeemed \(seat c1\)'
	equal 1 "$(certificates_of c1)" "certificates"
}

it_refuses_what_is_wrong_alike_and_the_audit_tells_it_apart() {
	seat c2
	seat c2b
	once=$(code c2)
	ask c2a c2 'not the code'
	refused_with c2a 'enrolment code: unknown \(for seat c2\)'
	ask c2b c2b "$once"
	refused_with c2b 'enrolment code: of seat c2, the CSR has c2b'
	ask c2c nobody 'not the code'
	refused_with c2c 'enrolment code: unknown \(for seat nobody\)'
	ask c2e c2 "$CHALLENGE"
	refused_with c2e 'enrolment code: unknown'
	check scepctl enrollment reject "$(enrollment_is c2 uuid)"
	ask c2f c2 "$once"
	refused_with c2f 'enrolment code: rejected'
	equal 0 "$(certificates_of c2)" "certificates"
	equal 0 "$(in_use c2)" "the seat is in use"
}

it_takes_a_reissued_code_and_the_old_one_no_more() {
	local old new
	seat c3
	old=$(code c3)
	new=$(scepctl enrollment reissue "$(enrollment_is c3 uuid)" | sed 1q)
	ask c3a c3 "$old"
	refused_with c3a 'enrolment code: unknown'
	ask c3b c3 "$new"
	equal SUCCESS "$said" "the answer"
}

it_is_over_when_its_time_is() {
	seat c4
	once=$(code c4 --ttl 1h)
	stack clock +3601
	ask c4 c4 "$once"
	stack clock =0
	refused_with c4 'enrolment code: expired'
}

it_lets_as_many_racing_requests_win_as_a_code_has_uses() {
	local i won=0
	seat c5
	once=$(code c5 --uses 3)
	for i in $(seq 8); do
		message "c5-$i" CN=c5 "$once" "$url"
	done
	for i in $(seq 8); do
		send "c5-$i" "$url" >/dev/null &
	done
	wait
	for i in $(seq 8); do
		[[ $(reply "c5-$i") != SUCCESS* ]] || won=$((won + 1))
	done
	equal 3 "$won" "certificates that were answered"
	equal 3 "$(certificates_of c5)" "certificates"
	equal 3 "$(enrollment_is c5 uses)" "uses"
	check invariants
}

# ---- who dies, who guesses --------------------------------------------------------------------------------------------------------

# dies_at STEP: each try dies there; then the same request gets a certificate, one, and no other request gets one.
dies_at() {
	local name=d-$1 answer
	seat "$name"
	once=$(code "$name")
	message "$name" "CN=$name" "$once" "$url"
	echo "$1 kill always" >"$FAULT_FILE"
	answer=$(send "$name" "$url")
	rm -f "$FAULT_FILE"
	case $1 in
	reserved | issued)
		equal 503 "$answer" "while workers die at $1"
		equal created "$(enrollment_is "$name" status)" "the enrolment"
		equal 0 "$(in_use "$name")" "the seat is in use"
		;;
	committed | marked) equal 200 "$answer" "while workers die at $1" ;;
	esac
	eventually 10 answers_200 "$name"
	equal SUCCESS "$(reply "$name")" "the same request afterwards"
	check issued "$work/$name.pem"
	cp "$work/$name.pem" "$work/$name.first"
	equal 200 "$(send "$name" "$url")" "once more"
	equal SUCCESS "$(reply "$name")" "once more"
	check cmp "$work/$name.first" "$work/$name.pem"
	ask "$name-x" "$name" "$once"
	refused_with "$name-x" 'enrolment code: redeemed'
	equal 1 "$(certificates_of "$name")" "certificates"
	equal 1 "$(enrollment_is "$name" uses)" "uses"
	check invariants
}

answers_200() {
	[ "$(send "$1" "$url")" = 200 ]
}

it_survives_death_of_the_worker_before_it_issues() {
	dies_at reserved
}

it_survives_death_of_the_worker_when_the_certificate_is_signed() {
	dies_at issued
}

it_survives_death_of_the_worker_when_the_certificate_is_committed() {
	dies_at committed
}

it_survives_death_of_the_worker_behind_that() {
	dies_at marked
}

it_keeps_a_code_that_a_fault_of_ours_failed() {
	seat c6
	once=$(code c6)
	echo 'issued fail' >"$FAULT_FILE"
	ask c6 c6 "$once"
	equal 503 "$status" "a failure on our side"
	ask c6b c6 "$once"
	equal SUCCESS "$said" "another request at once"
}

it_answers_429_to_who_guesses_whether_there_is_such_a_seat() {
	local i name
	seat c7
	once=$(code c7)
	new_minute
	for name in c7 c7-nobody; do
		for i in 1 2 3 4; do
			ask "g-$name-$i" "$name" "guess $i"
			equal 200 "$status" "guess $i at $name"
		done
		eventually 5 slowed_at "$name"
		check grep -qi '^Retry-After: [0-9]' "$work/g-$name.head"
	done
	# Right ones as well, or the answer would tell.
	ask c7 c7 "$once"
	equal 429 "$status" "the right code from the same address"
	equal created "$(enrollment_is c7 status)" "the enrolment"
	stack clock +125
	ask c7b c7 "$once"
	stack clock =0
	equal SUCCESS "$said" "a little later"
}

# What is wrong is counted behind the answer.
slowed_at() {
	ask "g-$1" "$1" 'a guess more'
	[ "$status" = 429 ]
}

it_goes_on_without_Redis_and_counts_wrong_codes_in_the_store() {
	local i
	seat c8
	once=$(code c8)
	stack stop redis
	for i in 1 2 3 4 5 6; do
		ask "c8-$i" c8 "guess $i"
		equal 200 "$status" "guess $i"
	done
	ask c8 c8 "$once"
	equal SUCCESS "$said" "the right code"
	stack start redis
	# No more than a window has.
	equal 4 "$(enrollment_is c8 bad_attempts)" "wrong tries"
}

it_locks_an_enrolment_for_a_time_only() {
	local i window strong
	seat c9
	strong=$(code c9)
	once='room nine'
	code c9 --code-file - <<<"$once" >/dev/null
	for window in 0 700; do
		stack clock "=$window"
		for i in 1 2 3 4 5; do
			ask "c9-$window-$i" c9 "guess $i"
		done
	done
	eventually 5 is_locked c9
	stack clock =1000
	ask c9a c9 "$once"
	refused_with c9a 'enrolment code: locked'
	equal 1 "$(sql "SELECT count(*) FROM audit_event WHERE action = 'enrollment.lock' AND resource_id = 'c9'")" "rows of the lock"
	ask c9c c9 "$strong"
	equal SUCCESS "$said" "a code that nobody guesses"
	stack clock =5000
	ask c9b c9 "$once"
	stack clock =0
	equal SUCCESS "$said" "when the lock is over"
}

is_locked() {
	[ "$(enrollment_is "$1" locked_until)" -gt 0 ]
}

# ---- licences, renewals, approval -------------------------------------------------------------------------------------------------

it_refuses_clearly_what_an_organization_has_no_licence_for() {
	check scepctl organization create Small --license-count 1
	seat l1 --organization Small
	seat l2 --organization Small
	ask l1 l1 "$(code l1)"
	equal SUCCESS "$said" "the first"
	once=$(code l2)
	ask l2 l2 "$once"
	equal 200 "$status" "the second"
	matches '^FAILURE badRequest.*licence' "$said" "the second"
	equal created "$(enrollment_is l2 status)" "its code is good still"
	equal 0 "$(in_use l2)" "its seat is in use"
	# A renewal is no second seat.
	check scepctl enrol "$url" --subject CN=l1 --renew "$work/l1.pem" --renew-key "$work/l1.key" --key-out "$work/l1r.key" \
		--cert-out "$work/l1r.pem"
	check issued "$work/l1r.pem"
	equal 2 "$(certificates_of l1)" "certificates of the seat"
	equal 1 "$(sql "SELECT seats_in_use FROM organization WHERE name = 'Small'")" "seats in use"
	# Revoked, both: then it is free for the other.
	check scepctl certificate revoke "$(serial_of "$work/l1.pem")" --reason superseded
	equal 1 "$(in_use l1)" "in use while it has one that is valid"
	check scepctl certificate revoke "$(serial_of "$work/l1r.pem")" --reason cessationOfOperation
	equal 0 "$(in_use l1)" "in use"
	ask l2b l2 "$once"
	equal SUCCESS "$said" "the second, with a licence free"
	check invariants
}

it_takes_an_accounts_secret_and_records_whose_it_is() {
	local secret
	check scepctl organization create Printers
	secret=$(scepctl account create printers --profile seats --organization Printers --department Ink | sed 1q)
	ask a1 any-name "$secret"
	equal SUCCESS "$said" "an account's secret"
	ask a2 another-name "$secret"
	equal SUCCESS "$said" "and once more"
	equal 'Printers|Ink' "$(sql "SELECT organization, department FROM certificate WHERE hex(serial) = '$(serial_of "$work/a1.pem")'")" \
		"whose it is"
	check scepctl account set printers --profile seats --disable
	ask a3 any-name "$secret"
	refused_with a3 'account printers: disabled'
	# What it let in may renew.
	check scepctl enrol "$url" --subject CN=any-name --renew "$work/a1.pem" --renew-key "$work/a1.key" --key-out "$work/a1r.key" \
		--cert-out "$work/a1r.pem"
	equal 'Printers|Ink' "$(sql "SELECT organization, department FROM certificate WHERE hex(serial) = '$(serial_of "$work/a1r.pem")'")" \
		"whose the renewal is"
}

it_shows_a_code_as_pending_while_its_request_waits_and_redeems_it_when_issued() {
	url=$HTTP_URL/scep/seats-by-hand
	seat m1
	once=$(scepctl enrollment create --profile seats-by-hand --seat m1 | sed 1q)
	ask m1 m1 "$once"
	equal PENDING "$said" "the answer"
	equal pending "$(enrollment_is m1 status)" "while it waits"
	check scepctl transaction approve "$(waiting m1)"
	equal pending "$(enrollment_is m1 status)" "when it is approved"
	equal 200 "$(send m1 "$url")" "a poll"
	equal SUCCESS "$(reply m1)" "a poll"
	check issued "$work/m1.pem"
	equal redeemed "$(enrollment_is m1 status)" "when it is issued"
	equal 1 "$(in_use m1)" "the seat is in use"
	ask m1x m1 "$once"
	refused_with m1x 'enrolment code: redeemed'
}

waiting() {
	scepctl transaction list | awk -v name="CN=$1" '$0 ~ name "(,|$)" && $2 == "pending" {print $1}'
}

it_frees_a_code_whose_request_was_rejected() {
	url=$HTTP_URL/scep/seats-by-hand
	seat m2
	once=$(scepctl enrollment create --profile seats-by-hand --seat m2 | sed 1q)
	ask m2 m2 "$once"
	equal PENDING "$said" "the answer"
	check scepctl transaction reject "$(waiting m2)"
	equal created "$(enrollment_is m2 status)" "when it is rejected"
	ask m2b m2 "$once"
	equal PENDING "$said" "another request"
	equal pending "$(enrollment_is m2 status)" "while that waits"
}

it_issues_nothing_for_an_approved_request_whose_enrolment_is_gone() {
	url=$HTTP_URL/scep/seats-by-hand
	seat m3
	once=$(scepctl enrollment create --profile seats-by-hand --seat m3 | sed 1q)
	ask m3 m3 "$once"
	equal PENDING "$said" "the answer"
	check scepctl transaction approve "$(waiting m3)"
	check scepctl enrollment delete "$(enrollment_is m3 uuid)"
	status=$(send m3 "$url")
	said=$(reply m3)
	refused_with m3 'enrolment code: deleted or made anew since'
	equal 0 "$(certificates_of m3)" "certificates"
}

it_lets_a_request_wait_whatever_its_challenge_where_the_mode_is_none() {
	scepctl profile create closed --ca test-ca --challenge-mode none --approval manual >/dev/null
	url=$HTTP_URL/scep/closed
	message n1 CN=n1 whatever "$url"
	equal 200 "$(send n1 "$url")" "a request"
	equal PENDING "$(reply n1)" "it waits"
	check scepctl transaction approve "$(waiting n1)"
	equal 200 "$(send n1 "$url")" "a poll"
	equal SUCCESS "$(reply n1)" "a poll"
}

run_tests "$@"
