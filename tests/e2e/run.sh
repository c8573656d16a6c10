#!/bin/bash
# make run: comes up from nothing, enrols, says how, ends everything at Ctrl-C, and goes on the next time.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
state=$work/state
log=$work/run.txt

# start_run: in the background, in a process group of its own, as a terminal's foreground job is.
start_run() {
	: >"$log"
	set -m
	(cd "$top" && exec env STATE="$state" HTTP_PORT="${1-}" make -s run B="${B:-build}") >"$log" 2>&1 </dev/null &
	run=$!
	set +m
	echo "$run" >"$work/run.pid"
	eventually 240 up_or_ended
	check is_up
}

is_up() {
	grep -q '^Running until Ctrl-C' "$log"
}

up_or_ended() {
	is_up || gone "$run"
}

# What the terminal does: SIGINT to the whole group.
press_ctrl_c() {
	kill -INT -- "-$(cat "$work/run.pid")"
	eventually 60 ended
}

ended() {
	gone "$(cat "$work/run.pid")"
}

at_end() {
	local name
	[ ! -s "$work/run.pid" ] || kill -INT -- "-$(cat "$work/run.pid")" 2>/dev/null
	for name in $(seq 50); do
		ended && break
		sleep 0.2
	done
}

value_of() {
	sed -n "s/^ *$1  *\([^ ]*\).*/\1/p" "$log" | head -n 1
}

pids_of_run() {
	cut -d' ' -f1 "$state"/run/*.pid
}

it_comes_up_and_enrols_a_device() {
	local device
	# Not the port that somebody may be using; the next free one from there on.
	start_run $((12000 + RANDOM % 4000))
	sed -n 's/^SCEP, static challenge .*:\([0-9]*\)\/.*/\1/p' "$log" >"$work/port"
	device=$(find "$state/devices" -name '*.pem')
	check openssl verify -CAfile "$state/ca.pem" "$device"
	equal "$(openssl x509 -in "$state/ca.pem" -outform DER | sha256sum | cut -d' ' -f1)" "$(value_of 'CA fingerprint (SHA-256)')" fingerprint
	equal 4 "$(pids_of_run | wc -l)" "programs"
}

it_says_lines_that_enrol_another_device() {
	local line
	# The lines after "with scepctl", as they stand there.
	line=$(sed -n '/^ *with scepctl$/,/^$/p' "$log" | sed 1d)
	check test -n "$line"
	cp "$log" "$work/said.txt"
	(cd "$top" && bash -ec "${line//device-2./$work/device-2.}")
	check openssl verify -CAfile "$state/ca.pem" "$work/device-2.pem"
	if command -v pki >/dev/null; then
		line=$(sed -n '/^ *with strongSwan/,/^$/p' "$log" | sed 1d)
		mkdir -p "$work/swan"
		(cd "$work/swan" && bash -ec "$line")
		check openssl verify -CAfile "$state/ca.pem" "$work/swan/device-3.pem"
	fi
}

it_refuses_a_second_run_on_the_same_state() {
	refuse env STATE="$state" B="${B:-build}" timeout 60 "$top/run.sh"
	check is_up
}

it_ends_everything_at_Ctrl_C() {
	local pids pid
	pids=$(pids_of_run)
	press_ctrl_c
	for pid in $pids; do
		check gone "$pid"
	done
	check grep -q '^ended' "$log"
}

it_goes_on_with_its_state() {
	local before after
	before=$(openssl x509 -in "$state/ca.pem" -noout -fingerprint)
	start_run
	after=$(openssl x509 -in "$state/ca.pem" -noout -fingerprint)
	equal "$before" "$after" "the CA"
	matches ":$(cat "$work/port")/" "$(value_of 'SCEP, static challenge')" "the port of the first run"
	equal 2 "$(find "$state/devices" -name '*.pem' | wc -l)" "devices"
	check test "$(sqlite3 -readonly "$state/state/scep.db" 'SELECT count(*) FROM certificate WHERE scep_profile_id IS NOT NULL')" -ge 3
	press_ctrl_c
}

it_goes_on_after_another_generation_of_its_ca() {
	local before ctl=$top/${B:-build}/release/scepctl
	case ${B:-} in /*) ctl=$B/release/scepctl ;; esac
	before=$(openssl x509 -in "$state/ca.pem" -noout -fingerprint)
	start_run
	check "$ctl" --settings "$state/settings.env" ca rollover demo-ca
	check "$ctl" --settings "$state/settings.env" ca switch demo-ca
	press_ctrl_c
	start_run
	check test "$before" != "$(openssl x509 -in "$state/ca.pem" -noout -fingerprint)"
	check openssl verify -CAfile "$state/ca.pem" "$state/nginx/tls.pem"
	press_ctrl_c
}

run_tests "$@"
