#include "tests/unit/rollover_fixture.h"

static void
an_ra_certificate_is_rotated_in_its_profile_alone(void **state)
{
	struct store_fixture *f = *state;
	int64_t before;

	insert_second(f);
	before = version(f);
	assert_int_equal(rotate(f, FIXTURE_SCEP_PROFILE, ROTATED_RA, FIXTURE_AUTHORITY), STORE_OK);
	assert_int_equal(rotate(f, SECOND_SCEP, SECOND_NEXT, FIXTURE_AUTHORITY), STORE_OK);
	assert_beside(f, FIXTURE_SCEP_PROFILE, FIXTURE_NOW, "next 03");
	assert_int_equal(switch_ra(f, FIXTURE_SCEP_PROFILE), STORE_OK);
	assert_current(f, "demo", ROTATED_RA, 2);
	assert_beside(f, FIXTURE_SCEP_PROFILE, FIXTURE_NOW, "previous 01 1000");
	assert_current(f, "second", SECOND_RA, 1);
	assert_beside(f, SECOND_SCEP, FIXTURE_NOW, "next 0c");
	assert_issues_by(f, FIXTURE_AUTHORITY);
	assert_int_equal(version(f), before + 3);
	assert_int_equal(events(f), 3);
	assert_sound(f);
}

static void
a_profile_has_one_next_ra_certificate_and_none_to_switch_to_without(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(switch_ra(f, FIXTURE_SCEP_PROFILE), STORE_CONFLICT);
	assert_int_equal(cancel_ra(f, FIXTURE_SCEP_PROFILE), STORE_CONFLICT);
	assert_int_equal(rotate(f, FIXTURE_SCEP_PROFILE, ROTATED_RA, OTHER), STORE_NONE);
	assert_int_equal(rotate(f, OTHER, ROTATED_RA, FIXTURE_AUTHORITY), STORE_NONE);
	assert_int_equal(rotate(f, FIXTURE_SCEP_PROFILE, ROTATED_RA, FIXTURE_AUTHORITY), STORE_OK);
	assert_int_equal(
	    rotate(f, FIXTURE_SCEP_PROFILE, NEXT_RA, FIXTURE_AUTHORITY), STORE_CONFLICT);
	assert_int_equal(count(f, "ra_certificate"), 2);
	assert_int_equal(events(f), 1);
}

static void
a_next_ra_certificate_is_taken_back_with_its_row(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(rotate(f, FIXTURE_SCEP_PROFILE, ROTATED_RA, FIXTURE_AUTHORITY), STORE_OK);
	assert_int_equal(cancel_ra(f, FIXTURE_SCEP_PROFILE), STORE_OK);
	assert_beside(f, FIXTURE_SCEP_PROFILE, FIXTURE_NOW, "");
	assert_int_equal(count(f, "ra_certificate"), 1);
	assert_current(f, "demo", FIXTURE_RA_CERTIFICATE, 1);
	assert_int_equal(switch_ra(f, FIXTURE_SCEP_PROFILE), STORE_CONFLICT);
	assert_int_equal(events(f), 2);
}

static void
what_a_rollover_has_prepared_waits_for_its_switch(void **state)
{
	struct store_fixture *f = *state;

	assert_prepared(f);
	assert_int_equal(switch_ra(f, FIXTURE_SCEP_PROFILE), STORE_CONFLICT);
	assert_int_equal(cancel_ra(f, FIXTURE_SCEP_PROFILE), STORE_CONFLICT);
	assert_beside(f, FIXTURE_SCEP_PROFILE, FIXTURE_NOW, "next 02");
	assert_current(f, "demo", FIXTURE_RA_CERTIFICATE, 1);
	assert_int_equal(switch_to(f, NEXT), STORE_OK);
	assert_current(f, "demo", NEXT_RA, 2);
}

static void
one_that_was_rotated_in_does_not_go_with_a_rollover(void **state)
{
	struct store_fixture *f = *state;

	insert_second(f);
	assert_prepared(f);
	assert_int_equal(rotate(f, SECOND_SCEP, SECOND_NEXT, FIXTURE_AUTHORITY), STORE_OK);
	assert_int_equal(cancel(f, NEXT), STORE_OK);
	assert_beside(f, SECOND_SCEP, FIXTURE_NOW, "next 0c");
	assert_prepared(f);
	assert_int_equal(switch_to(f, NEXT), STORE_OK);
	assert_beside(f, SECOND_SCEP, FIXTURE_NOW, "next 0c");
	assert_current(f, "second", SECOND_RA, 1);
	assert_int_equal(switch_ra(f, SECOND_SCEP), STORE_OK);
	assert_current(f, "second", SECOND_NEXT, 2);
}

static void
a_previous_one_that_comes_back_is_current_again_and_previous_after_that(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row p;

	assert_int_equal(rotate(f, FIXTURE_SCEP_PROFILE, ROTATED_RA, FIXTURE_AUTHORITY), STORE_OK);
	assert_int_equal(switch_ra(f, FIXTURE_SCEP_PROFILE), STORE_OK);
	assert_int_equal(store_scep_profile_get(f->store, "demo", &p, &f->why), STORE_OK);
	strcpy(p.ra_certificate_id, FIXTURE_RA_CERTIFICATE);
	assert_int_equal(store_scep_profile_update(f->store, &p, NULL, &f->why), STORE_OK);
	assert_int_equal(rotate(f, FIXTURE_SCEP_PROFILE, NEXT_RA, FIXTURE_AUTHORITY), STORE_OK);
	assert_int_equal(
	    store_ra_switch(f->store, FIXTURE_SCEP_PROFILE, OVERLAP + 5, NULL, &f->why), STORE_OK);
	assert_beside(f, FIXTURE_SCEP_PROFILE, FIXTURE_NOW, "previous 01 1005");
	assert_sound(f);
}

/* ---- the end of the overlap ---- */

static void
previous_ones_count_until_their_time_is_over_and_are_forgotten_then(void **state)
{
	struct store_fixture *f = *state;
	int64_t before;
	int n = -1;

	assert_int_equal(rotate(f, FIXTURE_SCEP_PROFILE, ROTATED_RA, FIXTURE_AUTHORITY), STORE_OK);
	assert_int_equal(switch_ra(f, FIXTURE_SCEP_PROFILE), STORE_OK);
	assert_int_equal(rotate(f, FIXTURE_SCEP_PROFILE, NEXT_RA, FIXTURE_AUTHORITY), STORE_OK);
	assert_beside(f, FIXTURE_SCEP_PROFILE, OVERLAP - 1, "next 02, previous 01 1000");
	assert_beside(f, FIXTURE_SCEP_PROFILE, OVERLAP, "next 02");
	before = version(f);
	assert_int_equal(store_profile_ra_sweep(f->store, OVERLAP - 1, &n, &f->why), STORE_OK);
	assert_int_equal(n, 0);
	assert_int_equal(version(f), before);
	assert_int_equal(store_profile_ra_sweep(f->store, OVERLAP, &n, &f->why), STORE_OK);
	assert_int_equal(n, 1);
	/* So that whoever holds the old key lets go of it. */
	assert_int_equal(version(f), before + 1);
	assert_int_equal(count(f, "scep_profile_ra"), 1);
	assert_int_equal(count(f, "ra_certificate"), 3);
}

static void
a_profile_that_is_deleted_takes_its_places_along(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(rotate(f, FIXTURE_SCEP_PROFILE, ROTATED_RA, FIXTURE_AUTHORITY), STORE_OK);
	assert_int_equal(switch_ra(f, FIXTURE_SCEP_PROFILE), STORE_OK);
	assert_int_equal(
	    store_scep_profile_delete(f->store, FIXTURE_SCEP_PROFILE, NULL, &f->why), STORE_OK);
	assert_int_equal(count(f, "scep_profile_ra"), 0);
	assert_int_equal(store_fixture_integer(f,
			     "SELECT count(*) FROM ra_certificate WHERE uuid = '" ROTATED_RA "'"),
	    0);
	assert_sound(f);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(an_ra_certificate_is_rotated_in_its_profile_alone),
	    ROWS(a_profile_has_one_next_ra_certificate_and_none_to_switch_to_without),
	    ROWS(a_next_ra_certificate_is_taken_back_with_its_row),
	    ROWS(what_a_rollover_has_prepared_waits_for_its_switch),
	    ROWS(one_that_was_rotated_in_does_not_go_with_a_rollover),
	    ROWS(a_previous_one_that_comes_back_is_current_again_and_previous_after_that),
	    ROWS(previous_ones_count_until_their_time_is_over_and_are_forgotten_then),
	    ROWS(a_profile_that_is_deleted_takes_its_places_along),
	};

	return cmocka_run_group_tests_name("store_ra_rotation", tests, NULL, NULL);
}
