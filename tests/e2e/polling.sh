#!/bin/bash
# Requests that wait for approval through the whole stack: polled by CertPoll and by the same request again, approved, rejected, expired.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up
secret=$(openssl rand -hex 16)
scepctl profile create waits --ca test-ca --challenge "$secret" --approval manual --curves P-256,P-384,P-521 \
	--renewal-threshold-days 36500 >/dev/null
scepctl profile create once --ca test-ca --challenge-mode dynamic --approval manual --curves P-256,P-384,P-521 >/dev/null
url=$HTTP_URL/scep/waits

# exits STATUS COMMAND…: with exactly this exit status; what it said is in $work/said.
exits() {
	local want=$1 have=0
	shift
	"$@" >"$work/said" 2>&1 || have=$?
	cat "$work/said"
	[ "$have" -eq "$want" ] || fail "want exit status $want, have $have: $*"
}

# again NAME [OPTIONS…]: the same request with the key that is there.
again() {
	local name=$1
	shift
	rm -f "$work/$name.pem"
	scepctl enrol "$url" --subject "CN=$name,O=Example" --key-file "$work/$name.key" --cert-out "$work/$name.pem" "$@"
}

# waiting NAME: the ids of those that wait with this common name, one a line.
waiting() {
	scepctl transaction list | awk -v name="CN=$1" '$0 ~ name "(,|$)" && $2 == "pending" {print $1}'
}

waits_since() {
	[ -n "$(waiting "$1")" ]
}

approve() {
	scepctl transaction approve "$(waiting "$1")"
}

reject() {
	scepctl transaction reject "$(waiting "$1")" "${@:2}"
}

it_answers_PENDING_and_issues_what_is_approved() {
	exits 4 enrol p1 "$url" --challenge "$secret"
	matches 'PENDING' "$(cat "$work/said")" "what scepctl says"
	check test -s "$work/p1.key"
	check test ! -e "$work/p1.pem"
	exits 4 again p1 --challenge "$secret" --poll
	equal 1 "$(waiting p1 | wc -l)" "transactions that wait"
	check approve p1
	exits 0 again p1 --poll
	check issued "$work/p1.pem"
	equal '' "$(waiting p1)" "transactions that wait"
}

it_issues_to_a_client_that_keeps_polling() {
	local client
	(exits 0 enrol p2 "$url" --challenge "$secret" --wait 60 --interval 1) >"$work/p2.log" 2>&1 &
	client=$!
	eventually 20 waits_since p2
	check approve p2
	check wait "$client"
	check issued "$work/p2.pem"
}

it_takes_the_same_request_again_for_a_poll() {
	exits 4 enrol p3 "$url" --challenge "$secret"
	exits 4 again p3 --challenge "$secret"
	exits 4 again p3 --challenge "$secret"
	equal 1 "$(waiting p3 | wc -l)" "transactions that wait"
	check approve p3
	check again p3 --challenge "$secret"
	check issued "$work/p3.pem"
	cp "$work/p3.pem" "$work/p3-first.pem"
	# And once it has its certificate, for a repeat; a poll too.
	check again p3 --challenge "$secret"
	check cmp "$work/p3.pem" "$work/p3-first.pem"
	check again p3 --poll
	check cmp "$work/p3.pem" "$work/p3-first.pem"
}

it_tells_a_rejected_request_FAILURE_and_its_client_drops_the_key() {
	local client
	(exits 1 enrol p4 "$url" --challenge "$secret" --wait 60 --interval 1) >"$work/p4.log" 2>&1 &
	client=$!
	eventually 20 waits_since p4
	check reject p4 --reason 'not one of ours'
	check wait "$client"
	matches 'FAILURE: badRequest' "$(cat "$work/p4.log")" "what scepctl says"
	check test ! -e "$work/p4.key"
	check test ! -e "$work/p4.pem"
	equal 0 "$(sql "SELECT count(*) FROM certificate WHERE subject LIKE '%CN=p4%'")" "certificates for CN=p4"
}

it_ends_a_request_that_nobody_decided_with_FAILURE() {
	exits 4 enrol p5 "$url" --challenge "$secret"
	stack clock +$((8 * 86400))
	exits 1 again p5 --poll
	matches 'FAILURE' "$(cat "$work/said")" "what scepctl says"
	stack clock =0
	check test ! -e "$work/p5.pem"
}

it_refuses_a_poll_for_nothing() {
	(umask 077 && openssl genrsa -out "$work/p6.key" 2048 2>/dev/null)
	exits 1 again p6 --poll
	matches 'FAILURE: badCertId' "$(cat "$work/said")" "what scepctl says"
}

it_refuses_a_poll_by_another_key() {
	exits 4 enrol p7 "$url" --challenge "$secret" --transaction-id the-seventh
	(umask 077 && openssl genrsa -out "$work/p7x.key" 2048 2>/dev/null)
	exits 1 again p7x --poll --transaction-id the-seventh
	matches 'FAILURE: badCertId' "$(cat "$work/said")" "what scepctl says"
	check approve p7
	exits 1 again p7x --poll --transaction-id the-seventh
	check again p7 --poll --transaction-id the-seventh
	check issued "$work/p7.pem"
}

it_refuses_a_wrong_challenge_before_anybody_has_to_decide() {
	exits 1 enrol p8 "$url" --challenge not-the-challenge
	equal '' "$(waiting p8)" "transactions that wait"
}

it_holds_a_one_time_challenge_while_it_waits_and_frees_it_when_rejected() {
	local one
	url=$HTTP_URL/scep/once
	one=$(scepctl challenge new --profile once)
	exits 4 enrol p9 "$url" --challenge "$one"
	exits 1 enrol p9x "$url" --challenge "$one"
	exits 4 again p9 --challenge "$one"
	check reject p9
	exits 1 again p9 --poll
	exits 4 enrol p9y "$url" --challenge "$one"
	check approve p9y
	check again p9y --poll
	check issued "$work/p9y.pem"
	exits 1 enrol p9z "$url" --challenge "$one"
}

it_serves_EC_keys_of_three_curves() {
	local curve
	for curve in P-256 P-384 P-521; do
		exits 4 enrol "w$curve" "$url" --challenge "$secret" --key "ec:$curve"
		exits 4 again "w$curve" --challenge "$secret" --poll
		check approve "w$curve"
		check again "w$curve" --challenge "$secret" --poll
		check issued "$work/w$curve.pem"
	done
}

it_takes_the_same_request_of_an_EC_key_again_for_a_poll() {
	local one
	url=$HTTP_URL/scep/once
	one=$(scepctl challenge new --profile once)
	exits 4 enrol p14 "$url" --challenge "$one" --key ec:P-384
	exits 4 again p14 --challenge "$one"
	equal 1 "$(waiting p14 | wc -l)" "transactions that wait"
	check approve p14
	check again p14 --challenge "$one"
	check issued "$work/p14.pem"
}

it_serves_EC_keys_with_one_time_challenges() {
	local one
	url=$HTTP_URL/scep/once
	one=$(scepctl challenge new --profile once)
	exits 4 enrol p10 "$url" --challenge "$one" --key ec:P-256
	check approve p10
	check again p10 --challenge "$one" --poll
	check issued "$work/p10.pem"
}

it_keeps_an_approval_though_Redis_loses_everything() {
	exits 4 enrol p11 "$url" --challenge "$secret"
	check approve p11
	redis-cli -s "$REDIS_SOCKET" flushall >/dev/null
	check again p11 --poll
	check issued "$work/p11.pem"
}

it_lets_renewals_wait_too() {
	exits 4 enrol p12 "$url" --challenge "$secret"
	check approve p12
	check again p12 --poll
	exits 4 scepctl enrol "$url" --renew "$work/p12.pem" --renew-key "$work/p12.key" --same-key --cert-out "$work/p12b.pem"
	check approve p12
	check scepctl enrol "$url" --renew "$work/p12.pem" --renew-key "$work/p12.key" --same-key --cert-out "$work/p12b.pem" --poll
	check issued "$work/p12b.pem"
	refuse cmp "$work/p12.pem" "$work/p12b.pem"
}

it_tells_a_script_of_it_in_JSON() {
	local id
	exits 4 enrol p13 "$url" --challenge "$secret" --json 2>/dev/null
	id=$(sed -n 's/.*"transactionId": "\(.*\)".*/\1/p' "$work/said")
	matches '^[0-9a-f]{64}$' "$id" "the transactionID"
	matches '"status": "PENDING"' "$(cat "$work/said")" "the result"
	check scepctl transaction approve "$id"
	check again p13 --poll --json
}

it_keeps_what_always_holds() {
	check invariants
}

run_tests "$@"
