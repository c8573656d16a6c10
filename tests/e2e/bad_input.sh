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

# refused_alike NAME CHALLENGE REASON: badRequest and always the same text; the reason is in the audit alone.
refused_alike() {
	message "$1" "CN=$1" "$2"
	equal 200 "$(send "$1")" "HTTP status"
	equal 'FAILURE badRequest the request is not authorised' "$(reply "$1")" "what the wire says"
	eventually 10 audit_says "challenge: .*$3"
}

# ---- what no CertRep answers ----------------------------------------------------------------------------------------------------

# over_http STATUS LINE REASON CURL-OPTIONS…: one line of text, which is LINE; REASON is in the log and the audit, under the request's id.
over_http() {
	local status=$1 line=$2 reason=$3 id
	shift 3
	equal "$status" "$(curl -s -g -m 20 -D "$work/http.head" -o "$work/http.body" -w '%{http_code}' --path-as-is "$@")" "$*"
	matches '^Content-Type: text/plain' "$(cat "$work/http.head")" "$*"
	equal "$line" "$(cat "$work/http.body")" "$*"
	id=$(sed -n 's/^X-Request-Id: \([0-9a-f]*\).*/\1/p' "$work/http.head")
	matches "outcome=refused status=$status .*reason=\"$reason" "$(grep "request=$id " "$STACK_DIR/log/scep.log")" "the log"
	eventually 10 recorded "$id"
	matches "^refused $reason" "$(sql "SELECT outcome || ' ' || reason FROM audit_event WHERE request_id = '$id'")" "the audit"
}

recorded() {
	[ "$(sql "SELECT count(*) FROM audit_event WHERE request_id = '$1'")" = 1 ]
}

it_answers_unknown_and_disabled_profiles_and_records_their_paths() {
	scepctl profile create off --ca test-ca --challenge-mode static --challenge "$CHALLENGE" --disabled
	over_http 404 'There is no such SCEP profile.' 'unknown profile, path /scep/nobody' "$HTTP_URL/scep/nobody?operation=GetCACaps"
	over_http 404 'There is no such SCEP profile.' 'unknown profile, path /scep/nobody/pkiclient.exe' --data-binary x \
		"$HTTP_URL/scep/nobody/pkiclient.exe?operation=PKIOperation"
	over_http 404 'There is no such SCEP profile.' 'the path is none of ours' "$HTTP_URL/scep/a/b/c?operation=GetCACert"
	over_http 403 'This SCEP profile is disabled.' 'disabled profile, path /scep/off' "$HTTP_URL/scep/off?operation=GetCACert"
	over_http 403 'This SCEP profile is disabled.' 'disabled profile, path /scep/off' --data-binary x "$HTTP_URL/scep/off?operation=PKIOperation"
}

it_answers_what_asks_for_nothing_known_by_naming_it() {
	over_http 400 'The parameter operation is missing.' 'no operation' "$SCEP_URL"
	over_http 400 'The parameter operation is missing.' 'no operation' "$SCEP_URL?message=x"
	over_http 400 'Unknown operation: MakeCoffee' 'Unknown operation: MakeCoffee' "$SCEP_URL?operation=MakeCoffee&message=x"
	over_http 400 'Unknown operation: a?b<c>' 'Unknown operation: a\?b<c>' "$SCEP_URL?operation=a%0ab%3cc%3e"
	over_http 400 'Unknown operation: ' 'Unknown operation: ' "$SCEP_URL?operation="
	over_http 400 'The query cannot be read.' 'query: operation is there twice' "$SCEP_URL?operation=GetCACaps&operation=GetCACaps"
}

it_answers_messages_that_cannot_be_read_with_400_and_413() {
	local operation=operation=PKIOperation
	over_http 400 'The parameter message is not base64.' 'query: message is not base64 at octet 4' "$SCEP_URL?$operation&message=MIIB!"
	over_http 400 'The parameter message is not base64.' 'query: message ends in the middle' "$SCEP_URL?$operation&message=MIIBA"
	over_http 400 'The parameter message is not base64.' 'query: message is empty' "$SCEP_URL?$operation&message="
	over_http 400 'PKIOperation by GET needs the parameter message.' 'GET without message' "$SCEP_URL?$operation"
	over_http 400 'The query cannot be read.' 'query: message is there twice' "$SCEP_URL?$operation&message=AA&message=AA"
	over_http 400 'The message is empty.' 'empty PKIOperation' -X POST --data-binary '' "$SCEP_URL?$operation"
	head -c 65537 /dev/zero >"$work/large"
	over_http 413 'The message is too large.' 'body: have 65537 octets announced, want <= 65536' --data-binary "@$work/large" "$SCEP_URL?$operation"
	over_http 400 'This is no pkiMessage that can be answered.' 'pkiMessage: want exactly one SignedData' --data-binary hello "$SCEP_URL?$operation"
	over_http 400 'This is no pkiMessage that can be answered.' 'pkiMessage: want exactly one SignedData' "$SCEP_URL?$operation&message=MIIBAA=="
}

# Made in C above; here, that each of them has its row.
it_counts_messages_that_cannot_be_answered() {
	local reason
	for reason in 'pkiMessage: no transactionID' 'pkiMessage: have 2 signers' 'pkiMessage: want exactly one SignedData'; do
		eventually 10 audit_says "$reason"
	done
}

# ---- challenges -----------------------------------------------------------------------------------------------------------------

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
	local field
	scepctl profile create fields --ca test-ca --challenge-mode static --challenge "$CHALLENGE" \
		--field subject.commonName,required --field subject.serialNumber,required --extra refuse
	refuse enrol nofield "$HTTP_URL/scep/fields" --challenge "$CHALLENGE"
	matches 'serialNumber' "$(scepctl enrol "$HTTP_URL/scep/fields" --subject CN=x --challenge "$CHALLENGE" \
		--key-out "$work/f.key" --cert-out "$work/f.pem" 2>&1 || true)" "failInfoText"
	rm -f "$work/f.key"
	matches 'organization' "$(scepctl enrol "$HTTP_URL/scep/fields" --subject CN=x,serialNumber=1,O=Y --challenge "$CHALLENGE" \
		--key-out "$work/f.key" --cert-out "$work/f.pem" 2>&1 || true)" "failInfoText"
	rm -f "$work/f.key"
	matches 'san.dns' "$(scepctl enrol "$HTTP_URL/scep/fields" --subject CN=x,serialNumber=1 --san dns:x.example --challenge "$CHALLENGE" \
		--key-out "$work/f.key" --cert-out "$work/f.pem" 2>&1 || true)" "failInfoText"
	rm -f "$work/f.key"
	for field in subject.serialNumber subject.organization san.dns; do
		eventually 10 audit_says "fields .*badRequest.*$field"
	done
	check scepctl enrol "$HTTP_URL/scep/fields" --subject CN=x,serialNumber=1 --challenge "$CHALLENGE" \
		--key-out "$work/f.key" --cert-out "$work/f.pem"
	check issued "$work/f.pem"
}

it_refuses_weak_keys_by_what_is_wrong_with_them() {
	local key text
	curl -s -o "$work/weak.ca" "$SCEP_URL?operation=GetCACert"
	for key in roca=CVE-2017-15361 close=CVE-2022-26320 factor='small prime factor'; do
		"$STACK_BIN/e2e/habit" make nonce-64 --ca "$work/weak.ca" --challenge "$CHALLENGE" --key "$top/tests/vectors/weak-${key%%=*}.key.pem" \
			--out "$work/weak.der"
		equal 200 "$(send weak "$SCEP_URL")" "$key"
		text=$("$STACK_BIN/e2e/habit" read nonce-64 --ca "$work/weak.ca" --message "$work/weak.der" --reply "$work/weak.reply" || true)
		matches '^failInfo badRequest$' "$text" "$key"
		matches "^failInfoText key is weak: .*${key#*=}" "$text" "$key"
		eventually 10 audit_says "badRequest.*key is weak: .*${key#*=}"
	done
	equal 0 "$(sql "SELECT count(*) FROM certificate WHERE subject LIKE '%CN=nonce-64%'")" "certificates"
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
