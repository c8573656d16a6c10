#!/bin/bash
# What holds when parts of the service die or are away: no certificate out that is not in the store, none twice for one challenge, and
# the service answers again by itself.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up WORKERS=3

# challenges NUMBER FILE [TIMES]: one-time challenges, one a line, each so many times.
challenges() {
	local i once times=${3:-1}
	for i in $(seq "$1"); do
		once=$(scepctl challenge new --profile mdm)
		for _ in $(seq "$times"); do
			echo "$once"
		done
	done >"$2"
}

# load URL CHALLENGE-OPTIONS…: enrolments in the background; what became of them is in $work/load.
load() {
	local url=$1
	shift
	"$STACK_BIN/bench/enrol" --url "$url" --floor-seconds 0.01 "$@" >"$work/load" 2>&1 &
	load=$!
}

load_ends() {
	wait "$load" || true
	cat "$work/load"
	wrong=$(sed -n 's/.* wrong=\([0-9]*\) .*/\1/p' "$work/load")
	check test -n "$wrong"
}

load_goes_on() {
	kill -0 "$load" 2>/dev/null
}

# certificates_for CHALLENGE-COUNT: how many certificates of mdm there are.
certificates_of() {
	sql "SELECT count(*) FROM certificate c JOIN scep_profile p ON p.id = c.scep_profile_id WHERE p.name = '$1'"
}

# ---- a worker dies at a step ------------------------------------------------------------------------------------------------------

# dies_at STEP: each try dies there; then the same request gets a certificate, one, and no other request gets one.
dies_at() {
	local once before code
	before=$(certificates_of mdm)
	once=$(scepctl challenge new --profile mdm)
	message "at-$1" "CN=at-$1" "$once"
	echo "$1 kill always" >"$FAULT_FILE"
	code=$(send "at-$1")
	rm -f "$FAULT_FILE"
	# Before the commit no worker can answer.  Once there is one, the worker that nginx asks next finds the repeat.
	case $1 in
	reserved | issued) equal 503 "$code" "while workers die at $1" ;;
	committed | marked) equal 200 "$code" "while workers die at $1" ;;
	esac
	[ "$code" != 503 ] || check grep -qi '^Retry-After: [0-9]' "$work/at-$1.head"

	eventually 10 answers_200 "at-$1"
	equal SUCCESS "$(reply "at-$1")" "the same request afterwards"
	check issued "$work/at-$1.pem"
	cp "$work/at-$1.pem" "$work/at-$1.first"
	equal 200 "$(send "at-$1")" "once more"
	equal SUCCESS "$(reply "at-$1")" "once more"
	check cmp "$work/at-$1.first" "$work/at-$1.pem"

	message "other-$1" "CN=other-$1" "$once"
	equal 200 "$(send "other-$1")" "another request"
	matches '^FAILURE badRequest' "$(reply "other-$1")" "another request with the same challenge"
	equal $((before + 1)) "$(certificates_of mdm)" "certificates for the challenge"
	check invariants
}

answers_200() {
	[ "$(send "$1")" = 200 ]
}

it_survives_death_of_the_worker_when_the_challenge_is_reserved() {
	dies_at reserved
}

it_survives_death_of_the_worker_when_the_certificate_is_signed() {
	dies_at issued
}

it_survives_death_of_the_worker_when_the_certificate_is_committed() {
	dies_at committed
}

it_survives_death_of_the_worker_when_the_challenge_is_marked() {
	dies_at marked
}

it_survives_death_of_the_worker_when_the_reply_is_on_its_way() {
	dies_at replied
}

it_gives_a_request_whose_worker_dies_to_another_worker() {
	local step once
	for step in reserved issued committed marked; do
		once=$(scepctl challenge new --profile mdm)
		message "once-$step" "CN=once-$step" "$once"
		echo "$step kill" >"$FAULT_FILE"
		equal 200 "$(send "once-$step")" "a death at $step"
		equal SUCCESS "$(reply "once-$step")" "a death at $step"
		check issued "$work/once-$step.pem"
		check test ! -e "$FAULT_FILE"
	done
	check invariants
}

it_refuses_a_challenge_whose_use_Redis_never_heard_of() {
	local once
	once=$(scepctl challenge new --profile mdm)
	message unheard CN=unheard "$once"
	echo 'committed fail' >"$FAULT_FILE"
	equal 200 "$(send unheard)" "the first"
	equal SUCCESS "$(reply unheard)" "the first"
	check test ! -e "$FAULT_FILE"
	# The reservation has ended by then.
	stack clock +60
	message unheard2 CN=unheard2 "$once"
	equal 200 "$(send unheard2)" "the second"
	matches '^FAILURE badRequest' "$(reply unheard2)" "the second"
	stack clock =0
	check invariants
}

it_gives_the_challenge_back_when_issuing_fails() {
	local once
	once=$(scepctl challenge new --profile mdm)
	message back1 CN=back1 "$once"
	echo 'reserved fail' >"$FAULT_FILE"
	equal 503 "$(send back1)" "a failure on our side"
	message back2 CN=back2 "$once"
	equal 200 "$(send back2)" "another request at once"
	equal SUCCESS "$(reply back2)" "another request at once"
	equal 200 "$(send back1)" "the first again"
	matches '^FAILURE badRequest' "$(reply back1)" "the first again"
}

# ---- under load -------------------------------------------------------------------------------------------------------------------

it_gives_each_challenge_one_certificate_while_workers_are_killed() {
	local before i
	before=$(certificates_of mdm)
	challenges 200 "$work/list"
	load "$SCEP_URL_DYNAMIC" --challenge-file "$work/list" --requests 200 --connections 6
	for i in $(seq 20); do
		sleep 0.1
		load_goes_on || break
		kill -KILL "$(workers "$PIDS_SCEP" | shuf -n 1)" || true
	done
	load_ends
	# Two workers may have died with one request: then it has a 503, and its challenge is not lost; see the tests above.
	check test "$wrong" -le 5
	check test "$(certificates_of mdm)" -ge $((before + 200 - wrong))
	check test "$(certificates_of mdm)" -le $((before + 200))
	check invariants
	check test "$i" -ge 3
}

it_issues_with_static_challenges_while_Redis_restarts() {
	load "$SCEP_URL" --challenge "$CHALLENGE" --requests 1500 --connections 6
	sleep 0.3
	stack stop redis
	sleep 0.5
	stack start redis
	load_ends
	equal 0 "$wrong" "requests that failed"
	check invariants
}

it_answers_503_to_one_time_challenges_while_Redis_is_away_and_nothing_is_lost() {
	local before once
	before=$(certificates_of mdm)
	challenges 150 "$work/list"
	once=$(scepctl challenge new --profile mdm)
	message away CN=away "$once"
	load "$SCEP_URL_DYNAMIC" --challenge-file "$work/list" --requests 150 --connections 4
	sleep 0.05
	stack stop redis
	load_ends
	# Each worker writes so many rows a second by itself, and the load has used them up.
	sleep 1.1
	equal 503 "$(send away)" "one-time, Redis away"
	check grep -qi '^Retry-After: [0-9]' "$work/away.head"
	check enrol static "$SCEP_URL" --challenge "$CHALLENGE"
	check issued "$work/static.pem"
	refuse scepctl challenge new --profile mdm
	# Straight into the store, since the queue is away.
	equal failed "$(outcome_of away "AND reason LIKE 'challenge: redis:%'")" "the audit row of the 503"
	check grep -q "outcome=failed status=503 .*transactionID=$(id_of away) .*reason=\"challenge: redis:" "$STACK_DIR/log/scep.log"
	equal $((before + 150 - wrong)) "$(certificates_of mdm)" "certificates: as many as answers with one"
	stack start redis
	eventually 10 answers_200 away
	equal SUCCESS "$(reply away)" "when Redis is back"
	eventually 10 scepctl challenge new --profile mdm
	check invariants
}

# The transactionID of a message that message made.
id_of() {
	head -n 1 "$work/$1.der.state" | cut -d' ' -f1
}

# outcome_of FILE [AND…]: what the audit says of the message, once.
outcome_of() {
	sql "SELECT DISTINCT outcome FROM audit_event WHERE transaction_id = '$(id_of "$1")' ${2-}"
}

has_outcome() {
	[ "$(outcome_of "$1" "${3-}")" = "$2" ]
}

it_loses_no_use_when_Redis_is_killed_or_forgets_everything() {
	local once
	once=$(scepctl challenge new --profile mdm)
	message forgot1 CN=forgot1 "$once"
	equal 200 "$(send forgot1)" "before"
	kill -KILL "$PIDS_REDIS"
	sleep 0.2
	stack start redis
	redis-cli -s "$REDIS_SOCKET" flushall >/dev/null
	message forgot2 CN=forgot2 "$once"
	eventually 10 answers_200 forgot2
	matches '^FAILURE badRequest' "$(reply forgot2)" "another request"
	eventually 10 answers_200 forgot1
	equal SUCCESS "$(reply forgot1)" "the first again"
	check invariants
}

it_lets_one_of_two_racing_requests_win_200_times() {
	local before
	before=$(certificates_of mdm)
	challenges 200 "$work/list" 2
	load "$SCEP_URL_DYNAMIC" --challenge-file "$work/list" --requests 400 --connections 2
	load_ends
	equal 200 "$wrong" "requests without a certificate"
	equal $((before + 200)) "$(certificates_of mdm)" "certificates"
	# Eight at once for each of 25.
	challenges 25 "$work/list" 8
	load "$SCEP_URL_DYNAMIC" --challenge-file "$work/list" --requests 200 --connections 8
	load_ends
	equal 175 "$wrong" "requests without a certificate"
	equal $((before + 225)) "$(certificates_of mdm)" "certificates"
	check invariants
}

it_issues_nothing_while_the_store_is_locked_and_goes_on_after() {
	message locked CN=locked "$CHALLENGE" "$SCEP_URL"
	(
		flock 7
		sleep 7
	) 7>"$DB.lock" &
	sleep 0.2
	equal 503 "$(send locked "$SCEP_URL")" "the writers' lock held for longer than SCEP_STORE_TIMEOUT_MS"
	check grep -qi '^Retry-After: [0-9]' "$work/locked.head"
	check grep -q "outcome=failed status=503 .*transactionID=$(id_of locked) .*reason=\"database .*: locked " "$STACK_DIR/log/scep.log"
	wait
	# Its row waited in Redis.
	eventually 10 has_outcome locked failed
	eventually 10 answers_at_demo locked
	equal SUCCESS "$(reply locked)" "afterwards"
	check issued "$work/locked.pem"
}

# With neither queue nor store a refusal is in the log alone; a row with the count follows.
it_counts_the_refusals_that_only_the_log_has_once_it_can_write_again() {
	local before
	message lost CN=lost wrong "$SCEP_URL"
	before=$(sql "SELECT coalesce(sum(count), 0) FROM audit_event WHERE action = 'audit.lost'")
	stack stop redis
	(
		flock 7
		sleep 8
	) 7>"$DB.lock" &
	sleep 0.2
	equal 200 "$(send lost "$SCEP_URL")" "refused"
	matches '^FAILURE badRequest' "$(reply lost)" "refused"
	wait
	stack start redis
	check grep -q 'event=audit-lost' "$STACK_DIR/log/scep.log"
	equal '' "$(outcome_of lost)" "its row"
	check enrol after "$SCEP_URL" --challenge "$CHALLENGE"
	eventually 10 lost_are $((before + 1))
}

lost_are() {
	[ "$(sql "SELECT coalesce(sum(count), 0) FROM audit_event WHERE action = 'audit.lost'")" = "$1" ]
}

answers_at_demo() {
	[ "$(send "$1" "$SCEP_URL")" = 200 ]
}

# ---- a full disk ------------------------------------------------------------------------------------------------------------------

at_end() {
	! mountpoint -q "$work/small" || umount "$work/small"
}

it_issues_nothing_on_a_full_disk_and_goes_on_when_there_is_room() {
	local before once round issued=0
	[ "$(id -u)" -eq 0 ] || skip "a small file system needs root"
	mkdir "$work/small"
	mount -t tmpfs -o size=96m tmpfs "$work/small" 2>"$work/mount.txt" || skip "no tmpfs can be mounted: $(cat "$work/mount.txt")"
	STACK_HOME=$work/small
	# nginx's cache is in memory, as units and containers have it: it breaks off answers that it has no room to cache.
	mkdir "$work/cache"
	stack_up WORKERS=2 NGINX_CACHE_DIR="$work/cache"
	once=$(scepctl challenge new --profile mdm)
	check enrol room1 "$SCEP_URL" --challenge "$CHALLENGE"
	before=$(sql 'SELECT count(*) FROM certificate')
	message full1 CN=full1 "$CHALLENGE" "$SCEP_URL"
	message full2 CN=full2 "$once"
	dd if=/dev/zero of="$work/small/ballast" bs=64k 2>/dev/null || true
	dd if=/dev/zero of="$work/small/ballast2" bs=1 2>/dev/null || true
	# The write-ahead log may still have room that it took before: what gets a certificate then has one in the store.
	for round in $(seq 30); do
		load "$SCEP_URL" --challenge "$CHALLENGE" --requests 40 --connections 2
		load_ends
		issued=$((issued + 40 - wrong))
		[ "$wrong" -lt 40 ] || break
	done
	equal 40 "$wrong" "refused after $round rounds"
	equal $((before + issued)) "$(sql 'SELECT count(*) FROM certificate')" "certificates: as many as answers with one"
	before=$((before + issued))
	equal 503 "$(send full1 "$SCEP_URL")" "static, the disk full"
	check grep -qi '^Retry-After: [0-9]' "$work/full1.head"
	equal 503 "$(send full2)" "one-time, the disk full"
	equal "$before" "$(sql 'SELECT count(*) FROM certificate')" "certificates"
	rm "$work/small/ballast" "$work/small/ballast2"
	eventually 15 answers_at_demo full1
	equal SUCCESS "$(reply full1)" "static, with room again"
	check issued "$work/full1.pem"
	eventually 15 answers_200 full2
	equal SUCCESS "$(reply full2)" "one-time, with room again"
	check issued "$work/full2.pem"
	check invariants
	stack down
}

run_tests "$@"
