#!/bin/bash
# scepctl doctor: what it finds at servers that are well, at such as are not, and what it never does to either.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up

# doctor OPTIONS… URL: what it prints goes to $said, its exit status to $status.
doctor() {
	status=0
	said=$(scepctl doctor "$@" 2>"$work/doctor.err") || status=$?
}

# finds RESULT CHECK [PATTERN]: among what was said last.
finds() {
	matches "^$1 +$2 .*${3-}" "$said" "what is said of $2"
}

json() {
	printf %s "$said" >"$work/json"
	sqlite3 :memory: "SELECT json_extract(CAST(readfile('$work/json') AS TEXT), '$1')"
}

# ---- our own server -----------------------------------------------------------------------------------------------------------

it_finds_no_failure_at_a_healthy_profile() {
	doctor "$SCEP_URL"
	equal 0 "$status" "exit status"
	no_match '^failure' "$said" "findings"
	check test "$(grep -cE '^(ok|warning|skipped) +[a-z0-9.-]+ ' <<<"$said")" -ge 40
	matches '^[0-9]+ ok, [0-9]+ warnings?, 0 failures, [0-9]+ skipped$' "$said" "the last line"
	matches '^Windows +(nothing in its way|may stumble on)' "$said" "a client"
	finds ok get-with-plus 'is understood'
	finds ok http-1.0
	finds ok pkiclient-exe
	finds ok apple-ra-candidates
	finds ok caps-sha384-strongswan
	finds ok reply-signature-algorithm rsaEncryption
	finds ok poll-unknown badCertId
	finds skipped tls-certificate
}

# But how long an answer takes is the machine's.
it_warns_of_nothing_at_any_kind_of_profile() {
	for url in "$SCEP_URL" "$SCEP_URL_DYNAMIC" "$SCEP_URL_MANUAL" "$SCEP_URL_EC" "$HTTP_URL/scep" \
		"$HTTP_URL/cgi-bin/pkiclient.exe"; do
		doctor --quiet "$url"
		equal '' "$(grep -v '^warning *latency ' <<<"$said")" "$url"
		equal 0 "$status" "$url"
	done
}

# SCEPStandard says that MD5 and single DES are not taken (RFC 8894 3.5.2).
it_warns_of_no_SCEPStandard_alone_where_MD5_and_DES_are_taken() {
	doctor --quiet "$SCEP_URL_LEGACY"
	equal 'warning caps-standard' "$(sed 's/^\([a-z]*\) *\([a-z0-9.-]*\) .*/\1 \2/' <<<"$said" | grep -v '^warning latency$')" "what is said"
	equal 0 "$status" "exit status"
}

it_has_every_check_in_the_documents() {
	doctor "$SCEP_URL"
	sed -n 's/^\(ok\|warning\|failure\|skipped\) *\([a-z0-9.-]*\) .*/\2/p' <<<"$said" >"$work/checks"
	sed -n '/^## The checks/,$s/^| `\([^`]*\)` |.*/\1/p' "$top/docs/doctor.md" >"$work/documented"
	check test -s "$work/checks"
	check diff "$work/checks" "$work/documented"
}

it_looks_at_tls_too() {
	doctor --ca-file "$CA_PEM" "$SCEP_URL_TLS"
	equal 0 "$status" "exit status"
	# It is this CA that issued nginx's certificate.
	finds warning tls-certificate 'is issued by the CA that is to be fetched'
	doctor "$SCEP_URL_TLS"
	equal 3 "$status" "exit status without the CA"
	equal 1 "$(wc -l <<<"$said")" "lines without the CA"
	finds failure reachable 'certificate'
}

it_prints_an_array_of_checks_as_json() {
	doctor --json "$SCEP_URL"
	equal 0 "$status" "exit status"
	equal reachable "$(json '$[0].name')" name
	equal ok "$(json '$[0].result')" result
	equal Apple "$(json '$[0].clients[0]')" client
	check test -n "$(json '$[0].text')"
	check test "$(json '$[#-1].name')" = reply-caching
	doctor --json --quiet --days 3660 "$SCEP_URL"
	no_match '"result": "(ok|skipped)"' "$said" "quiet"
	matches '"name": "ca-expiry"' "$said" "quiet"
	doctor --json http://127.0.0.1:1/
	equal 3 "$status" "exit status"
	equal failure "$(json '$[0].result')" "where nobody is"
	equal skipped "$(json '$[1].result')" "where nobody is"
}

it_is_silent_of_what_is_well_where_it_is_to_be_quiet() {
	doctor --quiet "$SCEP_URL"
	equal 0 "$status" "exit status"
	no_match '^(ok|skipped|Apple|[0-9]+ ok)' "$said" "quiet"
	doctor --quiet --days 3660 "$SCEP_URL"
	equal 0 "$status" "a warning"
	finds warning ra-expiry 'in 36[0-9]+ days'
	doctor --quiet --days 3660 --strict "$SCEP_URL"
	equal 1 "$status" "a warning with --strict"
}

it_tells_wrong_usage_from_a_server_that_is_away() {
	for url in ftp://127.0.0.1/ "$SCEP_URL?operation=GetCACaps" nonsense http://user:secret@127.0.0.1/; do
		doctor "$url"
		equal 2 "$status" "$url"
		no_match secret "$(cat "$work/doctor.err")" "$url"
	done
	doctor
	equal 2 "$status" "no URL"
	doctor --timeout 0 "$SCEP_URL"
	equal 2 "$status" "no time"
	doctor http://127.0.0.1:1/scep
	equal 3 "$status" "nobody there"
	doctor http://nobody.invalid/scep
	equal 3 "$status" "no such host"
}

it_needs_neither_settings_nor_a_store() {
	check env -i "$STACK_BIN/scepctl" doctor --quiet "$SCEP_URL"
}

it_enrols_nothing_and_asks_little() {
	local before lines
	before=$(sql 'SELECT count(*) FROM certificate')
	# nginx' log is buffered for a second.
	sleep 1.2
	lines=$(wc -l <"$STACK_DIR/log/nginx-access.log")
	doctor "$SCEP_URL_DYNAMIC"
	equal 0 "$status" "exit status"
	sleep 1.2
	equal "$before" "$(sql 'SELECT count(*) FROM certificate')" "certificates"
	equal 16 "$(($(wc -l <"$STACK_DIR/log/nginx-access.log") - lines))" "requests"
	no_match 'messageType=(PKCSReq|RenewalReq)' "$(tail -n 20 "$STACK_DIR/log/scep.log")" "the log"
}

it_finds_a_profile_without_new_algorithms() {
	check scepctl profile create ancient --ca test-ca --challenge "$CHALLENGE" --digests SHA-1 --ciphers DES3
	doctor "$HTTP_URL/scep/ancient"
	equal 1 "$status" "exit status"
	finds failure caps-sha256
	finds failure caps-aes
	finds warning caps-standard
	finds warning caps-sha384-strongswan '^|strongSwan: '
	finds ok legacy-clients 'for old devices'
	# It speaks what is offered.
	finds ok reply-digest SHA-1
	matches '^strongSwan +stumbles on .*caps-sha256' "$said" "strongSwan"
}

it_finds_an_ra_that_comes_without_its_ca() {
	check scepctl profile create alone --ca test-ca --challenge "$CHALLENGE" --get-ca-cert single
	doctor "$HTTP_URL/scep/alone"
	equal 1 "$status" "exit status"
	finds failure chain-complete "without its CA's"
	finds skipped ca-key
	finds ok get-with-plus
}

it_finds_a_path_where_no_profile_is() {
	doctor "$HTTP_URL/scep/nobody"
	equal 1 "$status" "exit status"
	finds failure caps-answer '404 \(There is no such SCEP profile.\)'
	finds failure cacert-answer 404
	finds skipped poll-unknown
}

it_finds_certificates_that_have_ended() {
	stack clock +400000000
	doctor --quiet "$SCEP_URL"
	stack clock =0
	equal 1 "$status" "exit status"
	finds failure ra-expiry 'has ended'
	finds failure ca-expiry 'has ended'
	finds warning clock 'apart'
}

# ---- a server of files ----------------------------------------------------------------------------------------------------------

# answer FILE STATUS TYPE BODY-FILE [HEADER…]: what fake_scep answers.
answer() {
	local file=$work/fake/$1 status=$2 type=$3 body=$4
	shift 4
	{
		printf 'HTTP/1.1 %s X\r\nContent-Length: %s\r\nConnection: close\r\n' "$status" "$(wc -c <"$body")"
		[ -z "$type" ] || printf 'Content-Type: %s\r\n' "$type"
		[ $# -eq 0 ] || printf '%s\r\n' "$@"
		printf '\r\n'
		cat "$body"
	} >"$file"
}

# text FILE STATUS TEXT
text() {
	printf "$3" >"$work/body"
	answer "$1" "$2" text/plain "$work/body"
}

# A server that gives what ours gives but for messages, and its address in $fake.
start_fake() {
	rm -rf "$work/fake"
	mkdir "$work/fake"
	curl -s -o "$work/caps" "$SCEP_URL?operation=GetCACaps"
	curl -s -o "$work/list" "$SCEP_URL?operation=GetCACert"
	answer GetCACaps 200 text/plain "$work/caps"
	answer getcacaps 200 text/plain "$work/caps"
	answer GetCACert 200 application/x-x509-ca-ra-cert "$work/list"
	text PKIOperation 400 'no message'
	text any 400 'no operation'
	"$STACK_BIN/e2e/fake_scep" "$work/fake" &
	fake_pid=$!
	trap 'kill "$fake_pid"' EXIT
	eventually 5 test -s "$work/fake/port"
	fake=http://127.0.0.1:$(cat "$work/fake/port")/scep
}

it_finds_each_fault_of_transport_and_no_other() {
	start_fake
	doctor "$fake"
	equal poll-unknown "$(awk '/^(failure|warning)/ && $2 !~ /^(latency|renewal-advertised)$/ { print $2 }' <<<"$said")" "findings"
	finds warning poll-unknown '400 \(no message\)'
	text GetCACaps.program 404 'not here'
	doctor "$fake"
	equal 1 "$status" "no pkiclient.exe"
	finds failure pkiclient-exe 'Windows, Cisco IOS: .*404 \(not here\)'
	matches '^Windows +stumbles on pkiclient-exe$' "$said" Windows
	rm "$work/fake/GetCACaps.program"
	text getcacaps 500 'not implemented'
	text GetCACaps.doctor 400 'no'
	text GetCACaps.empty 400 'no'
	doctor "$fake"
	finds warning operation-case '500 \(not implemented\)'
	finds failure parameter-order '400 \(no\)'
	finds failure message-empty '400 \(no\)'
}

it_finds_chunks_and_hosts_that_http_1_0_does_not_know() {
	start_fake
	printf 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\n\r\n0\r\n\r\n' "$(wc -c <"$work/caps")" "$(cat "$work/caps")" \
		>"$work/fake/GetCACaps.1.0"
	doctor "$fake"
	equal 1 "$status" "exit status"
	finds failure http-1.0 'Transfer-Encoding: chunked'
	text GetCACaps.1.0 421 'which host?'
	doctor "$fake"
	equal 0 "$status" "exit status"
	finds warning http-1.0 '421'
}

it_finds_wrong_types_and_lists() {
	start_fake
	answer GetCACert 200 application/octet-stream "$work/list"
	printf 'AES\n\nsha-256\n' >"$work/body"
	answer GetCACaps 200 text/html "$work/body"
	text GetCACert.CAIdentifier 404 'no such CA'
	text GetCACert.default 404 'no such CA'
	doctor "$fake"
	equal 1 "$status" "exit status"
	finds failure cacert-content-type application/octet-stream
	finds warning caps-content-type text/html
	finds warning caps-empty-line
	finds warning caps-spelling 'sha-256'
	finds failure caps-post
	finds failure get-ca-cert-message-default '404'
	finds failure get-ca-cert-message-identifier '404'
	text GetCACert 200 '<html>welcome</html>'
	doctor "$fake"
	equal 1 "$status" "exit status"
	finds failure cacert-answer 'neither a certificate nor a SignedData'
	finds skipped ra-key-usage
}

it_finds_a_ca_s_bare_certificate_that_may_not_be_enveloped_to() {
	start_fake
	openssl x509 -in "$CA_PEM" -outform DER -out "$work/ca.der"
	answer GetCACert 200 application/x-x509-ca-cert "$work/ca.der"
	doctor "$fake"
	equal 1 "$status" "exit status"
	finds failure ra-key-usage "Windows: the CA's keyUsage is"
	finds skipped apple-ra-candidates
	finds ok order-ra-first
	for how in 'rsa:1024' 'ec -pkeyopt ec_paramgen_curve:P-256'; do
		# shellcheck disable=SC2086
		openssl req -x509 -newkey $how -sha1 -nodes -subj '/CN=Old CA' -days 20 -keyout "$work/x.key" -outform DER -out "$work/x.der" \
			-addext 'keyUsage=digitalSignature,keyEncipherment' -addext 'basicConstraints=CA:TRUE' 2>/dev/null
		answer GetCACert 200 application/x-x509-ca-cert "$work/x.der"
		doctor "$fake"
		equal 1 "$status" "$how"
		finds ok ra-key-usage
		finds warning ca-expiry 'in 19 days|in 20 days'
		finds failure ca-key-usage 'lacks keyCertSign'
		case $how in
		rsa*) finds failure ra-key-size RSA-1024 && finds failure ca-key RSA-1024 ;;
		ec*) finds failure ra-key-type 'EC P-256' && finds skipped poll-unknown ;;
		esac
	done
}

it_finds_replies_that_are_none() {
	start_fake
	text PKIOperation.POST 500 'asn1: oh'
	doctor "$fake"
	finds warning bad-message '500 \(asn1: oh\)'
	answer PKIOperation 200 text/plain "$work/list"
	answer PKIOperation.POST 200 text/plain "$work/list"
	doctor "$fake"
	equal 1 "$status" "exit status"
	finds failure poll-unknown 'none to a client'
	finds failure reply-content-type text/plain
	answer PKIOperation.plus 400 text/plain "$work/caps"
	answer PKIOperation.breaks 200 text/plain "$work/caps" 'Cache-Control: public'
	answer PKIOperation.GET 200 text/plain "$work/list" 'Cache-Control: max-age=60'
	doctor "$fake"
	finds warning get-with-plus 400
	finds warning get-with-line-breaks
	finds warning reply-caching 'max-age=60'
}

it_finds_a_next_ca_that_nobody_vouches_for() {
	start_fake
	printf 'GetNextCACert\nSCEPStandard\n' >"$work/body"
	answer GetCACaps 200 text/plain "$work/body"
	doctor "$fake"
	finds warning next-ca 'is offered and gets 400'
	answer GetNextCACert 200 application/x-x509-next-ca-cert "$work/list"
	doctor "$fake"
	equal 1 "$status" "exit status"
	finds failure next-ca 'GetNextCACert'
}

it_follows_no_redirect() {
	start_fake
	: >"$work/body"
	answer any 302 '' "$work/body" "Location: $fake/elsewhere"
	rm "$work/fake/GetCACaps" "$work/fake/GetCACert"
	doctor "$fake"
	equal 1 "$status" "exit status"
	finds failure redirects '\(302\) to http'
	finds failure caps-answer 302
	check test "$(wc -l <"$work/fake/requests")" -le 16
}

it_stops_where_it_is_asked_to() {
	start_fake
	text GetCACert.default 429 'slowly'
	doctor "$fake"
	equal 0 "$status" "exit status"
	equal 3 "$(wc -l <"$work/fake/requests")" "requests"
	finds warning rate-limit 'request 3 in a row gets 429'
	finds skipped pkiclient-exe 'too many requests'
	: >"$work/fake/requests"
	text GetCACaps 429 'slowly'
	doctor "$fake"
	equal 3 "$status" "exit status"
	equal 1 "$(wc -l <"$work/fake/requests")" "requests"
}

it_waits_for_nobody_longer_than_twice() {
	local began=$SECONDS
	start_fake
	: >"$work/fake/any"
	: >"$work/fake/PKIOperation"
	doctor --timeout 3 "$fake"
	equal 1 "$status" "exit status"
	finds failure unknown-operation 'no answer'
	finds warning latency 'not answered within 3000 ms'
	finds skipped poll-unknown 'does not answer in time'
	check test $((SECONDS - began)) -le 30
	: >"$work/fake/requests"
	: >"$work/fake/GetCACaps"
	doctor --timeout 1 "$fake"
	equal 3 "$status" "exit status"
	equal 1 "$(wc -l <"$work/fake/requests")" "requests"
}

it_reads_no_more_than_it_needs() {
	start_fake
	head -c 200000 /dev/zero >"$work/large"
	answer GetCACert 200 application/x-x509-ca-ra-cert "$work/large"
	doctor "$fake"
	equal 1 "$status" "exit status"
	finds failure cacert-answer 'more than 131072 octets'
	finds ok reachable
}

it_lets_no_control_character_through() {
	start_fake
	text any 500 '\033]0;owned\007\302\233x\377\tmore'
	printf 'HTTP/1.1 200 OK\r\nContent-Type: text/\033[31mred\r\nConnection: close\r\n\r\nAES\n' >"$work/fake/GetCACaps"
	for json in '' --json; do
		# shellcheck disable=SC2086
		doctor $json "$fake"
		matches 'owned' "$said" "what the server says"
		no_match "$(printf '[\001-\011\013-\037\177]')" "$said" "control characters"
	done
	check test "$(json '$[0].name')" = reachable
}

# ---- somebody else's --------------------------------------------------------------------------------------------------------------

# It listens on every address, so it gets a network of its own.
it_examines_micromdm_scepserver() {
	namespace=doctor$$
	pid=
	command -v scepserver >/dev/null || skip "scep (micromdm) is not installed"
	ip netns add "$namespace" 2>"$work/netns.log" || skip "no network namespace: $(tail -n 1 "$work/netns.log")"
	trap 'kill "$pid" 2>/dev/null; ip netns del "$namespace"' EXIT
	check ip -n "$namespace" link set lo up
	(cd "$work" && check scepserver ca -init -keySize 2048 -depot "$work/depot" >"$work/mdm-ca.log" 2>&1)
	(cd "$work" && exec nsenter --net="/run/netns/$namespace" scepserver -port 9999 -depot "$work/depot" -challenge secret -allowrenew 0) \
		>"$work/mdm.log" 2>&1 &
	pid=$!
	eventually 10 nsenter --net="/run/netns/$namespace" curl -s -o /dev/null 'http://127.0.0.1:9999/scep?operation=GetCACaps'
	status=0
	said=$(nsenter --net="/run/netns/$namespace" "$STACK_BIN/scepctl" doctor http://127.0.0.1:9999/scep) || status=$?
	equal 1 "$status" "exit status"
	finds ok caps-aes
	finds ok chain-signatures
	finds failure pkiclient-exe 404
	finds failure ra-key-usage "the CA's keyUsage"
	finds warning poll-unknown 'not implemented'
	finds warning get-with-plus 'illegal base64'
	finds ok get-with-line-breaks
	check test ! -s "$work/depot/index.txt"
}

run_tests "$@"
