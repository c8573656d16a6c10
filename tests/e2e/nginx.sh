#!/bin/bash
# nginx: limits, the microcache, what is refused without TLS, sizes, errors, logs.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up

# requests URL: asked for by nginx's log of this stack, after its buffer is written.
cache_of_last_request() {
	sleep 1.2
	tail -n 1 "$STACK_DIR/log/nginx-access.log" | sed 's/.* cache=\([A-Z-]*\).*/\1/'
}

it_answers_GetCACaps_and_GetCACert_from_its_cache() {
	local path
	for path in 'demo?operation=GetCACaps' 'demo/pkiclient.exe?operation=getcacaps' 'demo?operation=GetCACaps&message=x' \
		'demo?message=x&operation=GetCACaps' 'demo?operation=GetCACert' 'mdm?operation=GetCACert&message=CAIdentifier'; do
		http "$HTTP_URL/scep/$path" >/dev/null
		equal 200 "$(http "$HTTP_URL/scep/$path")" "$path"
		equal HIT "$(cache_of_last_request)" "$path"
	done
}

it_gives_each_profile_its_own_answer_from_the_cache() {
	local demo legacy
	demo=$(curl -s "$SCEP_URL?operation=GetCACaps")
	legacy=$(curl -s "$SCEP_URL_LEGACY?operation=GetCACaps")
	refuse test "$demo" = "$legacy"
	equal "$demo" "$(curl -s "$SCEP_URL/pkiclient.exe?operation=GetCACaps")" demo
	equal "$legacy" "$(curl -s "$SCEP_URL_LEGACY/pkiclient.exe?operation=GetCACaps")" legacy
	refuse test "$(curl -s "$SCEP_URL?operation=GetCACert" | sha256sum)" = "$(curl -s "$SCEP_URL?operation=GetCACaps" | sha256sum)"
}

it_shows_a_change_of_a_profile_within_three_seconds() {
	local i
	matches '^AES$' "$(curl -s "$SCEP_URL_DYNAMIC?operation=GetCACaps")" "before"
	no_match '^DES3$' "$(curl -s "$SCEP_URL_DYNAMIC?operation=GetCACaps")" "before"
	scepctl profile set mdm --ciphers AES-128-CBC,AES-256-CBC,DES3
	for i in $(seq 6); do
		curl -s "$SCEP_URL_DYNAMIC?operation=GetCACaps" >/dev/null
		sleep 0.5
	done
	matches '^DES3$' "$(curl -s "$SCEP_URL_DYNAMIC?operation=GetCACaps")" "after $i half seconds"
	scepctl profile disable mdm
	sleep 3.1
	equal 403 "$(http "$SCEP_URL_DYNAMIC?operation=GetCACaps")" "a disabled profile"
	scepctl profile enable mdm
	sleep 0.1
	# A refusal is not cached.
	equal 200 "$(http "$SCEP_URL_DYNAMIC?operation=GetCACaps")" "an enabled profile"
}

it_does_not_let_message_fill_the_cache() {
	local i before
	curl -s "$SCEP_URL?operation=GetCACaps" >/dev/null
	before=$(find "$STACK_DIR/nginx/cache" -type f | wc -l)
	for i in $(seq 50); do
		curl -s "$SCEP_URL?operation=GetCACaps&message=$i" "$SCEP_URL?operation=GetCACaps&x=$i" "$HTTP_URL/scep/nobody$i?operation=GetCACaps" \
			"$SCEP_URL/program$i.exe?operation=GetCACaps" >/dev/null
	done
	check test "$(find "$STACK_DIR/nginx/cache" -type f | wc -l)" -le $((before + 1))
}

it_does_not_let_a_doubled_or_escaped_operation_poison_the_cache() {
	local query caps
	caps=$(curl -s "$SCEP_URL_LEGACY?operation=GetCACert" | sha256sum)
	sleep 3.1
	for query in 'operation=GetCACert&operation=GetCACaps' 'operation=GetCACert&message=x&operation=GetCACaps' \
		'operation=GetCACert%26operation=GetCACaps' '%6fperation=GetCACaps&operation=GetCACert' \
		'operation=GetCACert&message=a&message=b' 'operation=GetCACert&x=operation=GetCACaps'; do
		curl -s "$SCEP_URL_LEGACY?$query" >/dev/null
		refuse test "$(cache_of_last_request)" = HIT
	done
	equal "$caps" "$(curl -s "$SCEP_URL_LEGACY?operation=GetCACert" | sha256sum)" "GetCACert after them"
	equal 400 "$(http "$SCEP_URL_LEGACY?operation=GetCACert&operation=GetCACert")" "operation twice"
}

it_keeps_HEAD_and_POST_out_of_the_cache() {
	sleep 3.1
	equal 200 "$(http -I "$SCEP_URL?operation=GetCACaps")" HEAD
	check test -n "$(curl -s "$SCEP_URL?operation=GetCACaps")"
	equal 200 "$(http -d x "$SCEP_URL?operation=GetCACaps")" POST
	equal - "$(cache_of_last_request)" POST
}

it_gives_no_GET_of_a_CRL_the_empty_body_of_a_HEAD() {
	sleep 1.1
	equal 200 "$(http -I "$HTTP_URL/crl/test-ca.crl")" HEAD
	check curl -s -m 5 -o "$work/after-head.crl" "$HTTP_URL/crl/test-ca.crl"
	check openssl crl -inform DER -in "$work/after-head.crl" -noout -CAfile "$CA_PEM"
}

it_answers_HEAD_without_a_body() {
	local answer
	answer=$(raw 'HEAD /scep/demo?operation=GetCACaps HTTP/1.0\r\n\r\n')
	matches '^HTTP/1.1 200' "$answer" HEAD
	no_match '^SCEPStandard' "$answer" HEAD
	equal 405 "$(http -I "$SCEP_URL?operation=PKIOperation&message=AA")" "HEAD of a PKIOperation"
}

it_refuses_challenges_and_the_API_on_the_plain_port_with_403() {
	local path answer
	for path in /scep/demo/challenge /scep/mdm/challenge.html /scep/mdm/mscep_admin /scep/mdm/mscep_admin/ /scep/mdm/MSCEP_Admin/ \
		/scep/challenge /certsrv/mscep_admin /certsrv/mscep_admin/ /api/v1/hello /api /API/v1/hello /scep//mdm/challenge \
		/scep/mdm/%63hallenge /scep/x/../mdm/challenge; do
		answer=$(page --path-as-is -u "x:$API_TOKEN" "$HTTP_URL$path")
		matches '^HTTP/1.1 403' "$answer" "$path"
		no_match '^WWW-Authenticate' "$answer" "$path"
	done
}

it_gives_a_challenge_over_TLS() {
	local once answer
	answer=$(page -X POST -H "Authorization: Bearer $API_TOKEN" "$HTTPS_URL/scep/mdm/challenge")
	matches '^HTTP/1.1 200' "$answer" "by POST"
	matches '^Cache-Control: no-store' "$answer" "by POST"
	once=$(curl -s --cacert "$CA_PEM" -u "any:$API_TOKEN" "$HTTPS_URL/scep/mdm/challenge")
	matches '^[0-9A-F]{32}$' "$once" "by GET"
	check enrol fetched "$SCEP_URL_DYNAMIC" --challenge "$once"
	matches '^HTTP/1.1 401' "$(page "$HTTPS_URL/scep/mdm/challenge")" "without a token"
	matches '^[Ww][Ww][Ww]-Authenticate: Basic realm=' "$(page "$HTTPS_URL/scep/mdm/challenge")" "without a token"
	equal 401 "$(http -u any:wrong "$HTTPS_URL/scep/mdm/challenge")" "with a wrong token"
}

it_answers_the_API_over_TLS_with_its_headers() {
	local answer
	answer=$(page -H "Authorization: Bearer $API_TOKEN" "$API_URL/health")
	matches '^HTTP/1.1 200' "$answer" health
	matches '^Strict-Transport-Security: max-age=' "$answer" health
	matches '^X-Content-Type-Options: nosniff' "$answer" health
	matches "^Content-Security-Policy: default-src 'none'" "$answer" health
	matches '^Server: nginx$' "$answer" "no version"
	no_match '^Strict-Transport-Security' "$(page "$SCEP_URL?operation=GetCACaps")" "plain HTTP"
}

it_refuses_old_TLS() {
	refuse curl -s -o /dev/null --cacert "$CA_PEM" --tls-max 1.1 "$SCEP_URL_TLS?operation=GetCACaps"
	check curl -s -o /dev/null --cacert "$CA_PEM" --tls-max 1.2 "$SCEP_URL_TLS?operation=GetCACaps"
}

# One line of text for what is too large; by the worker up to a little more than the limit, by nginx beyond it.
it_answers_413_to_a_message_that_is_too_large() {
	local size answer
	for size in 65537 69000 200000; do
		answer=$(head -c "$size" /dev/zero | page --data-binary @- "$SCEP_URL?operation=PKIOperation")
		matches '^HTTP/1.1 413' "$answer" "$size octets"
		matches '^Content-Type: text/plain' "$answer" "$size octets"
		matches '^The message is too large.$' "$answer" "$size octets"
	done
	answer=$(head -c 65536 /dev/zero | page --data-binary @- "$SCEP_URL?operation=PKIOperation")
	matches '^HTTP/1.1 400' "$answer" "65536 octets that are no message"
}

it_answers_414_to_a_URI_that_is_too_long_and_takes_one_of_15_KB() {
	local long answer
	long=$(head -c 15000 /dev/zero | tr '\0' A)
	equal 400 "$(http "$SCEP_URL?operation=PKIOperation&message=$long")" "15 KB that are no message"
	answer=$(page "$SCEP_URL?operation=PKIOperation&message=$long$long")
	matches '^HTTP/1.1 414' "$answer" "30 KB"
	matches '^Content-Type: text/plain' "$answer" "30 KB"
}

it_answers_what_is_no_HTTP_with_one_line_of_text() {
	local request
	for request in 'FROBNICATE\r\n\r\n' 'GET /scep HTTP/1.1\r\n\r\n' 'GET /scep/../../x HTTP/1.0\r\n\r\n'; do
		matches '^HTTP/1.1 400' "$(raw "$request")" "$request"
		matches '^Content-Type: text/plain' "$(raw "$request")" "$request"
		no_match '<html>' "$(raw "$request")" "$request"
	done
	matches '^HTTP/1.1 404' "$(page "$HTTP_URL/elsewhere")" "a path that is none of ours"
	no_match '<html>' "$(page "$HTTP_URL/elsewhere")" "a path that is none of ours"
	equal 404 "$(http --path-as-is "$HTTP_URL/.error/400")" "an internal path"
	equal 200 "$(http "$HTTP_URL/healthz")" healthz
}

# codes URL: the statuses of all that curl makes of the URL's [1-100].
codes() {
	curl -s -o /dev/null --cacert "$CA_PEM" -w '%{http_code}\n' "$1"
}

it_answers_429_above_the_rate_and_goes_on_later() {
	local i answer
	stack_up SCEP_NGINX_RATE=5 SCEP_NGINX_BURST=5 SCEP_NGINX_API_RATE=2 SCEP_NGINX_API_BURST=2
	# What tests/stack asked itself counts too.
	sleep 2
	for i in $(seq 4); do
		equal 200 "$(http "$SCEP_URL?operation=GetCACaps")" "request $i"
	done
	# In one process, so that a slow machine is fast enough.
	check test "$(codes "$SCEP_URL?operation=GetCACaps&message=[1-100]" | grep -c 429)" -ge 50
	answer=$(curl -s -i "$SCEP_URL?operation=GetCACaps&message=[1-100]" | tail -n 12 | tr -d '\r')
	matches '^HTTP/1.1 429' "$answer" "the next request"
	matches '^Retry-After: [0-9]+' "$answer" "the next request"
	matches '^Content-Type: text/plain' "$answer" "the next request"
	sleep 2
	equal 200 "$(http "$SCEP_URL?operation=GetCACaps")" "two seconds later"
	check test "$(codes "$API_URL/hello?[1-40]" | grep -c 429)" -ge 20
	sleep 1.2
	check grep -q 'status=429' "$STACK_DIR/log/nginx-access.log"
	stack down
}

# refused_of URL: how many of 200 requests get 429.
refused_of() {
	codes "$1?operation=GetCACaps&message=[1-200]" | grep -c 429 || true
}

it_gives_a_profile_the_rate_that_is_set_for_it() {
	stack_up SCEP_NGINX_RATE=5 SCEP_NGINX_BURST=5 SCEP_NGINX_PROFILE_RATES='mdm=1000:5000 legacy=1:150'
	sleep 2
	# The higher one: all pass, while another profile is refused; and what passed does not count for the others.
	equal 0 "$(refused_of "$SCEP_URL_DYNAMIC")" "refused at mdm"
	equal 200 "$(http "$SCEP_URL?operation=GetCACaps")" "demo, which nobody asked yet"
	check test "$(refused_of "$SCEP_URL")" -ge 100
	equal 0 "$(refused_of "$SCEP_URL_DYNAMIC/pkiclient.exe")" "refused at mdm, under a program's name"
	# The common one is used up, for demo's other paths too.
	check test "$(refused_of "$HTTP_URL/scep/demo/pkiclient.exe")" -ge 100
	# The lower one: its burst passes and no more, and is not the common one.
	check test "$(refused_of "$SCEP_URL_LEGACY")" -ge 30
	check test "$(refused_of "$SCEP_URL_LEGACY/mscep.dll")" -ge 190
	equal 0 "$(refused_of "$SCEP_URL_DYNAMIC")" "refused at mdm"
	# What is no profile counts as everything else does.
	check test "$(refused_of "$HTTP_URL/scep/mdm2")" -ge 100
	stack down
}

it_gives_the_default_profiles_paths_its_rate() {
	local path
	stack_up SCEP_NGINX_RATE=5 SCEP_NGINX_BURST=5 SCEP_NGINX_PROFILE_RATES='demo=1000:5000'
	sleep 2
	for path in /scep /scep/ /scep/pkiclient.exe /cgi-bin/pkiclient.exe /certsrv/mscep/mscep.dll/pkiclient.exe /scep/demo; do
		equal 0 "$(refused_of "$HTTP_URL$path")" "refused at $path"
	done
	check test "$(refused_of "$SCEP_URL_DYNAMIC")" -ge 100
	stack down
}

it_answers_503_with_Retry_After_while_no_worker_is_there() {
	local answer
	stack stop scep
	sleep 3.1
	for answer in "$(page "$SCEP_URL?operation=GetCACaps")" "$(page -d x "$SCEP_URL?operation=PKIOperation")"; do
		matches '^HTTP/1.1 503' "$answer" "no worker"
		matches '^Retry-After: [0-9]+' "$answer" "no worker"
		matches '^Content-Type: text/plain' "$answer" "no worker"
	done
	stack start scep
	equal 200 "$(http "$SCEP_URL?operation=GetCACaps")" "afterwards"
}

it_renders_JSON_logs_and_refuses_wrong_settings() {
	local out=$work/rendered rates answer
	export NGINX_CERTIFICATE="$STACK_DIR/nginx/tls.pem" NGINX_CERTIFICATE_KEY="$STACK_DIR/nginx/tls.key"
	check env SCEP_LOG_FORMAT=json "$top/nginx/render" "$out"
	check grep -q 'scep_json' "$out/conf/conf.d/10-log.conf"
	NGINX_HTTP=127.0.0.1:1 NGINX_HTTPS=127.0.0.1:2 check "$top/nginx/render" "$out"
	check nginx -t -q -e "$work/nginx-t.log" -p "$out" -c conf/nginx.conf
	refuse env SCEP_NGINX_RATE=fast "$top/nginx/render" "$out"
	refuse env SCEP_NGINX_RATE=0 "$top/nginx/render" "$out"
	refuse env SCEP_MESSAGE_MAX=1 "$top/nginx/render" "$out"
	for rates in proxy proxy=5 proxy=5: proxy=:5 =5:5 proxy=0:5 proxy=5:0 proxy=5:x 'a=5:5,b=5:5' a=5:5:5 'a b=5:5' 'a/b=5:5' 'a=5:5 A=6:6' \
		'a=5:1000001' '*=5:5' 'a$=5:5' "$(printf '%065d' 1)=5:5"; do
		answer=$(SCEP_NGINX_PROFILE_RATES=$rates "$top/nginx/render" "$out" 2>&1 || true)
		equal 1 "$(wc -l <<<"$answer")" "lines about $rates"
		matches '^nginx/render: SCEP_NGINX_PROFILE_RATES: ' "$answer" "$rates"
		# The programs say the same.
		refuse env -u SCEP_TEST_CLOCK SCEP_NGINX_PROFILE_RATES="$rates" "$STACK_BIN/scepctl" settings
	done
	check env SCEP_NGINX_PROFILE_RATES='default=5:5 de.fault=5:5 test-1=5:5' SCEP_DEFAULT_PROFILE=test-1 NGINX_HTTP=127.0.0.1:1 NGINX_HTTPS=127.0.0.1:2 \
		"$top/nginx/render" "$out"
	check nginx -t -q -e "$work/nginx-t.log" -p "$out" -c conf/nginx.conf
	refuse env SCEP_LISTEN=tcp:127.0.0.1:9 "$top/nginx/render" "$out"
	refuse env SCEP_LISTEN='unix:/x;}' "$top/nginx/render" "$out"
	refuse env NGINX_HTTP='80; include /etc/passwd' "$top/nginx/render" "$out"
}

# nginx/render has the defaults of the settings table a second time.
it_has_the_defaults_of_the_settings_table() {
	local table name value
	table=$(env -u SCEP_TEST_CLOCK "$STACK_BIN/scepctl" settings --env)
	for name in SCEP_NGINX_RATE SCEP_NGINX_BURST SCEP_NGINX_API_RATE SCEP_NGINX_API_BURST SCEP_NGINX_CONNECTIONS SCEP_MESSAGE_MAX \
		SCEP_REQUEST_TIMEOUT_S; do
		value=$(sed -n "s/^$name=//p" <<<"$table" | tr -d '"')
		matches "number $name $value " "$(grep "number $name " "$top/nginx/render")" "$name"
	done
}

run_tests "$@"
