#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "seat_fixture.h"
#include "store/revocation.h"

/* ---- organizations ---- */

static bool
count_organization(void *ctx, const struct organization_row *o)
{
	(void)o;
	++*(int *)ctx;
	return true;
}

static void
an_organization_comes_back_by_name_and_id_and_is_changed(void **state)
{
	struct store_fixture *f = *state;
	struct organization_row o = fixture_organization(1, "Example", 3), have;
	int count = 0;

	assert_int_equal(
	    store_organization_insert(f->store, &o, &fixture_event, &f->why), STORE_OK);
	strcpy(o.name, "Renamed");
	o.license_count = 7;
	assert_int_equal(
	    store_organization_update(f->store, &o, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(store_organization_get(f->store, "Renamed", &have, &f->why), STORE_OK);
	assert_string_equal(have.id, o.id);
	assert_int_equal(have.license_count, 7);
	assert_int_equal(have.seats_in_use, 0);
	assert_int_equal(have.created_at, FIXTURE_NOW);
	assert_int_equal(store_organization_get(f->store, o.id, &have, &f->why), STORE_OK);
	assert_string_equal(have.name, "Renamed");
	assert_int_equal(store_organization_get(f->store, "Example", &have, &f->why), STORE_NONE);
	assert_int_equal(
	    store_organization_each(f->store, count_organization, &count, &f->why), STORE_OK);
	assert_int_equal(count, 1);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM audit_event"), 2);
}

static void
a_name_is_one_organizations_and_what_is_not_there_cannot_change(void **state)
{
	struct store_fixture *f = *state;
	struct organization_row o = fixture_organization(1, "Example", 3),
				other = fixture_organization(2, "Example", 3);

	assert_int_equal(store_organization_insert(f->store, &o, NULL, &f->why), STORE_OK);
	assert_int_equal(
	    store_organization_insert(f->store, &other, NULL, &f->why), STORE_CONFLICT);
	assert_int_equal(store_organization_update(f->store, &other, NULL, &f->why), STORE_NONE);
	strcpy(other.name, "Other");
	assert_int_equal(store_organization_insert(f->store, &other, NULL, &f->why), STORE_OK);
	strcpy(other.name, "Example");
	assert_int_equal(
	    store_organization_update(f->store, &other, NULL, &f->why), STORE_CONFLICT);
	assert_int_equal(store_organization_delete(f->store, "Nobody", NULL, &f->why), STORE_NONE);
}

static void
an_organization_with_seats_stays_and_without_goes(void **state)
{
	struct store_fixture *f = *state;
	struct organization_row have;

	fixture_insert_organization(f, 1, "Example", 0);
	fixture_insert_seat(f, 1, "Example");
	assert_int_equal(
	    store_organization_delete(f->store, "Example", NULL, &f->why), STORE_CONFLICT);
	assert_int_equal(store_seat_delete(f->store, "seat-1", NULL, &f->why), STORE_OK);
	assert_int_equal(store_organization_delete(f->store, "Example", NULL, &f->why), STORE_OK);
	assert_int_equal(store_organization_get(f->store, "Example", &have, &f->why), STORE_NONE);
}

/* ---- seats ---- */

static void
assert_same_seat(const struct seat_row *a, const struct seat_row *b)
{
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->seat_id, b->seat_id);
	assert_string_equal(a->type, b->type);
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->email, b->email);
	assert_string_equal(a->organization, b->organization);
	assert_string_equal(a->department, b->department);
	assert_int_equal(a->in_use, b->in_use);
	assert_int_equal(a->created_at, b->created_at);
}

static void
a_seat_comes_back_by_seatid_and_id_and_is_changed_whole(void **state)
{
	struct store_fixture *f = *state;
	struct seat_row want = fixture_seat(1, "Example"), have;

	fixture_insert_organization(f, 1, "Example", 0);
	assert_int_equal(store_seat_insert(f->store, &want, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(store_seat_get(f->store, "seat-1", &have, &f->why), STORE_OK);
	assert_same_seat(&want, &have);
	strcpy(want.seat_id, "moved");
	strcpy(want.type, "server");
	strcpy(want.name, "other");
	strcpy(want.email, "o@example.com");
	strcpy(want.department, "");
	strcpy(want.organization, "");
	assert_int_equal(store_seat_update(f->store, &want, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(store_seat_get(f->store, want.id, &have, &f->why), STORE_OK);
	assert_same_seat(&want, &have);
	assert_int_equal(store_seat_get(f->store, "seat-1", &have, &f->why), STORE_NONE);
}

static void
a_seat_needs_a_free_seatid_and_an_organization_that_is_there(void **state)
{
	struct store_fixture *f = *state;
	struct seat_row s = fixture_seat(2, "Nobody");

	fixture_insert_seat(f, 1, "");
	assert_int_equal(store_seat_insert(f->store, &s, NULL, &f->why), STORE_NONE);
	assert_non_null(strstr(f->why.line, "Nobody"));
	strcpy(s.organization, "");
	strcpy(s.seat_id, "seat-1");
	assert_int_equal(store_seat_insert(f->store, &s, NULL, &f->why), STORE_CONFLICT);
	assert_int_equal(store_seat_update(f->store, &s, NULL, &f->why), STORE_NONE);
	strcpy(s.seat_id, "seat-2");
	assert_int_equal(store_seat_insert(f->store, &s, NULL, &f->why), STORE_OK);
	strcpy(s.organization, "Nobody");
	assert_int_equal(store_seat_update(f->store, &s, NULL, &f->why), STORE_NONE);
	strcpy(s.organization, "");
	strcpy(s.seat_id, "seat-1");
	assert_int_equal(store_seat_update(f->store, &s, NULL, &f->why), STORE_CONFLICT);
	assert_int_equal(store_seat_delete(f->store, "nobody", NULL, &f->why), STORE_NONE);
}

static bool
sum_rows(void *ctx, const struct seat_row *s)
{
	int64_t *sum = ctx;

	*sum = *sum * 10 + s->row;
	return true;
}

static void
seats_are_listed_in_pages_and_by_organization(void **state)
{
	struct store_fixture *f = *state;
	int64_t sum = 0;

	fixture_insert_organization(f, 1, "Example", 0);
	for (unsigned i = 1; i <= 5; i++)
		fixture_insert_seat(f, i, i % 2 == 0 ? "Example" : "");
	assert_int_equal(store_seat_list(f->store, 0, 0, NULL, sum_rows, &sum, &f->why), STORE_OK);
	assert_int_equal(sum, 12345);
	sum = 0;
	assert_int_equal(store_seat_list(f->store, 2, 2, NULL, sum_rows, &sum, &f->why), STORE_OK);
	assert_int_equal(sum, 34);
	sum = 0;
	assert_int_equal(
	    store_seat_list(f->store, 0, 0, "Example", sum_rows, &sum, &f->why), STORE_OK);
	assert_int_equal(sum, 24);
	sum = 0;
	assert_int_equal(
	    store_seat_list(f->store, 0, 0, "Nobody", sum_rows, &sum, &f->why), STORE_OK);
	assert_int_equal(sum, 0);
}

static void
an_import_makes_and_changes_with_one_event(void **state)
{
	struct store_fixture *f = *state;
	struct seat_row seats[2] = {fixture_seat(1, ""), fixture_seat(2, "")}, have;
	int made, changed;

	fixture_insert_seat(f, 1, "");
	strcpy(seats[0].id, "0f0f0f0f-0000-4000-8000-000000000099");
	strcpy(seats[0].name, "changed");
	assert_int_equal(
	    store_seat_import(f->store, seats, 2, &fixture_event, &made, &changed, &f->why),
	    STORE_OK);
	assert_int_equal(made, 1);
	assert_int_equal(changed, 1);
	assert_int_equal(store_seat_get(f->store, "seat-1", &have, &f->why), STORE_OK);
	assert_string_equal(have.name, "changed");
	assert_string_not_equal(have.id, seats[0].id);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM seat"), 2);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM audit_event"), 1);
}

static void
an_import_with_one_wrong_organization_writes_nothing_and_names_the_seat(void **state)
{
	struct store_fixture *f = *state;
	struct seat_row seats[2] = {fixture_seat(1, ""), fixture_seat(2, "Nobody")};
	int made, changed;

	assert_int_equal(
	    store_seat_import(f->store, seats, 2, &fixture_event, &made, &changed, &f->why),
	    STORE_NONE);
	assert_non_null(strstr(f->why.line, "seat-2"));
	assert_int_equal(made, 0);
	assert_int_equal(changed, 0);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM seat"), 0);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM audit_event"), 0);
	assert_int_equal(
	    store_seat_import(f->store, seats, 501, NULL, &made, &changed, &f->why), STORE_AWAY);
}

/* ---- seats in use ---- */

static void
the_first_certificate_takes_a_seat_into_use_and_the_last_one_frees_it(void **state)
{
	struct store_fixture *f = *state;

	fixture_insert_organization(f, 1, "Example", 1);
	fixture_insert_seat(f, 1, "Example");
	assert_int_equal(fixture_in_use(f, "Example"), 0);
	fixture_enrol_seat(f, 1, 1, ENROLMENT_NO_CONFLICT);
	assert_int_equal(fixture_in_use(f, "Example"), 1);
	fixture_enrol_seat(f, 2, 1, ENROLMENT_NO_CONFLICT);
	assert_int_equal(fixture_in_use(f, "Example"), 1);
	assert_int_equal(
	    store_revoke(f->store, 1, 1, FIXTURE_NOW, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(fixture_in_use(f, "Example"), 1);
	assert_int_equal(
	    store_revoke(f->store, 2, 1, FIXTURE_NOW, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(fixture_in_use(f, "Example"), 0);
	assert_int_equal(store_fixture_integer(f, "SELECT sum(in_use) FROM seat"), 0);
}

static void
above_the_licence_count_an_enrolment_is_refused_whole(void **state)
{
	struct store_fixture *f = *state;

	fixture_insert_organization(f, 1, "Example", 1);
	fixture_insert_seat(f, 1, "Example");
	fixture_insert_seat(f, 2, "Example");
	fixture_enrol_seat(f, 1, 1, ENROLMENT_NO_CONFLICT);
	fixture_enrol_seat(f, 2, 2, ENROLMENT_LICENSE);
	assert_non_null(strstr(f->why.line, "licence"));
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM certificate"), 1);
	assert_int_equal(store_fixture_integer(f, "SELECT sum(in_use) FROM seat"), 1);
	/* One that has none counts for nothing, and neither does a seat of nobody. */
	fixture_insert_seat(f, 3, "");
	fixture_enrol_seat(f, 3, 3, ENROLMENT_NO_CONFLICT);
	assert_int_equal(store_revoke(f->store, 1, 1, FIXTURE_NOW, NULL, &f->why), STORE_OK);
	fixture_enrol_seat(f, 4, 2, ENROLMENT_NO_CONFLICT);
	assert_int_equal(fixture_in_use(f, "Example"), 1);
}

static void
a_hold_keeps_the_seat_and_taking_it_back_does_not_overbook(void **state)
{
	struct store_fixture *f = *state;

	fixture_insert_organization(f, 1, "Example", 1);
	fixture_insert_seat(f, 1, "Example");
	fixture_insert_seat(f, 2, "Example");
	fixture_enrol_seat(f, 1, 1, ENROLMENT_NO_CONFLICT);
	assert_int_equal(
	    store_revoke(f->store, 1, REVOCATION_HOLD, FIXTURE_NOW, NULL, &f->why), STORE_OK);
	assert_int_equal(fixture_in_use(f, "Example"), 1);
	fixture_enrol_seat(f, 2, 2, ENROLMENT_LICENSE);
	assert_int_equal(store_unhold(f->store, 1, NULL, &f->why), STORE_OK);
	assert_int_equal(fixture_in_use(f, "Example"), 1);
	assert_int_equal(
	    store_revoke(f->store, 1, REVOCATION_HOLD, FIXTURE_NOW, NULL, &f->why), STORE_OK);
	assert_int_equal(store_revoke(f->store, 1, 1, FIXTURE_NOW, NULL, &f->why), STORE_OK);
	assert_int_equal(fixture_in_use(f, "Example"), 0);
}

static void
seats_whose_certificates_have_expired_are_swept(void **state)
{
	struct store_fixture *f = *state;
	int64_t after = 0;
	int freed = -1;

	fixture_insert_organization(f, 1, "Example", 2);
	fixture_insert_seat(f, 1, "Example");
	fixture_insert_seat(f, 2, "Example");
	fixture_enrol_seat(f, 1, 1, ENROLMENT_NO_CONFLICT);
	fixture_enrol_seat(f, 2, 2, ENROLMENT_NO_CONFLICT);
	store_fixture_script(f, "UPDATE certificate SET not_after = 1 WHERE id = 1");
	assert_int_equal(
	    store_seat_sweep(f->store, FIXTURE_NOW, &after, &freed, &f->why), STORE_OK);
	assert_int_equal(freed, 1);
	assert_int_equal(after, 0);
	assert_int_equal(fixture_in_use(f, "Example"), 1);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT in_use FROM seat WHERE seat_id = 'seat-2'"), 1);
	assert_int_equal(
	    store_seat_sweep(f->store, FIXTURE_NOW, &after, &freed, &f->why), STORE_OK);
	assert_int_equal(freed, 0);
}

static void
a_sweep_goes_on_where_the_last_page_ended(void **state)
{
	struct store_fixture *f = *state;
	int64_t after = 0;
	int freed;

	store_fixture_script(f,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) "
	    "INSERT INTO seat (uuid, seat_id, type, name, email, in_use, created_at) "
	    "SELECT 'u' || i, 's' || i, 'device', '', '', 1, 1 FROM n");
	assert_int_equal(
	    store_seat_sweep(f->store, FIXTURE_NOW, &after, &freed, &f->why), STORE_OK);
	assert_int_equal(freed, 500);
	assert_int_equal(after, 500);
	assert_int_equal(
	    store_seat_sweep(f->store, FIXTURE_NOW, &after, &freed, &f->why), STORE_OK);
	assert_int_equal(freed, 100);
	assert_int_equal(after, 0);
}

static void
a_deleted_seat_gives_its_licence_back_and_leaves_its_certificates(void **state)
{
	struct store_fixture *f = *state;
	struct certificate_row c;

	fixture_insert_organization(f, 1, "Example", 1);
	fixture_insert_seat(f, 1, "Example");
	fixture_enrol_seat(f, 1, 1, ENROLMENT_NO_CONFLICT);
	assert_int_equal(store_certificate_get_id(f->store, 1, &c, NULL, &f->why), STORE_OK);
	assert_string_equal(c.seat_id, "seat-1");
	assert_int_equal(store_seat_delete(f->store, "seat-1", &fixture_event, &f->why), STORE_OK);
	assert_int_equal(fixture_in_use(f, "Example"), 0);
	assert_int_equal(store_certificate_get_id(f->store, 1, &c, NULL, &f->why), STORE_OK);
	assert_string_equal(c.status, "valid");
	assert_string_equal(c.seat_id, "");
	fixture_enrol_seat(f, 2, 1, ENROLMENT_ENROLLMENT);
}

static void
a_seat_in_use_moves_with_its_count_where_there_is_a_licence(void **state)
{
	struct store_fixture *f = *state;
	struct seat_row s;

	fixture_insert_organization(f, 1, "Example", 1);
	fixture_insert_organization(f, 2, "Other", 1);
	fixture_insert_seat(f, 1, "Example");
	fixture_insert_seat(f, 2, "Other");
	fixture_enrol_seat(f, 1, 1, ENROLMENT_NO_CONFLICT);
	fixture_enrol_seat(f, 2, 2, ENROLMENT_NO_CONFLICT);
	s = fixture_seat(1, "Other");
	assert_int_equal(store_seat_update(f->store, &s, NULL, &f->why), STORE_CONFLICT);
	assert_non_null(strstr(f->why.line, "licences"));
	assert_int_equal(fixture_in_use(f, "Example"), 1);
	strcpy(s.organization, "");
	assert_int_equal(store_seat_update(f->store, &s, NULL, &f->why), STORE_OK);
	assert_int_equal(fixture_in_use(f, "Example"), 0);
	strcpy(s.organization, "Example");
	assert_int_equal(store_seat_update(f->store, &s, NULL, &f->why), STORE_OK);
	assert_int_equal(fixture_in_use(f, "Example"), 1);
	assert_int_equal(fixture_in_use(f, "Other"), 1);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(an_organization_comes_back_by_name_and_id_and_is_changed),
	    ROWS(a_name_is_one_organizations_and_what_is_not_there_cannot_change),
	    ROWS(an_organization_with_seats_stays_and_without_goes),
	    ROWS(a_seat_comes_back_by_seatid_and_id_and_is_changed_whole),
	    ROWS(a_seat_needs_a_free_seatid_and_an_organization_that_is_there),
	    ROWS(seats_are_listed_in_pages_and_by_organization),
	    ROWS(an_import_makes_and_changes_with_one_event),
	    ROWS(an_import_with_one_wrong_organization_writes_nothing_and_names_the_seat),
	    ROWS(the_first_certificate_takes_a_seat_into_use_and_the_last_one_frees_it),
	    ROWS(above_the_licence_count_an_enrolment_is_refused_whole),
	    ROWS(a_hold_keeps_the_seat_and_taking_it_back_does_not_overbook),
	    ROWS(seats_whose_certificates_have_expired_are_swept),
	    ROWS(a_sweep_goes_on_where_the_last_page_ended),
	    ROWS(a_deleted_seat_gives_its_licence_back_and_leaves_its_certificates),
	    ROWS(a_seat_in_use_moves_with_its_count_where_there_is_a_licence),
	};

	return cmocka_run_group_tests_name("store_seat", tests, NULL, NULL);
}
