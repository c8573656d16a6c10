#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "store/revocation.h"
#include "store_fixture.h"

#define NEXT	    "0a0a0a0a-0000-4000-8000-000000000002"
#define THIRD	    "0a0a0a0a-0000-4000-8000-000000000003"
#define OTHER	    "0a0a0a0a-0000-4000-8000-00000000000a"
#define NEXT_RA	    "0c0c0c0c-0000-4000-8000-000000000002"
#define ROTATED_RA  "0c0c0c0c-0000-4000-8000-000000000003"
#define SECOND_SCEP "0d0d0d0d-0000-4000-8000-000000000002"
#define SECOND_RA   "0c0c0c0c-0000-4000-8000-00000000000b"
#define SECOND_NEXT "0c0c0c0c-0000-4000-8000-00000000000c"
#define OVERLAP	    (FIXTURE_NOW + 1000)

static int64_t
version(struct store_fixture *f)
{
	int64_t v = -1;

	assert_int_equal(store_config_version(f->store, &v, &f->why), STORE_OK);
	return v;
}

static int64_t
events(struct store_fixture *f)
{
	return store_fixture_integer(f, "SELECT count(*) FROM audit_event");
}

static int64_t
count(struct store_fixture *f, const char *table)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
	return store_fixture_integer(f, sql);
}

static void
assert_sound(struct store_fixture *f)
{
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

/* ---- what is done ---- */

static struct ra_certificate_row
an_ra(const char *id, const char *authority)
{
	struct ra_certificate_row ra = {.not_after = FIXTURE_NOW + 9, .created_at = FIXTURE_NOW};

	snprintf(ra.id, sizeof(ra.id), "%s", id);
	snprintf(ra.authority_id, sizeof(ra.authority_id), "%s", authority);
	snprintf(ra.key_file, sizeof(ra.key_file), "%s.pem", id);
	buffer_append_string(&ra.certificate, id);
	return ra;
}

static struct authority_row
a_next(const char *id, const char *predecessor)
{
	struct authority_row a = fixture_authority();

	snprintf(a.id, sizeof(a.id), "%s", id);
	snprintf(a.name, sizeof(a.name), "ca %c", id[35]);
	snprintf(a.predecessor_id, sizeof(a.predecessor_id), "%s", predecessor);
	/* What the store sets by itself. */
	strcpy(a.state, "pending");
	strcpy(a.lineage, OTHER);
	return a;
}

/* Prepare id to succeed predecessor, with an RA certificate for one profile (NULL: none). */
static enum store_rc
prepare(struct store_fixture *f, const char *id, const char *predecessor, const char *profile,
    const char *ra_id)
{
	struct authority_row a = a_next(id, predecessor);
	struct ra_certificate_row ra = an_ra(ra_id != NULL ? ra_id : NEXT_RA, id);
	struct next_ra next = {.scep_profile_id = profile, .ra = &ra};
	enum store_rc rc;

	rc = store_rollover_prepare(f->store, &a, &next, profile != NULL, &fixture_event, &f->why);
	ra_certificate_row_free(&ra);
	authority_row_free(&a);
	return rc;
}

static void
assert_prepared(struct store_fixture *f)
{
	if (prepare(f, NEXT, FIXTURE_AUTHORITY, FIXTURE_SCEP_PROFILE, NEXT_RA) != STORE_OK)
		fail_msg("%s", f->why.line);
}

static enum store_rc
switch_to(struct store_fixture *f, const char *id)
{
	return store_rollover_switch(f->store, id, OVERLAP, &fixture_event, &f->why);
}

static enum store_rc
cancel(struct store_fixture *f, const char *id)
{
	return store_rollover_cancel(f->store, id, &fixture_event, &f->why);
}

static enum store_rc
rotate(struct store_fixture *f, const char *profile, const char *ra_id, const char *authority)
{
	struct ra_certificate_row ra = an_ra(ra_id, authority);
	enum store_rc rc = store_ra_prepare(f->store, profile, &ra, &fixture_event, &f->why);

	ra_certificate_row_free(&ra);
	return rc;
}

static enum store_rc
switch_ra(struct store_fixture *f, const char *profile)
{
	return store_ra_switch(f->store, profile, OVERLAP, &fixture_event, &f->why);
}

static enum store_rc
cancel_ra(struct store_fixture *f, const char *profile)
{
	return store_ra_cancel(f->store, profile, &fixture_event, &f->why);
}

/* A second SCEP profile of the same RA profile. */
static void
insert_second(struct store_fixture *f)
{
	struct ra_certificate_row ra = an_ra(SECOND_RA, FIXTURE_AUTHORITY);
	struct scep_profile_row p = fixture_scep_profile();

	strcpy(p.id, SECOND_SCEP);
	strcpy(p.name, "second");
	strcpy(p.ra_certificate_id, SECOND_RA);
	assert_int_equal(store_scep_profile_insert(f->store, &p, &ra, NULL, &f->why), STORE_OK);
	ra_certificate_row_free(&ra);
}

/* ---- what is there ---- */

static void
assert_authority(struct store_fixture *f, const char *id, const char *state)
{
	struct authority_row a;

	assert_int_equal(store_authority_get(f->store, id, &a, &f->why), STORE_OK);
	assert_string_equal(a.state, state);
	authority_row_free(&a);
}

static void
assert_current(struct store_fixture *f, const char *profile, const char *ra, int64_t row_version)
{
	struct scep_profile_row p;

	assert_int_equal(store_scep_profile_get(f->store, profile, &p, &f->why), STORE_OK);
	assert_string_equal(p.ra_certificate_id, ra);
	assert_int_equal(p.version, row_version);
}

static void
assert_issues_by(struct store_fixture *f, const char *authority)
{
	struct ra_profile_row r;

	assert_int_equal(store_ra_profile_get(f->store, "devices", &r, &f->why), STORE_OK);
	assert_string_equal(r.authority_id, authority);
}

/* "next ID" or "previous ID UNTIL", one behind the other. */
static bool
write_ra(void *ctx, const struct ra_certificate_row *r)
{
	char *text = ctx;

	snprintf(text + strlen(text), 512 - strlen(text), "%s%s %s", *text != '\0' ? ", " : "",
	    r->role, r->id + 34);
	if (r->until != 0)
		snprintf(text + strlen(text), 512 - strlen(text), " %lld",
		    (long long)(r->until - FIXTURE_NOW));
	assert_true(octets_equal(buffer_octets(&r->certificate), octets_of_string(r->id)) ||
		    strcmp(r->id, FIXTURE_RA_CERTIFICATE) == 0);
	return true;
}

static void
assert_beside(struct store_fixture *f, const char *profile, int64_t now, const char *want)
{
	char text[512] = "";

	assert_int_equal(
	    store_profile_ra_each(f->store, profile, now, write_ra, text, &f->why), STORE_OK);
	assert_string_equal(text, want);
}

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

/* ---- RA certificates alone ---- */

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
	    ROWS(an_ra_certificate_is_rotated_in_its_profile_alone),
	    ROWS(a_profile_has_one_next_ra_certificate_and_none_to_switch_to_without),
	    ROWS(a_next_ra_certificate_is_taken_back_with_its_row),
	    ROWS(what_a_rollover_has_prepared_waits_for_its_switch),
	    ROWS(one_that_was_rotated_in_does_not_go_with_a_rollover),
	    ROWS(a_previous_one_that_comes_back_is_current_again_and_previous_after_that),
	    ROWS(previous_ones_count_until_their_time_is_over_and_are_forgotten_then),
	    ROWS(a_profile_that_is_deleted_takes_its_places_along),
	};

	return cmocka_run_group_tests_name("store_rollover", tests, NULL, NULL);
}
