#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "seat_fixture.h"
#include "store/delivery_row.h"
#include "store/revocation.h"

static const char csr[] = "the CSR";

static struct fixture_enrolment x;

/* Enrolment number of seat 1, by a challenge, to be told to Intune. */
static void
enrol(struct store_fixture *f, unsigned number, int64_t enrollment_row, int64_t now)
{
	fixture_enrolment(&x, number, true);
	x.e.seat_row = 1;
	x.e.enrollment_row = enrollment_row;
	x.e.delivery = "intune";
	x.e.csr = octets_of_string(csr);
	x.e.transaction_id = "t-1";
	x.e.now = now;
	fixture_commit(f, &x, ENROLMENT_NO_CONFLICT);
}

static void
seat(struct store_fixture *f)
{
	fixture_insert_organization(f, 1, "Example", 1);
	fixture_insert_seat(f, 1, "Example");
}

static void
assert_repeat(struct store_fixture *f, enum store_rc want, bool want_undelivered)
{
	struct buffer der = {0};
	bool undelivered = false;

	assert_int_equal(
	    store_repeat(f->store, x.e.repeat_key, 0, FIXTURE_NOW, &der, &undelivered, &f->why),
	    want);
	assert_int_equal(undelivered, want_undelivered);
	buffer_free(&der);
}

static enum store_rc
by_serial(struct store_fixture *f)
{
	int64_t id;

	return store_certificate_by_serial(
	    f->store, x.e.serial, FIXTURE_AUTHORITY, &id, NULL, &f->why);
}

static void
what_must_be_told_is_found_by_its_request_until_it_was(void **state)
{
	struct store_fixture *f = *state;
	struct delivery_row d;
	struct certificate_row c;

	seat(f);
	enrol(f, 1, 0, FIXTURE_NOW);
	assert_int_equal(store_delivery_get(f->store, x.e.repeat_key, &d, &f->why), STORE_OK);
	assert_int_equal(d.certificate_id, 1);
	assert_string_equal(d.state, "issued");
	assert_string_equal(d.by, "intune");
	assert_string_equal(d.profile, "demo");
	assert_string_equal(d.transaction_id, "t-1");
	assert_true(octets_equal(buffer_octets(&d.csr), octets_of_string(csr)));
	assert_true(octets_equal(buffer_octets(&d.certificate), x.e.certificate));
	assert_int_equal(d.created_at, FIXTURE_NOW);
	delivery_row_free(&d);
	assert_repeat(f, STORE_OK, true);
	assert_int_equal(by_serial(f), STORE_NONE);
	assert_int_equal(store_certificate_get_id(f->store, 1, &c, NULL, &f->why), STORE_OK);
	assert_string_equal(c.delivery, "issued");
	assert_int_equal(store_delivery_done(f->store, 1, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(store_delivery_get(f->store, x.e.repeat_key, &d, &f->why), STORE_NONE);
	assert_int_equal(store_delivery_done(f->store, 1, &fixture_event, &f->why), STORE_NONE);
	assert_int_equal(
	    store_delivery_failed(f->store, 1, FIXTURE_NOW, &fixture_event, &f->why), STORE_NONE);
	assert_repeat(f, STORE_OK, false);
	assert_int_equal(by_serial(f), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM audit_event"), 2);
}

static void
what_could_not_be_told_is_revoked_and_burns_nothing(void **state)
{
	struct store_fixture *f = *state;
	struct octets challenge;
	struct delivery_row d;
	struct certificate_row c;

	seat(f);
	enrol(f, 1, 0, FIXTURE_NOW);
	challenge = x.e.challenge_id;
	assert_int_equal(fixture_in_use(f, "Example"), 1);
	assert_int_equal(
	    store_delivery_failed(f->store, 1, FIXTURE_NOW, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(fixture_in_use(f, "Example"), 0);
	assert_int_equal(store_challenge_used(f->store, challenge, &f->why), STORE_NONE);
	assert_int_equal(store_certificate_get_id(f->store, 1, &c, NULL, &f->why), STORE_OK);
	assert_string_equal(c.status, "revoked");
	assert_string_equal(c.delivery, "failed");
	assert_int_equal(c.revocation_reason, REVOCATION_CESSATION);
	assert_repeat(f, STORE_NONE, false);
	assert_int_equal(by_serial(f), STORE_NONE);
	assert_int_equal(store_delivery_get(f->store, x.e.repeat_key, &d, &f->why), STORE_OK);
	assert_string_equal(d.state, "failed");
	/* There is a challenge in it, and nobody needs it any more. */
	assert_int_equal(d.csr.len, 0);
	delivery_row_free(&d);
	assert_int_equal(
	    store_delivery_failed(f->store, 1, FIXTURE_NOW, &fixture_event, &f->why), STORE_NONE);
	assert_int_equal(store_delivery_done(f->store, 1, NULL, &f->why), STORE_NONE);
	assert_int_equal(store_fixture_integer(f, "SELECT revocations FROM authority"), 1);
	/* The same request again is a first one. */
	fixture_enrolment(&x, 1, true);
	x.serial[15] = 9;
	fixture_commit(f, &x, ENROLMENT_NO_CONFLICT);
}

static void
a_code_has_the_use_of_what_failed_back_and_keeps_the_others(void **state)
{
	struct store_fixture *f = *state;
	struct enrollment_row n = fixture_enrollment(1, 1, 2);
	struct octets code;

	seat(f);
	fixture_insert_enrollment(f, 1, 1, 2);
	enrol(f, 1, 1, FIXTURE_NOW);
	fixture_enrolment(&x, 1, true);
	code = octets_of(n.code_hash, sizeof(n.code_hash));
	for (unsigned i = 2; i <= 3; i++) {
		struct fixture_enrolment y;

		fixture_enrolment(&y, i, true);
		y.e.challenge_id = code;
		y.e.enrollment_row = 1;
		fixture_commit(f, &y, i == 2 ? ENROLMENT_NO_CONFLICT : ENROLMENT_ENROLLMENT);
	}
	/* The first of the two goes, the second takes its number. */
	assert_int_equal(store_delivery_failed(f->store, 1, FIXTURE_NOW, NULL, &f->why), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM enrollment "
						  "WHERE uses = 1 AND status = 'created'"),
	    1);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM challenge_use WHERE "
						  "(use = 0 AND certificate_id = 2) OR (use = -1 "
						  "AND certificate_id = 1)"),
	    2);
	fixture_enrolment(&x, 4, true);
	x.e.challenge_id = code;
	x.e.enrollment_row = 1;
	fixture_commit(f, &x, ENROLMENT_NO_CONFLICT);
	fixture_enrolment(&x, 5, true);
	x.e.challenge_id = code;
	x.e.enrollment_row = 1;
	fixture_commit(f, &x, ENROLMENT_ENROLLMENT);
}

static void
what_somebody_revoked_meanwhile_fails_all_the_same(void **state)
{
	struct store_fixture *f = *state;
	struct certificate_row c;

	seat(f);
	enrol(f, 1, 0, FIXTURE_NOW);
	assert_int_equal(store_revoke(f->store, 1, 1, FIXTURE_NOW, NULL, &f->why), STORE_OK);
	assert_int_equal(store_delivery_failed(f->store, 1, FIXTURE_NOW, NULL, &f->why), STORE_OK);
	assert_int_equal(store_certificate_get_id(f->store, 1, &c, NULL, &f->why), STORE_OK);
	assert_int_equal(c.revocation_reason, 1);
	assert_string_equal(c.delivery, "failed");
}

static bool
sum_rows(void *ctx, const struct delivery_row *d)
{
	int64_t *sum = ctx;

	*sum = *sum * 10 + d->certificate_id;
	return true;
}

static void
what_waits_too_long_is_listed_from_the_oldest(void **state)
{
	struct store_fixture *f = *state;
	int64_t sum = 0;

	seat(f);
	for (unsigned i = 1; i <= 4; i++)
		enrol(f, i, 0, FIXTURE_NOW + 10 - (int64_t)i);
	assert_int_equal(store_delivery_done(f->store, 3, NULL, &f->why), STORE_OK);
	assert_int_equal(store_delivery_failed(f->store, 4, FIXTURE_NOW, NULL, &f->why), STORE_OK);
	assert_int_equal(
	    store_delivery_each(f->store, FIXTURE_NOW + 100, 10, sum_rows, &sum, &f->why),
	    STORE_OK);
	assert_int_equal(sum, 21);
	sum = 0;
	assert_int_equal(
	    store_delivery_each(f->store, FIXTURE_NOW + 9, 10, sum_rows, &sum, &f->why), STORE_OK);
	assert_int_equal(sum, 2);
}

static void
without_csr_or_transactionid_nothing_that_must_be_told_is_committed(void **state)
{
	struct store_fixture *f = *state;
	enum enrolment_conflict what;

	fixture_enrolment(&x, 1, false);
	x.e.delivery = "intune";
	x.e.transaction_id = "t-1";
	assert_int_equal(store_commit_enrolment(f->store, &x.e, &what, &f->why), STORE_AWAY);
	x.e.csr = octets_of_string(csr);
	x.e.transaction_id = NULL;
	assert_int_equal(store_commit_enrolment(f->store, &x.e, &what, &f->why), STORE_AWAY);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM certificate"), 0);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(what_must_be_told_is_found_by_its_request_until_it_was),
	    ROWS(what_could_not_be_told_is_revoked_and_burns_nothing),
	    ROWS(a_code_has_the_use_of_what_failed_back_and_keeps_the_others),
	    ROWS(what_somebody_revoked_meanwhile_fails_all_the_same),
	    ROWS(what_waits_too_long_is_listed_from_the_oldest),
	    ROWS(without_csr_or_transactionid_nothing_that_must_be_told_is_committed),
	};

	return cmocka_run_group_tests_name("store_delivery", tests, NULL, NULL);
}
