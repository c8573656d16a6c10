#!/bin/bash
# The challenge endpoint for MDMs, through nginx and fcgi-admin; health, and what of it lands in the audit.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up

bearer() {
	page -H "Authorization: Bearer $API_TOKEN" "$@"
}

# The body alone, with what is behind its last line kept.
body() {
	curl -s -m 20 --cacert "$CA_PEM" -H "Authorization: Bearer $API_TOKEN" "$@"
	echo .
}

pending() {
	scepctl challenge count --profile mdm
}

# A token of a role for some profiles.
token() {
	scepctl token create "$@"
}

it_gives_the_challenge_alone_without_a_newline() {
	local answer
	matches '^[0-9A-F]{32}\.$' "$(body "$HTTPS_URL/scep/mdm/challenge")" "the body"
	answer=$(bearer "$HTTPS_URL/scep/mdm/challenge")
	matches '^HTTP/1.1 200' "$answer" "status"
	matches '^Content-Type: text/plain' "$answer" "type"
	matches '^Cache-Control: no-store' "$answer" "caching"
	matches '^Content-Length: 32$' "$answer" "length"
}

it_gives_a_challenge_that_enrols_one_device_and_no_second() {
	local challenge
	challenge=$(curl -s --cacert "$CA_PEM" -u "any:$API_TOKEN" "$HTTPS_URL/scep/mdm/challenge")
	check enrol mdm1 "$SCEP_URL_DYNAMIC" --challenge "$challenge" --fingerprint "$CA_FINGERPRINT"
	check issued "$work/mdm1.pem"
	refuse enrol mdm2 "$SCEP_URL_DYNAMIC" --challenge "$challenge"
}

it_answers_a_post_with_any_body() {
	local n
	n=$(pending)
	equal 200 "$(http -H "Authorization: Bearer $API_TOKEN" --data '{"event":{"payloadIdentifier":"com.example.7","device":{"uuid":"U-7"}}}' "$HTTPS_URL/scep/mdm/challenge")" "JSON"
	equal 200 "$(http -H "Authorization: Bearer $API_TOKEN" -H 'Content-Type: text/xml' --data '<x>' "$HTTPS_URL/scep/mdm/challenge")" "XML"
	equal 200 "$(http -H "Authorization: Bearer $API_TOKEN" --data '{"broken' "$HTTPS_URL/scep/mdm/challenge")" "broken JSON"
	equal 200 "$(http -H "Authorization: Bearer $API_TOKEN" -X POST "$HTTPS_URL/scep/mdm/challenge")" "nothing"
	equal $((n + 4)) "$(pending)" "pending challenges"
	eventually 5 audit_has 'payloadIdentifier com.example.7; device U-7'
}

audit_has() {
	scepctl audit list --limit 500 | grep -qE -- "$1"
}

it_refuses_a_body_over_its_limit() {
	head -c 70000 /dev/zero | tr '\0' x >"$work/large"
	equal 413 "$(http -H "Authorization: Bearer $API_TOKEN" --data-binary "@$work/large" "$HTTPS_URL/scep/mdm/challenge")" "status"
}

it_takes_basic_with_any_user_in_any_spelling() {
	local user
	for user in joe 'CORP\joe' joe@corp.example ''; do
		equal 200 "$(http -u "$user:$API_TOKEN" "$HTTPS_URL/scep/mdm/challenge")" "user $user"
	done
	eventually 5 audit_has 'token:stack|user joe'
}

it_asks_for_credentials_where_there_are_none_or_wrong_ones() {
	local answer n
	n=$(pending)
	answer=$(page "$HTTPS_URL/scep/mdm/challenge")
	matches '^HTTP/1.1 401' "$answer" "status"
	matches '^WWW-Authenticate: Basic realm=' "$answer" "Basic"
	matches '^WWW-Authenticate: Bearer' "$answer" "Bearer"
	equal 401 "$(http -u "joe:${API_TOKEN%?}" "$HTTPS_URL/scep/mdm/challenge")" "a token too short"
	equal 401 "$(http -H "Authorization: Bearer fscep_$(printf 'a%.0s' $(seq 43))" "$HTTPS_URL/scep/mdm/challenge")" "nobody's token"
	equal 401 "$(http -H 'Authorization: NTLM TlRMTVNTUAABAAAA' "$HTTPS_URL/scep/mdm/challenge")" "NTLM"
	equal "$n" "$(pending)" "pending challenges"
	eventually 5 audit_has 'refused +api.call.*401: unknown token'
}

it_refuses_plain_http_before_it_asks_for_credentials() {
	local answer
	answer=$(page "$HTTP_URL/scep/mdm/challenge")
	matches '^HTTP/1.1 403' "$answer" "status"
	no_match '^WWW-Authenticate' "$answer" "headers"
	equal 403 "$(http -u "joe:$API_TOKEN" "$HTTP_URL/scep/mdm/challenge")" "with credentials"
}

it_mints_nothing_for_HEAD_and_refuses_other_methods() {
	local n answer
	n=$(pending)
	equal 200 "$(http -I -H "Authorization: Bearer $API_TOKEN" "$HTTPS_URL/scep/mdm/challenge")" "HEAD"
	equal 401 "$(http -I "$HTTPS_URL/scep/mdm/challenge")" "HEAD without credentials"
	answer=$(bearer -X PUT "$HTTPS_URL/scep/mdm/challenge")
	matches '^HTTP/1.1 405' "$answer" "PUT"
	matches '^Allow: GET, HEAD, POST$' "$answer" "Allow"
	equal "$n" "$(pending)" "pending challenges"
}

it_tells_unknown_and_static_profiles_apart_from_those_that_mint() {
	equal 404 "$(http -H "Authorization: Bearer $API_TOKEN" "$HTTPS_URL/scep/nope/challenge")" "unknown"
	equal 409 "$(http -H "Authorization: Bearer $API_TOKEN" "$HTTPS_URL/scep/demo/challenge")" "static"
	equal 409 "$(http -H "Authorization: Bearer $API_TOKEN" "$HTTPS_URL/scep/challenge")" "the default profile, which is static"
}

it_keeps_a_token_to_its_role_and_its_profiles() {
	local one auditor
	one=$(token only-mdm --role challenge --profiles mdm)
	auditor=$(token reader --role auditor)
	equal 200 "$(http -H "Authorization: Bearer $one" "$HTTPS_URL/scep/mdm/challenge")" "its profile"
	equal 403 "$(http -H "Authorization: Bearer $one" "$HTTPS_URL/scep/demo/challenge")" "another profile"
	equal 403 "$(http -H "Authorization: Bearer $auditor" "$HTTPS_URL/scep/mdm/challenge")" "another role"
	eventually 5 audit_has 'refused +api.call.*403: the role'
	check scepctl token revoke only-mdm
	equal 401 "$(http -H "Authorization: Bearer $one" "$HTTPS_URL/scep/mdm/challenge")" "revoked"
}

it_ends_a_token_with_its_time() {
	local short
	short=$(token short-lived --role admin --ttl 1h)
	equal 200 "$(http -H "Authorization: Bearer $short" "$HTTPS_URL/scep/mdm/challenge")" "before"
	stack clock +3601
	equal 401 "$(http -H "Authorization: Bearer $short" "$HTTPS_URL/scep/mdm/challenge")" "after"
	stack clock =0
}

it_says_that_the_cache_is_full_and_goes_on_when_there_is_room() {
	local challenge answer
	check scepctl profile create two --ca test-ca --challenge-mode dynamic --max-pending 2
	challenge=$(scepctl challenge new --profile two)
	check scepctl challenge new --profile two
	answer=$(bearer "$HTTPS_URL/scep/two/challenge")
	matches '^HTTP/1.1 429' "$answer" "status"
	matches '^Retry-After: ' "$answer" "Retry-After"
	matches '^The challenge cache is full$' "$answer" "the line"
	exits_full
	check enrol room "$HTTP_URL/scep/two" --challenge "$challenge"
	equal 200 "$(http -H "Authorization: Bearer $API_TOKEN" "$HTTPS_URL/scep/two/challenge")" "with room"
}

exits_full() {
	local status=0
	scepctl challenge new --profile two || status=$?
	equal 1 "$status" "scepctl's exit status"
}

it_answers_503_while_redis_is_away_and_mints_again_when_it_is_back() {
	local answer
	stack stop redis
	answer=$(bearer "$HTTPS_URL/scep/mdm/challenge")
	matches '^HTTP/1.1 503' "$answer" "status"
	matches '^Retry-After: ' "$answer" "Retry-After"
	equal 401 "$(http "$HTTPS_URL/scep/mdm/challenge")" "a refusal without Redis"
	sleep 1.1
	equal 503 "$(http "$API_URL/health")" "health"
	stack start redis
	eventually 10 mints
	eventually 10 audit_has 'audit.lost'
	eventually 5 healthy
}

mints() {
	[ "$(http -H "Authorization: Bearer $API_TOKEN" "$HTTPS_URL/scep/mdm/challenge")" = 200 ]
}

healthy() {
	[ "$(http "$API_URL/health")" = 200 ]
}

it_counts_a_flood_of_refusals_into_few_rows() {
	local rows
	for _ in $(seq 90); do
		http -H 'Authorization: Bearer flood' "$API_URL/hello" >/dev/null
	done
	sleep 1.5
	rows=$(sql "SELECT count(*) FROM audit_event WHERE action = 'api.call' AND reason LIKE '401: not a token' AND resource_id = '/api/v1/hello'")
	check test "$rows" -ge 1
	check test "$rows" -le 122
}

it_tells_health_in_detail_to_callers_with_a_token_alone() {
	equal '{"status":"ok"}.' "$(curl -s --cacert "$CA_PEM" "$API_URL/health"; echo .)" "without a token"
	matches '"raCertificate of mdm"' "$(body "$API_URL/health")" "with a token"
	matches '"version"' "$(body "$API_URL/hello")" "hello with a token"
	no_match '"version"' "$(page "$API_URL/hello")" "hello without"
	equal 401 "$(http -H 'Authorization: Bearer x' "$API_URL/health")" "with a wrong one"
}

it_answers_errors_of_the_api_as_problem_json() {
	local answer
	answer=$(bearer "$API_URL/nothing")
	matches '^HTTP/1.1 404' "$answer" "status"
	matches '^Content-Type: application/problem\+json' "$answer" "type"
	matches '"status":404.*"instance":"/api/v1/nothing".*"message":' "$answer" "the object"
	answer=$(bearer -X DELETE "$API_URL/health")
	matches '^HTTP/1.1 405' "$answer" "status"
	matches '^Allow: GET, HEAD' "$answer" "Allow"
}

it_warns_and_fails_as_certificates_come_to_their_end() {
	stack clock +$((86400 * (3650 - 20)))
	eventually 5 health_is warn 200
	stack clock +$((86400 * 30))
	eventually 5 health_is fail 503
	stack clock =0
	eventually 5 health_is ok 200
}

# nginx's own certificate ends too, so the check of it is left out here.
health_is() {
	[ "$(curl -s -k -w ' %{http_code}' "$API_URL/health")" = "{\"status\":\"$1\"} $2" ]
}

it_writes_no_secret_into_log_or_audit() {
	local challenge
	challenge=$(curl -s --cacert "$CA_PEM" -u "any:$API_TOKEN" "$HTTPS_URL/scep/mdm/challenge")
	matches '^[0-9A-F]{32}$' "$challenge" "the challenge"
	sleep 1.2
	refuse grep -rqs -e "$challenge" -e "$API_TOKEN" "$STACK_DIR/log"
	refuse grep -qs -e "$challenge" -e "$API_TOKEN" <<<"$(scepctl audit list --json --limit 500)"
}

# The child of the master that serves no requests.
background() {
	local pid
	for pid in $(workers "$PIDS_ADMIN"); do
		! grep -q '^admin-backgr' "/proc/$pid/comm" || echo "$pid"
	done
}

it_survives_the_end_of_the_background_process() {
	local pid
	pid=$(background)
	kill -9 "$pid"
	equal 200 "$(http -u "bg:$API_TOKEN" --data '{"payloadIdentifier":"after-the-kill"}' "$HTTPS_URL/scep/mdm/challenge")" "status"
	eventually 25 audit_has 'after-the-kill'
}

run_tests "$@"
