#!/bin/bash
# scepctl: its verbs, what they print, and their exit status.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up

# exits STATUS COMMAND…: with exactly this exit status.
exits() {
	local want=$1 have=0
	shift
	"$@" || have=$?
	[ "$have" -eq "$want" ] || fail "want exit status $want, have $have: $*"
}

# json TEXT PATH: the value at an SQLite JSON path ($.name); fails where the text is no JSON.
json() {
	printf %s "$1" >"$work/json"
	sqlite3 :memory: "SELECT json_extract(CAST(readfile('$work/json') AS TEXT), '$2')"
}

verbs() {
	scepctl --help | sed -n 's/^  \([a-z][a-z-]*\( [a-z][a-z-]*\)\{0,1\}\).*/\1/p'
}

it_tells_the_options_of_every_verb() {
	local verb count=0
	while read -r verb; do
		# shellcheck disable=SC2086
		matches '^usage: scepctl' "$(scepctl $verb --help)" "help of $verb"
		# shellcheck disable=SC2086
		matches '--json' "$(scepctl $verb --help)" "options of $verb"
		count=$((count + 1))
	done < <(verbs)
	check test "$count" -ge 25
}

it_lists_the_verbs_of_one_family() {
	exits 0 scepctl seat --help
	matches 'seat import FILE' "$(scepctl seat --help)" "a verb of the family"
	check test "$(scepctl seat --help | grep -c '^  [a-z]')" = "$(scepctl seat --help | grep -c '^  seat ')"
	matches 'there is no verb seat make$' "$(scepctl seat make 2>&1 >/dev/null || :)" "an unknown verb of it"
	exits 2 scepctl seat make
	exits 2 scepctl nonsense --help
	equal 'scepctl: there is no verb nonsense: scepctl --help lists them' "$(scepctl nonsense 2>&1 || :)" "no family at all"
}

it_exits_with_2_where_the_usage_is_wrong() {
	exits 2 scepctl
	exits 2 scepctl nonsense
	exits 2 scepctl ca
	exits 2 scepctl ca show
	exits 2 scepctl ca list extra
	exits 2 scepctl ca list --nonsense
	exits 2 scepctl ca create x
	exits 2 scepctl token create x --role
	exits 2 scepctl challenge new --profile mdm --ttl 60
	exits 2 scepctl profile create x --ca test-ca --digests SHA-9
	exits 0 scepctl --help
}

it_exits_with_1_where_it_is_refused_and_says_why_on_stderr() {
	exits 1 scepctl ca show nope
	matches 'there is no CA nope' "$(scepctl ca show nope 2>&1 >/dev/null)" "stderr"
	equal '' "$(scepctl ca show nope 2>/dev/null)" "stdout"
	exits 1 scepctl profile show nope
	exits 1 scepctl profile create demo --ca test-ca --challenge-mode dynamic
	exits 1 scepctl token create x --role emperor
	exits 1 scepctl challenge new --profile demo
}

it_exits_with_3_where_the_store_is_away() {
	SCEP_DATABASE=$work/none/none.db exits 3 scepctl ca list
	SCEP_REDIS=unix:$work/none.sock exits 3 scepctl challenge new --profile mdm
	SCEP_REDIS=unix:$work/none.sock exits 3 scepctl health
}

it_refuses_a_setting_that_makes_no_sense_with_one_line() {
	local said
	said=$(SCEP_WORKERS=many scepctl ca list 2>&1) && fail "want a refusal"
	matches '^scepctl: SCEP_WORKERS: have "many"' "$said" "what it says"
	equal 1 "$(wc -l <<<"$said")" "lines"
}

it_takes_common_options_before_and_behind_the_verb() {
	matches '^\[' "$(scepctl --json ca list)" "before"
	matches '^\[' "$(scepctl ca list --json)" "behind"
	matches '^\[' "$(scepctl ca --json list)" "between"
}

it_prints_json_for_every_listing_and_result() {
	equal test-ca "$(json "$(scepctl ca list --json)" '$[0].name')" "CA"
	equal "$CA_FINGERPRINT" "$(json "$(scepctl ca show test-ca --json)" '$.fingerprint')" "fingerprint"
	equal dynamic "$(json "$(scepctl profile show mdm --json)" '$.challengeMode')" "mode"
	equal "$HTTP_URL/scep/mdm" "$(json "$(scepctl profile show mdm --json)" '$.scepUrl')" "URL"
	equal 7 "$(json "$(scepctl profile list --json)" '$' | grep -o '"challengeMode"' | wc -l)" "profiles"
	matches '^[0-9A-F]{32}$' "$(json "$(scepctl challenge new --profile mdm --json)" '$.challenge')" "challenge"
	equal mdm "$(json "$(scepctl challenge count --profile mdm --json)" '$.profile')" "count"
	equal stack "$(json "$(scepctl token list --json)" '$[0].name')" "token"
	equal ok "$(json "$(scepctl health --json)" '$.status')" "health"
	matches 'token.create|challenge.mint|api' "$(json "$(scepctl audit list --json)" '$[0].action')" "audit"
	equal server "$(json "$(scepctl certificate list --json)" '$[#-1].purpose')" "certificate"
	check json "$(scepctl settings --json)" '$'
	check json "$(scepctl version --json)" '$.version'
	check json "$(scepctl init --json)" '$.masterKeyId'
	check json "$(scepctl migrate --json)" '$.schemaTo'
}

it_keeps_what_is_there_on_a_second_init() {
	local before after
	before=$(md5sum "$STACK_DIR"/state/master.key "$STACK_DIR"/state/key.passphrase)
	matches 'master key +kept' "$(scepctl init)" "init"
	after=$(md5sum "$STACK_DIR"/state/master.key "$STACK_DIR"/state/key.passphrase)
	equal "$before" "$after" "the files"
}

it_makes_a_subordinate_ca_under_an_offline_root_that_enrols() {
	local root=$work/root
	check scepctl ca request sub --subject 'CN=Sub CA,O=Example' --key rsa:2048 --out "$work/sub.csr"
	exits 1 scepctl ca show sub --pem
	openssl req -x509 -newkey rsa:2048 -nodes -subj '/CN=Offline Root' -days 30 -keyout "$root.key" -out "$root.pem" 2>/dev/null
	printf 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' >"$work/sub.ext"
	openssl x509 -req -in "$work/sub.csr" -CA "$root.pem" -CAkey "$root.key" -CAcreateserial -days 20 -extfile "$work/sub.ext" -out "$work/sub.pem" 2>/dev/null
	cat "$work/sub.pem" "$root.pem" >"$work/chain.pem"
	exits 1 scepctl ca import sub --certificate "$root.pem"
	check scepctl ca import sub --certificate "$work/chain.pem"
	equal "$(openssl storeutl -noout -certs "$work/chain.pem" 2>/dev/null | grep -c Certificate)" \
		"$(scepctl ca show sub --chain | openssl storeutl -noout -certs /dev/stdin 2>/dev/null | grep -c Certificate)" "certificates in the chain"
	check scepctl profile create sub-devices --ca sub --challenge "$CHALLENGE"
	check enrol below "$HTTP_URL/scep/sub-devices" --challenge "$CHALLENGE" --ca-out "$work/below-ca.pem" \
		--fingerprint "$(openssl x509 -in "$root.pem" -noout -fingerprint -sha256 | sed 's/.*=//')"
	check openssl verify -CAfile "$root.pem" -untrusted "$work/sub.pem" "$work/below.pem"
	# No certificate outlives its CA.
	check openssl x509 -in "$work/below.pem" -noout -checkend 0
	refuse openssl x509 -in "$work/below.pem" -noout -checkend $((21 * 86400))
}

it_imports_a_ca_with_its_key_and_its_passphrase() {
	openssl req -x509 -newkey rsa:2048 -nodes -subj '/CN=Old CA' -days 30 -keyout "$work/plain.key" -out "$work/old.pem" \
		-addext 'keyUsage=critical,keyCertSign,cRLSign,digitalSignature' 2>/dev/null
	(umask 077 && echo secret-words >"$work/pass" && openssl pkcs8 -topk8 -in "$work/plain.key" -passout "file:$work/pass" -out "$work/old.key")
	exits 1 scepctl ca import old --certificate "$work/old.pem" --key-file "$work/old.key"
	check scepctl ca import old --certificate "$work/old.pem" --key-file "$work/old.key" --key-passphrase-file "$work/pass"
	equal "$(openssl x509 -in "$work/old.pem" -noout -serial)" "$(scepctl ca show old --pem | openssl x509 -noout -serial)" "the certificate"
	check scepctl profile create old-devices --ca old --challenge "$CHALLENGE"
	check enrol elder "$HTTP_URL/scep/old-devices" --challenge "$CHALLENGE"
	check openssl verify -CAfile "$work/old.pem" "$work/elder.pem"
}

it_shows_a_changed_profile_to_devices_within_seconds() {
	check scepctl profile create changing --ca test-ca --challenge "$CHALLENGE" --validity-days 10
	check enrol ten "$HTTP_URL/scep/changing" --challenge "$CHALLENGE"
	refuse openssl x509 -in "$work/ten.pem" -noout -checkend $((11 * 86400))
	check scepctl profile set changing --validity-days 20 --challenge 'another-one-99-times'
	refuse enrol twenty "$HTTP_URL/scep/changing" --challenge "$CHALLENGE"
	check enrol twenty "$HTTP_URL/scep/changing" --challenge 'another-one-99-times'
	check openssl x509 -in "$work/twenty.pem" -noout -checkend $((19 * 86400))
	check scepctl profile disable changing
	refuse enrol none "$HTTP_URL/scep/changing" --challenge 'another-one-99-times'
	check scepctl profile enable changing
	check enrol again "$HTTP_URL/scep/changing" --challenge 'another-one-99-times'
	exits 1 scepctl profile delete changing
}

it_reads_a_challenge_from_a_file_and_from_stdin() {
	printf 'from-a-file-%s\n' 123456 >"$work/secret"
	check scepctl profile create file1 --ca test-ca --challenge-file "$work/secret"
	check enrol byfile "$HTTP_URL/scep/file1" --challenge-file "$work/secret"
	check enrol byvalue "$HTTP_URL/scep/file1" --challenge from-a-file-123456
	printf 'from-stdin-%s' 123456 | check scepctl profile set file1 --challenge-file -
	refuse enrol byvalue2 "$HTTP_URL/scep/file1" --challenge from-a-file-123456
	printf 'from-stdin-%s\n' 123456 | check enrol bystdin "$HTTP_URL/scep/file1" --challenge-file -
}

it_lists_failed_transactions_with_their_reason() {
	refuse enrol failed "$SCEP_URL" --challenge not-the-challenge
	eventually 5 failed_is_listed
	no_match 'not-the-challenge' "$(scepctl audit list --json --limit 500)" "the audit"
}

failed_is_listed() {
	scepctl audit list --failed --profile demo | grep -q 'badRequest.*challenge: wrong'
}

it_shows_a_certificate_by_serial_and_by_uuid() {
	local serial
	check enrol shown "$SCEP_URL" --challenge "$CHALLENGE"
	serial=$(openssl x509 -in "$work/shown.pem" -noout -serial)
	matches 'subject +O=Example,CN=shown' "$(scepctl certificate show "${serial#serial=}")" "by serial"
	equal "$(cat "$work/shown.pem")" "$(scepctl certificate show "${serial#serial=}" --pem)" "PEM"
	exits 1 scepctl certificate show 00
}

it_writes_no_key_and_no_certificate_when_it_is_refused() {
	refuse enrol nobody "$SCEP_URL" --challenge not-the-challenge
	check test ! -e "$work/nobody.key"
	check test ! -e "$work/nobody.pem"
}

it_keeps_the_key_when_nobody_signed_the_refusal() {
	local names
	names=$(seq -f 'dns:host-%05.0f.device.example' -s , 1 600)
	exits 1 enrol long "$SCEP_URL" --challenge "$CHALLENGE" --get --san "$names"
	check test -s "$work/long.key"
	check test ! -e "$work/long.pem"
}

it_enrols_with_a_key_that_is_there_and_a_repeat_gets_the_same_certificate() {
	(umask 077 && openssl genrsa -out "$work/mine.key" 2048 2>/dev/null)
	check scepctl enrol "$SCEP_URL" --subject CN=mine --challenge "$CHALLENGE" --key-file "$work/mine.key" --cert-out "$work/mine1.pem"
	check scepctl enrol "$SCEP_URL" --subject CN=mine --challenge "$CHALLENGE" --key-file "$work/mine.key" --cert-out "$work/mine2.pem"
	check cmp "$work/mine1.pem" "$work/mine2.pem"
	exits 1 scepctl enrol "$SCEP_URL" --subject CN=mine --challenge "$CHALLENGE" --key-file "$work/mine.key" --cert-out "$work/mine1.pem"
}

it_keeps_the_secrets_of_an_installation_to_its_owner() {
	equal '600' "$(stat -c %a "$STACK_DIR/state/master.key")" "master key"
	equal '' "$(find "$STACK_DIR/state/keys" -type f ! -perm 600)" "key files that others can read"
	check enrol mode "$SCEP_URL" --challenge "$CHALLENGE"
	equal '600' "$(stat -c %a "$work/mode.key")" "a device's key"
}

run_tests "$@"
