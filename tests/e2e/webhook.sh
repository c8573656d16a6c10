#!/bin/bash
# Webhooks from end to end: an operator's service is asked before a certificate is issued, and told afterwards.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

stack_up WORKERS=4 SCEP_OUTBOUND_TIMEOUT_MS=3000
service=$INTUNE_DIR # one server stands in for both
SERVICE_URL=$INTUNE_URL
url=$HTTP_URL/scep/hooked

# hook PROFILE NAME KIND PATH OPTIONS…
hook() {
	local profile=$1 name=$2 kind=$3 path=$4
	shift 4
	scepctl webhook create "$name" --profile "$profile" --kind "$kind" --url "$SERVICE_URL/webhook/$path" --secret-file "$work/secret" \
		--ca-file "$CA_PEM" --allow-private yes "$@"
}

connect() {
	printf %s d2ViaG9vay1zZWNyZXQtb2YtdGVzdHM= >"$work/secret"
	scepctl profile create hooked --ca test-ca --challenge-mode webhook --renewal-threshold-days 36500 --disabled &&
		hook hooked ask validate validate &&
		hook hooked tell notify notify &&
		scepctl profile enable hooked
}
connect >"$work/connect.log" 2>&1 || {
	failed=1
	echo "not ok $here: a profile with webhooks can be made"
	sed 's/^/#   /' "$work/connect.log"
	exit 1
}

# behave LINE…: what the service does from now on; without lines what it should.
behave() {
	printf '%s\n' "$@" >"$service/control.part"
	mv "$service/control.part" "$service/control"
}

# calls ACTION: how many the service has seen.
calls() {
	grep -c "\"action\": *\"$1\"" "$service/log" || true
}

called() {
	[ "$(calls "$1")" -ge "$2" ]
}

certificates_for() {
	sql "SELECT count(*) FROM certificate WHERE subject LIKE '%CN=$1%'"
}

audit_has() {
	scepctl audit list --limit 500 | grep -qE -- "$1"
}

it_enrols_whom_the_service_allows_and_tells_it_afterwards() {
	local told
	told=$(calls notify)
	check enrol w1 "$url" --challenge webhook-ok-1
	check issued "$work/w1.pem"
	eventually 5 called notify $((told + 1))
	matches 'x509Certificate' "$(grep '"notify"' "$service/log" | tail -1)" "what it is told"
	no_match 'webhook-ok-1' "$(grep '"notify"' "$service/log" | tail -1)" "what it is told"
}

it_refuses_whom_the_service_denies() {
	message x1 CN=x1 not-allowed "$url"
	equal 200 "$(send x1 "$url")" "HTTP"
	matches '^FAILURE badRequest.*the request is not authorised' "$(reply x1 | tr '\n' ' ')" "the answer"
	equal 0 "$(certificates_for x1)" "certificates"
	eventually 5 audit_has 'webhook ask denied'
}

it_refuses_on_any_doubt_and_burns_nothing() {
	local doubt n=0
	for doubt in 'validate 500' 'validate 404' 'validate garbage' 'validate empty' 'validate redirect' 'validate close' 'validate slow 20000' \
		'validate large'; do
		n=$((n + 1))
		behave "$doubt"
		message "d$n" "CN=d$n" "webhook-ok-d$n" "$url"
		equal 200 "$(send "d$n" "$url")" "HTTP with $doubt"
		matches '^FAILURE badRequest.*the request is not authorised' "$(reply "d$n" | tr '\n' ' ')" "the answer with $doubt"
		equal 0 "$(certificates_for "d$n")" "certificates with $doubt"
		behave
		equal 200 "$(send "d$n" "$url")" "HTTP after $doubt"
		equal SUCCESS "$(reply "d$n")" "the same request after $doubt"
	done
}

it_asks_about_renewals_too() {
	check enrol n1 "$url" --challenge webhook-ok-n1
	behave 'validate deny'
	refuse scepctl enrol "$url" --renew "$work/n1.pem" --renew-key "$work/n1.key" --key-out "$work/n2.key" --cert-out "$work/n2.pem"
	behave 'validate allow'
	check scepctl enrol "$url" --renew "$work/n1.pem" --renew-key "$work/n1.key" --key-out "$work/n2.key" --cert-out "$work/n2.pem"
	behave
}

it_is_asked_behind_another_mode_too() {
	check scepctl profile create both --ca test-ca --challenge-mode dynamic
	check hook both ask validate validate
	local once
	once=$(scepctl challenge new --profile both)
	behave 'validate deny'
	refuse enrol b1 "$HTTP_URL/scep/both" --challenge "$once"
	behave 'validate allow'
	refuse enrol b2 "$HTTP_URL/scep/both" --challenge "${once%?}0x"
	check enrol b1 "$HTTP_URL/scep/both" --challenge "$once"
	behave
}

it_answers_before_a_slow_service_has_been_told() {
	local after
	behave 'notify slow 2000'
	message t1 CN=t1 webhook-ok-t1 "$url"
	equal 200 "$(send t1 "$url")" "HTTP"
	after=$(calls notify)
	equal SUCCESS "$(reply t1)" "the answer"
	eventually 10 called notify $((after + 1))
	behave 'notify 500'
	check enrol t2 "$url" --challenge webhook-ok-t2
	eventually 10 grep -qs 'not-told' "$STACK_DIR/log/scep.log"
	behave
}

it_tells_of_a_request_that_the_rules_refuse() {
	local told
	check scepctl profile set hooked --min-rsa-bits 3072
	told=$(calls notify)
	refuse enrol s1 "$url" --challenge webhook-ok-s1 --key rsa:2048
	eventually 10 called notify $((told + 1))
	matches 'scepErrorCode.*badRequest' "$(grep '"notify"' "$service/log" | tail -1)" "what it is told"
	check scepctl profile set hooked --min-rsa-bits 2048
}

it_calls_no_private_address_unless_allowed() {
	check scepctl profile create inward --ca test-ca --challenge-mode static --challenge "$CHALLENGE"
	check scepctl webhook create ask --profile inward --kind validate --url "$SERVICE_URL/webhook/validate" --secret-file "$work/secret" \
		--ca-file "$CA_PEM"
	local before
	before=$(calls validate)
	behave 'validate allow'
	refuse enrol p1 "$HTTP_URL/scep/inward" --challenge "$CHALLENGE"
	behave
	equal "$before" "$(calls validate)" "calls"
}

it_writes_no_secret_into_log_or_audit() {
	refuse grep -rqs -e webhook-secret-of-tests -e d2ViaG9vay1zZWNyZXQtb2YtdGVzdHM= -e webhook-ok- "$STACK_DIR/log"
	refuse grep -qs -e webhook-secret-of-tests -e d2ViaG9vay1zZWNyZXQtb2YtdGVzdHM= -e webhook-ok- <<<"$(scepctl audit list --json --limit 500)"
}

it_slows_down_who_has_the_service_asked_again_and_again() {
	local asked n
	sed -i 's/^SCEP_WRONG_PER_MINUTE=.*/SCEP_WRONG_PER_MINUTE=3/' "$STACK_DIR/settings.env"
	check stack stop scep
	check stack start scep
	for n in 1 2 3 4; do
		message "s$n" "CN=s$n" none "$url"
		"$STACK_BIN/e2e/pkimessage" make --ca "$work/s$n.p7" --key "$work/s$n.key" --subject "CN=s$n" --out "$work/s$n.der"
	done
	later
	for n in 1 2 3; do
		equal 200 "$(send "s$n" "$url")" "HTTP, without a challenge, $n"
	done
	asked=$(calls validate)
	equal 429 "$(send s4 "$url")" "HTTP when it was too often"
	equal "$asked" "$(calls validate)" "calls"
}

run_tests "$@"
