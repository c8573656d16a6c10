/* test_issue_duplicates.c: who may have several certificates, and which of them end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fcgi-admin/manage/revocation.h"
#include "pki/certificate.h"
#include "store/replaced_row.h"
#include "tests/unit/issue_fixture.h"

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
