#!/bin/bash
# The table of secrets: each challenge mode, and all that may be wrong with a challenge: docs/design.md, "Bad input".
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# Nobody is slowed down here: see limits.sh for that.
stack_up SCEP_CODE_TRIES_PER_WINDOW=1000 SCEP_CODE_LOCK_AFTER=0
export SCEPCTL

# table URL CN RIGHT CASE…: secrets_table.c, whose three tests are told here where they fail.
table() {
	CMOCKA_MESSAGE_OUTPUT=STDOUT check "$STACK_BIN/e2e/secrets_table" "$@"
}

another=0123456789abcdef-of-another-profile
once=0123456789ABCDEF0123456789ABCDEF

it_refuses_wrong_static_challenges_alike() {
	scepctl profile create other-static --ca test-ca --challenge-mode static --challenge "$another"
	table "$SCEP_URL" table-static "$CHALLENGE" \
		'missing||challenge: the CSR has none' \
		'empty||challenge: wrong (static, 0 octets)' \
		'wrong||challenge: wrong (static, 15 octets)' \
		'16 KiB||challenge: wrong (static, 16384 octets)' \
		"another profile's|$another|challenge: wrong"
	table "$HTTP_URL/scep/other-static" table-static "$another" "another profile's|$CHALLENGE|challenge: wrong"
}

mint() {
	scepctl challenge new --profile "$@"
}

it_refuses_wrong_one_time_challenges_alike() {
	local right used expired elsewhere
	scepctl profile create other-dynamic --ca test-ca --challenge-mode dynamic
	used=$(mint mdm)
	message first CN=first "$used"
	equal 200 "$(send first)" "HTTP status"
	equal SUCCESS "$(reply first)" "the first use"
	elsewhere=$(mint other-dynamic)
	expired=$(mint mdm --ttl 2m)
	stack clock +121
	right=$(mint mdm)
	table "$SCEP_URL_DYNAMIC" table-dynamic "$right" \
		'missing||challenge: the CSR has none' \
		'wrong||challenge: unknown' \
		"used|$used|challenge: used" \
		"expired|$expired|challenge: expired" \
		"bound to another CN|$(mint mdm --bind-cn somebody-else)|challenge: bound to CN somebody-else" \
		"another profile's|$elsewhere|challenge: unknown" \
		"a static one|$CHALLENGE|challenge: unknown"
	# And at its own profile it is as good as before.
	table "$HTTP_URL/scep/other-dynamic" table-dynamic "$elsewhere"
	check invariants
}

# code PROFILE SEAT [OPTION…]: a code of so many characters that nobody counts it as weak.
code() {
	local value
	value=$(openssl rand -hex 16)
	scepctl enrollment create --profile "$1" --seat "$2" --code-file - "${@:3}" <<<"$value" >/dev/null
	echo "$value"
}

it_refuses_wrong_enrolment_codes_alike() {
	local right used expired elsewhere rejected id
	scepctl profile create codes --ca test-ca --challenge-mode enrollmentCode
	scepctl profile create other-codes --ca test-ca --challenge-mode enrollmentCode
	scepctl seat create table-seat --type device
	scepctl seat create other-seat --type device
	used=$(code codes table-seat --ttl 30d)
	message spent CN=table-seat "$used" "$HTTP_URL/scep/codes"
	equal 200 "$(send spent "$HTTP_URL/scep/codes")" "HTTP status"
	equal SUCCESS "$(reply spent)" "the first use"
	expired=$(code codes table-seat --ttl 2m)
	stack clock +121
	rejected=$(openssl rand -hex 16)
	id=$(scepctl enrollment create --profile codes --seat table-seat --code-file - --ttl 30d <<<"$rejected")
	check scepctl enrollment reject "$id"
	right=$(code codes table-seat --ttl 30d)
	elsewhere=$(code other-codes table-seat --ttl 30d)
	table "$HTTP_URL/scep/codes" table-seat "$right" \
		'missing||the CSR has none' \
		'wrong||enrolment code: unknown' \
		"used|$used|enrolment code: redeemed" \
		"expired|$expired|enrolment code: expired" \
		"rejected|$rejected|enrolment code: rejected" \
		"another seat's|$(code codes other-seat --ttl 30d)|enrolment code: of seat other-seat" \
		"another profile's|$elsewhere|enrolment code: " \
		"a static one|$CHALLENGE|enrolment code: unknown"
	table "$HTTP_URL/scep/codes" no-such-seat - \
		'wrong||enrolment code: unknown' \
		"of a seat that is there|$(code codes table-seat --ttl 30d)|enrolment code: of seat table-seat"
	table "$HTTP_URL/scep/other-codes" table-seat "$elsewhere"
	check invariants
}

# Intune is asked about each: only its word counts, and what it said is in the audit alone.
it_refuses_what_intune_refuses_alike() {
	table "$SCEP_URL_INTUNE" table-intune intune-ok-table \
		'missing||challenge: the CSR has none' \
		'wrong||ChallengeDecryptionError' \
		'used|intune-ChallengeAlreadyUsed|ChallengeAlreadyUsed' \
		'expired|intune-ChallengeExpired|ChallengeExpired' \
		'bound to another|intune-SubjectNameMismatch|SubjectNameMismatch' \
		"a static one|$CHALLENGE|ChallengeDecryptionError"
}

it_refuses_what_a_webhook_refuses_alike() {
	scepctl profile create asked --ca test-ca --challenge-mode webhook --disabled
	scepctl webhook create check --profile asked --kind validate --url "$INTUNE_URL/webhook/validate" \
		--allow-private yes --ca-file "$CA_PEM" --secret-file - <<<d2ViaG9vay1zZWNyZXQtb2YtdGVzdHM=
	scepctl profile enable asked
	table "$HTTP_URL/scep/asked" table-webhook webhook-ok-table \
		'wrong||webhook check denied' \
		"a static one|$CHALLENGE|webhook check denied" \
		'one of Intune|intune-ok-table|webhook check denied'
}

# account NAME PROFILE [OPTION…]: its secret.
account() {
	scepctl account create "$1" --profile "$2" "${@:3}"
}

it_refuses_secrets_of_accounts_that_are_over_alike() {
	local right expired disabled elsewhere
	expired=$(account gone demo --ttl 2m)
	stack clock +121
	right=$(account sales demo)
	disabled=$(account off demo)
	check scepctl account set off --profile demo --disable
	elsewhere=$(account away legacy)
	table "$SCEP_URL" table-account "$right" \
		'wrong||challenge: wrong' \
		"expired|$expired|account gone: expired" \
		"disabled|$disabled|account off: disabled" \
		"another profile's|$elsewhere|challenge: wrong"
}

it_refuses_every_challenge_where_the_mode_is_none() {
	scepctl profile create renewals-only --ca test-ca --challenge-mode none
	table "$HTTP_URL/scep/renewals-only" table-none - 'wrong||the profile'\''s mode is "none"' \
		"another profile's|$CHALLENGE|the profile's mode is \"none\"" "one-time|$once|the profile's mode is \"none\""
}

run_tests "$@"
