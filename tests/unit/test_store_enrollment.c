#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "seat_fixture.h"

static const struct enrollment_throttle throttle = {
    .window_s = 600, .per_window = 3, .lock_after = 5, .lock_s = 900};

static struct enrollment_row
get(struct store_fixture *f, unsigned number, int64_t now)
{
	struct enrollment_row want = fixture_enrollment(number, 1, 1), have;

	assert_int_equal(store_enrollment_get(f->store, want.id, now, &have, &f->why), STORE_OK);
	return have;
}

static void
assert_status(struct store_fixture *f, unsigned number, int64_t now, const char *want)
{
	struct enrollment_row n = get(f, number, now);

	assert_string_equal(n.status, want);
}

/* ---- rows ---- */

static void
an_enrolment_comes_back_by_id_and_by_its_codes_hash(void **state)
{
	struct store_fixture *f = *state;
	struct enrollment_row want = fixture_enrollment(1, 1, 3), have;

	fixture_insert_organization(f, 1, "Example", 0);
	fixture_insert_seat(f, 1, "Example");
	want.code_weak = true;
	assert_int_equal(
	    store_enrollment_insert(f->store, &want, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(
	    store_enrollment_by_hash(f->store, want.code_hash, FIXTURE_NOW, &have, &f->why),
	    STORE_OK);
	assert_string_equal(have.id, want.id);
	have = get(f, 1, FIXTURE_NOW);
	assert_string_equal(have.profile_id, FIXTURE_SCEP_PROFILE);
	assert_string_equal(have.profile, "demo");
	assert_string_equal(have.seat_id, "seat-1");
	assert_int_equal(have.seat_row, 1);
	assert_memory_equal(have.code_hash, want.code_hash, 32);
	assert_true(have.code_weak);
	assert_string_equal(have.email, want.email);
	assert_int_equal(have.attribute_count, 1);
	assert_string_equal(have.attributes[0].type, "subject.organization");
	assert_string_equal(have.attributes[0].value, "Example");
	assert_string_equal(have.status, "created");
	assert_int_equal(have.max_uses, 3);
	assert_int_equal(have.uses, 0);
	assert_string_equal(have.created_by, "scepctl:root");
	assert_int_equal(have.created_at, FIXTURE_NOW);
	assert_int_equal(have.expires_at, FIXTURE_NOW + 3600);
	assert_string_equal(have.organization, "Example");
	assert_string_equal(have.department, "IT");
	want.code_hash[5] ^= 1;
	assert_int_equal(
	    store_enrollment_by_hash(f->store, want.code_hash, FIXTURE_NOW, &have, &f->why),
	    STORE_NONE);
}

static void
an_enrolment_needs_a_seat_a_profile_and_a_code_of_its_own(void **state)
{
	struct store_fixture *f = *state;
	struct enrollment_row n = fixture_enrollment(1, 1, 1);

	assert_int_equal(store_enrollment_insert(f->store, &n, NULL, &f->why), STORE_NONE);
	fixture_insert_seat(f, 1, "");
	strcpy(n.profile_id, FIXTURE_RA_PROFILE);
	assert_int_equal(store_enrollment_insert(f->store, &n, NULL, &f->why), STORE_NONE);
	strcpy(n.profile_id, FIXTURE_SCEP_PROFILE);
	assert_int_equal(store_enrollment_insert(f->store, &n, NULL, &f->why), STORE_OK);
	n.id[0] = '1';
	assert_int_equal(store_enrollment_insert(f->store, &n, NULL, &f->why), STORE_CONFLICT);
	n.code_hash[0] ^= 1;
	assert_int_equal(store_enrollment_insert(f->store, &n, NULL, &f->why), STORE_OK);
}

static void
its_status_takes_the_time_into_account(void **state)
{
	struct store_fixture *f = *state;

	fixture_insert_seat(f, 1, "");
	fixture_insert_enrollment(f, 1, 1, 1);
	assert_status(f, 1, FIXTURE_NOW + 3599, "created");
	assert_status(f, 1, FIXTURE_NOW + 3600, "expired");
	store_fixture_script(f, "UPDATE enrollment SET locked_until = 1800000100");
	assert_status(f, 1, FIXTURE_NOW + 99, "locked");
	assert_status(f, 1, FIXTURE_NOW + 100, "created");
	assert_int_equal(store_enrollment_pending(f->store, 1, true, &f->why), STORE_OK);
	assert_status(f, 1, FIXTURE_NOW + 9999, "pending");
	assert_int_equal(store_enrollment_pending(f->store, 1, true, &f->why), STORE_NONE);
	assert_int_equal(store_enrollment_pending(f->store, 1, false, &f->why), STORE_OK);
	assert_status(f, 1, FIXTURE_NOW + 100, "created");
}

static bool
sum_rows(void *ctx, const struct enrollment_row *n)
{
	int64_t *sum = ctx;

	assert_int_equal(n->attribute_count, 1);
	*sum = *sum * 10 + n->row;
	return true;
}

static void
assert_listed(struct store_fixture *f, int64_t before, int limit, const char *seat,
    const char *profile, int64_t want)
{
	int64_t sum = 0;

	assert_int_equal(store_enrollment_list(f->store, before, limit, seat, profile, FIXTURE_NOW,
			     sum_rows, &sum, &f->why),
	    STORE_OK);
	assert_int_equal(sum, want);
}

static void
enrolments_are_listed_from_the_newest_by_seat_and_profile(void **state)
{
	struct store_fixture *f = *state;

	fixture_insert_seat(f, 1, "");
	fixture_insert_seat(f, 2, "");
	for (unsigned i = 1; i <= 4; i++)
		fixture_insert_enrollment(f, i, i % 2 + 1, 1);
	assert_listed(f, 0, 0, NULL, NULL, 4321);
	assert_listed(f, 4, 2, NULL, NULL, 32);
	assert_listed(f, 0, 0, "seat-1", NULL, 42);
	assert_listed(f, 0, 0, "seat-2", FIXTURE_SCEP_PROFILE, 31);
	assert_listed(f, 0, 0, NULL, FIXTURE_RA_PROFILE, 0);
	assert_listed(f, 0, 0, "seat-3", NULL, 0);
}

static void
reissuing_begins_anew_with_another_code(void **state)
{
	struct store_fixture *f = *state;
	struct enrollment_row n = fixture_enrollment(9, 1, 1);

	fixture_insert_seat(f, 1, "");
	fixture_insert_enrollment(f, 1, 1, 2);
	fixture_insert_enrollment(f, 2, 1, 1);
	store_fixture_script(f,
	    "UPDATE enrollment SET uses = 2, status = 'redeemed', bad_attempts = 7, "
	    "bad_window = 5, bad_in_window = 2, locked_until = 1900000000 WHERE id = 1");
	assert_int_equal(store_enrollment_reissue(
			     f->store, n.id, n.code_hash, true, FIXTURE_NOW + 9, NULL, &f->why),
	    STORE_NONE);
	n = get(f, 2, FIXTURE_NOW);
	strcpy(n.id, get(f, 1, FIXTURE_NOW).id);
	assert_int_equal(store_enrollment_reissue(
			     f->store, n.id, n.code_hash, true, FIXTURE_NOW + 9, NULL, &f->why),
	    STORE_CONFLICT);
	n.code_hash[0] ^= 0x80;
	assert_int_equal(store_enrollment_reissue(f->store, n.id, n.code_hash, true,
			     FIXTURE_NOW + 9, &fixture_event, &f->why),
	    STORE_OK);
	assert_int_equal(
	    store_fixture_integer(f,
		"SELECT count(*) FROM enrollment WHERE id = 1 AND status = 'created' AND "
		"uses = 0 AND max_uses = 2 AND bad_attempts = 0 AND bad_in_window = 0 AND "
		"locked_until = 0 AND code_weak = 1 AND expires_at = 1800000009"),
	    1);
	assert_int_equal(get(f, 1, FIXTURE_NOW).attribute_count, 1);
}

static void
what_is_redeemed_cannot_be_rejected_and_what_is_gone_is_gone(void **state)
{
	struct store_fixture *f = *state;
	struct enrollment_row n = fixture_enrollment(1, 1, 1);

	fixture_insert_seat(f, 1, "");
	fixture_insert_enrollment(f, 1, 1, 1);
	store_fixture_script(f, "UPDATE enrollment SET status = 'redeemed'");
	assert_int_equal(store_enrollment_reject(f->store, n.id, NULL, &f->why), STORE_CONFLICT);
	store_fixture_script(f, "UPDATE enrollment SET status = 'created'");
	assert_int_equal(store_enrollment_reject(f->store, n.id, NULL, &f->why), STORE_OK);
	assert_status(f, 1, FIXTURE_NOW, "rejected");
	assert_int_equal(store_enrollment_delete(f->store, n.id, NULL, &f->why), STORE_OK);
	assert_int_equal(store_enrollment_delete(f->store, n.id, NULL, &f->why), STORE_NONE);
	assert_int_equal(store_enrollment_reject(f->store, n.id, NULL, &f->why), STORE_NONE);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM enrollment_attribute"), 0);
}

static void
enrolments_go_with_their_seat_and_with_their_profile(void **state)
{
	struct store_fixture *f = *state;

	fixture_insert_seat(f, 1, "");
	fixture_insert_seat(f, 2, "");
	fixture_insert_enrollment(f, 1, 1, 1);
	fixture_insert_enrollment(f, 2, 2, 1);
	fixture_insert_account(f, 1, "");
	assert_int_equal(store_seat_delete(f->store, "seat-1", NULL, &f->why), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT sum(id) FROM enrollment"), 2);
	assert_int_equal(
	    store_scep_profile_delete(f->store, FIXTURE_SCEP_PROFILE, NULL, &f->why), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM enrollment"), 0);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM account"), 0);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM seat"), 1);
}

/* ---- wrong tries ---- */

static bool
wrong(struct store_fixture *f, int64_t now)
{
	bool locked = true;

	assert_int_equal(store_enrollment_wrong(f->store, FIXTURE_SCEP_PROFILE, "seat-1", &throttle,
			     now, &locked, &f->why),
	    STORE_OK);
	return locked;
}

static struct enrollment_standing
standing(struct store_fixture *f, const char *seat, int64_t now)
{
	struct enrollment_standing s;

	assert_int_equal(store_enrollment_standing(
			     f->store, FIXTURE_SCEP_PROFILE, seat, &throttle, now, &s, &f->why),
	    STORE_OK);
	return s;
}

static void
a_seat_with_as_many_wrong_tries_as_a_window_has_is_slowed_until_it_ends(void **state)
{
	struct store_fixture *f = *state;
	struct enrollment_standing s;

	fixture_insert_seat(f, 1, "");
	fixture_insert_enrollment(f, 1, 1, 1);
	s = standing(f, "seat-1", FIXTURE_NOW);
	assert_true(s.open && !s.slowed);
	for (int i = 0; i < 2; i++)
		assert_false(wrong(f, FIXTURE_NOW + i));
	assert_false(standing(f, "seat-1", FIXTURE_NOW + 2).slowed);
	assert_false(wrong(f, FIXTURE_NOW + 2));
	s = standing(f, "seat-1", FIXTURE_NOW + 3);
	assert_true(s.open && s.slowed);
	s = standing(f, "seat-1", FIXTURE_NOW + 600);
	assert_true(s.open && !s.slowed);
	s = standing(f, "nobody", FIXTURE_NOW);
	assert_false(s.open || s.slowed);
}

static void
beyond_the_window_nothing_is_counted_nor_written(void **state)
{
	struct store_fixture *f = *state;

	fixture_insert_seat(f, 1, "");
	fixture_insert_enrollment(f, 1, 1, 1);
	store_fixture_script(f, "UPDATE enrollment SET code_weak = 1");
	for (int i = 0; i < 50; i++)
		assert_false(wrong(f, FIXTURE_NOW + 1));
	assert_int_equal(store_fixture_integer(f, "SELECT bad_attempts FROM enrollment"), 3);
	/* The next window counts on; the fifth in all locks. */
	assert_false(wrong(f, FIXTURE_NOW + 601));
	assert_int_equal(store_fixture_integer(f, "SELECT bad_in_window FROM enrollment"), 1);
	assert_true(wrong(f, FIXTURE_NOW + 602));
	assert_status(f, 1, FIXTURE_NOW + 603, "locked");
	assert_false(standing(f, "seat-1", FIXTURE_NOW + 603).open);
	assert_false(wrong(f, FIXTURE_NOW + 1300));
	assert_int_equal(store_fixture_integer(f, "SELECT bad_attempts FROM enrollment"), 5);
}

static void
a_lock_ends_by_itself_and_one_try_more_does_not_renew_it(void **state)
{
	struct store_fixture *f = *state;

	fixture_insert_seat(f, 1, "");
	fixture_insert_enrollment(f, 1, 1, 1);
	store_fixture_script(f, "UPDATE enrollment SET bad_attempts = 4");
	assert_false(wrong(f, FIXTURE_NOW)); /* nobody guesses a strong code */
	store_fixture_script(f, "UPDATE enrollment SET bad_attempts = 4, code_weak = 1");
	assert_true(wrong(f, FIXTURE_NOW));
	assert_status(f, 1, FIXTURE_NOW + 899, "locked");
	assert_status(f, 1, FIXTURE_NOW + 900, "created");
	assert_false(wrong(f, FIXTURE_NOW + 900));
	assert_status(f, 1, FIXTURE_NOW + 901, "created");
}

static void
where_none_is_to_lock_none_is_locked(void **state)
{
	struct store_fixture *f = *state;
	struct enrollment_throttle t = throttle;
	bool locked;

	fixture_insert_seat(f, 1, "");
	fixture_insert_enrollment(f, 1, 1, 1);
	t.lock_after = 0;
	t.per_window = 100;
	for (int i = 0; i < 30; i++) {
		assert_int_equal(store_enrollment_wrong(f->store, FIXTURE_SCEP_PROFILE, "seat-1",
				     &t, FIXTURE_NOW, &locked, &f->why),
		    STORE_OK);
		assert_false(locked);
	}
	assert_int_equal(store_fixture_integer(f, "SELECT bad_attempts FROM enrollment"), 30);
}

static void
wrong_tries_count_against_what_is_open_at_that_profile_alone(void **state)
{
	struct store_fixture *f = *state;
	bool locked;

	fixture_insert_seat(f, 1, "");
	fixture_insert_seat(f, 2, "");
	fixture_insert_enrollment(f, 1, 1, 1);
	fixture_insert_enrollment(f, 2, 2, 1);
	fixture_insert_enrollment(f, 3, 1, 1);
	store_fixture_script(f, "UPDATE enrollment SET status = 'redeemed' WHERE id = 3");
	assert_false(wrong(f, FIXTURE_NOW));
	assert_int_equal(store_enrollment_wrong(f->store, FIXTURE_RA_PROFILE, "seat-2", &throttle,
			     FIXTURE_NOW, &locked, &f->why),
	    STORE_OK);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT sum(bad_attempts * 10 * id) FROM enrollment"), 10);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(an_enrolment_comes_back_by_id_and_by_its_codes_hash),
	    ROWS(an_enrolment_needs_a_seat_a_profile_and_a_code_of_its_own),
	    ROWS(its_status_takes_the_time_into_account),
	    ROWS(enrolments_are_listed_from_the_newest_by_seat_and_profile),
	    ROWS(reissuing_begins_anew_with_another_code),
	    ROWS(what_is_redeemed_cannot_be_rejected_and_what_is_gone_is_gone),
	    ROWS(enrolments_go_with_their_seat_and_with_their_profile),
	    ROWS(a_seat_with_as_many_wrong_tries_as_a_window_has_is_slowed_until_it_ends),
	    ROWS(beyond_the_window_nothing_is_counted_nor_written),
	    ROWS(a_lock_ends_by_itself_and_one_try_more_does_not_renew_it),
	    ROWS(where_none_is_to_lock_none_is_locked),
	    ROWS(wrong_tries_count_against_what_is_open_at_that_profile_alone),
	};

	return cmocka_run_group_tests_name("store_enrollment", tests, NULL, NULL);
}
