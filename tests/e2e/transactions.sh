#!/bin/bash
# What waits for approval, as those see it who decide: scepctl's verbs, two who decide at once, and Redis that fails in between.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up

# exits STATUS COMMAND…: with exactly this exit status; what it said is in $work/said.
exits() {
	local want=$1 have=0
	shift
	"$@" >"$work/said" 2>&1 || have=$?
	cat "$work/said"
	[ "$have" -eq "$want" ] || fail "want exit status $want, have $have: $*"
}

# json PATH: the value at an SQLite JSON path in what was said.
json() {
	sqlite3 :memory: "SELECT json_extract(CAST(readfile('$work/said') AS TEXT), '$1')"
}

# ask NAME [OPTIONS…]: a request that waits; again with the same key when it is there.
ask() {
	local name=$1
	shift
	[ -s "$work/$name.key" ] || (umask 077 && openssl genrsa -out "$work/$name.key" 2048 2>/dev/null)
	rm -f "$work/$name.pem"
	scepctl enrol "$SCEP_URL_MANUAL" --subject "CN=$name,O=Example" --key-file "$work/$name.key" --cert-out "$work/$name.pem" \
		--challenge "$CHALLENGE" --transaction-id "the-$name" "$@"
}

# id NAME: of the one that waits.
id() {
	scepctl transaction list | awk -v name="CN=$1" '$0 ~ name "(,|$)" && $2 == "pending" {print $1}'
}

rows() {
	sql "SELECT count(*) FROM scep_transaction WHERE transaction_id = 'the-$1'"
}

it_shows_what_a_request_asks_for() {
	local id
	exits 4 ask t1 --san dns:t1.example,ip:192.0.2.9
	id=$(id t1)
	exits 0 scepctl transaction show "$id"
	matches '^subject +O=Example,CN=t1$' "$(cat "$work/said")" "show"
	matches '^san +DNS:t1.example, IP:192.0.2.9$' "$(cat "$work/said")" "show"
	matches '^key +RSA-2048$' "$(cat "$work/said")" "show"
	matches '^authorised by +static$' "$(cat "$work/said")" "show"
	matches '^from +127.0.0.1$' "$(cat "$work/said")" "show"
	matches "^fingerprint +$(openssl pkey -in "$work/t1.key" -pubout -outform DER | sha256sum | cut -d' ' -f1)\$" "$(cat "$work/said")" "show"
	exits 0 scepctl transaction show "$id" --pem
	matches 'CN = t1' "$(openssl req -in "$work/said" -noout -subject)" "the CSR"
	exits 0 scepctl transaction show "$id" --json
	equal "the-t1" "$(json '$.transactionId')" "JSON"
	equal pending "$(json '$.status')" "JSON"
	exits 0 scepctl transaction list --profile manual --json
	equal manual "$(json '$[0].profile')" "JSON"
	exits 0 scepctl transaction list --profile demo
	no_match pending "$(cat "$work/said")" "another profile's list"
	exits 0 scepctl health
	matches 'transactions +1 wait for approval' "$(cat "$work/said")" "health"
}

it_takes_the_beginning_of_an_id_or_the_transaction_id() {
	local id
	exits 4 ask t2
	id=$(id t2)
	exits 1 scepctl transaction show "${id:0:7}"
	exits 0 scepctl transaction show "${id:0:8}"
	exits 0 scepctl transaction show the-t2
	exits 1 scepctl transaction show 00000000-0000-4000-8000-000000000000
	check scepctl transaction approve the-t2
	exits 1 scepctl transaction show the-t2
	exits 0 scepctl transaction show "${id:0:8}"
	matches '^by +scepctl:' "$(cat "$work/said")" "who decided"
	check ask t2 --poll
	exits 0 scepctl transaction show "$id"
	matches '^status +issued$' "$(cat "$work/said")" "status"
	matches "^certificate +$(serial_of "$work/t2.pem" | tr A-F a-f)\$" "$(cat "$work/said")" "the certificate"
	exits 0 scepctl transaction list --all
	matches "^$id issued" "$(cat "$work/said")" "the list"
}

it_shows_what_a_renewal_renews() {
	check enrol t3 "$SCEP_URL" --challenge "$CHALLENGE"
	check scepctl profile set manual --renew-from demo
	exits 4 scepctl enrol "$SCEP_URL_MANUAL" --renew "$work/t3.pem" --renew-key "$work/t3.key" --key-out "$work/t3b.key" --cert-out "$work/t3b.pem"
	exits 0 scepctl transaction show "$(id t3)"
	matches "^renews +$(serial_of "$work/t3.pem" | tr A-F a-f)\$" "$(cat "$work/said")" "what it renews"
	matches '^authorised by +certificate$' "$(cat "$work/said")" "how"
}

it_lets_one_of_many_decide() {
	local n id done=0
	exits 4 ask t4
	id=$(id t4)
	for n in 1 2 3 4 5 6; do
		if [ $((n % 2)) -eq 0 ]; then
			scepctl transaction approve "$id" >"$work/decision.$n" 2>&1 &
		else
			scepctl transaction reject "$id" --reason "by $n" >"$work/decision.$n" 2>&1 &
		fi
	done
	wait
	for n in 1 2 3 4 5 6; do
		grep -qE "^$id (approved|rejected)" "$work/decision.$n" && done=$((done + 1))
		matches "$id (approved|rejected)|is (approved|rejected) already|there is no transaction" "$(cat "$work/decision.$n")" "what $n was told"
	done
	equal 1 "$done" "decisions"
	equal 1 "$(rows t4)" "rows"
	equal 1 "$(sql "SELECT count(*) FROM audit_event WHERE transaction_id = 'the-t4' AND action LIKE 'transaction.%'")" "audit rows"
}

it_tells_who_decided_in_the_audit() {
	exits 4 ask t5
	check scepctl transaction reject "$(id t5)" --reason 'not one of ours'
	exits 0 scepctl audit list --transaction the-t5
	matches 'transaction.reject .*not one of ours' "$(cat "$work/said")" "the audit"
	exits 1 ask t5 --poll
	no_match 'not one of ours' "$(cat "$work/said")" "what the device is told"
}

it_decides_nothing_while_Redis_is_away_and_goes_on_afterwards() {
	local id
	exits 4 ask t6
	id=$(id t6)
	stack stop redis
	exits 3 scepctl transaction list
	exits 3 scepctl transaction approve "$id"
	equal 0 "$(rows t6)" "rows"
	stack start redis
	exits 0 scepctl transaction list
}

it_lists_a_decided_one_as_decided_though_Redis_missed_it() {
	local id
	exits 4 ask t7
	id=$(id t7)
	redis-cli -s "$REDIS_SOCKET" CONFIG SET min-replicas-to-write 1 >/dev/null
	exits 0 scepctl transaction reject "$id"
	redis-cli -s "$REDIS_SOCKET" CONFIG SET min-replicas-to-write 0 >/dev/null
	matches 'does no harm' "$(cat "$work/said")" "what it says"
	no_match "$id" "$(scepctl transaction list)" "what waits"
	matches "$id rejected" "$(scepctl transaction list --all)" "the whole list"
	exits 1 ask t7 --poll
	exits 1 scepctl transaction approve "$id"
}

it_refuses_to_approve_what_has_expired() {
	local id
	exits 4 ask t8
	id=$(id t8)
	stack clock +$((8 * 86400))
	exits 1 scepctl transaction approve "$id"
	matches 'has expired' "$(cat "$work/said")" "what it says"
	eventually 15 ended t8
	stack clock =0
}

ended() {
	[ "$(sql "SELECT count(*) FROM audit_event WHERE transaction_id = 'the-$1' AND actor = 'system' AND reason LIKE 'not approved in time%'")" = 1 ]
}

# Whoever reads Redis, the database or a backup of either is not to learn the challenge of a profile.
it_keeps_no_challenge_in_clear() {
	local id where
	exits 4 ask t9
	id=$(id t9)
	redis-cli -s "$REDIS_SOCKET" --rdb "$work/t9.rdb" >/dev/null
	check scepctl transaction approve "$id"
	cp "$DB" "$work/t9.db"
	[ ! -e "$DB-wal" ] || cp "$DB-wal" "$work/t9.wal"
	for where in "$work"/t9.rdb "$work"/t9.db "$work"/t9.wal; do
		[ ! -e "$where" ] || ! grep -aqF "$CHALLENGE" "$where" || fail "the challenge is in $where"
	done
	check scepctl transaction show "$id"
	exits 0 ask t9 --poll
}

it_is_told_when_as_many_wait_as_may() {
	check scepctl profile create two --ca test-ca --challenge "$CHALLENGE" --approval manual --max-transactions 2
	SCEP_URL_MANUAL=$HTTP_URL/scep/two
	exits 4 ask u1
	exits 4 ask u2
	refuse ask u3
	check scepctl transaction reject the-u1
	exits 4 ask u3
}

it_keeps_what_always_holds() {
	check invariants
}

run_tests "$@"
