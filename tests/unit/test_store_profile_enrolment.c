#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store_fixture.h"

#define INTUNE "0e0e0e0e-0000-4000-8000-000000000001"

static void
insert_intune(struct store_fixture *f)
{
	store_fixture_script(f,
	    "INSERT INTO intune (uuid, name, tenant, client_id, sealed_key, created_at) "
	    "VALUES ('" INTUNE "', 'tenant', 'example.com', 'c', x'01', 1)");
}

static void
assert_same_enrolment(const struct scep_profile_row *a, const struct scep_profile_row *b)
{
	assert_int_equal(a->challenge_length, b->challenge_length);
	assert_string_equal(a->seat_field, b->seat_field);
	assert_string_equal(a->intune_id, b->intune_id);
	assert_string_equal(a->duplicates, b->duplicates);
	assert_int_equal(a->duplicate_grace_s, b->duplicate_grace_s);
	assert_int_equal(a->unique_keys, b->unique_keys);
	assert_int_equal(a->limit_address, b->limit_address);
	assert_int_equal(a->limit_profile, b->limit_profile);
	assert_int_equal(a->limit_account, b->limit_account);
	assert_int_equal(a->limit_seat, b->limit_seat);
	assert_int_equal(a->max_successors, b->max_successors);
	assert_int_equal(a->created_at, b->created_at);
}

static void
a_profile_that_says_nothing_enrols_as_before(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row p = fixture_scep_profile(), want = p, have;

	p.challenge_length = 0;
	p.seat_field[0] = '\0';
	p.duplicates[0] = '\0';
	p.duplicate_grace_s = 0;
	assert_int_equal(store_scep_profile_update(f->store, &p, NULL, &f->why), STORE_OK);
	assert_int_equal(store_scep_profile_get(f->store, p.name, &have, &f->why), STORE_OK);
	assert_same_enrolment(&want, &have);
}

/* Each to something else, so that none is bound in another's place. */
static void
how_a_profile_enrols_comes_back_whole(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row want = fixture_scep_profile(), have;
	struct ra_certificate_row ra = fixture_ra_certificate();

	insert_intune(f);
	want.challenge_length = 16;
	strcpy(want.seat_field, "san.email");
	strcpy(want.intune_id, INTUNE);
	strcpy(want.duplicates, "replace");
	want.duplicate_grace_s = 0;
	want.unique_keys = true;
	want.limit_address = 2;
	want.limit_profile = 3;
	want.limit_account = 4;
	want.limit_seat = 5;
	want.created_at = 6;
	strcpy(want.id, "0d0d0d0d-0000-4000-8000-000000000002");
	strcpy(want.name, "other");
	strcpy(ra.id, "0c0c0c0c-0000-4000-8000-000000000002");
	strcpy(want.ra_certificate_id, ra.id);
	assert_int_equal(store_scep_profile_insert(f->store, &want, &ra, NULL, &f->why), STORE_OK);
	ra_certificate_row_free(&ra);
	assert_int_equal(store_scep_profile_get(f->store, "other", &have, &f->why), STORE_OK);
	assert_same_enrolment(&want, &have);
	want.limit_address = 12;
	want.limit_profile = 13;
	want.limit_account = 14;
	want.limit_seat = 15;
	want.duplicate_grace_s = 60;
	want.intune_id[0] = '\0';
	assert_int_equal(store_scep_profile_update(f->store, &want, NULL, &f->why), STORE_OK);
	assert_int_equal(store_scep_profile_get(f->store, "other", &have, &f->why), STORE_OK);
	assert_same_enrolment(&want, &have);
}

static void
an_intune_connection_must_be_there(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row p = fixture_scep_profile();

	strcpy(p.intune_id, INTUNE);
	assert_int_equal(store_scep_profile_update(f->store, &p, NULL, &f->why), STORE_NONE);
	assert_non_null(strstr(f->why.line, INTUNE));
	insert_intune(f);
	assert_int_equal(store_scep_profile_update(f->store, &p, NULL, &f->why), STORE_OK);
}

static void
rules_of_extensions_validity_and_values_come_back(void **state)
{
	struct store_fixture *f = *state;
	struct ra_profile_row want = fixture_ra_profile(), have;

	want.not_after = 1900000000;
	want.microsoft_sid = true;
	strcpy(want.fields[1].pattern, "^[a-z]+$");
	want.fields[1].min_length = 3;
	want.fields[1].max_length = 17;
	assert_int_equal(store_ra_profile_update(f->store, &want, NULL, &f->why), STORE_OK);
	assert_int_equal(store_ra_profile_get(f->store, want.name, &have, &f->why), STORE_OK);
	assert_int_equal(have.not_after, 1900000000);
	assert_true(have.microsoft_sid);
	assert_false(have.microsoft_template);
	assert_string_equal(have.fields[0].pattern, "");
	assert_string_equal(have.fields[1].pattern, "^[a-z]+$");
	assert_int_equal(have.fields[1].min_length, 3);
	assert_int_equal(have.fields[1].max_length, 17);
	want.microsoft_sid = false;
	want.microsoft_template = true;
	strcpy(want.id, "0b0b0b0b-0000-4000-8000-000000000002");
	strcpy(want.name, "other");
	assert_int_equal(store_ra_profile_insert(f->store, &want, NULL, &f->why), STORE_OK);
	assert_int_equal(store_ra_profile_get(f->store, "other", &have, &f->why), STORE_OK);
	assert_int_equal(have.not_after, 1900000000);
	assert_false(have.microsoft_sid);
	assert_true(have.microsoft_template);
	assert_int_equal(have.created_at, want.created_at);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(a_profile_that_says_nothing_enrols_as_before),
	    ROWS(how_a_profile_enrols_comes_back_whole),
	    ROWS(an_intune_connection_must_be_there),
	    ROWS(rules_of_extensions_validity_and_values_come_back),
	};

	return cmocka_run_group_tests_name("store_profile_enrolment", tests, NULL, NULL);
}
