#!/bin/bash
# Enrolling a device through the whole stack, over each transport, and being refused.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up

it_enrols_by_POST_over_http() {
	check enrol post "$SCEP_URL" --challenge "$CHALLENGE" --fingerprint "$CA_FINGERPRINT"
	check issued "$work/post.pem"
	matches 'subject=.*CN = post' "$(openssl x509 -in "$work/post.pem" -noout -subject)" "the certificate's subject"
}

it_enrols_by_GET_over_http() {
	check enrol get "$SCEP_URL" --challenge "$CHALLENGE" --get
	check issued "$work/get.pem"
	equal http-get "$(sql "SELECT transport FROM audit_event WHERE serial = lower('$(serial_of "$work/get.pem")')")" "transport in the audit"
}

it_enrols_over_https() {
	check enrol tls "$SCEP_URL_TLS" --challenge "$CHALLENGE" --ca-file "$CA_PEM"
	check issued "$work/tls.pem"
	equal https-post "$(sql "SELECT transport FROM audit_event WHERE serial = lower('$(serial_of "$work/tls.pem")')")" "transport in the audit"
}

it_refuses_https_with_a_CA_that_is_not_ours() {
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=Other -keyout "$work/other.key" -out "$work/other-ca.pem" 2>/dev/null
	refuse enrol tls2 "$SCEP_URL_TLS" --challenge "$CHALLENGE" --ca-file "$work/other-ca.pem"
	check test ! -e "$work/tls2.pem"
}

it_enrols_at_the_path_with_a_program_name() {
	check enrol exe "$SCEP_URL/pkiclient.exe" --challenge "$CHALLENGE"
	check issued "$work/exe.pem"
}

it_enrols_at_the_paths_of_the_default_profile() {
	check enrol default1 "$HTTP_URL/scep" --challenge "$CHALLENGE"
	check issued "$work/default1.pem"
	check enrol default2 "$HTTP_URL/cgi-bin/pkiclient.exe" --challenge "$CHALLENGE"
	check issued "$work/default2.pem"
}

it_enrols_with_each_digest_and_cipher_of_the_profile() {
	local digest
	for digest in SHA-256 SHA-384 SHA-512; do
		check enrol "$digest" "$SCEP_URL" --challenge "$CHALLENGE" --digest "$digest" --cipher AES-128-CBC
		check issued "$work/$digest.pem"
	done
	equal "SHA-512 AES-128-CBC" "$(sql "SELECT digest || ' ' || cipher FROM audit_event WHERE serial = lower('$(serial_of "$work/SHA-512.pem")')")" \
		"digest and cipher in the audit"
}

it_refuses_a_digest_or_a_cipher_that_the_profile_does_not_have() {
	refuse enrol sha1 "$SCEP_URL" --challenge "$CHALLENGE" --digest SHA-1
	refuse enrol des3 "$SCEP_URL" --challenge "$CHALLENGE" --cipher DES3
	eventually 5 audit_has 'badAlg'
}

audit_has() {
	scepctl audit list --failed --limit 500 | grep -q -- "$1"
}

it_enrols_with_SHA_1_MD5_3DES_and_DES_where_the_profile_says_so() {
	check enrol old1 "$SCEP_URL_LEGACY" --challenge "$CHALLENGE" --digest SHA-1 --cipher DES3
	check issued "$work/old1.pem"
	check enrol old2 "$SCEP_URL_LEGACY" --challenge "$CHALLENGE" --digest MD5 --cipher DES
	check issued "$work/old2.pem"
	# Having served DES once, no worker may take it elsewhere.
	refuse enrol old3 "$SCEP_URL" --challenge "$CHALLENGE" --digest MD5 --cipher DES
}

it_refuses_a_wrong_challenge() {
	refuse enrol wrong "$SCEP_URL" --challenge "not-$CHALLENGE"
	check test ! -e "$work/wrong.pem"
	equal 0 "$(sql "SELECT count(*) FROM certificate WHERE subject LIKE '%CN=wrong%'")" "certificates for CN=wrong"
	eventually 5 audit_has wrong
	no_match "$CHALLENGE" "$(scepctl audit list --failed --limit 500)" "the audit"
}

it_refuses_a_request_without_a_challenge() {
	refuse enrol none "$SCEP_URL"
	check test ! -e "$work/none.pem"
}

it_refuses_a_fingerprint_that_is_not_the_CAs() {
	refuse enrol finger "$SCEP_URL" --challenge "$CHALLENGE" --fingerprint "$(openssl rand -hex 32)"
	equal 0 "$(sql "SELECT count(*) FROM certificate WHERE subject LIKE '%CN=finger%'")" "certificates for CN=finger"
}

it_enrols_once_with_a_one_time_challenge() {
	local once
	once=$(scepctl challenge new --profile mdm)
	matches '^[0-9A-F]{32}$' "$once" "the challenge"
	check enrol once1 "$SCEP_URL_DYNAMIC" --challenge "$once"
	check issued "$work/once1.pem"
	refuse enrol once2 "$SCEP_URL_DYNAMIC" --challenge "$once"
	equal 1 "$(sql "SELECT count(*) FROM certificate WHERE subject LIKE '%CN=once_,%' OR subject LIKE '%CN=once_'")" "certificates"
}

it_refuses_a_one_time_challenge_of_another_profile() {
	local once
	once=$(scepctl challenge new --profile mdm)
	refuse enrol across "$SCEP_URL" --challenge "$once"
	refuse enrol across "$SCEP_URL_DYNAMIC" --challenge "$CHALLENGE"
	check enrol across "$SCEP_URL_DYNAMIC" --challenge "$once"
}

it_refuses_a_one_time_challenge_that_is_past_its_time() {
	local once
	once=$(scepctl challenge new --profile mdm --ttl 5m)
	stack clock +301
	refuse enrol late "$SCEP_URL_DYNAMIC" --challenge "$once"
	stack clock =0
	once=$(scepctl challenge new --profile mdm --ttl 5m)
	stack clock +290
	check enrol late "$SCEP_URL_DYNAMIC" --challenge "$once"
	stack clock =0
}

it_gives_a_challenge_bound_to_a_name_to_that_name_alone() {
	local once
	once=$(scepctl challenge new --profile mdm --bind-cn bound1)
	refuse enrol bound2 "$SCEP_URL_DYNAMIC" --challenge "$once"
	check enrol bound1 "$SCEP_URL_DYNAMIC" --challenge "$once"
	check issued "$work/bound1.pem"
}

it_puts_the_names_asked_for_into_the_certificate() {
	check enrol names "$SCEP_URL" --challenge "$CHALLENGE" --san dns:names.example,ip:192.0.2.7
	matches 'DNS:names.example, IP Address:192.0.2.7' "$(openssl x509 -in "$work/names.pem" -noout -ext subjectAltName)" "subjectAltName"
	matches 'CA:FALSE' "$(openssl x509 -in "$work/names.pem" -noout -ext basicConstraints)" "basicConstraints"
}

it_issues_from_an_RA_certificate_that_is_not_the_CAs() {
	curl -s -o "$work/ca.p7" "$SCEP_URL?operation=GetCACert"
	openssl pkcs7 -inform DER -in "$work/ca.p7" -print_certs -out "$work/chain.pem"
	equal 2 "$(grep -c BEGIN "$work/chain.pem")" "certificates in GetCACert"
	# RA first: openssl x509 reads the first one.
	check openssl verify -CAfile "$CA_PEM" "$work/chain.pem"
	matches 'Digital Signature, Key Encipherment' "$(openssl x509 -in "$work/chain.pem" -noout -ext keyUsage)" "the RA's keyUsage"
}

it_answers_GetCACaps_with_and_without_a_profile() {
	local answer
	for path in /scep/demo /scep/demo/pkiclient.exe /scep /cgi-bin/pkiclient.exe; do
		answer=$(page "$HTTP_URL$path?operation=GetCACaps")
		matches '^HTTP/1.1 200' "$answer" "$path"
		matches '^Content-Type: text/plain' "$answer" "$path"
		for word in AES POSTPKIOperation SHA-256 SHA-512 SCEPStandard; do
			matches "^$word\$" "$answer" "$path"
		done
		no_match '^(DES3|SHA-1|GetNextCACert)$' "$answer" "$path"
	done
	matches '^DES3$' "$(page "$SCEP_URL_LEGACY?operation=GetCACaps")" legacy
	# strongSwan takes an empty line for every capability.
	equal 0 "$(curl -s "$SCEP_URL?operation=GetCACaps" | grep -c '^$' || true)" "empty lines"
}

it_answers_GetCACert_with_the_types_of_the_RFC() {
	matches '^Content-Type: application/x-x509-ca-ra-cert' "$(page "$SCEP_URL?operation=GetCACert" | tr -d '\0')" GetCACert
	matches '^Content-Type: application/x-x509-ca-ra-cert' "$(page -d '' "$SCEP_URL?operation=GetCACert" | tr -d '\0')" "GetCACert by POST"
	matches '^Content-Type: application/x-x509-ca-ra-cert' "$(page "$SCEP_URL?operation=getcacert&message=CAIdentifier" | tr -d '\0')" "in lower case"
}

it_answers_HTTP_1_0_without_a_Host_header() {
	local answer
	answer=$(raw 'GET /cgi-bin/pkiclient.exe?operation=GetCACaps HTTP/1.0\r\n\r\n')
	matches '^HTTP/1.1 200' "$answer" "the answer"
	matches '^Content-Length: [0-9]+' "$answer" "the answer"
	no_match '^Transfer-Encoding' "$answer" "the answer"
	matches '^SCEPStandard$' "$answer" "the answer"
}

it_answers_unknown_and_disabled_profiles_and_operations_with_404_403_and_400() {
	equal 404 "$(http "$HTTP_URL/scep/nobody?operation=GetCACaps")" "an unknown profile"
	equal 400 "$(http "$SCEP_URL?operation=Frobnicate")" "an unknown operation"
	equal 400 "$(http "$SCEP_URL")" "no operation"
	equal 400 "$(http "$SCEP_URL?operation=GetCACaps&operation=GetCACert")" "two operations"
	equal 400 "$(http "$SCEP_URL?operation=PKIOperation&message=%21%21")" "no base64"
	equal 400 "$(http --data-binary 'no message' "$SCEP_URL?operation=PKIOperation")" "no pkiMessage"
	equal 400 "$(http --data-binary '' "$SCEP_URL?operation=PKIOperation")" "an empty message"
	scepctl profile create off --ca test-ca --challenge-mode static --challenge "$CHALLENGE" --disabled
	equal 403 "$(http "$HTTP_URL/scep/off?operation=GetCACaps")" "a disabled profile"
	matches '^Unknown operation: Frobnicate$' "$(curl -s "$SCEP_URL?operation=Frobnicate")" "the line"
}

it_answers_messageTypes_it_does_not_know_with_badRequest() {
	local type
	for type in 3 18 99; do
		message type CN=type "$CHALLENGE" "$SCEP_URL" --type "$type"
		equal 200 "$(send type "$SCEP_URL")" "type $type"
		matches '^FAILURE badRequest' "$(reply type)" "type $type"
	done
}

it_writes_one_log_line_with_nginxs_request_id_and_no_secret() {
	local id
	check enrol logged "$SCEP_URL" --challenge "$CHALLENGE" --get
	sleep 1.2
	id=$(grep 'operation=PKIOperation' "$STACK_DIR/log/nginx-access.log" | tail -n 1 | sed 's/.* request=\([0-9a-f]*\).*/\1/')
	check grep -q "request=$id.*PKIOperation" "$STACK_DIR/log/scep.log"
	refuse grep -r -l -e "$CHALLENGE" -e "$API_TOKEN" "$STACK_DIR/log"
	refuse grep -q 'message=' "$STACK_DIR/log/nginx-access.log"
}

it_enrols_while_the_stack_speaks_TCP_with_its_secret() {
	stack_up FCGI=tcp
	check enrol tcp "$SCEP_URL" --challenge "$CHALLENGE"
	check issued "$work/tcp.pem"
	# nginx without the right secret gets nothing.
	printf 'fastcgi_param SCEP_FCGI_SECRET "wrong";\n' >"$STACK_DIR/nginx/conf/secret.inc"
	kill -HUP "$PIDS_NGINX"
	eventually 5 answers_403
	stack down
}

answers_403() {
	[ "$(http "$SCEP_URL?operation=Frobnicate")" = 403 ]
}

it_keeps_what_always_holds() {
	check invariants
}

run_tests "$@"
