#!/bin/bash
# micromdm's scepclient: single DES and SHA-1 always, so only the profile that allows them takes it.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
command -v scepclient >/dev/null || skip_all "scep (micromdm) is not installed"
stack_up

# request URL NAME CHALLENGE: it wants a directory for each identity.
request() {
	mkdir -p "$work/$2"
	(cd "$work/$2" && timeout 60 scepclient -server-url="$1" -private-key=key.pem -certificate=certificate.pem -challenge="$3" -cn "$2" \
		-keySize 2048)
}

it_enrols_at_the_legacy_profile() {
	check request "$SCEP_URL_LEGACY" device1 "$CHALLENGE"
	check issued "$work/device1/certificate.pem"
	equal 'SHA-1 DES-CBC' "$(sql "SELECT digest || ' ' || cipher FROM audit_event WHERE outcome = 'success' AND serial IS NOT NULL AND profile = 'legacy'")" \
		"digest and cipher in the audit"
}

it_is_warned_of_in_log_and_audit() {
	check grep -qi 'warning.*DES' "$STACK_DIR/log/scep.log"
	matches 'broken algorithm.*DES' "$(sql "SELECT reason FROM audit_event WHERE outcome = 'success' AND profile = 'legacy' AND serial IS NOT NULL")" \
		"reason in the audit"
}

it_is_refused_with_a_wrong_challenge() {
	refuse request "$SCEP_URL_LEGACY" device2 "wrong-$CHALLENGE"
	check test ! -s "$work/device2/certificate.pem"
	equal 0 "$(sql "SELECT count(*) FROM certificate WHERE subject LIKE '%CN=device2%'")" "certificates"
}

it_is_refused_by_a_profile_without_DES() {
	refuse request "$SCEP_URL" device3 "$CHALLENGE"
	check test ! -s "$work/device3/certificate.pem"
	equal 0 "$(sql "SELECT count(*) FROM certificate WHERE subject LIKE '%CN=device3%'")" "certificates"
}

# Where it finds a certificate it renews it: RenewalReq, with the same key and the very same CSR.
it_renews_with_the_key_and_the_CSR_that_it_has() {
	local old
	scepctl profile set legacy --renewal-threshold-days 36500
	check request "$SCEP_URL_LEGACY" device4 "$CHALLENGE"
	old=$(serial_of "$work/device4/certificate.pem")
	check request "$SCEP_URL_LEGACY" device4 "not-$CHALLENGE"
	check issued "$work/device4/certificate.pem"
	equal "RenewalReq $old" "$(sql "SELECT a.message_type || ' ' || hex(p.serial) FROM certificate c JOIN certificate p ON p.id = c.predecessor_id
		JOIN audit_event a ON a.serial = lower(hex(c.serial)) AND a.outcome = 'success'
		WHERE hex(c.serial) = '$(serial_of "$work/device4/certificate.pem")'")" "its message and its predecessor"
}

run_tests "$@"
