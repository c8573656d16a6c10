#!/bin/bash
# The master and its workers: killed, rolled, drained, recycled, under load.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up WORKERS=3 SCEP_WORKER_REQUESTS=0

# load NUMBER [ARGUMENTS…]: enrolments in the background, each reply checked; load_ends says how they went.
load() {
	local n=$1
	shift
	"$STACK_BIN/bench/enrol" --url "$SCEP_URL" --challenge "$CHALLENGE" --requests "$n" --connections 6 --floor-seconds 0.01 "$@" >"$work/load" 2>&1 &
	load=$!
}

load_ends() {
	local status=0
	wait "$load" || status=$?
	cat "$work/load"
	equal 0 "$status" "exit status of the load"
	matches 'wrong=0 ' "$(cat "$work/load")" "the load"
}

load_goes_on() {
	kill -0 "$load" 2>/dev/null
}

it_starts_as_many_workers_as_asked_for() {
	equal 3 "$(workers "$PIDS_SCEP" | wc -l)" "workers"
}

it_replaces_a_killed_worker_and_fails_no_request() {
	local before i killed=0
	before=$(sql 'SELECT count(*) FROM certificate')
	load 1500
	for i in $(seq 12); do
		sleep 0.15
		load_goes_on || break
		kill -KILL "$(workers "$PIDS_SCEP" | shuf -n 1)"
		killed=$((killed + 1))
	done
	check load_ends
	check test "$killed" -ge 2
	eventually 10 has_workers 3
	equal $((before + 1500)) "$(sql 'SELECT count(*) FROM certificate')" "certificates: each request has one, none two ($i)"
	check invariants
}

has_workers() {
	[ "$(workers "$PIDS_SCEP" | wc -l)" -eq "$1" ]
}

it_rolls_its_workers_on_SIGHUP_and_fails_no_request() {
	local old i rolled=0
	old=$(workers "$PIDS_SCEP")
	load 1500
	for i in $(seq 4); do
		sleep 0.3
		load_goes_on || break
		kill -HUP "$PIDS_SCEP"
		rolled=$i
	done
	check load_ends
	check test "$rolled" -ge 2
	eventually 10 none_of "$old"
	eventually 10 has_workers 3
}

none_of() {
	! workers "$PIDS_SCEP" | grep -qxF "$1"
}

it_reads_its_settings_again_on_SIGHUP() {
	echo 'SCEP_WORKERS=2' >>"$STACK_DIR/settings.env"
	kill -HUP "$PIDS_SCEP"
	eventually 10 has_workers 2
	# What does not fit leaves all as it was.
	echo 'SCEP_WORKERS=many' >>"$STACK_DIR/settings.env"
	kill -HUP "$PIDS_SCEP"
	sleep 0.5
	check has_workers 2
	equal 400 "$(http "$SCEP_URL?operation=Frobnicate")" "it still answers"
	sed -i '/^SCEP_WORKERS=[2m]/d' "$STACK_DIR/settings.env"
	kill -HUP "$PIDS_SCEP"
	eventually 10 has_workers 3
}

it_ends_what_is_in_flight_on_SIGTERM() {
	message drain CN=drain "$CHALLENGE" "$SCEP_URL"
	echo 'issued sleep 1500' >"$FAULT_FILE"
	send drain "$SCEP_URL" >"$work/drain.code" &
	sleep 0.7
	stack stop scep
	wait $!
	equal 200 "$(cat "$work/drain.code")" "the request in flight"
	equal SUCCESS "$(reply drain)" "its answer"
	check gone "$PIDS_SCEP"
	stack start scep
	equal 200 "$(http "$SCEP_URL?operation=GetCACert&x=1")" "the next process"
}

it_takes_over_from_a_running_one_and_fails_no_request() {
	local old second
	old=$PIDS_SCEP
	load 1500
	sleep 0.3
	SCEP_TEST_CLOCK="$STACK_DIR/clock" "$STACK_BIN/fcgi-scep" --settings "$STACK_DIR/settings.env" >>"$STACK_DIR/log/second.log" 2>&1 &
	second=$!
	sleep 1
	kill -TERM "$old"
	check load_ends
	equal 200 "$(http "$SCEP_URL?operation=GetCACert&x=1")" "the second"
	kill -TERM "$second"
	wait "$second"
	eventually 10 gone "$old"
	stack start scep
}

it_recycles_workers_and_fails_no_request() {
	local old
	stack_up WORKERS=2 SCEP_WORKER_REQUESTS=50
	old=$(workers "$PIDS_SCEP")
	load 1000
	check load_ends
	check none_of "$old"
	eventually 10 has_workers 2
	stack down
}

it_ends_with_its_workers_when_the_master_is_killed() {
	local old pid
	stack_up WORKERS=2
	old=$(workers "$PIDS_SCEP")
	kill -KILL "$PIDS_SCEP"
	for pid in $old; do
		eventually 5 gone "$pid"
	done
	stack start scep
	check enrol again "$SCEP_URL" --challenge "$CHALLENGE"
	stack down
}

it_refuses_to_start_with_a_wrong_setting_a_wrong_master_key_or_an_old_store() {
	local settings=$work/wrong.env
	cp "$STACK_DIR/settings.env" "$settings"
	echo 'SCEP_LISTEN=unix:'"$work/w.sock" >>"$settings"
	check "$STACK_BIN/fcgi-scep" --settings "$settings" --check
	refuse env SCEP_BACKLOG=8 "$STACK_BIN/fcgi-scep" --settings "$settings" --check
	sed 's/ [0-9a-f]\{60\}/ 000000000000000000000000000000000000000000000000000000000000/' "$STACK_DIR/state/master.key" >"$work/other.key"
	chmod 600 "$work/other.key"
	refuse env SCEP_MASTER_KEY_FILE="$work/other.key" "$STACK_BIN/fcgi-scep" --settings "$settings" --check
	sqlite3 "$work/empty.db" 'CREATE TABLE x (y)'
	refuse env SCEP_DATABASE="$work/empty.db" "$STACK_BIN/fcgi-scep" --settings "$settings" --check
}

run_tests "$@"
