#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store_fixture.h"

#define NEXT_AUTHORITY "0a0a0a0a-0000-4000-8000-000000000009"

static enum enrolment_conflict what;

static int64_t
newest(struct store_fixture *f)
{
	return store_fixture_integer(f, "SELECT max(id) FROM certificate");
}

/* Commit number and give its row. */
static int64_t
enrol(struct store_fixture *f, unsigned number)
{
	struct fixture_enrolment x;

	fixture_enrolment(&x, number, false);
	if (store_commit_enrolment(f->store, &x.e, &what, &f->why) != STORE_OK)
		fail_msg("%s", f->why.line);
	return newest(f);
}

static enum store_rc
renew(struct store_fixture *f, unsigned number, int64_t predecessor, int64_t max)
{
	struct fixture_enrolment x;

	fixture_enrolment(&x, number, false);
	x.e.predecessor_id = predecessor;
	x.e.max_successors = max;
	return store_commit_enrolment(f->store, &x.e, &what, &f->why);
}

static void
assert_rows(struct store_fixture *f, int certificates)
{
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM certificate"), certificates);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM audit_event"), certificates);
}

/* ---- the commit of a renewal ---- */

static void
a_renewal_names_its_predecessor_and_is_counted_there(void **state)
{
	struct store_fixture *f = *state;
	struct certificate_row c;
	int64_t first;

	first = enrol(f, 1);
	assert_int_equal(renew(f, 2, first, 5), STORE_OK);
	assert_int_equal(what, ENROLMENT_NO_CONFLICT);
	assert_rows(f, 2);
	assert_int_equal(
	    store_certificate_get_id(f->store, newest(f), &c, NULL, &f->why), STORE_OK);
	assert_int_equal(c.predecessor_id, first);
	assert_int_equal(c.successors, 0);
	assert_int_equal(store_certificate_get_id(f->store, first, &c, NULL, &f->why), STORE_OK);
	assert_int_equal(c.predecessor_id, 0);
	assert_int_equal(c.successors, 1);
}

static void
the_last_successor_that_is_allowed_is_issued_and_one_more_is_not(void **state)
{
	struct store_fixture *f = *state;
	int64_t first = enrol(f, 1);

	assert_int_equal(renew(f, 2, first, 2), STORE_OK);
	assert_int_equal(renew(f, 3, first, 2), STORE_OK);
	assert_int_equal(renew(f, 4, first, 2), STORE_CONFLICT);
	assert_int_equal(what, ENROLMENT_PREDECESSOR);
	assert_string_not_equal(f->why.line, "");
	assert_rows(f, 3);
	assert_int_equal(store_fixture_integer(f, "SELECT sum(successors) FROM certificate"), 2);
	/* 0: any number. */
	assert_int_equal(renew(f, 4, first, 0), STORE_OK);
	assert_rows(f, 4);
}

static void
a_predecessor_that_was_revoked_meanwhile_or_is_none_gets_no_successor(void **state)
{
	struct store_fixture *f = *state;
	int64_t first = enrol(f, 1);

	store_fixture_script(
	    f, "UPDATE certificate SET status = 'revoked', revoked_at = 1, revocation_reason = 6");
	assert_int_equal(renew(f, 2, first, 5), STORE_CONFLICT);
	assert_int_equal(what, ENROLMENT_PREDECESSOR);
	assert_int_equal(renew(f, 2, first + 1000, 5), STORE_CONFLICT);
	assert_int_equal(what, ENROLMENT_PREDECESSOR);
	assert_rows(f, 1);
	store_fixture_script(f, "UPDATE certificate SET status = 'valid', revoked_at = NULL");
	assert_int_equal(renew(f, 2, first, 5), STORE_OK);
}

/* Otherwise the client would be told that it may not renew what it has renewed. */
static void
a_repeated_renewal_is_a_repeat_even_where_it_was_the_last_one(void **state)
{
	struct store_fixture *f = *state;
	int64_t first = enrol(f, 1);
	struct fixture_enrolment x, again;

	assert_int_equal(renew(f, 2, first, 1), STORE_OK);
	fixture_enrolment(&x, 2, false);
	fixture_enrolment(&again, 3, false);
	again.e.repeat_key = x.e.repeat_key;
	again.e.predecessor_id = first;
	again.e.max_successors = 1;
	assert_int_equal(
	    store_commit_enrolment(f->store, &again.e, &what, &f->why), STORE_CONFLICT);
	assert_int_equal(what, ENROLMENT_REPEAT);
	assert_rows(f, 2);
}

/* ---- generations ---- */

static void
insert_authority(struct store_fixture *f, const char *id, const char *name, const char *lineage,
    const char *predecessor)
{
	struct authority_row a = fixture_authority();

	strcpy(a.id, id);
	strcpy(a.name, name);
	strcpy(a.state, "next");
	strcpy(a.lineage, lineage);
	strcpy(a.predecessor_id, predecessor);
	assert_int_equal(store_authority_insert(f->store, &a, NULL, &f->why), STORE_OK);
	authority_row_free(&a);
}

static void
the_generation_that_is_to_succeed_the_authority_issues_too_and_others_do_not(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;

	insert_authority(f, NEXT_AUTHORITY, "next", FIXTURE_AUTHORITY, FIXTURE_AUTHORITY);
	insert_authority(f, "0a0a0a0a-0000-4000-8000-00000000000a", "other", "", "");
	fixture_enrolment(&x, 1, false);
	x.e.authority_id = "0a0a0a0a-0000-4000-8000-00000000000a";
	assert_int_equal(store_commit_enrolment(f->store, &x.e, &what, &f->why), STORE_CONFLICT);
	assert_int_equal(what, ENROLMENT_PROFILE);
	assert_rows(f, 0);
	x.e.authority_id = NEXT_AUTHORITY;
	assert_int_equal(store_commit_enrolment(f->store, &x.e, &what, &f->why), STORE_OK);
	assert_rows(f, 1);
}

static void
one_serial_may_be_under_two_authorities_and_the_authority_tells_which(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x, y;
	struct buffer der = {0};
	struct certificate_row c;

	insert_authority(f, NEXT_AUTHORITY, "next", FIXTURE_AUTHORITY, FIXTURE_AUTHORITY);
	fixture_enrolment(&x, 1, false);
	fixture_enrolment(&y, 2, false);
	y.e.serial = x.e.serial;
	y.e.authority_id = NEXT_AUTHORITY;
	assert_int_equal(store_commit_enrolment(f->store, &x.e, &what, &f->why), STORE_OK);
	assert_int_equal(store_commit_enrolment(f->store, &y.e, &what, &f->why), STORE_OK);
	fixture_enrolment(&y, 3, false);
	y.e.serial = x.e.serial;
	y.e.authority_id = NEXT_AUTHORITY;
	assert_int_equal(store_commit_enrolment(f->store, &y.e, &what, &f->why), STORE_CONFLICT);
	assert_int_equal(what, ENROLMENT_SERIAL);
#define SERIAL "01000000111111111111111111111111"
	assert_int_equal(
	    store_certificate_get(f->store, SERIAL, "ca", &c, &der, &f->why), STORE_OK);
	assert_int_equal(c.id, 1);
	assert_string_equal(c.authority, "ca");
	assert_true(octets_equal(buffer_octets(&der), x.e.certificate));
	buffer_free(&der);
	assert_int_equal(
	    store_certificate_get(f->store, SERIAL, NEXT_AUTHORITY, &c, NULL, &f->why), STORE_OK);
	assert_int_equal(c.id, 2);
	assert_string_equal(c.authority, "next");
	assert_int_equal(
	    store_certificate_get(f->store, SERIAL, NULL, &c, NULL, &f->why), STORE_OK);
	assert_int_equal(c.id, 2);
	assert_int_equal(
	    store_certificate_get(f->store, SERIAL, "devices", &c, NULL, &f->why), STORE_NONE);
}

/* ---- what a renewal asks ---- */

static void
a_certificate_of_ours_is_known_by_its_octets_alone(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;
	uint8_t signed_serial[17] = {0};
	struct renewable r;

	enrol(f, 1);
	fixture_enrolment(&x, 1, false);
	assert_int_equal(
	    store_renewable(f->store, x.e.serial, x.e.certificate, &r, &f->why), STORE_OK);
	assert_int_equal(r.id, 1);
	assert_false(r.revoked);
	assert_int_equal(r.successors, 0);
	assert_int_equal(r.not_before, FIXTURE_NOW - 300);
	assert_int_equal(r.not_after, FIXTURE_NOW + 86400);
	assert_string_equal(r.profile_id, FIXTURE_SCEP_PROFILE);
	assert_string_equal(r.profile_lineage, FIXTURE_SCEP_PROFILE);
	assert_string_equal(r.authority_id, FIXTURE_AUTHORITY);
	assert_string_equal(r.authority_lineage, FIXTURE_AUTHORITY);
	assert_int_equal(r.authority_not_after, FIXTURE_NOW + 86400);
	/* With a sign octet as well. */
	memcpy(signed_serial + 1, x.serial, sizeof(x.serial));
	assert_int_equal(store_renewable(f->store, octets_of(signed_serial, sizeof(signed_serial)),
			     x.e.certificate, &r, &f->why),
	    STORE_OK);
	/* Another's certificate with our serial is another's. */
	x.der[999] ^= 1;
	assert_int_equal(
	    store_renewable(f->store, x.e.serial, x.e.certificate, &r, &f->why), STORE_NONE);
	assert_int_equal(r.id, 0);
	x.der[999] ^= 1;
	x.serial[15] ^= 1;
	assert_int_equal(
	    store_renewable(f->store, x.e.serial, x.e.certificate, &r, &f->why), STORE_NONE);
	assert_int_equal(
	    store_renewable(f->store, octets_of(x.der, 32), x.e.certificate, &r, &f->why),
	    STORE_NONE);
}

static void
a_serial_of_zeros_in_front_is_found_by_its_integer(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;
	struct renewable r;
	struct buffer der = {0};
	int64_t id;

	fixture_enrolment(&x, 1, false);
	memset(x.serial, 0, 3);
	x.serial[3] = 0x80;
	assert_int_equal(store_commit_enrolment(f->store, &x.e, &what, &f->why), STORE_OK);
	/* 13 octets and a sign octet before them: as DER has it. */
	assert_int_equal(
	    store_renewable(f->store, octets_of(x.serial + 2, 14), x.e.certificate, &r, &f->why),
	    STORE_OK);
	assert_int_equal(store_certificate_by_serial(f->store, octets_of(x.serial + 3, 13),
			     FIXTURE_AUTHORITY, &id, &der, &f->why),
	    STORE_OK);
	assert_int_equal(id, r.id);
	buffer_free(&der);
	assert_int_equal(
	    store_renewable(f->store, octets_of(x.serial + 4, 12), x.e.certificate, &r, &f->why),
	    STORE_NONE);
}

static void
revoked_held_and_renewed_certificates_say_so(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;
	struct renewable r;

	assert_int_equal(renew(f, 2, enrol(f, 1), 0), STORE_OK);
	store_fixture_script(f, "UPDATE certificate SET status = 'revoked' WHERE id = 1");
	fixture_enrolment(&x, 1, false);
	assert_int_equal(
	    store_renewable(f->store, x.e.serial, x.e.certificate, &r, &f->why), STORE_OK);
	assert_true(r.revoked);
	assert_int_equal(r.successors, 1);
	/* One outside SCEP has no profile. */
	fixture_enrolment(&x, 3, false);
	x.e.scep_profile_id = x.e.ra_profile_id = NULL;
	assert_int_equal(store_commit_enrolment(f->store, &x.e, &what, &f->why), STORE_OK);
	assert_int_equal(
	    store_renewable(f->store, x.e.serial, x.e.certificate, &r, &f->why), STORE_OK);
	assert_string_equal(r.profile_id, "");
	assert_string_equal(r.profile_lineage, "");
}

static void
a_serial_is_looked_up_in_the_lineage_of_its_authority(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;
	struct buffer der = {0};
	int64_t id = 0;

	insert_authority(f, NEXT_AUTHORITY, "next", FIXTURE_AUTHORITY, FIXTURE_AUTHORITY);
	fixture_enrolment(&x, 1, false);
	x.e.authority_id = NEXT_AUTHORITY;
	assert_int_equal(store_commit_enrolment(f->store, &x.e, &what, &f->why), STORE_OK);
	assert_int_equal(
	    store_certificate_by_serial(f->store, x.e.serial, NEXT_AUTHORITY, &id, &der, &f->why),
	    STORE_NONE);
	assert_int_equal(der.len, 0);
	assert_int_equal(store_certificate_by_serial(
			     f->store, x.e.serial, FIXTURE_AUTHORITY, &id, &der, &f->why),
	    STORE_OK);
	assert_int_equal(id, 1);
	assert_true(octets_equal(buffer_octets(&der), x.e.certificate));
	buffer_free(&der);
	x.serial[0] ^= 1;
	assert_int_equal(store_certificate_by_serial(
			     f->store, x.e.serial, FIXTURE_AUTHORITY, &id, &der, &f->why),
	    STORE_NONE);
}

static void
a_certificate_descends_from_itself_and_its_predecessors(void **state)
{
	struct store_fixture *f = *state;
	int64_t first = enrol(f, 1), second, third;

	assert_int_equal(renew(f, 2, first, 0), STORE_OK);
	second = newest(f);
	assert_int_equal(renew(f, 3, second, 0), STORE_OK);
	third = newest(f);
	assert_int_equal(store_certificate_descends(f->store, third, third, &f->why), STORE_OK);
	assert_int_equal(store_certificate_descends(f->store, third, second, &f->why), STORE_OK);
	assert_int_equal(store_certificate_descends(f->store, third, first, &f->why), STORE_OK);
	assert_int_equal(store_certificate_descends(f->store, first, third, &f->why), STORE_NONE);
	assert_int_equal(renew(f, 4, first, 0), STORE_OK);
	assert_int_equal(
	    store_certificate_descends(f->store, newest(f), second, &f->why), STORE_NONE);
	assert_int_equal(store_certificate_descends(f->store, 1000, 1000, &f->why), STORE_NONE);
}

static void
a_descent_is_followed_64_steps_and_ends_in_a_circle(void **state)
{
	struct store_fixture *f = *state;

	enrol(f, 1);
	for (unsigned i = 2; i <= 66; i++)
		assert_int_equal(renew(f, i, i - 1, 0), STORE_OK);
	assert_int_equal(store_certificate_descends(f->store, 66, 2, &f->why), STORE_OK);
	assert_int_equal(store_certificate_descends(f->store, 66, 1, &f->why), STORE_NONE);
	store_fixture_script(f, "UPDATE certificate SET predecessor_id = 3 WHERE id = 2");
	assert_int_equal(store_certificate_descends(f->store, 3, 1, &f->why), STORE_NONE);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(a_renewal_names_its_predecessor_and_is_counted_there),
	    ROWS(the_last_successor_that_is_allowed_is_issued_and_one_more_is_not),
	    ROWS(a_predecessor_that_was_revoked_meanwhile_or_is_none_gets_no_successor),
	    ROWS(a_repeated_renewal_is_a_repeat_even_where_it_was_the_last_one),
	    ROWS(the_generation_that_is_to_succeed_the_authority_issues_too_and_others_do_not),
	    ROWS(one_serial_may_be_under_two_authorities_and_the_authority_tells_which),
	    ROWS(a_certificate_of_ours_is_known_by_its_octets_alone),
	    ROWS(a_serial_of_zeros_in_front_is_found_by_its_integer),
	    ROWS(revoked_held_and_renewed_certificates_say_so),
	    ROWS(a_serial_is_looked_up_in_the_lineage_of_its_authority),
	    ROWS(a_certificate_descends_from_itself_and_its_predecessors),
	    ROWS(a_descent_is_followed_64_steps_and_ends_in_a_circle),
	};

	return cmocka_run_group_tests_name("store_renewal", tests, NULL, NULL);
}
