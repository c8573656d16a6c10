#!/bin/bash
# How MDMs fetch one-time challenges: NDES' page in UTF-16LE and in single octets, read by scrapers as they are found; webhooks; client
# certificates.  What was scraped enrols a device.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up SCEP_DEFAULT_PROFILE=mdm

# The patterns that scrapers are known to use; each prints what it finds.
found_by_name() {
	grep -oP '(?i)The enrollment challenge password is: <B> \K(?P<password>\S*)'
}
found_by_length() {
	grep -oP 'challenge password is: <B> \K([A-Z0-9]{16,32})(?= </B>)'
}
found_by_letters() {
	grep -oP '<B> \K([a-zA-Z0-9_\-]+)(?= </B>)'
}

# UTF-16LE alone, without a mark: what is anything else does not decode to a page that begins with "<".
utf16() {
	local text
	text=$(iconv -f UTF-16LE -t UTF-8 2>/dev/null) || return 1
	[ "${text:0:1}" = "<" ] || return 1
	printf '%s' "$text"
}

fetch() {
	curl -s -m 20 --cacert "$CA_PEM" "$@"
}

# As a client does that speaks NTLM and Basic: credentials sent before they are asked for are dropped on the way, so the first request has none,
# and only a 401 that names Basic makes it send them.
scrape_after_401() {
	local url=$1 user=$2 status
	shift 2
	status=$(fetch -o /dev/null -D "$work/asked" -w '%{http_code}' "$@" "$url")
	if [ "$status" != 401 ] || ! grep -qi '^WWW-Authenticate: Basic realm="' "$work/asked"; then
		echo "status $status to a request without credentials" >&2
		return 1
	fi
	fetch -u "$user" "$@" "$url"
}

pending() {
	scepctl challenge count --profile mdm
}

audit_has() {
	scepctl audit list --limit 500 | grep -qE -- "$1"
}

it_serves_a_scraper_that_sends_Basic_only_after_a_401() {
	local page found user
	for user in svc 'CORP\svc' svc@corp.example; do
		page=$(scrape_after_401 "$HTTPS_URL/certsrv/mscep_admin/" "$user:$API_TOKEN" | utf16)
		found=$(found_by_name <<<"$page")
		matches '^[0-9A-F]{32}$' "$found" "as $user"
	done
	check enrol after401 "$SCEP_URL_DYNAMIC" --challenge "$found"
	check issued "$work/after401.pem"
}

it_serves_a_scraper_that_decodes_UTF16_only() {
	local path found
	for path in /scep/mdm/mscep_admin /scep/mdm/mscep_admin/ /scep/mdm/MSCEP_Admin/ /certsrv/mscep_admin /certsrv/mscep_admin/ \
		/CertSrv/mscep_admin/ /scep/mscep_admin /scep/mscep_admin/; do
		found=$(fetch -u "svc:$API_TOKEN" "$HTTPS_URL$path" | utf16 | found_by_length)
		matches '^[0-9A-F]{32}$' "$found" "$path"
		found=$(fetch -X POST -u "svc:$API_TOKEN" "$HTTPS_URL$path" | utf16 | found_by_length)
		matches '^[0-9A-F]{32}$' "$found" "$path by POST"
	done
	check enrol utf16 "$SCEP_URL_DYNAMIC" --challenge "$found"
	# A page in single octets is none for it.
	refuse utf16 <<<"$(fetch -u "svc:$API_TOKEN" "$HTTPS_URL/scep/mdm/challenge.html")"
}

it_serves_a_scraper_of_single_octets() {
	local path found
	for path in /scep/mdm/challenge.html /scep/challenge.html /scep/mdm/Challenge.HTML; do
		found=$(fetch -u "svc:$API_TOKEN" "$HTTPS_URL$path" | found_by_letters)
		matches '^[0-9A-F]{32}$' "$found" "$path"
	done
	check enrol octets "$SCEP_URL_DYNAMIC" --challenge "$found"
}

it_is_read_alike_by_every_pattern() {
	local page once
	for page in "$(fetch -u "svc:$API_TOKEN" "$HTTPS_URL/certsrv/mscep_admin/" | utf16)" \
		"$(fetch -u "svc:$API_TOKEN" "$HTTPS_URL/scep/challenge.html")"; do
		equal 1 "$(wc -l <<<"$page")" "lines"
		once=$(found_by_name <<<"$page")
		matches '^[0-9A-F]{32}$' "$once" "by name"
		equal "$once" "$(found_by_length <<<"$page")" "by length"
		equal "$once" "$(found_by_letters <<<"$page")" "by letters"
	done
}

it_tells_the_thumbprint_of_the_CA_and_how_long_the_challenge_lives() {
	local page digest
	page=$(fetch -u "svc:$API_TOKEN" "$HTTPS_URL/certsrv/mscep_admin/" | utf16)
	digest=$(openssl x509 -in "$CA_PEM" -noout -fingerprint -md5 | sed 's/.*=//; s/://g; s/\(.\{8\}\)/\1 /g')
	matches "The thumbprint \(hash value\) for the CA certificate is: <B> ${digest}</B>" "$page" "thumbprint"
	matches 'This password can be used only once and will expire within 60 minutes\.' "$page" "time"
	check scepctl profile create long --ca test-ca --challenge-mode dynamic --challenge-ttl 1d
	page=$(fetch -u "svc:$API_TOKEN" "$HTTPS_URL/scep/long/challenge.html")
	matches 'will expire within 1440 minutes\.' "$page" "a day"
}

it_sends_pages_with_their_types_and_never_from_a_cache() {
	local answer
	answer=$(fetch -o /dev/null -D - -u "svc:$API_TOKEN" "$HTTPS_URL/certsrv/mscep_admin/" | tr -d '\r')
	matches '^HTTP/1.1 200' "$answer" "status"
	matches '^Content-Type: text/html$' "$answer" "UTF-16LE"
	matches '^Cache-Control: no-store$' "$answer" "UTF-16LE"
	answer=$(fetch -o /dev/null -D - -u "svc:$API_TOKEN" "$HTTPS_URL/scep/mdm/challenge.html" | tr -d '\r')
	matches '^Content-Type: text/html; charset=utf-8$' "$answer" "single octets"
	matches '^Cache-Control: no-store$' "$answer" "single octets"
}

it_mints_nothing_for_HEAD() {
	local n path
	n=$(pending)
	for path in /scep/mdm/mscep_admin/ /certsrv/mscep_admin /scep/mdm/challenge.html /scep/mdm/challenge; do
		equal 200 "$(http -I -u "svc:$API_TOKEN" "$HTTPS_URL$path")" "$path"
		equal 401 "$(http -I "$HTTPS_URL$path")" "$path without credentials"
	done
	equal "$n" "$(pending)" "pending challenges"
}

it_mints_once_for_each_GET() {
	local n
	n=$(pending)
	fetch -u "svc:$API_TOKEN" "$HTTPS_URL/certsrv/mscep_admin/" >/dev/null
	fetch -u "svc:$API_TOKEN" "$HTTPS_URL/scep/mdm/challenge.html" >/dev/null
	equal $((n + 2)) "$(pending)" "pending challenges"
}

it_asks_for_credentials_and_refuses_wrong_ones_with_401() {
	local path answer
	for path in /scep/mdm/mscep_admin/ /certsrv/mscep_admin /scep/mdm/challenge.html; do
		answer=$(page "$HTTPS_URL$path")
		matches '^HTTP/1.1 401' "$answer" "$path"
		matches '^WWW-Authenticate: Basic realm="' "$answer" "$path"
		matches '^WWW-Authenticate: Bearer' "$answer" "$path"
		equal 401 "$(http -u svc:wrong "$HTTPS_URL$path")" "$path with a wrong password"
		equal 401 "$(http -H 'Authorization: NTLM TlRMTVNTUAABAAAA' "$HTTPS_URL$path")" "$path by NTLM"
		equal 200 "$(http -H "Authorization: Bearer $API_TOKEN" "$HTTPS_URL$path")" "$path by Bearer"
	done
}

it_refuses_the_plain_port_before_it_asks_for_credentials() {
	local path answer
	for path in /scep/mdm/mscep_admin/ /certsrv/mscep_admin /CERTSRV/mscep_admin/ /scep/mdm/challenge.html /scep/challenge.html; do
		answer=$(page -u "svc:$API_TOKEN" "$HTTP_URL$path")
		matches '^HTTP/1.1 403' "$answer" "$path"
		no_match '^WWW-Authenticate' "$answer" "$path"
	done
}

it_says_on_a_page_that_the_cache_is_full() {
	local answer
	check scepctl profile create small --ca test-ca --challenge-mode dynamic --max-pending 1
	check scepctl challenge new --profile small
	answer=$(page -u "svc:$API_TOKEN" "$HTTPS_URL/scep/small/challenge.html")
	matches '^HTTP/1.1 200' "$answer" "status"
	matches 'The password cache is full\.' "$answer" "the words"
	no_match '<B>' "$answer" "a challenge"
	matches 'The password cache is full\.' "$(fetch -u "svc:$API_TOKEN" "$HTTPS_URL/scep/small/mscep_admin/" | utf16)" "in UTF-16LE"
	# A challenge that expires makes room.
	stack clock +3601
	matches '<B> [0-9A-F]{32} </B>' "$(fetch -u "svc:$API_TOKEN" "$HTTPS_URL/scep/small/challenge.html")" "with room"
	stack clock =0
}

it_denies_on_a_page_those_who_may_not() {
	local denied='You do not have sufficient permission to enroll with SCEP\.  Please contact your system administrator\.'
	local reader other answer
	reader=$(scepctl token create reader --role auditor)
	other=$(scepctl token create other --role challenge --profiles demo)
	answer=$(page -u "svc:$reader" "$HTTPS_URL/scep/mdm/challenge.html")
	matches '^HTTP/1.1 200' "$answer" "another role"
	matches "$denied" "$answer" "another role"
	no_match '<B>' "$answer" "another role"
	matches "$denied" "$(fetch -u "svc:$other" "$HTTPS_URL/certsrv/mscep_admin/" | utf16)" "another profile"
	eventually 5 audit_has 'refused +api.call.*200: the role does not allow it'
	eventually 5 audit_has 'refused +api.call.*200: the token is not for this profile'
}

# Of a static challenge only its MAC is kept.
it_denies_the_page_of_a_profile_that_has_no_one_time_challenges() {
	local answer
	answer=$(page -u "svc:$API_TOKEN" "$HTTPS_URL/scep/demo/challenge.html")
	matches '^HTTP/1.1 200' "$answer" "static"
	matches 'sufficient permission' "$answer" "static"
	refuse grep -q "$CHALLENGE" <<<"$answer"
	equal 404 "$(http -u "svc:$API_TOKEN" "$HTTPS_URL/scep/nobody/mscep_admin/")" "an unknown profile"
	scepctl profile disable mdm
	matches 'sufficient permission' "$(fetch -u "svc:$API_TOKEN" "$HTTPS_URL/certsrv/mscep_admin" | utf16)" "disabled"
	scepctl profile enable mdm
}

it_records_the_device_of_a_webhook_in_JSON_or_XML() {
	local json xml
	json='{"webhook":{"webhookEvent":"SCEPChallenge","id":1,"eventTimestamp":1757435578,"name":""},"event":{"scepServerUrl":"https://x",
		"payloadIdentifier":"com.example.json","payloadTypes":["com.apple.security.scep"],"device":{"uuid":"U-1","serialNumber":"C02JSON"}}}'
	xml='<JAMFEvent><webhook><webhookEvent>SCEPChallenge</webhookEvent></webhook><event><payloadIdentifier>com.example.xml</payloadIdentifier>
		<device><serialNumber>C02XML</serialNumber></device></event></JAMFEvent>'
	matches '^[0-9A-F]{32}\.$' "$(fetch -u "svc:$API_TOKEN" -H 'Content-Type: application/json' -d "$json" "$HTTPS_URL/scep/mdm/challenge"; echo .)" "JSON"
	matches '^[0-9A-F]{32}\.$' "$(fetch -u "svc:$API_TOKEN" -H 'Content-Type: text/xml' -d "$xml" "$HTTPS_URL/scep/mdm/challenge"; echo .)" "XML"
	eventually 5 audit_has 'payloadIdentifier com.example.json; device U-1; serial C02JSON'
	eventually 5 audit_has 'payloadIdentifier com.example.xml; serial C02XML'
}

it_speaks_SCEP_where_NDES_does_for_the_default_profile() {
	local path challenge n=0
	for path in /certsrv/mscep/mscep.dll /certsrv/mscep/ /CertSrv/MSCEP/mscep.dll /certsrv/mscep/mscep.dll/pkiclient.exe \
		/certsrv/mscep/pkiclient.exe /certsrv/mscep; do
		challenge=$(fetch -u "svc:$API_TOKEN" "$HTTPS_URL/certsrv/mscep_admin/" | utf16 | found_by_length)
		n=$((n + 1))
		check enrol "ndes$n" "$HTTP_URL$path" --challenge "$challenge" --fingerprint "$CA_FINGERPRINT"
	done
}

# certificate NAME: one of a client's own, signed by itself.
certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -days "${2:-2}" \
		-keyout "$work/$1.key" -out "$work/$1.crt" 2>/dev/null
}

with() {
	local name=$1
	shift
	curl -s -m 20 --cacert "$CA_PEM" --cert "$work/$name.crt" --key "$work/$name.key" "$@"
}

minted_by() {
	[ "$(sql "SELECT count(*) FROM audit_event WHERE action = 'challenge.mint' AND actor = 'token:$1'")" -gt 0 ]
}

it_knows_a_caller_by_its_client_certificate() {
	local challenge
	certificate jamf
	equal "" "$(scepctl token create jamf --role challenge --profiles mdm --client-certificate "$work/jamf.crt")" "no token is shown"
	challenge=$(with jamf "$CLIENT_HTTPS_URL/scep/mdm/challenge")
	matches '^[0-9A-F]{32}$' "$challenge" "the challenge"
	check enrol mtls "$SCEP_URL_DYNAMIC" --challenge "$challenge"
	eventually 5 minted_by jamf
	matches '^[0-9A-F]{32}$' "$(with jamf "$CLIENT_HTTPS_URL/certsrv/mscep_admin/" | utf16 | found_by_name)" "the page"
	equal 403 "$(with jamf -o /dev/null -w '%{http_code}' "$CLIENT_HTTPS_URL/scep/demo/challenge")" "another profile"
}

it_refuses_a_client_certificate_that_it_does_not_know() {
	certificate known
	certificate stranger
	check scepctl token create known --role challenge --profiles mdm --client-certificate "$work/known.crt"
	equal 200 "$(with known -o /dev/null -w '%{http_code}' "$CLIENT_HTTPS_URL/scep/mdm/challenge")" "known"
	equal 401 "$(with stranger -o /dev/null -w '%{http_code}' "$CLIENT_HTTPS_URL/scep/mdm/challenge")" "a stranger's"
	equal 401 "$(http "$CLIENT_HTTPS_URL/scep/mdm/challenge")" "none"
	equal 200 "$(http -u "svc:$API_TOKEN" "$CLIENT_HTTPS_URL/scep/mdm/challenge")" "none, but a token"
	eventually 5 audit_has '401: unknown client certificate'
	check scepctl token revoke known
	equal 401 "$(with known -o /dev/null -w '%{http_code}' "$CLIENT_HTTPS_URL/scep/mdm/challenge")" "revoked"
}

it_looks_at_the_times_of_a_client_certificate() {
	certificate brief 2
	check scepctl token create brief --role challenge --profiles mdm --client-certificate "$work/brief.crt"
	equal 200 "$(with brief -o /dev/null -w '%{http_code}' "$CLIENT_HTTPS_URL/scep/mdm/challenge")" "in time"
	stack clock +$((3 * 86400))
	equal 401 "$(with brief -o /dev/null -w '%{http_code}' "$CLIENT_HTTPS_URL/scep/mdm/challenge")" "expired"
	refuse scepctl token create late --role challenge --profiles mdm --client-certificate "$work/brief.crt"
	stack clock =0
}

# The certificate is public: only who has its key may be taken for its owner.
it_believes_no_certificate_that_comes_in_a_header() {
	local pem name url
	certificate public
	check scepctl token create public --role challenge --profiles mdm --client-certificate "$work/public.crt"
	pem=$(perl -pe 's/([ \n+\/=])/sprintf("%%%02X", ord($1))/ge' "$work/public.crt")
	equal 200 "$(with public -o /dev/null -w '%{http_code}' "$CLIENT_HTTPS_URL/scep/mdm/challenge")" "by TLS"
	for url in "$HTTPS_URL" "$CLIENT_HTTPS_URL"; do
		for name in TLS-Client-Certificate TLS_CLIENT_CERTIFICATE SSL-Client-Cert X-SSL-Client-Cert X-Client-Cert; do
			equal 401 "$(http -H "$name: $pem" "$url/scep/mdm/challenge")" "$name at $url"
		done
	done
	# Where devices enrol nobody is asked for a certificate, and none counts.
	equal 401 "$(with public -o /dev/null -w '%{http_code}' "$HTTPS_URL/scep/mdm/challenge")" "by TLS, at the other server"
}

it_offers_nothing_else_where_client_certificates_are_asked_for() {
	certificate nobody
	equal 404 "$(with nobody -o /dev/null -w '%{http_code}' "$CLIENT_HTTPS_URL/scep/mdm?operation=GetCACaps")" "SCEP"
	equal 404 "$(with nobody -o /dev/null -w '%{http_code}' "$CLIENT_HTTPS_URL/api/v1/hello")" "the API"
	no_match 'Acceptable client certificate CA names|Requested Signature' "$(openssl s_client -connect "${HTTPS_URL#https://}" -tls1_2 \
		</dev/null 2>/dev/null | grep -i 'client certificate types')" "where devices enrol"
}

it_writes_no_challenge_into_a_log() {
	local found
	found=$(fetch -u "svc:$API_TOKEN" "$HTTPS_URL/certsrv/mscep_admin/" | utf16 | found_by_name)
	matches '^[0-9A-F]{32}$' "$found" "the challenge"
	sleep 1.2
	refuse grep -rqs -e "$found" -e "$API_TOKEN" "$STACK_DIR/log"
}

run_tests "$@"
