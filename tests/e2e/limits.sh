#!/bin/bash
# How often an address, a profile, an account or a seat may enrol; what slows down who guesses; and whose word counts for where a request comes
# from: nginx believes 127.0.0.1 here, so that a test can come from anywhere.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up SCEP_TRUSTED_PROXIES=127.0.0.1,fd00::/8 SCEP_WRONG_PER_MINUTE=5 SCEP_NGINX_PROFILE_RATES=slow=1:5

# from ADDRESS FILE URL: send(), as if from there; prints the HTTP status.
from() {
	curl -s -m 30 -D "$work/$2.head" -o "$work/$2.reply" -w '%{http_code}' -H "X-Forwarded-For: $1" --data-binary "@$work/$2.der" \
		"$3?operation=PKIOperation"
}

# gets WHAT ADDRESS FILE URL: WHAT is SUCCESS, badRequest or 429.
gets() {
	local status
	status=$(from "$2" "$3" "$4")
	case $1 in
	429)
		equal 429 "$status" "$3 from $2"
		matches '^Retry-After: [1-9][0-9]*' "$(cat "$work/$3.head")" "$3 from $2"
		equal 'Too many requests, try again later.' "$(cat "$work/$3.reply")" "$3 from $2"
		;;
	badRequest)
		equal 200 "$status" "$3 from $2"
		equal 'FAILURE badRequest the request is not authorised' "$(reply "$3")" "$3 from $2"
		;;
	*)
		equal 200 "$status" "$3 from $2"
		equal "$1" "$(reply "$3")" "$3 from $2"
		;;
	esac
}

limited() {
	scepctl profile create "$1" --ca test-ca --challenge-mode static --challenge "$CHALLENGE" "${@:2}"
}

messages() {
	local name
	for name in "${@:3}"; do
		message "$name" "CN=$name" "$2" "$1"
	done
}

# retry_after FILE: the seconds.
retry_after() {
	tr -d '\r' <"$work/$1.head" | sed -n 's/^Retry-After: //p'
}

counted() {
	[ "$(sql "SELECT coalesce(sum(count), 0) FROM audit_event WHERE reason LIKE '$1'")" = "$2" ]
}

it_lets_an_address_enrol_as_often_as_its_profile_says() {
	local url=$HTTP_URL/scep/by-address
	limited by-address --limit-address 3
	messages "$url" "$CHALLENGE" a1 a2 a3 a4 a5 b1
	new_minute
	gets SUCCESS 192.0.2.1 a1 "$url"
	gets SUCCESS 192.0.2.1 a2 "$url"
	gets SUCCESS 192.0.2.1 a3 "$url"
	gets 429 192.0.2.1 a4 "$url"
	gets 429 192.0.2.1 a5 "$url"
	gets SUCCESS 192.0.2.2 b1 "$url"
	# A repeat is answered always.
	gets SUCCESS 192.0.2.1 a1 "$url"
	check test "$(retry_after a5)" -le 61
	stack clock "+$(retry_after a5)"
	gets SUCCESS 192.0.2.1 a4 "$url"
	later
	gets SUCCESS 192.0.2.1 a5 "$url"
	# The refused ones are one row.
	eventually 10 counted 'limit: above 3 a minute (address)%' 2
	equal 1 "$(sql "SELECT count(*) FROM audit_event WHERE reason LIKE 'limit: above 3 a minute (address)%'")" "rows"
	check invariants
}

it_takes_a_network_of_IPv6_for_one_address() {
	local url=$HTTP_URL/scep/by-network
	limited by-network --limit-address 1
	messages "$url" "$CHALLENGE" n1 n2 n3
	new_minute
	gets SUCCESS 2001:db8:0:1::1 n1 "$url"
	gets 429 2001:db8:0:1:ffff::2 n2 "$url"
	gets SUCCESS 2001:db8:0:2::1 n3 "$url"
}

it_limits_a_profile_by_what_it_authorises_alone() {
	local url=$HTTP_URL/scep/by-profile
	limited by-profile --limit-profile 2
	messages "$url" "$CHALLENGE" p1 p2 p3
	messages "$url" wrong-challenge w1
	new_minute
	gets badRequest 192.0.2.1 w1 "$url"
	gets badRequest 192.0.2.2 w1 "$url"
	gets badRequest 192.0.2.3 w1 "$url"
	gets SUCCESS 192.0.2.4 p1 "$url"
	gets SUCCESS 192.0.2.5 p2 "$url"
	gets 429 192.0.2.6 p3 "$url"
	later
	gets SUCCESS 192.0.2.6 p3 "$url"
}

it_gives_a_one_time_challenge_back_where_a_limit_refuses() {
	local once
	once=$(scepctl challenge new --profile mdm)
	message one CN=one "$(scepctl challenge new --profile mdm)"
	message two CN=two "$once"
	scepctl profile set mdm --limit-profile 1
	new_minute
	gets SUCCESS 192.0.2.1 one "$SCEP_URL_DYNAMIC"
	for _ in 1 2 3 4 5 6; do
		gets 429 192.0.2.1 two "$SCEP_URL_DYNAMIC"
	done
	scepctl profile set mdm --limit-profile 0
	gets SUCCESS 192.0.2.1 two "$SCEP_URL_DYNAMIC"
	check invariants
}

it_limits_a_seat_and_leaves_the_others() {
	local url=$HTTP_URL/scep/by-seat seat
	scepctl profile create by-seat --ca test-ca --challenge-mode enrollmentCode --limit-seat 1
	for seat in desk1 desk2; do
		scepctl seat create "$seat" --type device
		scepctl enrollment create --profile by-seat --seat "$seat" --code-file - --ttl 30d --uses 5 <<<"$CHALLENGE-$seat"
	done
	message s1 CN=desk1 "$CHALLENGE-desk1" "$url"
	message s2 CN=desk1 "$CHALLENGE-desk1" "$url"
	message s3 CN=desk2 "$CHALLENGE-desk2" "$url"
	new_minute
	gets SUCCESS 192.0.2.1 s1 "$url"
	gets 429 192.0.2.2 s2 "$url"
	gets SUCCESS 192.0.2.1 s3 "$url"
	later
	gets SUCCESS 192.0.2.2 s2 "$url"
}

it_limits_an_account_and_leaves_the_static_challenge() {
	local url=$HTTP_URL/scep/by-account secret
	limited by-account --limit-account 1
	secret=$(scepctl account create sales --profile by-account)
	messages "$url" "$secret" c1 c2
	messages "$url" "$(scepctl account create service --profile by-account)" c3
	messages "$url" "$CHALLENGE" c4 c5
	new_minute
	gets SUCCESS 192.0.2.1 c1 "$url"
	gets 429 192.0.2.2 c2 "$url"
	gets SUCCESS 192.0.2.1 c3 "$url"
	gets SUCCESS 192.0.2.1 c4 "$url"
	gets SUCCESS 192.0.2.1 c5 "$url"
	later
	gets SUCCESS 192.0.2.1 c2 "$url"
}

it_slows_down_the_address_that_guesses_and_nobody_else() {
	messages "$SCEP_URL" wrong-challenge g1
	messages "$SCEP_URL" "$CHALLENGE" r1 r2
	message m1 CN=m1 none "$SCEP_URL"
	"$STACK_BIN/e2e/pkimessage" make --ca "$work/m1.p7" --key "$work/m1.key" --subject CN=m1 --out "$work/m1.der"
	later
	for _ in 1 2 3 4 5; do
		gets badRequest 198.51.100.1 g1 "$SCEP_URL"
	done
	# Wrong and right are answered alike; without a challenge nothing is guessed.
	gets 429 198.51.100.1 g1 "$SCEP_URL"
	gets 429 198.51.100.1 r1 "$SCEP_URL"
	gets badRequest 198.51.100.1 m1 "$SCEP_URL"
	gets SUCCESS 198.51.100.2 r2 "$SCEP_URL"
	# At other profiles too.
	message once CN=once "$(scepctl challenge new --profile mdm)"
	gets 429 198.51.100.1 once "$SCEP_URL_DYNAMIC"
	later
	gets SUCCESS 198.51.100.1 r1 "$SCEP_URL"
	gets SUCCESS 198.51.100.1 once "$SCEP_URL_DYNAMIC"
	eventually 10 counted 'limit: more than 5 wrong challenges a minute from 198.51.100.1%' 3
}

it_slows_down_guesses_at_one_time_challenges_of_each_kind() {
	local used
	used=$(scepctl challenge new --profile mdm)
	message first CN=first "$used"
	later
	gets SUCCESS 198.51.100.9 first "$SCEP_URL_DYNAMIC"
	message used CN=used "$used"
	message unknown CN=unknown 0123456789ABCDEF0123456789ABCDEF
	message bound CN=bound "$(scepctl challenge new --profile mdm --bind-cn other)"
	gets badRequest 198.51.100.3 used "$SCEP_URL_DYNAMIC"
	gets badRequest 198.51.100.3 unknown "$SCEP_URL_DYNAMIC"
	gets badRequest 198.51.100.3 bound "$SCEP_URL_DYNAMIC"
	gets badRequest 198.51.100.3 used "$SCEP_URL_DYNAMIC"
	gets badRequest 198.51.100.3 unknown "$SCEP_URL_DYNAMIC"
	gets 429 198.51.100.3 bound "$SCEP_URL_DYNAMIC"
}

it_remembers_in_redis_who_guessed_when_all_workers_are_new() {
	messages "$SCEP_URL" wrong-challenge k1
	later
	for _ in 1 2 3 4 5; do
		gets badRequest 198.51.100.4 k1 "$SCEP_URL"
	done
	stack stop scep
	stack start scep
	eventually 10 test "$(http "$SCEP_URL?operation=GetCACaps")" = 200
	# Its next guess makes it suspect again, and Redis knows the others.
	gets badRequest 198.51.100.4 k1 "$SCEP_URL"
	gets 429 198.51.100.4 k1 "$SCEP_URL"
}

it_slows_guesses_down_without_redis_and_issues_to_others() {
	messages "$SCEP_URL" wrong-challenge o1
	messages "$SCEP_URL" "$CHALLENGE" o2 o3
	later
	stack stop redis
	for _ in 1 2 3 4 5; do
		gets badRequest 198.51.100.5 o1 "$SCEP_URL"
	done
	gets 429 198.51.100.5 o1 "$SCEP_URL"
	gets 429 198.51.100.5 o2 "$SCEP_URL"
	gets SUCCESS 198.51.100.6 o3 "$SCEP_URL"
	stack start redis
}

# address_of NAME: where the audit says that the enrolment came from.
address_of() {
	sql "SELECT address FROM audit_event WHERE subject LIKE 'CN=$1%' AND outcome = 'success'"
}

it_believes_the_forwarded_address_of_trusted_proxies_alone() {
	messages "$SCEP_URL" "$CHALLENGE" t1 t2 t3 t4
	later
	equal 200 "$(from 203.0.113.7 t1 "$SCEP_URL")" "by the proxy"
	equal 203.0.113.7 "$(address_of t1)" "by the proxy"
	# Behind two trusted ones; what a client put there itself stands further left.
	equal 200 "$(from '8.8.8.8, 203.0.113.8, fd00::9' t2 "$SCEP_URL")" "by two proxies"
	equal 203.0.113.8 "$(address_of t2)" "by two proxies"
	equal 200 "$(curl -s --interface 127.0.0.2 -o "$work/t3.reply" -w '%{http_code}' -H 'X-Forwarded-For: 203.0.113.9' \
		--data-binary "@$work/t3.der" "$SCEP_URL?operation=PKIOperation")" "by a stranger"
	equal 127.0.0.2 "$(address_of t3)" "by a stranger"
	equal 200 "$(from 'no address' t4 "$SCEP_URL")" "nonsense by the proxy"
	equal 127.0.0.1 "$(address_of t4)" "nonsense by the proxy"
}

# caps N CURL-OPTIONS…: how many of N requests nginx refuses.
caps() {
	local n=$1
	shift
	curl -s -o /dev/null -w '%{http_code}\n' "$@" "$HTTP_URL/scep/slow?operation=GetCACaps&message=[1-$n]" | grep -c 429 || true
}

it_limits_in_nginx_by_the_same_address() {
	limited slow
	check test "$(caps 30 -H 'X-Forwarded-For: 203.0.113.20')" -ge 15
	equal 0 "$(caps 3 -H 'X-Forwarded-For: 203.0.113.21')" "another address by the proxy"
	check test "$(caps 30 --interface 127.0.0.3 -H 'X-Forwarded-For: 203.0.113.22')" -ge 15
	check test "$(caps 5 --interface 127.0.0.3 -H 'X-Forwarded-For: 203.0.113.23')" -ge 3
}

it_refuses_proxies_that_are_no_networks() {
	local out=$work/rendered trusted answer
	export NGINX_CERTIFICATE="$STACK_DIR/nginx/tls.pem" NGINX_CERTIFICATE_KEY="$STACK_DIR/nginx/tls.key" NGINX_HTTP=127.0.0.1:1 NGINX_HTTPS=127.0.0.1:2
	for trusted in proxy 10.0.0.0/33 10.0.0.0/ 10.0.0.0/8/8 fd00::/129 10.0.0 ',' '10.0.0.1,' '10.0.0.1 10.0.0.2' unix: '10.0.0.1;' '$x' all abc; do
		answer=$(SCEP_TRUSTED_PROXIES=$trusted "$top/nginx/render" "$out" 2>&1 || true)
		equal 1 "$(wc -l <<<"$answer")" "lines about $trusted"
		matches '^nginx/render: SCEP_TRUSTED_PROXIES: ' "$answer" "$trusted"
		# The programs say the same.
		refuse env -u SCEP_TEST_CLOCK SCEP_TRUSTED_PROXIES="$trusted" "$STACK_BIN/scepctl" settings
	done
	check env SCEP_TRUSTED_PROXIES=10.0.0.1,192.0.2.0/24,fd00::/8,::1 "$top/nginx/render" "$out"
	check nginx -t -q -e "$work/nginx-t.log" -p "$out" -c conf/nginx.conf
}

it_trusts_nobody_unless_told() {
	stack_up
	message nobody CN=nobody "$CHALLENGE" "$SCEP_URL"
	equal 200 "$(from 203.0.113.7 nobody "$SCEP_URL")" "status"
	equal 127.0.0.1 "$(address_of nobody)" "address"
}

run_tests "$@"
