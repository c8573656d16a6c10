#include "tests/unit/rollover_fixture.h"

/* ---- preparing ---- */

static void
a_next_generation_is_prepared_with_its_ra_certificates(void **state)
{
	struct store_fixture *f = *state;
	int64_t before = version(f);
	struct authority_row next;

	assert_int_equal(
	    store_authority_next(f->store, FIXTURE_AUTHORITY, &next, &f->why), STORE_NONE);
	assert_prepared(f);
	assert_int_equal(version(f), before + 1);
	assert_int_equal(events(f), 1);
	assert_int_equal(
	    store_authority_next(f->store, FIXTURE_AUTHORITY, &next, &f->why), STORE_OK);
	assert_string_equal(next.id, NEXT);
	assert_string_equal(next.state, "next");
	assert_string_equal(next.lineage, FIXTURE_AUTHORITY);
	assert_string_equal(next.predecessor_id, FIXTURE_AUTHORITY);
	authority_row_free(&next);
	/* Nothing has changed yet for the others. */
	assert_authority(f, FIXTURE_AUTHORITY, "active");
	assert_current(f, "demo", FIXTURE_RA_CERTIFICATE, 1);
	assert_issues_by(f, FIXTURE_AUTHORITY);
	assert_beside(f, FIXTURE_SCEP_PROFILE, FIXTURE_NOW, "next 02");
	assert_sound(f);
}

static void
a_second_next_generation_or_one_of_a_taken_name_is_refused(void **state)
{
	struct store_fixture *f = *state;
	struct authority_row a;

	a = a_next(NEXT, FIXTURE_AUTHORITY);
	strcpy(a.name, "ca");
	assert_int_equal(
	    store_rollover_prepare(f->store, &a, NULL, 0, &fixture_event, &f->why), STORE_CONFLICT);
	authority_row_free(&a);
	assert_int_equal(prepare(f, NEXT, FIXTURE_AUTHORITY, NULL, NULL), STORE_OK);
	assert_int_equal(prepare(f, THIRD, FIXTURE_AUTHORITY, NULL, NULL), STORE_CONFLICT);
	assert_non_null(strstr(f->why.line, "ca 2 is prepared already"));
	assert_int_equal(events(f), 1);
	assert_int_equal(count(f, "authority"), 2);
}

static void
only_an_active_authority_that_is_there_gets_a_successor(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(prepare(f, NEXT, FIXTURE_RA_PROFILE, NULL, NULL), STORE_NONE);
	assert_int_equal(prepare(f, NEXT, "", NULL, NULL), STORE_NONE);
	assert_int_equal(prepare(f, NEXT, FIXTURE_AUTHORITY, NULL, NULL), STORE_OK);
	assert_int_equal(prepare(f, THIRD, NEXT, NULL, NULL), STORE_CONFLICT);
	assert_non_null(strstr(f->why.line, "have state next, want active"));
}

static void
one_profile_that_cannot_have_a_next_ra_certificate_leaves_nothing_prepared(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(
	    prepare(f, NEXT, FIXTURE_AUTHORITY, FIXTURE_RA_PROFILE, NEXT_RA), STORE_NONE);
	assert_int_equal(rotate(f, FIXTURE_SCEP_PROFILE, ROTATED_RA, FIXTURE_AUTHORITY), STORE_OK);
	assert_int_equal(
	    prepare(f, NEXT, FIXTURE_AUTHORITY, FIXTURE_SCEP_PROFILE, NEXT_RA), STORE_CONFLICT);
	assert_non_null(strstr(f->why.line, "demo: it has a next RA certificate already"));
	assert_int_equal(count(f, "authority"), 1);
	assert_int_equal(count(f, "ra_certificate"), 2);
	assert_int_equal(events(f), 1);
}

/* ---- switching ---- */

static void
the_switch_changes_who_issues_and_who_decrypts_together(void **state)
{
	struct store_fixture *f = *state;
	struct authority_row next;
	int64_t before;

	insert_second(f);
	assert_prepared(f);
	before = version(f);
	assert_int_equal(switch_to(f, NEXT), STORE_OK);
	assert_int_equal(version(f), before + 1);
	assert_int_equal(events(f), 2);
	assert_authority(f, FIXTURE_AUTHORITY, "retired");
	assert_authority(f, NEXT, "active");
	assert_issues_by(f, NEXT);
	assert_current(f, "demo", NEXT_RA, 2);
	assert_beside(f, FIXTURE_SCEP_PROFILE, FIXTURE_NOW, "previous 01 1000");
	/* A profile without a next RA certificate keeps what it has. */
	assert_current(f, "second", SECOND_RA, 1);
	assert_beside(f, SECOND_SCEP, FIXTURE_NOW, "");
	assert_int_equal(
	    store_authority_next(f->store, FIXTURE_AUTHORITY, &next, &f->why), STORE_NONE);
	assert_sound(f);
	/* Once. */
	assert_int_equal(switch_to(f, NEXT), STORE_CONFLICT);
	assert_int_equal(switch_to(f, FIXTURE_AUTHORITY), STORE_CONFLICT);
	assert_int_equal(switch_to(f, OTHER), STORE_CONFLICT);
	assert_int_equal(events(f), 2);
}

static void
the_third_generation_follows_the_second(void **state)
{
	struct store_fixture *f = *state;
	struct authority_row a;

	assert_prepared(f);
	assert_int_equal(switch_to(f, NEXT), STORE_OK);
	assert_int_equal(prepare(f, THIRD, NEXT, FIXTURE_SCEP_PROFILE, ROTATED_RA), STORE_OK);
	assert_beside(f, FIXTURE_SCEP_PROFILE, FIXTURE_NOW, "next 03, previous 01 1000");
	assert_int_equal(switch_to(f, THIRD), STORE_OK);
	assert_int_equal(store_authority_get(f->store, THIRD, &a, &f->why), STORE_OK);
	assert_string_equal(a.lineage, FIXTURE_AUTHORITY);
	authority_row_free(&a);
	assert_current(f, "demo", ROTATED_RA, 3);
	assert_beside(f, FIXTURE_SCEP_PROFILE, FIXTURE_NOW, "previous 02 1000, previous 01 1000");
	assert_authority(f, NEXT, "retired");
	assert_authority(f, FIXTURE_AUTHORITY, "retired");
	assert_sound(f);
}

/* What was given to another CA in the meantime is its affair. */
static void
a_profile_that_has_left_the_authority_is_not_switched(void **state)
{
	struct authority_row other = fixture_authority();
	struct store_fixture *f = *state;
	struct ra_profile_row r;

	strcpy(other.id, OTHER);
	strcpy(other.name, "other");
	assert_int_equal(store_authority_insert(f->store, &other, NULL, &f->why), STORE_OK);
	authority_row_free(&other);
	assert_prepared(f);
	assert_int_equal(store_ra_profile_get(f->store, "devices", &r, &f->why), STORE_OK);
	strcpy(r.authority_id, OTHER);
	assert_int_equal(store_ra_profile_update(f->store, &r, NULL, &f->why), STORE_OK);
	assert_int_equal(switch_to(f, NEXT), STORE_OK);
	assert_issues_by(f, OTHER);
	assert_current(f, "demo", FIXTURE_RA_CERTIFICATE, 1);
	assert_beside(f, FIXTURE_SCEP_PROFILE, FIXTURE_NOW, "");
	assert_authority(f, FIXTURE_AUTHORITY, "retired");
}

static enum store_rc
enrol_by(
    struct store_fixture *f, unsigned number, const char *authority, enum enrolment_conflict *what)
{
	struct fixture_enrolment x;

	fixture_enrolment(&x, number, false);
	x.e.authority_id = authority;
	return store_commit_enrolment(f->store, &x.e, what, &f->why);
}

static void
before_the_switch_both_generations_issue_and_after_it_the_new_one_alone(void **state)
{
	struct store_fixture *f = *state;
	enum enrolment_conflict what;

	assert_prepared(f);
	assert_int_equal(enrol_by(f, 1, FIXTURE_AUTHORITY, &what), STORE_OK);
	assert_int_equal(enrol_by(f, 2, NEXT, &what), STORE_OK);
	assert_int_equal(switch_to(f, NEXT), STORE_OK);
	assert_int_equal(enrol_by(f, 3, FIXTURE_AUTHORITY, &what), STORE_CONFLICT);
	assert_int_equal(what, ENROLMENT_PROFILE);
	assert_int_equal(enrol_by(f, 3, NEXT, &what), STORE_OK);
}

/* ---- taking back ---- */

static void
a_prepared_generation_is_taken_back_with_all_that_it_has(void **state)
{
	struct ocsp_responder_row o = {.id = "0f0f0f0f-0000-4000-8000-000000000001",
	    .authority_id = NEXT,
	    .key_file = "ocsp.pem"};
	struct store_fixture *f = *state;
	struct crl_row crl = {.number = 1};

	assert_prepared(f);
	buffer_append_string(&o.certificate, "OCSP");
	buffer_append_string(&crl.der, "CRL");
	assert_int_equal(store_ocsp_responder_insert(f->store, &o, NULL, &f->why), STORE_OK);
	assert_int_equal(store_crl_put(f->store, NEXT, &crl, NULL, &f->why), STORE_OK);
	ocsp_responder_row_free(&o);
	buffer_free(&crl.der);
	assert_int_equal(cancel(f, NEXT), STORE_OK);
	assert_int_equal(count(f, "authority"), 1);
	assert_int_equal(count(f, "ra_certificate"), 1);
	assert_int_equal(count(f, "scep_profile_ra"), 0);
	assert_int_equal(count(f, "ocsp_responder"), 0);
	assert_int_equal(count(f, "crl"), 0);
	assert_int_equal(events(f), 2);
	assert_current(f, "demo", FIXTURE_RA_CERTIFICATE, 1);
	assert_sound(f);
	/* And may be prepared anew. */
	assert_prepared(f);
}

static void
what_is_not_prepared_or_has_issued_is_not_taken_back(void **state)
{
	struct store_fixture *f = *state;
	enum enrolment_conflict what;

	assert_int_equal(cancel(f, FIXTURE_AUTHORITY), STORE_CONFLICT);
	assert_non_null(strstr(f->why.line, "not prepared"));
	assert_int_equal(cancel(f, OTHER), STORE_CONFLICT);
	assert_prepared(f);
	assert_int_equal(enrol_by(f, 1, NEXT, &what), STORE_OK);
	assert_int_equal(cancel(f, NEXT), STORE_CONFLICT);
	assert_non_null(strstr(f->why.line, "it has issued"));
	assert_authority(f, NEXT, "next");
	assert_beside(f, FIXTURE_SCEP_PROFILE, FIXTURE_NOW, "next 02");
	assert_int_equal(switch_to(f, NEXT), STORE_OK);
	assert_int_equal(cancel(f, NEXT), STORE_CONFLICT);
	assert_current(f, "demo", NEXT_RA, 2);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(a_next_generation_is_prepared_with_its_ra_certificates),
	    ROWS(a_second_next_generation_or_one_of_a_taken_name_is_refused),
	    ROWS(only_an_active_authority_that_is_there_gets_a_successor),
	    ROWS(one_profile_that_cannot_have_a_next_ra_certificate_leaves_nothing_prepared),
	    ROWS(the_switch_changes_who_issues_and_who_decrypts_together),
	    ROWS(the_third_generation_follows_the_second),
	    ROWS(a_profile_that_has_left_the_authority_is_not_switched),
	    ROWS(before_the_switch_both_generations_issue_and_after_it_the_new_one_alone),
	    ROWS(a_prepared_generation_is_taken_back_with_all_that_it_has),
	    ROWS(what_is_not_prepared_or_has_issued_is_not_taken_back),
	};

	return cmocka_run_group_tests_name("store_rollover", tests, NULL, NULL);
}
