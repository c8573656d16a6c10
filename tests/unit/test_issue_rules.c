/* test_issue_rules.c: what a profile's rules make of a certificate: its end, extensions, values by hand; and who may have several. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/der.h"
#include "fcgi-admin/manage/records.h"
#include "fcgi-admin/manage/replaced.h"
#include "fcgi-admin/manage/revocation.h"
#include "pki/certificate.h"
#include "store/replaced_row.h"
#include "tests/unit/pki_request.h"
#include "tests/unit/rooms.h"

#define DAY   86400
#define GRACE 3600

static struct rooms rooms;
static uint8_t next_request = 1;
static struct issue_result result;
static struct field_value manual[2];
static int manual_count;
static int64_t predecessor_id;

/* Seconds that the clock is ahead; the file is opened at the first look at the clock. */
static void
clock_move(long seconds)
{
	static char path[64];
	FILE *f;

	if (path[0] == '\0') {
		int fd;

		snprintf(path, sizeof(path), "/tmp/scep-clock-XXXXXX");
		fd = mkstemp(path);
		assert_true(fd >= 0);
		close(fd);
		setenv("SCEP_TEST_CLOCK", path, 1);
	}
	assert_non_null(f = fopen(path, "w"));
	fprintf(f, "%ld\n", seconds);
	fclose(f);
}

static int
setup(void **state)
{
	clock_move(0);
	(void)state;
	rooms_open(&rooms, false);
	manual_count = 0;
	predecessor_id = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	issue_result_free(&result);
	memset(&result, 0, sizeof(result));
	rooms_close(&rooms);
	return 0;
}

/* Issue for a CSR, which is freed. */
static enum issue_rc
issue_csr(struct csr csr)
{
	uint8_t repeat_key[32];
	struct issue_order order =
	    rooms_order(&rooms, &csr, next_request++, repeat_key, clock_now());
	enum issue_rc rc;

	order.manual = manual;
	order.manual_count = manual_count;
	order.predecessor_id = predecessor_id;
	issue_result_free(&result);
	memset(&rooms.why, 0, sizeof(rooms.why));
	rc = issue_certificate(rooms.manage.store, &order, &result, &rooms.why);
	csr_free(&csr);
	return rc;
}

static enum issue_rc
issue_for(EVP_PKEY *key, const char *subject)
{
	return issue_csr(rooms_csr(key, subject, ROOMS_CHALLENGE));
}

static void
must_issue(EVP_PKEY *key, const char *subject)
{
	if (issue_for(key, subject) != ISSUE_DONE)
		fail_msg("%s: %s", subject, rooms.why.line);
}

static void
must_refuse(EVP_PKEY *key, const char *subject, const char *text)
{
	assert_int_equal(issue_for(key, subject), ISSUE_REFUSED);
	assert_int_equal(result.fail_info, SCEP_BAD_REQUEST);
	assert_string_equal(result.text.line, text);
	assert_int_equal(result.certificate.len > 0 && result.text.line[0] == '\0', 0);
}

static int64_t
row_of(const char *serial, struct certificate_row *row)
{
	struct manage_report r = {0};
	struct certificate_row found;

	assert_int_equal(
	    manage_certificate_get(&rooms.manage, serial, NULL, &found, NULL, &r), MANAGE_OK);
	if (row != NULL)
		*row = found;
	return found.id;
}

static bool
is_revoked(const char *serial)
{
	struct certificate_row row;

	row_of(serial, &row);
	return strcmp(row.status, "revoked") == 0;
}

static void
set_policy(const char *duplicates, int unique_keys)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	c.duplicates = duplicates;
	c.duplicate_grace_s = GRACE;
	c.unique_keys = unique_keys;
	rooms_set(&rooms, &c);
}

static int
sweep(void)
{
	struct manage_report r = {0};
	int ended;

	assert_int_equal(manage_replaced_sweep(&rooms.manage, &ended, &r), MANAGE_OK);
	return ended;
}

/* ---- the end ---------------------------------------------------------------------------------------------------------------- */

static void
certificates_end_at_the_profiles_date_and_none_is_issued_behind_it(void **state)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	int64_t end = clock_now() + 10 * DAY;
	struct certificate made;

	(void)state;
	c.not_after = end;
	rooms_set(&rooms, &c);
	must_issue(pki_ec_key(), "CN=a");
	assert_true(certificate_parse(buffer_octets(&result.certificate), &made, &rooms.why));
	assert_int_equal(made.not_after, end);
	certificate_free(&made);
	clock_move(10 * DAY);
	assert_int_equal(issue_for(pki_ec_key(), "CN=b"), ISSUE_REFUSED);
	assert_non_null(strstr(result.text.line, "the certificates of this profile ended at"));
	assert_true(result.ours);
	assert_int_equal(rooms_count(&rooms, "certificate WHERE subject = 'CN=b'"), 0);
	clock_move(0);
}

static void
the_ca_ends_them_earlier(void **state)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct certificate made;

	(void)state;
	c.not_after = clock_now() + 36500LL * DAY;
	rooms_set(&rooms, &c);
	must_issue(pki_ec_key(), "CN=a");
	assert_true(certificate_parse(buffer_octets(&result.certificate), &made, &rooms.why));
	assert_int_equal(made.not_after, rooms_profile(&rooms)->authorities[0].chain[0].not_after);
	certificate_free(&made);
}

/* ---- Microsoft's extensions ------------------------------------------------------------------------------------------------- */

#define SID "S-1-5-21-1004336348-1177238915-682003330-512"

static struct csr
csr_with_sid(void)
{
	struct buffer attributes = {0}, extensions = {0}, value = {0}, octets = {0}, name = {0};
	struct buffer der = {0};
	struct csr csr;

	pki_tlv_string(&octets, DER_OCTET_STRING, SID);
	pki_oid(&name, "1.3.6.1.4.1.311.25.2.1");
	pki_wrap(&name, DER_CONTEXT(0), &octets);
	pki_wrap(&octets, DER_CONTEXT(0), &name);
	pki_wrap(&value, DER_SEQUENCE, &octets);
	pki_extension(&extensions, "1.3.6.1.4.1.311.25.2", &value);
	pki_wrap(&value, DER_SEQUENCE, &extensions);
	pki_attribute(&attributes, PKI_EXTENSION_REQUEST, &value);
	pki_csr(&der, pki_ec_key(), "CN=x", &attributes);
	if (!csr_parse(der.data, der.len, &csr, &rooms.why))
		fail_msg("%s", rooms.why.line);
	buffer_free(&der);
	return csr;
}

static bool
has_sid(void)
{
	return memmem(result.certificate.data, result.certificate.len, SID, strlen(SID)) != NULL;
}

static void
the_sid_is_in_the_certificate_where_the_profile_says_so(void **state)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	(void)state;
	assert_int_equal(issue_csr(csr_with_sid()), ISSUE_DONE);
	assert_false(has_sid());
	c.microsoft_sid = 1;
	rooms_set(&rooms, &c);
	assert_int_equal(issue_csr(csr_with_sid()), ISSUE_DONE);
	assert_true(has_sid());
	c.microsoft_sid = 0;
	c.refuse_extensions = 1;
	rooms_set(&rooms, &c);
	assert_int_equal(issue_csr(csr_with_sid()), ISSUE_REFUSED);
	assert_string_equal(result.text.line, "microsoftSid: not allowed");
}

/* ---- values by hand --------------------------------------------------------------------------------------------------------- */

static void
values_by_hand_are_in_the_certificate_and_in_its_renewal(void **state)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	const struct field_row fields[] = {
	    {.type = "subject.commonName", .source = "scepRequest", .required = true},
	    {.type = "subject.title", .source = "manual", .required = true, .pattern = "[A-Z]+"}};

	(void)state;
	c.fields = fields;
	c.field_count = 2;
	rooms_set(&rooms, &c);
	must_refuse(pki_ec_key(), "CN=x,title=ASKED", "subject.title: required");
	snprintf(manual[0].type, sizeof(manual[0].type), "subject.title");
	snprintf(manual[0].value, sizeof(manual[0].value), "lower");
	manual_count = 1;
	must_refuse(pki_ec_key(), "CN=x", "subject.title: not of the form that is wanted here");
	snprintf(manual[0].value, sizeof(manual[0].value), "GIVEN");
	must_issue(pki_ec_key(), "CN=x");
	assert_string_equal(buffer_string(&result.subject), "title=GIVEN,CN=x");
	predecessor_id = row_of(result.serial, NULL);
	manual_count = 0;
	must_issue(pki_ec_key(), "CN=x");
	assert_string_equal(buffer_string(&result.subject), "title=GIVEN,CN=x");
}

/* ---- duplicates ------------------------------------------------------------------------------------------------------------- */

static void
a_second_certificate_of_a_subject_is_refused_where_the_profile_says_so(void **state)
{
	char first[33];
	struct manage_report r = {0};
	struct manage_actor by = {.who = "scepctl:test"};
	struct certificate_row row;

	(void)state;
	must_issue(pki_ec_key(), "CN=before");
	snprintf(first, sizeof(first), "%s", result.serial);
	must_issue(pki_ec_key(), "CN=before"); /* allowed until now */
	set_policy("refuse", 0);
	/* What was issued before the switch counts. */
	must_refuse(pki_ec_key(), "CN=before", "there is a valid certificate for this already");
	must_issue(pki_ec_key(), "CN=after");
	must_refuse(pki_ec_key(), "CN=after", "there is a valid certificate for this already");
	/* A renewal is no duplicate. */
	predecessor_id = row_of(first, NULL);
	must_issue(pki_ec_key(), "CN=before");
	predecessor_id = 0;
	must_issue(pki_ec_key(), "CN=third");
	assert_int_equal(
	    manage_certificate_revoke(&rooms.manage, &by, result.serial, NULL, NULL, &row, &r),
	    MANAGE_OK);
	must_issue(pki_ec_key(), "CN=third"); /* the revoked one does not count */
	set_policy("allow", 0);
	must_issue(pki_ec_key(), "CN=after");
}

static void
an_older_certificate_is_replaced_when_the_newer_is_seen_or_at_its_time(void **state)
{
	char older[33], newer[33];
	struct certificate c;
	int64_t revocations = rooms_count(&rooms, "authority WHERE revocations > 0");

	(void)state;
	set_policy("replace", 0);
	must_issue(pki_ec_key(), "CN=x");
	snprintf(older, sizeof(older), "%s", result.serial);
	assert_int_equal(sweep(), 0);
	must_issue(pki_ec_key(), "CN=x");
	snprintf(newer, sizeof(newer), "%s", result.serial);
	assert_int_equal(sweep(), 0);
	assert_false(is_revoked(older));

	/* The same serial in another certificate is not it; its own octets are. */
	assert_true(certificate_parse(buffer_octets(&result.certificate), &c, &rooms.why));
	assert_int_equal(store_replaced_seen(rooms.manage.store, c.serial, octets_of("x", 1), NULL,
			     clock_now(), &rooms.why),
	    STORE_NONE);
	assert_int_equal(sweep(), 0);
	assert_int_equal(
	    store_replaced_seen(rooms.manage.store, c.serial, c.der, NULL, clock_now(), &rooms.why),
	    STORE_OK);
	assert_int_equal(
	    store_replaced_seen(rooms.manage.store, c.serial, c.der, NULL, clock_now(), &rooms.why),
	    STORE_NONE);
	certificate_free(&c);
	assert_int_equal(sweep(), 1);
	assert_true(is_revoked(older));
	assert_false(is_revoked(newer));
	assert_int_equal(rooms_count(&rooms, "certificate WHERE revocation_reason = 4"), 1);
	assert_int_equal(rooms_count(&rooms, "authority WHERE revocations > 0"), revocations + 1);
	assert_int_equal(rooms_count(&rooms, "audit_event WHERE action = 'certificate.revoke' AND "
					     "actor = 'system' AND reason LIKE 'superseded: "
					     "replaced by %'"),
	    1);

	/* And by the time alone. */
	must_issue(pki_ec_key(), "CN=x");
	clock_move(GRACE - 60);
	assert_int_equal(sweep(), 0);
	clock_move(GRACE + 60);
	assert_int_equal(sweep(), 1);
	assert_true(is_revoked(newer));
	assert_int_equal(sweep(), 0);
	clock_move(0);
}

static void
what_asks_by_ocsp_counts_as_use(void **state)
{
	const char *ca = rooms_profile(&rooms)->authorities[0].id;
	char older[33];
	struct certificate c;

	(void)state;
	set_policy("replace", 0);
	ca = rooms_profile(&rooms)->authorities[0].id;
	must_issue(pki_ec_key(), "CN=x");
	snprintf(older, sizeof(older), "%s", result.serial);
	must_issue(pki_ec_key(), "CN=x");
	assert_true(certificate_parse(buffer_octets(&result.certificate), &c, &rooms.why));
	assert_int_equal(store_replaced_seen(rooms.manage.store, c.serial, octets_of(NULL, 0),
			     "another", clock_now(), &rooms.why),
	    STORE_NONE);
	assert_int_equal(store_replaced_seen(rooms.manage.store, c.serial, octets_of(NULL, 0), ca,
			     clock_now(), &rooms.why),
	    STORE_OK);
	certificate_free(&c);
	assert_int_equal(sweep(), 1);
	assert_true(is_revoked(older));
}

/* The device never had it, or lost it: the older one is what it has. */
static void
a_newer_certificate_that_is_revoked_replaces_nothing(void **state)
{
	struct manage_actor by = {.who = "scepctl:test"};
	struct manage_report r = {0};
	struct certificate_row row;
	char older[33];

	(void)state;
	set_policy("replace", 0);
	must_issue(pki_ec_key(), "CN=x");
	snprintf(older, sizeof(older), "%s", result.serial);
	must_issue(pki_ec_key(), "CN=x");
	assert_int_equal(
	    manage_certificate_revoke(&rooms.manage, &by, result.serial, NULL, NULL, &row, &r),
	    MANAGE_OK);
	clock_move(GRACE + 60);
	sweep();
	assert_false(is_revoked(older));
	assert_int_equal(rooms_count(&rooms, "certificate_replaced"), 0);
	clock_move(0);
}

static void
three_in_a_row_leave_the_last(void **state)
{
	char serials[3][33];

	(void)state;
	set_policy("replace", 0);
	for (int i = 0; i < 3; i++) {
		must_issue(pki_ec_key(), "CN=x");
		snprintf(serials[i], sizeof(serials[i]), "%s", result.serial);
	}
	clock_move(GRACE + 60);
	while (sweep() > 0)
		;
	assert_true(is_revoked(serials[0]) && is_revoked(serials[1]));
	assert_false(is_revoked(serials[2]));
	clock_move(0);
}

/* ---- keys ------------------------------------------------------------------------------------------------------------------- */

static void
a_key_is_for_one_subject_where_the_profile_says_so(void **state)
{
	(void)state;
	must_issue(pki_ec_key(), "CN=a");
	must_issue(pki_ec_key(), "CN=b"); /* allowed until now */
	set_policy("allow", 1);
	must_refuse(pki_ec_key(), "CN=c", "the key is certified for another subject");
	must_refuse(
	    pki_ec_key(), "CN=a", "the key is certified for another subject"); /* b's, too */
	must_issue(pki_rsa_key(), "CN=c");
	must_issue(pki_rsa_key(), "CN=c");
	must_refuse(pki_rsa_key(), "CN=d", "the key is certified for another subject");
	set_policy("allow", 0);
	must_issue(pki_rsa_key(), "CN=d");
}

static void
nothing_is_written_down_where_nobody_asks(void **state)
{
	(void)state;
	must_issue(pki_ec_key(), "CN=a");
	assert_int_equal(rooms_count(&rooms, "certificate_holder"), 0);
	assert_int_equal(rooms_count(&rooms, "certificate_key"), 0);
	set_policy("refuse", 1);
	assert_int_equal(rooms_count(&rooms, "certificate_holder"), 1);
	assert_int_equal(rooms_count(&rooms, "certificate_key"), 1);
	set_policy("refuse", 1); /* again does no harm */
	assert_int_equal(rooms_count(&rooms, "certificate_holder"), 1);
	must_issue(pki_rsa_key(), "CN=b");
	assert_int_equal(rooms_count(&rooms, "certificate_holder"), 2);
	assert_int_equal(rooms_count(&rooms, "certificate_key"), 2);
}

static void
a_holder_is_a_seat_or_else_a_subject_in_a_lineage(void **state)
{
	struct octets subject = octets_of("\x30\0", 2);
	uint8_t one[32], two[32];

	(void)state;
	assert_true(issue_holder("l", 0, subject, one));
	assert_true(issue_holder("l", 0, subject, two));
	assert_memory_equal(one, two, 32);
	assert_true(issue_holder("m", 0, subject, two));
	assert_memory_not_equal(one, two, 32);
	assert_true(issue_holder("l", 1, subject, two));
	assert_memory_not_equal(one, two, 32);
	assert_true(issue_holder("l", 1, octets_of("x", 1), one));
	assert_memory_equal(one, two, 32);
	assert_true(issue_holder("l", 2, subject, one));
	assert_memory_not_equal(one, two, 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		certificates_end_at_the_profiles_date_and_none_is_issued_behind_it, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(the_ca_ends_them_earlier, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		the_sid_is_in_the_certificate_where_the_profile_says_so, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		values_by_hand_are_in_the_certificate_and_in_its_renewal, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_second_certificate_of_a_subject_is_refused_where_the_profile_says_so, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(
		an_older_certificate_is_replaced_when_the_newer_is_seen_or_at_its_time, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(what_asks_by_ocsp_counts_as_use, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_newer_certificate_that_is_revoked_replaces_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(three_in_a_row_leave_the_last, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_key_is_for_one_subject_where_the_profile_says_so, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		nothing_is_written_down_where_nobody_asks, setup, teardown),
	    cmocka_unit_test(a_holder_is_a_seat_or_else_a_subject_in_a_lineage),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	unlink(getenv("SCEP_TEST_CLOCK"));
	pki_free_keys();
	return failed;
}
