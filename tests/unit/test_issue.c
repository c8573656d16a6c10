/* test_issue.c: from an authorised CSR to a committed certificate, and each way not to get one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "pki/certificate.h"
#include "pki/private_key.h"
#include "tests/unit/pki_request.h"
#include "tests/unit/rooms.h"

#define DAY 86400

static struct rooms rooms;
static uint8_t next_request = 1;

/* Issue for a CSR by key; the repeat key stands for the request. */
static enum issue_rc
issue_as(EVP_PKEY *key, const char *subject, uint8_t request, int64_t now, struct issue_result *out)
{
	struct csr csr = rooms_csr(key, subject, ROOMS_CHALLENGE);
	uint8_t repeat_key[32];
	struct issue_order order = rooms_order(&rooms, &csr, request, repeat_key, now);
	enum issue_rc rc;

	rc = issue_certificate(rooms.manage.store, &order, out, &rooms.why);
	csr_free(&csr);
	return rc;
}

static enum issue_rc
issue(const char *subject, struct issue_result *out)
{
	return issue_as(pki_rsa_key(), subject, next_request++, clock_now(), out);
}

static struct certificate
parse(const struct issue_result *result)
{
	struct certificate c;

	if (!certificate_parse(buffer_octets(&result->certificate), &c, &rooms.why))
		fail_msg("certificate: %s", rooms.why.line);
	return c;
}

static void
set_fields(const struct field_row *fields, int count, int refuse_extra)
{
	struct manage_profile_change change = MANAGE_PROFILE_KEEP;

	change.fields = fields;
	change.field_count = count;
	change.refuse_extra = refuse_extra;
	rooms_set(&rooms, &change);
}

/* None at all; what was required while certificates were issued is first made optional, since it could not be deleted. */
static void
clear_fields(void)
{
	const struct field_row optional[] = {
	    {.type = "subject.commonName", .source = "scepRequest"},
	    {.type = "subject.organization", .source = "scepRequest"},
	};

	set_fields(optional, 2, 0);
	set_fields(NULL, 0, 0);
}

/* ---- what comes out */

static void
a_certificate_is_the_cas_and_in_the_store_with_its_event(void **state)
{
	int64_t certificates = rooms_count(&rooms, "certificate");
	int64_t events = rooms_count(&rooms, "audit_event WHERE action = 'scep.enrol' AND "
					     "outcome = 'success' AND serial IS NOT NULL");
	struct profile *p = rooms_profile(&rooms);
	struct issue_result result;
	struct certificate c;
	char serial[129];

	(void)state;
	assert_int_equal(issue("O=x,CN=device", &result), ISSUE_DONE);
	c = parse(&result);
	assert_true(certificate_verify(&c, &p->authorities[0].chain[0], &rooms.why));
	assert_false(c.ca);
	assert_int_equal(c.key_usage, KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT);
	assert_true(octets_equal(c.aki, p->authorities[0].chain[0].ski));
	assert_string_equal(buffer_string(&result.subject), "CN=device,O=x");
	encoding_hex(c.serial, serial);
	assert_non_null(strstr(serial, result.serial + strspn(result.serial, "0")));
	assert_int_equal(rooms_count(&rooms, "certificate"), certificates + 1);
	assert_int_equal(rooms_count(&rooms, "audit_event WHERE action = 'scep.enrol' AND "
					     "outcome = 'success' AND serial IS NOT NULL"),
	    events + 1);
	certificate_free(&c);
	issue_result_free(&result);
}

static void
not_before_lies_five_minutes_back(void **state)
{
	int64_t now = clock_now() + DAY;
	struct issue_result result;
	struct certificate c;

	(void)state;
	assert_int_equal(issue_as(pki_rsa_key(), "CN=a", next_request++, now, &result), ISSUE_DONE);
	c = parse(&result);
	assert_int_equal(c.not_before, now - 300);
	assert_int_equal(c.not_after, now + 365 * DAY);
	certificate_free(&c);
	issue_result_free(&result);
}

static void
a_certificate_ends_with_its_ca_at_the_latest(void **state)
{
	const struct certificate *ca = &rooms_profile(&rooms)->authorities[0].chain[0];
	int64_t near_end = ca->not_after - DAY, first = ca->not_before;
	struct issue_result result;
	struct certificate c;

	(void)state;
	assert_int_equal(
	    issue_as(pki_rsa_key(), "CN=a", next_request++, near_end, &result), ISSUE_DONE);
	c = parse(&result);
	assert_int_equal(c.not_after, ca->not_after);
	certificate_free(&c);
	issue_result_free(&result);

	assert_int_equal(
	    issue_as(pki_rsa_key(), "CN=a", next_request++, first, &result), ISSUE_DONE);
	c = parse(&result);
	assert_int_equal(c.not_before, ca->not_before);
	certificate_free(&c);
	issue_result_free(&result);
}

static void
a_ca_that_is_not_valid_now_issues_nothing(void **state)
{
	const struct certificate *ca = &rooms_profile(&rooms)->authorities[0].chain[0];
	const int64_t times[] = {ca->not_after, ca->not_after + DAY, ca->not_before - 1};
	int64_t certificates = rooms_count(&rooms, "certificate");
	struct issue_result result;

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		assert_int_equal(
		    issue_as(pki_rsa_key(), "CN=a", next_request++, times[i], &result), ISSUE_AWAY);
		assert_int_equal(result.certificate.len, 0);
		issue_result_free(&result);
	}
	assert_int_equal(rooms_count(&rooms, "certificate"), certificates);
}

static void
serials_are_of_128_bits_and_differ(void **state)
{
	struct issue_result one, two;

	(void)state;
	assert_int_equal(issue("CN=a", &one), ISSUE_DONE);
	assert_int_equal(issue("CN=a", &two), ISSUE_DONE);
	assert_string_not_equal(one.serial, two.serial);
	assert_int_equal(strlen(one.serial), 32);
	issue_result_free(&one);
	issue_result_free(&two);
}

/* ---- what is refused */

static void
is_refused(EVP_PKEY *key, const char *subject, enum scep_fail_info fail_info, const char *text)
{
	int64_t certificates = rooms_count(&rooms, "certificate");
	struct issue_result result;

	assert_int_equal(
	    issue_as(key, subject, next_request++, clock_now(), &result), ISSUE_REFUSED);
	assert_int_equal(result.fail_info, fail_info);
	if (strstr(result.text.line, text) == NULL)
		fail_msg("text: have \"%s\", want something of \"%s\"", result.text.line, text);
	assert_string_not_equal(rooms.why.line, "");
	assert_int_equal(result.certificate.len, 0);
	issue_result_free(&result);
	assert_int_equal(rooms_count(&rooms, "certificate"), certificates);
}

static void
keys_outside_the_limits_are_refused_with_the_limit(void **state)
{
	struct manage_profile_change change = MANAGE_PROFILE_KEEP;
	EVP_PKEY *small = private_key_generate("rsa:1024", &rooms.why);
	struct issue_result result;

	(void)state;
	assert_non_null(small);
	is_refused(small, "CN=a", SCEP_BAD_REQUEST, "2048");
	change.min_rsa_bits = 1024;
	change.max_rsa_bits = 1024;
	rooms_set(&rooms, &change);
	is_refused(pki_rsa_key(), "CN=a", SCEP_BAD_REQUEST, "1024");
	assert_int_equal(issue_as(small, "CN=a", next_request++, clock_now(), &result), ISSUE_DONE);
	issue_result_free(&result);
	change.min_rsa_bits = 2048;
	change.max_rsa_bits = 8192;
	rooms_set(&rooms, &change);
	EVP_PKEY_free(small);
}

static void
a_weak_key_is_refused_by_what_is_wrong_with_it(void **state)
{
	FILE *in = fopen("tests/vectors/weak-roca.key.pem", "r");
	EVP_PKEY *key = in != NULL ? PEM_read_PrivateKey(in, NULL, NULL, NULL) : NULL;

	(void)state;
	assert_non_null(key);
	is_refused(key, "CN=a", SCEP_BAD_REQUEST, "CVE-2017-15361");
	EVP_PKEY_free(key);
	fclose(in);
}

static void
a_key_of_a_type_that_the_profile_does_not_take_is_a_bad_algorithm(void **state)
{
	struct manage_profile_change change = MANAGE_PROFILE_KEEP;
	struct issue_result result;

	(void)state;
	assert_int_equal(
	    issue_as(pki_ec_key(), "CN=a", next_request++, clock_now(), &result), ISSUE_DONE);
	issue_result_free(&result);
	change.curves = "P-384,P-521";
	rooms_set(&rooms, &change);
	is_refused(pki_ec_key(), "CN=a", SCEP_BAD_ALG, "EC P-256");
	change.curves = "";
	rooms_set(&rooms, &change);
	is_refused(pki_ec_key(), "CN=a", SCEP_BAD_ALG, "want RSA");
	change.curves = "P-256,P-384,P-521";
	rooms_set(&rooms, &change);
	is_refused(pki_ed_key(), "CN=a", SCEP_BAD_ALG, "Ed25519 (1.3.101.112)");
}

static void
a_required_field_that_is_missing_is_named(void **state)
{
	const struct field_row fields[] = {
	    {.type = "subject.commonName", .source = "scepRequest", .required = true},
	    {.type = "subject.organization", .source = "scepRequest", .required = true},
	};
	struct issue_result result;

	(void)state;
	set_fields(fields, 2, 0);
	is_refused(pki_rsa_key(), "CN=a", SCEP_BAD_REQUEST, "subject.organization");
	assert_int_equal(issue("O=x,CN=a", &result), ISSUE_DONE);
	issue_result_free(&result);
	clear_fields();
}

static void
a_field_that_no_rule_names_is_refused_or_dropped(void **state)
{
	const struct field_row fields[] = {
	    {.type = "subject.commonName", .source = "scepRequest", .required = true},
	    {.type = "subject.organization", .source = "fixed", .value = "Ours"},
	};
	struct issue_result result;

	(void)state;
	set_fields(fields, 2, 1);
	is_refused(pki_rsa_key(), "OU=theirs,CN=a", SCEP_BAD_REQUEST, "subject.organizationalUnit");
	is_refused(pki_rsa_key(), "CN=a,CN=b", SCEP_BAD_REQUEST, "subject.commonName");
	set_fields(fields, 2, 0);
	assert_int_equal(issue("O=theirs,OU=theirs,CN=a", &result), ISSUE_DONE);
	assert_string_equal(buffer_string(&result.subject), "O=Ours,CN=a");
	issue_result_free(&result);
	clear_fields();
}

/* ---- repeats, challenges, changes */

static void
the_same_request_gets_its_first_certificate(void **state)
{
	struct issue_result first, again;
	struct buffer repeated = {0};
	uint8_t request = next_request++, repeat_key[32];
	int64_t now = clock_now();
	bool undelivered = true;

	(void)state;
	memset(repeat_key, request, sizeof(repeat_key));
	assert_int_equal(issue_repeat(rooms.manage.store, rooms_profile(&rooms),
			     octets_of(repeat_key, 32), now, &repeated, &undelivered, &rooms.why),
	    STORE_NONE);
	assert_int_equal(issue_as(pki_rsa_key(), "CN=a", request, now, &first), ISSUE_DONE);
	assert_int_equal(issue_as(pki_rsa_key(), "CN=a", request, now, &again), ISSUE_REPEAT);
	assert_true(
	    octets_equal(buffer_octets(&first.certificate), buffer_octets(&again.certificate)));
	assert_int_equal(issue_repeat(rooms.manage.store, rooms_profile(&rooms),
			     octets_of(repeat_key, 32), now, &repeated, &undelivered, &rooms.why),
	    STORE_OK);
	assert_true(octets_equal(buffer_octets(&first.certificate), buffer_octets(&repeated)));
	buffer_free(&repeated);
	issue_result_free(&first);
	issue_result_free(&again);
}

static void
after_replay_hours_the_same_request_is_a_new_one(void **state)
{
	int64_t now = clock_now(), hours = rooms_profile(&rooms)->scep.replay_hours;
	struct issue_result first, again;
	uint8_t request = next_request++;

	(void)state;
	assert_int_equal(issue_as(pki_rsa_key(), "CN=a", request, now, &first), ISSUE_DONE);
	assert_int_equal(
	    issue_as(pki_rsa_key(), "CN=a", request, now + hours * 3600, &again), ISSUE_REPEAT);
	issue_result_free(&again);
	assert_int_equal(
	    issue_as(pki_rsa_key(), "CN=a", request, now + hours * 3600 + 1, &again), ISSUE_DONE);
	assert_string_not_equal(first.serial, again.serial);
	issue_result_free(&first);
	issue_result_free(&again);
}

static enum issue_rc
issue_by_challenge(const uint8_t id[32], uint8_t request, struct issue_result *out)
{
	struct csr csr = rooms_csr(pki_rsa_key(), "CN=a", NULL);
	uint8_t repeat_key[32];
	struct issue_order order = rooms_order(&rooms, &csr, request, repeat_key, clock_now());
	enum issue_rc rc;

	order.challenge_id = octets_of(id, 32);
	rc = issue_certificate(rooms.manage.store, &order, out, &rooms.why);
	csr_free(&csr);
	return rc;
}

static void
one_challenge_gives_one_certificate(void **state)
{
	const uint8_t id[32] = {1, 2, 3}, other[32] = {1, 2, 4};
	uint8_t request = next_request++;
	struct issue_result result;
	int64_t certificates;

	(void)state;
	assert_int_equal(issue_by_challenge(id, request, &result), ISSUE_DONE);
	issue_result_free(&result);
	certificates = rooms_count(&rooms, "certificate");
	assert_int_equal(issue_by_challenge(id, next_request++, &result), ISSUE_CHALLENGE_USED);
	issue_result_free(&result);
	assert_int_equal(rooms_count(&rooms, "certificate"), certificates);
	/* The same request, though, is a repeat, and another challenge is another matter. */
	assert_int_equal(issue_by_challenge(id, request, &result), ISSUE_REPEAT);
	issue_result_free(&result);
	assert_int_equal(issue_by_challenge(other, next_request++, &result), ISSUE_DONE);
	issue_result_free(&result);
}

/* The snapshot is of before, as in a worker that looked a moment ago. */
static enum issue_rc
issue_while(void (*change)(void))
{
	struct csr csr = rooms_csr(pki_rsa_key(), "CN=a", ROOMS_CHALLENGE);
	uint8_t repeat_key[32];
	struct issue_order order =
	    rooms_order(&rooms, &csr, next_request++, repeat_key, clock_now());
	int64_t certificates = rooms_count(&rooms, "certificate");
	struct issue_result result;
	enum issue_rc rc;

	change();
	rc = issue_certificate(rooms.manage.store, &order, &result, &rooms.why);
	assert_int_equal(
	    rooms_count(&rooms, "certificate"), certificates + (rc == ISSUE_DONE ? 1 : 0));
	issue_result_free(&result);
	csr_free(&csr);
	return rc;
}

static void
disable(void)
{
	rooms_enable(&rooms, false);
}

static void
change_challenge(void)
{
	const struct octets challenge = octets_of_string("another right challenge");
	struct manage_profile_change change = MANAGE_PROFILE_KEEP;

	change.challenge = &challenge;
	rooms_set(&rooms, &change);
}

static void
change_description(void)
{
	struct manage_profile_change change = MANAGE_PROFILE_KEEP;

	change.description = "another";
	rooms_set(&rooms, &change);
}

static void
a_profile_disabled_in_the_meantime_issues_nothing(void **state)
{
	(void)state;
	assert_int_equal(issue_while(disable), ISSUE_CHANGED);
	rooms_enable(&rooms, true);
	assert_int_equal(issue_while(change_description), ISSUE_DONE);
}

static void
a_challenge_changed_in_the_meantime_issues_nothing(void **state)
{
	(void)state;
	assert_int_equal(issue_while(change_challenge), ISSUE_CHANGED);
}

static void
a_warning_of_broken_algorithms_is_in_the_event(void **state)
{
	struct csr csr = rooms_csr(pki_rsa_key(), "CN=a", ROOMS_CHALLENGE);
	uint8_t repeat_key[32];
	struct issue_order order =
	    rooms_order(&rooms, &csr, next_request++, repeat_key, clock_now());
	struct issue_result result;

	(void)state;
	order.note = "warning: for the test";
	assert_int_equal(
	    issue_certificate(rooms.manage.store, &order, &result, &rooms.why), ISSUE_DONE);
	assert_int_equal(rooms_count(&rooms, "audit_event WHERE reason = 'warning: for the test' "
					     "AND outcome = 'success'"),
	    1);
	issue_result_free(&result);
	csr_free(&csr);
}

static int
open_rooms(void **state)
{
	(void)state;
	rooms_open(&rooms, false);
	return 0;
}

static int
close_rooms(void **state)
{
	(void)state;
	rooms_close(&rooms);
	pki_free_keys();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_certificate_is_the_cas_and_in_the_store_with_its_event),
	    cmocka_unit_test(not_before_lies_five_minutes_back),
	    cmocka_unit_test(a_certificate_ends_with_its_ca_at_the_latest),
	    cmocka_unit_test(a_ca_that_is_not_valid_now_issues_nothing),
	    cmocka_unit_test(serials_are_of_128_bits_and_differ),
	    cmocka_unit_test(keys_outside_the_limits_are_refused_with_the_limit),
	    cmocka_unit_test(a_weak_key_is_refused_by_what_is_wrong_with_it),
	    cmocka_unit_test(a_key_of_a_type_that_the_profile_does_not_take_is_a_bad_algorithm),
	    cmocka_unit_test(a_required_field_that_is_missing_is_named),
	    cmocka_unit_test(a_field_that_no_rule_names_is_refused_or_dropped),
	    cmocka_unit_test(the_same_request_gets_its_first_certificate),
	    cmocka_unit_test(after_replay_hours_the_same_request_is_a_new_one),
	    cmocka_unit_test(one_challenge_gives_one_certificate),
	    cmocka_unit_test(a_profile_disabled_in_the_meantime_issues_nothing),
	    cmocka_unit_test(a_challenge_changed_in_the_meantime_issues_nothing),
	    cmocka_unit_test(a_warning_of_broken_algorithms_is_in_the_event),
	};

	return cmocka_run_group_tests(tests, open_rooms, close_rooms);
}
