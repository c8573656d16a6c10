#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "store_fixture.h"

#define OTHER "0d0d0d0d-0000-4000-8000-000000000002"

/* One switch at a time, so that none is bound in the other's place. */
static void
each_switch_of_renewal_is_its_own(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row p, have;

	assert_int_equal(store_scep_profile_get(f->store, "demo", &p, &f->why), STORE_OK);
	p.same_key_renewal = false;
	assert_int_equal(store_scep_profile_update(f->store, &p, NULL, &f->why), STORE_OK);
	assert_int_equal(store_scep_profile_get(f->store, "demo", &have, &f->why), STORE_OK);
	assert_true(have.certificate_renewal);
	assert_false(have.same_key_renewal);
}

static void
a_profile_that_names_no_lineage_is_the_first_of_its_own(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row p = fixture_scep_profile(), have;
	struct ra_certificate_row c = fixture_ra_certificate();

	strcpy(p.id, OTHER);
	strcpy(p.name, "clone");
	strcpy(p.ra_certificate_id, "0c0c0c0c-0000-4000-8000-000000000002");
	strcpy(c.id, p.ra_certificate_id);
	assert_int_equal(store_scep_profile_insert(f->store, &p, &c, NULL, &f->why), STORE_OK);
	ra_certificate_row_free(&c);
	assert_int_equal(store_scep_profile_get(f->store, "clone", &have, &f->why), STORE_OK);
	assert_string_equal(have.lineage, FIXTURE_SCEP_PROFILE);
	strcpy(have.lineage, "");
	assert_int_equal(store_scep_profile_update(f->store, &have, NULL, &f->why), STORE_OK);
	assert_int_equal(store_scep_profile_get(f->store, "clone", &have, &f->why), STORE_OK);
	assert_string_equal(have.lineage, OTHER);
}

static void
what_a_profile_renews_from_is_replaced_whole_and_goes_with_it(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row p, have;

	assert_int_equal(store_scep_profile_get(f->store, "demo", &p, &f->why), STORE_OK);
	assert_int_equal(p.renew_from_count, 0);
	for (int i = 0; i < PROFILE_RENEW_FROM_MAX; i++)
		snprintf(p.renew_from[i], sizeof(p.renew_from[i]),
		    "0d0d0d0d-0000-4000-8000-0000000001%02x", ~(unsigned)i & 0xff);
	p.renew_from_count = PROFILE_RENEW_FROM_MAX;
	assert_int_equal(store_scep_profile_update(f->store, &p, NULL, &f->why), STORE_OK);
	assert_int_equal(store_scep_profile_get(f->store, "demo", &have, &f->why), STORE_OK);
	assert_int_equal(have.renew_from_count, PROFILE_RENEW_FROM_MAX);
	for (int i = 0; i < PROFILE_RENEW_FROM_MAX; i++)
		assert_string_equal(have.renew_from[i], p.renew_from[i]);
	/* In the order given; named twice is named once. */
	strcpy(have.renew_from[0], OTHER);
	strcpy(have.renew_from[1], OTHER);
	have.renew_from_count = 2;
	assert_int_equal(store_scep_profile_update(f->store, &have, NULL, &f->why), STORE_OK);
	assert_int_equal(store_scep_profile_get(f->store, "demo", &have, &f->why), STORE_OK);
	assert_int_equal(have.renew_from_count, 1);
	assert_string_equal(have.renew_from[0], OTHER);
	/* An update that is refused leaves them. */
	have.renew_from_count = 0;
	have.version--;
	assert_int_equal(store_scep_profile_update(f->store, &have, NULL, &f->why), STORE_CONFLICT);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM scep_profile_renew_from"), 1);
	assert_int_equal(
	    store_scep_profile_delete(f->store, FIXTURE_SCEP_PROFILE, NULL, &f->why), STORE_OK);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM scep_profile_renew_from"), 0);
}

static void
more_profiles_to_renew_from_than_there_may_be_are_not_read_in_part(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row have;

	store_fixture_script(f,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 17) "
	    "INSERT INTO scep_profile_renew_from SELECT 1, 'profile ' || i, i FROM n");
	assert_int_equal(store_scep_profile_get(f->store, "demo", &have, &f->why), STORE_AWAY);
	store_fixture_script(
	    f, "DELETE FROM scep_profile_renew_from WHERE from_uuid = 'profile 1'");
	assert_int_equal(store_scep_profile_get(f->store, "demo", &have, &f->why), STORE_OK);
	assert_int_equal(have.renew_from_count, PROFILE_RENEW_FROM_MAX);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(each_switch_of_renewal_is_its_own),
	    ROWS(a_profile_that_names_no_lineage_is_the_first_of_its_own),
	    ROWS(what_a_profile_renews_from_is_replaced_whole_and_goes_with_it),
	    ROWS(more_profiles_to_renew_from_than_there_may_be_are_not_read_in_part),
	};

	return cmocka_run_group_tests_name("store_profile_renewal", tests, NULL, NULL);
}
