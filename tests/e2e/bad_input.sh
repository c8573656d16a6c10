#!/bin/bash
# What each bad input gets, and what the audit keeps of it: docs/design.md, "Bad input".
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up
export SCEP_URL CHALLENGE SCEPCTL

# Messages that no client of good will sends are made in C: a line for each of its cases.
table() {
	CMOCKA_MESSAGE_OUTPUT=TAP "$STACK_BIN/e2e/bad_input" >"$work/table.tap" 2>"$work/table.err" </dev/null || failed=1
	sed -nE "s|^(not )?ok [0-9]+ - (.*)|\1ok $here: \2|p" "$work/table.tap" | tr _ ' ' | sed "s|bad input|bad_input|"
	grep -q '^ok' "$work/table.tap" || echo "not ok $here: the table of messages runs"
	[ "$failed" -eq 0 ] || sed 's/^/#   /' "$work/table.tap" "$work/table.err"
}

audit_says() {
	scepctl audit list --failed --limit 50 | grep -qE -- "$1"
}

# refused_alike NAME CHALLENGE REASON: badRequest without any text; the reason is in the audit alone.
refused_alike() {
	message "$1" "CN=$1" "$2"
	equal 200 "$(send "$1")" "HTTP status"
	equal 'FAILURE badRequest ' "$(reply "$1")" "what the wire says"
	eventually 10 audit_says "challenge: .*$3"
}

it_tells_expired_used_bound_and_unknown_challenges_apart_in_the_audit_alone() {
	local once
	refused_alike unknown 0123456789ABCDEF0123456789ABCDEF "unknown"
	once=$(scepctl challenge new --profile mdm --bind-cn somebody-else)
	refused_alike bound "$once" "bound to CN somebody-else"
	once=$(scepctl challenge new --profile mdm)
	message used CN=used "$once"
	equal 200 "$(send used)" "HTTP status"
	equal SUCCESS "$(reply used)" "the first use"
	refused_alike usedagain "$once" "used"
	refused_alike static "$CHALLENGE" "unknown"
	check invariants
}

it_refuses_an_expired_challenge() {
	local once
	once=$(scepctl challenge new --profile mdm --ttl 2m)
	stack clock +180
	refused_alike expired "$once" "expired"
	stack clock =0
}

it_burns_a_bound_challenge_after_five_failed_tries_and_not_before() {
	local once i
	once=$(scepctl challenge new --profile mdm --bind-cn owner)
	for i in 1 2 3 4; do
		message "thief$i" "CN=thief$i" "$once"
		equal 200 "$(send "thief$i")" "HTTP status"
		matches '^FAILURE badRequest' "$(reply "thief$i")" "try $i"
	done
	message owner CN=owner "$once"
	equal 200 "$(send owner)" "HTTP status"
	equal SUCCESS "$(reply owner)" "the owner's try"
	once=$(scepctl challenge new --profile mdm --bind-cn owner2)
	for i in 1 2 3 4 5; do
		message "thief$i" "CN=thief$i" "$once"
		equal 200 "$(send "thief$i")" "HTTP status"
		matches '^FAILURE badRequest' "$(reply "thief$i")" "try $i"
	done
	refused_alike owner2 "$once" "burned"
}

it_names_the_field_that_is_missing_or_not_allowed() {
	scepctl profile create fields --ca test-ca --challenge-mode static --challenge "$CHALLENGE" \
		--field subject.commonName,required --field subject.serialNumber,required --extra refuse
	refuse enrol nofield "$HTTP_URL/scep/fields" --challenge "$CHALLENGE"
	matches 'serialNumber' "$(scepctl enrol "$HTTP_URL/scep/fields" --subject CN=x --challenge "$CHALLENGE" \
		--key-out "$work/f.key" --cert-out "$work/f.pem" 2>&1 || true)" "failInfoText"
	rm -f "$work/f.key"
	matches 'organization' "$(scepctl enrol "$HTTP_URL/scep/fields" --subject CN=x,serialNumber=1,O=Y --challenge "$CHALLENGE" \
		--key-out "$work/f.key" --cert-out "$work/f.pem" 2>&1 || true)" "failInfoText"
	rm -f "$work/f.key"
	check scepctl enrol "$HTTP_URL/scep/fields" --subject CN=x,serialNumber=1 --challenge "$CHALLENGE" \
		--key-out "$work/f.key" --cert-out "$work/f.pem"
	check issued "$work/f.pem"
}

it_refuses_wishes_for_a_CA_where_the_profile_says_so() {
	scepctl profile create strict --ca test-ca --challenge-mode static --challenge "$CHALLENGE" --extensions refuse
	check enrol plain "$HTTP_URL/scep/strict" --challenge "$CHALLENGE"
	export SCEP_URL=$HTTP_URL/scep/strict
	refuse "$STACK_BIN/e2e/bad_input" wishes_for_ca_rights_and_foreign_usages_are_never_copied
	eventually 10 audit_says "strict.*keyCertSign"
	equal 1 "$(sql "SELECT count(*) FROM certificate c JOIN scep_profile p ON p.id = c.scep_profile_id WHERE p.name = 'strict'")" \
		"certificates of the profile"
}

it_warns_of_broken_algorithms_in_log_and_audit_each_time() {
	check enrol broken "$SCEP_URL_LEGACY" --challenge "$CHALLENGE" --digest MD5 --cipher DES-CBC
	check issued "$work/broken.pem"
	matches 'MD5.*DES' "$(sql "SELECT reason FROM audit_event WHERE serial = lower('$(serial_of "$work/broken.pem")')")" "audit"
	check grep -q 'level=warning.*MD5.*DES' "$STACK_DIR/log/scep.log"
	refuse enrol notbroken "$SCEP_URL" --challenge "$CHALLENGE" --digest MD5 --cipher DES-CBC
}

it_counts_a_flood_of_refusals_in_few_rows() {
	local before i
	message flood CN=flood wrong-challenge "$SCEP_URL"
	before=$(sql 'SELECT count(*) FROM audit_event')
	for ((i = 0; i < 150; i++)); do
		send flood "$SCEP_URL" >/dev/null
	done
	# What is above the rate is counted, and its row comes when the minute is over.
	eventually 10 test "$(sql 'SELECT count(*) FROM audit_event')" -gt "$before"
	stack clock +120
	eventually 15 counted
	stack clock =0
	check test $(($(sql 'SELECT count(*) FROM audit_event') - before)) -le 140
	equal 150 "$(sql "SELECT sum(count) FROM audit_event WHERE reason LIKE 'challenge: wrong%' AND id > (SELECT max(id) - 1000 FROM audit_event)
		AND transaction_id = (SELECT transaction_id FROM audit_event WHERE reason LIKE 'challenge: wrong%' ORDER BY id DESC LIMIT 1)")" "refusals recorded"
}

counted() {
	[ "$(sql "SELECT coalesce(max(count), 0) FROM audit_event WHERE reason LIKE 'challenge: wrong%'")" -gt 1 ]
}

table
run_tests "$@"
