# secret_parts.sh: the parts of run that are about challenges and who guesses them.
# shellcheck shell=bash disable=SC2153,SC2154

# minted N FILE: so many one-time challenges of the profile mdm, by the endpoint for MDMs.
minted() {
	curl -s -f --cacert "$CA_PEM" -H "Authorization: Bearer $API_TOKEN" "$HTTPS_URL/scep/mdm/challenge?[1-$1]" -w '\n' >"$2"
}

secrets_of() {
	"$bin/secrets" --requests "${SECRETS:-3000}" --url "$@"
}

# Without the slow-down: it answers 429, whatever the challenge is.
secrets_part() {
	SCEP_WRONG_PER_MINUTE=0 stack unlimited
	echo "$CHALLENGE" >"$work/static"
	echo wrong >"$work/short"
	for _ in $(seq 50); do
		openssl rand -hex 16 | tr a-f A-F
	done >"$work/unknown"
	minted 50 "$work/used"
	"$bin/enrol" --url "$SCEP_URL_DYNAMIC" --challenge-file "$work/used" --requests 50 >/dev/null
	for _ in $(seq 50); do
		$SCEPCTL challenge new --profile mdm --ttl 2m
	done >"$work/expired"
	tests/stack clock "$work/unlimited" +181
	echo "# does the time of an answer tell what was wrong with a static challenge?"
	secrets_of "$SCEP_URL" missing= "wrong=$work/unknown" "wrong, short=$work/short" "a one-time one=$work/used"
	echo "# or with a one-time one?"
	secrets_of "$SCEP_URL_DYNAMIC" missing= "unknown=$work/unknown" "used=$work/used" "expired=$work/expired" "a static one=$work/static"
	codes_part
}

# coded KIND TTL: into code-KIND a code for each of fifty seats, with the seat as its CN.
coded() {
	local i code
	for i in $(seq 50); do
		code=$(openssl rand -hex 16)
		$SCEPCTL enrollment create --profile seats --seat "bench-seat-$i" --code-file - --ttl "$2" <<<"$code" >/dev/null
		printf '%s\tbench-seat-%d\n' "$code" "$i"
	done >"$work/code-$1"
}

# Fifty seats, so that none is slowed down by tries at it.
codes_part() {
	local i
	SCEP_WRONG_PER_MINUTE=0 SCEP_CODE_TRIES_PER_WINDOW=1000 SCEP_CODE_LOCK_AFTER=0 stack coded
	for i in $(seq 50); do
		$SCEPCTL seat create "bench-seat-$i" --type device >/dev/null
		printf '%s\tbench-seat-%d\n' "$(openssl rand -hex 16)" "$i"
	done >"$work/code-unknown"
	cut -f 1 "$work/code-unknown" >"$work/code-nowhere"
	coded used 1h
	"$bin/enrol" --url "$SCEP_URL_SEATS" --challenge-file "$work/code-used" --requests 50 >/dev/null
	coded expired 2m
	tests/stack clock "$work/coded" +181
	coded good 1h
	# Each with the next one's seat.
	awk -F '\t' '{ code[NR] = $1; seat[NR] = $2 } END { for (i = 1; i <= NR; i++) print code[i] "\t" seat[i % NR + 1] }' \
		"$work/code-good" >"$work/code-other"
	echo "# does the time of an answer tell what was wrong with an enrolment code?"
	secrets_of "$SCEP_URL_SEATS" "unknown=$work/code-unknown" "unknown, no such seat=$work/code-nowhere" "another seat's=$work/code-other" \
		"used=$work/code-used" "expired=$work/code-expired"
}

# without_redis NAME: enrolments with a static challenge there, where Redis is stopped, beside those at the stack at hand.
without_redis() {
	local url=$SCEP_URL challenge=$CHALLENGE first=$pids
	some "$1"
	tests/stack stop "$work/$1" redis
	"$bin/ratio" --a enrol --b enrol --url "$url" --challenge "$challenge" --pids "$first" --b-url "$SCEP_URL" \
		--b-challenge "$CHALLENGE" --b-pids "$PIDS_SCEP,$PIDS_ADMIN,$PIDS_NGINX" --requests $((n / 2)) --pairs "$pairs"
}

modes_part() {
	some plain
	echo "# enrolments with one-time challenges beside those with a static one"
	minted $((n * (pairs + 1) / 2)) "$work/challenges"
	"$bin/ratio" --a enrol --b enrol --url "$SCEP_URL" --challenge "$CHALLENGE" --pids "$pids" --b-url "$SCEP_URL_DYNAMIC" \
		--b-challenge-file "$work/challenges" --requests $((n / 2)) --pairs "$pairs"
	echo "# enrolments with a static challenge, with Redis stopped beside those with it"
	without_redis without
}

# sizes WHEN: what Redis and the store hold.
sizes() {
	local memory
	memory=$(redis-cli -s "$REDIS_SOCKET" info memory | tr -d '\r' | sed -n 's/^used_memory://p')
	echo "$1: Redis $((memory / 1024)) KiB in $(redis-cli -s "$REDIS_SOCKET" dbsize) keys; store $(($(cat "$DB" "$DB-wal" | wc -c) / 1024)) KiB," \
		"audit rows $(sqlite3 -readonly -cmd '.timeout 5000' "$DB" 'SELECT count(*) FROM audit_event')"
}

# tried WHAT OPTION…: right enrolments between floods of wrong ones, beside those of a stack where nobody guesses.
tried() {
	local url challenge first
	some calm
	url=$SCEP_URL challenge=$CHALLENGE first=$pids
	some guessed
	echo "# $1"
	sizes before
	"$bin/ratio" --a enrol --b enrol --url "$url" --challenge "$challenge" --pids "$first" --b-url "$SCEP_URL" --b-challenge "$CHALLENGE" \
		--b-pids "$pids" --requests $((n / 4)) --pairs "$pairs" --b-wrong $((${WRONG:-50000} / pairs)) "${@:2}"
	sizes after
	tests/stack clock "$work/guessed" +300
	sleep 130 # Redis goes by its own clock
	sizes "two minutes later"
	tests/stack down "$work/guessed"
	rm -r "$work/guessed"
}

# From one address the right ones come too, each a suspect's, for whom Redis is asked; from everywhere they come from a clean one.
wrong_part() {
	export SCEP_TRUSTED_PROXIES=127.0.0.1
	tried "wrong tries from one address that nothing slows down, and right ones from it"
	export SCEP_WRONG_PER_MINUTE=30
	tried "wrong tries, each from a new address" --b-wrong-from-everywhere
	unset SCEP_TRUSTED_PROXIES SCEP_WRONG_PER_MINUTE
}
