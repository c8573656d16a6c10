#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "seat_fixture.h"
#include "store/replaced_row.h"
#include "store/revocation.h"

static const uint8_t holder[2][32] = {{1}, {2}}, keys[2][32] = {{3}, {4}};

/* ---- codes ---- */

static void
enrol_by_code(struct store_fixture *f, unsigned number, unsigned code, enum enrolment_conflict want)
{
	struct fixture_enrolment x, shared;

	fixture_enrolment(&x, number, true);
	fixture_enrolment(&shared, code, true);
	x.e.challenge_id = shared.e.challenge_id;
	x.e.enrollment_row = 1;
	x.e.seat_row = 1;
	x.e.challenge_use = 77; /* the enrolment knows better */
	fixture_commit(f, &x, want);
}

static void
assert_code(struct store_fixture *f, int64_t uses, const char *status)
{
	struct enrollment_row n = fixture_enrollment(1, 1, 1), have;

	assert_int_equal(
	    store_enrollment_get(f->store, n.id, FIXTURE_NOW, &have, &f->why), STORE_OK);
	assert_int_equal(have.uses, uses);
	assert_string_equal(have.status, status);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM challenge_use WHERE use >= 0"), uses);
	assert_int_equal(store_fixture_integer(
			     f, "SELECT coalesce(max(use), -1) FROM challenge_use WHERE use >= 0"),
	    uses - 1);
}

static void
a_code_is_good_for_as_many_certificates_as_it_says(void **state)
{
	struct store_fixture *f = *state;

	fixture_insert_seat(f, 1, "");
	fixture_insert_enrollment(f, 1, 1, 2);
	enrol_by_code(f, 1, 1, ENROLMENT_NO_CONFLICT);
	assert_code(f, 1, "created");
	enrol_by_code(f, 2, 1, ENROLMENT_NO_CONFLICT);
	assert_code(f, 2, "redeemed");
	enrol_by_code(f, 3, 1, ENROLMENT_ENROLLMENT);
	assert_code(f, 2, "redeemed");
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM certificate"), 2);
	/* The same request again is a repeat, whatever became of the code. */
	enrol_by_code(f, 2, 1, ENROLMENT_REPEAT);
}

static void
a_code_that_is_expired_locked_rejected_reissued_or_gone_is_good_for_none(void **state)
{
	static const char *const spoil[] = {
	    "UPDATE enrollment SET expires_at = 1800000000",
	    "UPDATE enrollment SET locked_until = 1800000001",
	    "UPDATE enrollment SET status = 'rejected'",
	    "UPDATE enrollment SET code_hash = zeroblob(32)",
	};
	struct store_fixture *f = *state;

	fixture_insert_seat(f, 1, "");
	for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		fixture_insert_enrollment(f, 1, 1, 1);
		store_fixture_script(f, spoil[i]);
		enrol_by_code(f, 1, 1, ENROLMENT_ENROLLMENT);
		store_fixture_script(f, "DELETE FROM enrollment_attribute; DELETE FROM enrollment");
	}
	enrol_by_code(f, 1, 1, ENROLMENT_ENROLLMENT);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM certificate"), 0);
	assert_int_equal(store_fixture_integer(f, "SELECT sum(in_use) FROM seat"), 0);
	fixture_insert_enrollment(f, 1, 1, 1);
	enrol_by_code(f, 1, 1, ENROLMENT_NO_CONFLICT);
}

static void
an_enrolment_without_its_codes_hash_is_refused(void **state)
{
	struct store_fixture *f = *state;
	enum enrolment_conflict what;
	struct fixture_enrolment x;

	fixture_insert_seat(f, 1, "");
	fixture_insert_enrollment(f, 1, 1, 1);
	fixture_enrolment(&x, 1, false);
	x.e.enrollment_row = 1;
	assert_int_equal(store_commit_enrolment(f->store, &x.e, &what, &f->why), STORE_AWAY);
	assert_code(f, 0, "created");
}

/* ---- reopening ---- */

static enum store_rc
reopen(struct store_fixture *f, unsigned code, int64_t certificate)
{
	struct fixture_enrolment x;

	fixture_enrolment(&x, code, true);
	return store_challenge_reopen(
	    f->store, x.e.challenge_id, certificate, FIXTURE_NOW, &fixture_event, &f->why);
}

static void
a_reopened_challenge_is_good_once_more_and_its_certificate_revoked(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;
	struct certificate_row c;
	int64_t id = 0;

	fixture_enrolment(&x, 1, true);
	assert_int_equal(reopen(f, 1, 1), STORE_NONE);
	fixture_commit(f, &x, ENROLMENT_NO_CONFLICT);
	assert_int_equal(
	    store_challenge_certificate(f->store, x.e.challenge_id, &id, &f->why), STORE_OK);
	assert_int_equal(id, 1);
	assert_int_equal(reopen(f, 1, 2), STORE_CONFLICT);
	assert_int_equal(reopen(f, 1, 1), STORE_OK);
	assert_int_equal(store_certificate_get_id(f->store, 1, &c, NULL, &f->why), STORE_OK);
	assert_string_equal(c.status, "revoked");
	assert_int_equal(c.revocation_reason, REVOCATION_SUPERSEDED);
	assert_int_equal(store_challenge_used(f->store, x.e.challenge_id, &f->why), STORE_NONE);
	assert_int_equal(reopen(f, 1, 1), STORE_NONE);
	for (unsigned i = 2; i <= 3; i++) {
		struct fixture_enrolment again;

		fixture_enrolment(&again, i, true);
		again.e.challenge_id = x.e.challenge_id;
		fixture_commit(f, &again, ENROLMENT_NO_CONFLICT);
		assert_int_equal(
		    store_challenge_used(f->store, x.e.challenge_id, &f->why), STORE_OK);
		if (i == 2)
			assert_int_equal(reopen(f, 1, 2), STORE_OK);
	}
	/* The history stays. */
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM challenge_use WHERE (use = -1 AND "
				     "certificate_id = 1) OR (use = -2 AND certificate_id = 2) OR "
				     "(use = 0 AND certificate_id = 3)"),
	    3);
}

static void
a_challenge_whose_certificate_was_renewed_stays_used(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x, renewal;

	fixture_enrolment(&x, 1, true);
	fixture_commit(f, &x, ENROLMENT_NO_CONFLICT);
	fixture_enrolment(&renewal, 2, false);
	renewal.e.predecessor_id = 1;
	fixture_commit(f, &renewal, ENROLMENT_NO_CONFLICT);
	assert_int_equal(reopen(f, 1, 1), STORE_CONFLICT);
	assert_int_equal(store_challenge_used(f->store, x.e.challenge_id, &f->why), STORE_OK);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM certificate WHERE status = 'valid'"), 2);
}

static void
a_reopened_code_has_its_use_and_its_seat_back(void **state)
{
	struct store_fixture *f = *state;

	fixture_insert_organization(f, 1, "Example", 1);
	fixture_insert_seat(f, 1, "Example");
	fixture_insert_enrollment(f, 1, 1, 1);
	enrol_by_code(f, 1, 1, ENROLMENT_NO_CONFLICT);
	assert_code(f, 1, "redeemed");
	/* Revoked by hand before: as good. */
	assert_int_equal(store_revoke(f->store, 1, 1, FIXTURE_NOW, NULL, &f->why), STORE_OK);
	assert_int_equal(reopen(f, 1, 1), STORE_OK);
	assert_code(f, 0, "created");
	assert_int_equal(fixture_in_use(f, "Example"), 0);
	enrol_by_code(f, 2, 1, ENROLMENT_NO_CONFLICT);
	assert_code(f, 1, "redeemed");
}

/* ---- accounts, organizations ---- */

static void
a_certificate_tells_seat_account_organization_and_department(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;
	struct certificate_row c;
	struct renewable r;

	fixture_insert_seat(f, 1, "");
	fixture_insert_account(f, 1, "");
	fixture_enrolment(&x, 1, false);
	x.e.seat_row = 1;
	x.e.account_row = 1;
	x.e.organization = "Example";
	x.e.department = "IT";
	fixture_commit(f, &x, ENROLMENT_NO_CONFLICT);
	assert_int_equal(store_certificate_get_id(f->store, 1, &c, NULL, &f->why), STORE_OK);
	assert_string_equal(c.seat_id, "seat-1");
	assert_string_equal(c.account, "account-1");
	assert_string_equal(c.organization, "Example");
	assert_string_equal(c.department, "IT");
	assert_string_equal(c.delivery, "");
	assert_int_equal(
	    store_renewable(f->store, x.e.serial, x.e.certificate, &r, &f->why), STORE_OK);
	assert_int_equal(r.seat_row, 1);
	assert_string_equal(r.seat_id, "seat-1");
	assert_int_equal(r.account_row, 1);
	assert_string_equal(r.organization, "Example");
	assert_string_equal(r.department, "IT");
	fixture_enrolment(&x, 2, false);
	x.e.organization = "";
	fixture_commit(f, &x, ENROLMENT_NO_CONFLICT);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT organization IS NULL FROM certificate WHERE id = 2"),
	    1);
}

static void
an_account_must_be_there_enabled_and_in_time(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;

	fixture_insert_account(f, 1, "");
	fixture_enrolment(&x, 1, false);
	x.e.account_row = 2;
	fixture_commit(f, &x, ENROLMENT_ACCOUNT);
	x.e.account_row = 1;
	store_fixture_script(f, "UPDATE account SET enabled = 0");
	fixture_commit(f, &x, ENROLMENT_ACCOUNT);
	store_fixture_script(f, "UPDATE account SET enabled = 1, expires_at = 1800000000");
	fixture_commit(f, &x, ENROLMENT_ACCOUNT);
	store_fixture_script(f, "UPDATE account SET expires_at = 1800000001");
	fixture_commit(f, &x, ENROLMENT_NO_CONFLICT);
}

/* ---- duplicates ---- */

static void
enrol_held(struct store_fixture *f, unsigned number, int who, enum enrolment_duplicates duplicates,
    enum enrolment_conflict want)
{
	struct fixture_enrolment x;

	fixture_enrolment(&x, number, false);
	x.e.holder = octets_of(holder[who], 32);
	x.e.duplicates = duplicates;
	x.e.replaced_at = FIXTURE_NOW + 100;
	fixture_commit(f, &x, want);
}

static void
a_holder_with_a_valid_certificate_is_refused_another(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment renewal;

	enrol_held(f, 1, 0, ENROLMENT_DUPLICATES_REFUSE, ENROLMENT_NO_CONFLICT);
	enrol_held(f, 2, 0, ENROLMENT_DUPLICATES_REFUSE, ENROLMENT_DUPLICATE);
	enrol_held(f, 3, 1, ENROLMENT_DUPLICATES_REFUSE, ENROLMENT_NO_CONFLICT);
	enrol_held(f, 1, 0, ENROLMENT_DUPLICATES_REFUSE, ENROLMENT_REPEAT);
	/* A renewal is none, and counts for those that come. */
	fixture_enrolment(&renewal, 4, false);
	renewal.e.holder = octets_of(holder[0], 32);
	renewal.e.duplicates = ENROLMENT_DUPLICATES_REFUSE;
	renewal.e.predecessor_id = 1;
	fixture_commit(f, &renewal, ENROLMENT_NO_CONFLICT);
	assert_int_equal(store_revoke(f->store, 1, 1, FIXTURE_NOW, NULL, &f->why), STORE_OK);
	enrol_held(f, 5, 0, ENROLMENT_DUPLICATES_REFUSE, ENROLMENT_DUPLICATE);
	store_fixture_script(f, "UPDATE certificate SET not_after = 1 WHERE predecessor_id = 1");
	enrol_held(f, 5, 0, ENROLMENT_DUPLICATES_REFUSE, ENROLMENT_NO_CONFLICT);
}

static int
due(struct store_fixture *f, int64_t now, struct replaced_row out[8])
{
	int count = -1;

	assert_int_equal(store_replaced_due(f->store, now, out, 8, &count, &f->why), STORE_OK);
	return count;
}

static void
older_certificates_are_replaced_and_none_but_theirs(void **state)
{
	struct store_fixture *f = *state;
	struct replaced_row rows[8];

	enrol_held(f, 1, 0, ENROLMENT_DUPLICATES_ALLOW, ENROLMENT_NO_CONFLICT);
	enrol_held(f, 2, 0, ENROLMENT_DUPLICATES_ALLOW, ENROLMENT_NO_CONFLICT);
	enrol_held(f, 3, 1, ENROLMENT_DUPLICATES_ALLOW, ENROLMENT_NO_CONFLICT);
	enrol_held(f, 4, 0, ENROLMENT_DUPLICATES_REPLACE, ENROLMENT_NO_CONFLICT);
	assert_int_equal(store_fixture_integer(f, "SELECT sum(certificate_id * 10 + by_id) FROM "
						  "certificate_replaced"),
	    14 + 24);
	assert_int_equal(due(f, FIXTURE_NOW + 99, rows), 0);
	assert_int_equal(due(f, FIXTURE_NOW + 100, rows), 2);
	/* What is revoked is forgotten; what it was to replace stays where the newer one goes. */
	assert_int_equal(store_revoke(f->store, 1, 4, FIXTURE_NOW, NULL, &f->why), STORE_OK);
	assert_int_equal(due(f, FIXTURE_NOW + 100, rows), 1);
	assert_int_equal(rows[0].certificate_id, 2);
	assert_int_equal(rows[0].by_id, 4);
	assert_int_equal(store_revoke(f->store, 4, 1, FIXTURE_NOW, NULL, &f->why), STORE_OK);
	assert_int_equal(due(f, FIXTURE_NOW + 100, rows), 0);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM certificate WHERE status = 'valid'"), 2);
}

static void
what_two_newer_ones_replace_ends_with_either(void **state)
{
	struct store_fixture *f = *state;
	struct replaced_row rows[8];
	struct fixture_enrolment x;

	for (unsigned i = 1; i <= 3; i++)
		enrol_held(f, i, 0, ENROLMENT_DUPLICATES_REPLACE, ENROLMENT_NO_CONFLICT);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM certificate_replaced"), 3);
	/* The newest fails: the second still replaces the first. */
	assert_int_equal(store_revoke(f->store, 3, 1, FIXTURE_NOW, NULL, &f->why), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM certificate_replaced"), 1);
	fixture_enrolment(&x, 2, false);
	assert_int_equal(store_replaced_seen(
			     f->store, x.e.serial, x.e.certificate, NULL, FIXTURE_NOW + 5, &f->why),
	    STORE_OK);
	assert_int_equal(due(f, FIXTURE_NOW + 5, rows), 1);
	assert_int_equal(rows[0].certificate_id, 1);
}

/* ---- keys ---- */

static void
enrol_key(struct store_fixture *f, unsigned number, int key, const char *subject,
    enum enrolment_conflict want)
{
	struct fixture_enrolment x;

	fixture_enrolment(&x, number, false);
	x.e.key_digest = octets_of(keys[key], 32);
	x.e.subject = subject;
	fixture_commit(f, &x, want);
}

static void
a_key_is_certified_under_one_subject_as_long_as_that_is_valid(void **state)
{
	struct store_fixture *f = *state;

	enrol_key(f, 1, 0, "CN=a", ENROLMENT_NO_CONFLICT);
	enrol_key(f, 2, 0, "CN=b", ENROLMENT_KEY);
	enrol_key(f, 3, 1, "CN=b", ENROLMENT_NO_CONFLICT);
	enrol_key(f, 4, 0, "CN=a", ENROLMENT_NO_CONFLICT);
	assert_int_equal(store_revoke(f->store, 1, 1, FIXTURE_NOW, NULL, &f->why), STORE_OK);
	enrol_key(f, 5, 0, "CN=b", ENROLMENT_KEY);
	store_fixture_script(f, "UPDATE certificate SET not_after = 1 WHERE id = 3");
	enrol_key(f, 6, 0, "CN=b", ENROLMENT_NO_CONFLICT);
}

static void
without_a_subject_the_names_tell_whose_a_key_is(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;

	for (unsigned i = 1; i <= 3; i++) {
		fixture_enrolment(&x, i, false);
		x.e.key_digest = octets_of(keys[0], 32);
		x.e.subject = "";
		x.e.san = i < 3 ? "DNS:a" : "DNS:b";
		fixture_commit(f, &x, i < 3 ? ENROLMENT_NO_CONFLICT : ENROLMENT_KEY);
	}
}

static void
an_enrolment_that_uses_none_of_these_writes_none_of_these(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;

	fixture_enrolment(&x, 1, true);
	fixture_commit(f, &x, ENROLMENT_NO_CONFLICT);
	assert_int_equal(
	    store_fixture_integer(f,
		"SELECT (SELECT count(*) FROM certificate_holder) + (SELECT count(*) FROM "
		"certificate_key) + (SELECT count(*) FROM certificate_replaced) + (SELECT "
		"count(*) FROM certificate_delivery)"),
	    0);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM certificate WHERE seat_id "
						  "IS NULL AND account_id IS NULL"),
	    1);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(a_code_is_good_for_as_many_certificates_as_it_says),
	    ROWS(a_code_that_is_expired_locked_rejected_reissued_or_gone_is_good_for_none),
	    ROWS(an_enrolment_without_its_codes_hash_is_refused),
	    ROWS(a_reopened_challenge_is_good_once_more_and_its_certificate_revoked),
	    ROWS(a_challenge_whose_certificate_was_renewed_stays_used),
	    ROWS(a_reopened_code_has_its_use_and_its_seat_back),
	    ROWS(a_certificate_tells_seat_account_organization_and_department),
	    ROWS(an_account_must_be_there_enabled_and_in_time),
	    ROWS(a_holder_with_a_valid_certificate_is_refused_another),
	    ROWS(older_certificates_are_replaced_and_none_but_theirs),
	    ROWS(what_two_newer_ones_replace_ends_with_either),
	    ROWS(a_key_is_certified_under_one_subject_as_long_as_that_is_valid),
	    ROWS(without_a_subject_the_names_tell_whose_a_key_is),
	    ROWS(an_enrolment_that_uses_none_of_these_writes_none_of_these),
	};

	return cmocka_run_group_tests_name("store_whom", tests, NULL, NULL);
}
