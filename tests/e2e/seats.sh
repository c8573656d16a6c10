#!/bin/bash
# Organizations, seats and enrolment codes as an operator has them: verbs, import, licences, statuses; accounts beside them.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up

# seat NAME [OPTIONS…]: a seat and a code for it, which is printed.
seat_with_code() {
	local name=$1
	shift
	scepctl seat create "$name" --type device "$@" >&2 && scepctl enrollment create --profile seats --seat "$name"
}

# enrollment_of SEAT MEMBER: of its newest enrolment.
enrollment_of() {
	scepctl enrollment list --seat "$1" --limit 1 --json | jq -r ".[0].$2"
}

use() {
	enrol "$1" "$SCEP_URL_SEATS" --challenge "$2" --fingerprint "$CA_FINGERPRINT"
}

it_enrols_the_seats_of_the_stack() {
	check enrol "$SEAT_ID" "$SCEP_URL_SEATS" --challenge "$SEAT_CODE" --fingerprint "$CA_FINGERPRINT"
	check issued "$work/$SEAT_ID.pem"
	equal redeemed "$(enrollment_of "$SEAT_ID" status)" "status"
	equal true "$(scepctl seat show "$SEAT_ID" --json | jq .inUse)" "the seat is in use"
}

it_shows_a_code_once_and_keeps_it_nowhere() {
	local code
	code=$(seat_with_code once)
	matches '^[0-9A-HJKMNP-TV-Z]{7}(-[0-9A-HJKMNP-TV-Z]{7}){3}$' "$code" "the code"
	refuse grep -rqs -e "$code" "$STACK_DIR/log" "$STACK_DIR/state"
	no_match "$code" "$(scepctl enrollment list --json; scepctl audit list --json --limit 100)" "lists"
	equal null "$(enrollment_of once enrollmentCode)" "enrollmentCode"
	equal created "$(enrollment_of once status)" "status"
	check use once "$code"
	equal redeemed "$(enrollment_of once status)" "status"
	equal 1 "$(enrollment_of once uses)" "uses"
	refuse use once "$code"
}

it_prints_what_the_interface_says_as_json() {
	local json
	check scepctl seat create json --type user
	json=$(scepctl enrollment create --profile seats --seat json --ttl 3d --uses 2 --email a@example.com --json)
	equal '["id","seatId","enrollmentCode","createdAt","expiresAt","status","badAttempts"]' \
		"$(jq -c 'keys_unsorted[:7]' <<<"$json")" "members"
	equal '["json",2,"a@example.com","created",0]' \
		"$(jq -c '[.seatId,.maxUses,.email,.status,.badAttempts]' <<<"$json")" "values"
}

it_takes_a_code_of_ones_own_from_a_file() {
	check scepctl seat create own --type device
	printf 'my own code 4711\n' >"$work/code"
	matches '^[0-9a-f-]{36}$' "$(scepctl enrollment create --profile seats --seat own --code-file "$work/code")" "the id"
	check use own 'my own code 4711'
	refuse scepctl enrollment create --profile seats --seat own --code seven77
}

it_refuses_a_code_for_another_seat() {
	local code
	code=$(seat_with_code mine)
	check scepctl seat create yours --type device
	refuse use yours "$code"
	check use mine "$code"
}

it_ends_a_code_with_its_time_and_when_it_is_rejected() {
	local code id
	code=$(seat_with_code late)
	stack clock +864100
	refuse use late "$code"
	equal expired "$(enrollment_of late status)" "status"
	stack clock =0
	code=$(seat_with_code out)
	id=$(enrollment_of out id)
	check scepctl enrollment reject "$id"
	refuse use out "$code"
	equal rejected "$(enrollment_of out status)" "status"
	code=$(scepctl enrollment reissue "$id")
	equal created "$(enrollment_of out status)" "status"
	check use out "$code"
	refuse scepctl enrollment reject "$id"
	check scepctl enrollment delete "$id"
	refuse scepctl enrollment show "$id"
}

it_refuses_clearly_what_goes_beyond_the_licences() {
	local code
	check scepctl organization create Small --license-count 1
	code=$(seat_with_code small-1 --organization Small)
	check use small-1 "$code"
	code=$(seat_with_code small-2 --organization Small)
	refuse use small-2 "$code"
	eventually 5 audit_has 'licen[cs]e'
	equal created "$(enrollment_of small-2 status)" "the code is not spent"
	equal 1 "$(scepctl organization show Small --json | jq .seatsInUse)" "seats in use"
	check scepctl certificate revoke "$(serial_of "$work/small-1.pem")"
	equal 0 "$(scepctl organization show Small --json | jq .seatsInUse)" "seats in use after a revocation"
	check use small-2 "$code"
	refuse scepctl organization delete Small
}

audit_has() {
	scepctl audit list --limit 50 | grep -qiE -- "$1"
}

it_imports_seats_and_tells_the_lines_of_faults() {
	local said
	check scepctl organization create 'Imp, Ltd'
	printf '\xef\xbb\xbfseatId,type,name,email,organization,department\r\nimp-1,user,"Doe, ""Jay""",j@example.com,"Imp, Ltd",IT\r\nimp-2,device,,,,\r\n' >"$work/good.csv"
	equal '2 seats could be written, 0 lines have faults' "$(scepctl seat import "$work/good.csv" --dry-run)" "dry run"
	refuse scepctl seat show imp-1
	equal '2 seats made, 0 changed, 0 lines left out' "$(scepctl seat import "$work/good.csv")" "made"
	equal '["Doe, \"Jay\"","Imp, Ltd"]' "$(scepctl seat show imp-1 --json | jq -c '[.name,.organization]')" "imp-1"
	equal '0 seats made, 2 changed, 0 lines left out' "$(scepctl seat import - <"$work/good.csv")" "again"
	printf 'seatId,type\nimp-3,user\nimp-4,plane\nimp-5\n' >"$work/bad.csv"
	said=$(scepctl seat import "$work/bad.csv" 2>&1) && fail "want failure"
	matches 'bad.csv:3: type: ' "$said" "the first fault"
	matches 'bad.csv:4: 1 fields' "$said" "the second"
	refuse scepctl seat show imp-3
	equal '1 seats made, 0 changed, 2 lines left out' "$(scepctl seat import "$work/bad.csv" --skip-bad 2>/dev/null)" "skipped"
	check scepctl seat show imp-3
}

it_registers_codes_for_the_seats_of_a_file_and_prints_them_once() {
	local said
	scepctl seat create file-1 --type device
	scepctl seat create 'file,2' --type device
	printf 'seatId,enrollmentCode,uses\nfile-1,,2\n"file,2",0123-of-my-own-4567-89ab-cdef,\n' >"$work/codes.csv"
	equal '2 enrolments could be made' "$(scepctl enrollment import "$work/codes.csv" --profile seats --dry-run)" "dry run"
	equal 0 "$(scepctl enrollment list --seat file-1 --json | jq length)" "enrolments after a dry run"
	said=$(scepctl enrollment import "$work/codes.csv" --profile seats --ttl 3d)
	equal 'seatId,enrollmentCode,id' "$(head -n 1 <<<"$said")" "header"
	matches '^file-1,[0-9A-Z]{7}(-[0-9A-Z]{7}){3},[0-9a-f-]{36}$' "$(sed -n 2p <<<"$said")" "a drawn code"
	matches '^"file,2",,[0-9a-f-]{36}$' "$(sed -n 3p <<<"$said")" "one of one's own"
	equal 2 "$(scepctl enrollment list --seat file-1 --json | jq '.[0].maxUses')" "uses"
	check use file-1 "$(sed -n 2p <<<"$said" | cut -d, -f2)"
	printf 'seatId\nfile-1\nfile-3\n' >"$work/bad.csv"
	said=$(scepctl enrollment import "$work/bad.csv" --profile seats 2>&1) && fail "want failure"
	matches 'bad.csv:3: .*file-3' "$said" "the fault"
	equal 1 "$(scepctl enrollment list --seat file-1 --json | jq length)" "enrolments after a fault"
	equal 2 "$(scepctl enrollment import - --profile seats --json <<<$'seatId\nfile-1\nfile-1' | jq '[.made[].enrollmentCode] | unique | length')" "codes in JSON"
}

it_takes_the_secret_of_an_account_as_a_challenge() {
	local secret
	check scepctl organization create Fleet
	secret=$(scepctl account create fleet --profile mdm --organization Fleet --department Depot)
	check enrol acc1 "$SCEP_URL_DYNAMIC" --challenge "$secret" --fingerprint "$CA_FINGERPRINT"
	check enrol acc2 "$SCEP_URL_DYNAMIC" --challenge "$secret" --fingerprint "$CA_FINGERPRINT"
	equal 'Fleet|Depot' "$(sql "SELECT organization, department FROM certificate ORDER BY id DESC LIMIT 1")" "the certificate's"
	check scepctl account set fleet --profile mdm --disable
	refuse enrol acc3 "$SCEP_URL_DYNAMIC" --challenge "$secret" --fingerprint "$CA_FINGERPRINT"
	check scepctl account set fleet --profile mdm --enable
	check scepctl account rotate fleet --profile mdm
	refuse enrol acc4 "$SCEP_URL_DYNAMIC" --challenge "$secret" --fingerprint "$CA_FINGERPRINT"
}

it_checks_a_connection_to_intune_step_by_step() {
	local said
	check scepctl intune check stack
	equal '[true,true,true,true]' "$(scepctl intune check stack --json | jq -c '[.steps[].ok]')" "steps"
	check scepctl intune create wrong --tenant 99999999-2222-4333-8444-555555555555 \
		--client-id 66666666-7777-4888-8999-aaaaaaaaaaaa --secret-file - <<<intune-client-secret
	said=$(scepctl intune check wrong) && fail "want failure"
	matches '^login .*FAILED: tenant ' "$said" "a wrong tenant"
	check scepctl intune set wrong --tenant 11111111-2222-4333-8444-555555555555 --secret-file - <<<wrong-secret
	said=$(scepctl intune check wrong) && fail "want failure"
	matches '^login .*FAILED: the client secret' "$said" "a wrong secret"
	no_match 'wrong-secret' "$said" "the secret"
}

it_calls_a_webhook_once_to_test_it() {
	local hook=(--profile demo --ca-file "$CA_PEM" --secret-file -)
	check scepctl webhook create v "${hook[@]}" --kind validate --url "$INTUNE_URL/webhook/validate" \
		<<<d2ViaG9vay1zZWNyZXQtb2YtdGVzdHM= --disable
	matches 'no public address' "$(scepctl webhook test v --profile demo || true)" "a private address"
	check scepctl webhook set v --profile demo --allow-private yes
	check scepctl webhook test v --profile demo --challenge webhook-ok-1
	refuse scepctl webhook test v --profile demo --challenge other
	check scepctl webhook delete v --profile demo
}

run_tests "$@"
