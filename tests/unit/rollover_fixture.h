/* rollover_fixture.h: for the tests of rollover in the store: generations and RA certificates by id, and what there is of them. */
#ifndef TESTS_ROLLOVER_FIXTURE_H
#define TESTS_ROLLOVER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "store/revocation.h"
#include "tests/unit/store_fixture.h"

#define NEXT	    "0a0a0a0a-0000-4000-8000-000000000002"
#define THIRD	    "0a0a0a0a-0000-4000-8000-000000000003"
#define OTHER	    "0a0a0a0a-0000-4000-8000-00000000000a"
#define NEXT_RA	    "0c0c0c0c-0000-4000-8000-000000000002"
#define ROTATED_RA  "0c0c0c0c-0000-4000-8000-000000000003"
#define SECOND_SCEP "0d0d0d0d-0000-4000-8000-000000000002"
#define SECOND_RA   "0c0c0c0c-0000-4000-8000-00000000000b"
#define SECOND_NEXT "0c0c0c0c-0000-4000-8000-00000000000c"
#define OVERLAP	    (FIXTURE_NOW + 1000)

static inline int64_t
version(struct store_fixture *f)
{
	int64_t v = -1;

	assert_int_equal(store_config_version(f->store, &v, &f->why), STORE_OK);
	return v;
}

static inline int64_t
events(struct store_fixture *f)
{
	return store_fixture_integer(f, "SELECT count(*) FROM audit_event");
}

static inline int64_t
count(struct store_fixture *f, const char *table)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
	return store_fixture_integer(f, sql);
}

static inline void
assert_sound(struct store_fixture *f)
{
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

/* ---- what is done ---- */

static inline struct ra_certificate_row
an_ra(const char *id, const char *authority)
{
	struct ra_certificate_row ra = {.not_after = FIXTURE_NOW + 9, .created_at = FIXTURE_NOW};

	snprintf(ra.id, sizeof(ra.id), "%s", id);
	snprintf(ra.authority_id, sizeof(ra.authority_id), "%s", authority);
	snprintf(ra.key_file, sizeof(ra.key_file), "%s.pem", id);
	buffer_append_string(&ra.certificate, id);
	return ra;
}

static inline struct authority_row
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
static inline enum store_rc
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

static inline void
assert_prepared(struct store_fixture *f)
{
	if (prepare(f, NEXT, FIXTURE_AUTHORITY, FIXTURE_SCEP_PROFILE, NEXT_RA) != STORE_OK)
		fail_msg("%s", f->why.line);
}

static inline enum store_rc
switch_to(struct store_fixture *f, const char *id)
{
	return store_rollover_switch(f->store, id, OVERLAP, &fixture_event, &f->why);
}

static inline enum store_rc
cancel(struct store_fixture *f, const char *id)
{
	return store_rollover_cancel(f->store, id, &fixture_event, &f->why);
}

static inline enum store_rc
rotate(struct store_fixture *f, const char *profile, const char *ra_id, const char *authority)
{
	struct ra_certificate_row ra = an_ra(ra_id, authority);
	enum store_rc rc = store_ra_prepare(f->store, profile, &ra, &fixture_event, &f->why);

	ra_certificate_row_free(&ra);
	return rc;
}

static inline enum store_rc
switch_ra(struct store_fixture *f, const char *profile)
{
	return store_ra_switch(f->store, profile, OVERLAP, &fixture_event, &f->why);
}

static inline enum store_rc
cancel_ra(struct store_fixture *f, const char *profile)
{
	return store_ra_cancel(f->store, profile, &fixture_event, &f->why);
}

/* A second SCEP profile of the same RA profile. */
static inline void
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

static inline void
assert_authority(struct store_fixture *f, const char *id, const char *state)
{
	struct authority_row a;

	assert_int_equal(store_authority_get(f->store, id, &a, &f->why), STORE_OK);
	assert_string_equal(a.state, state);
	authority_row_free(&a);
}

static inline void
assert_current(struct store_fixture *f, const char *profile, const char *ra, int64_t row_version)
{
	struct scep_profile_row p;

	assert_int_equal(store_scep_profile_get(f->store, profile, &p, &f->why), STORE_OK);
	assert_string_equal(p.ra_certificate_id, ra);
	assert_int_equal(p.version, row_version);
}

static inline void
assert_issues_by(struct store_fixture *f, const char *authority)
{
	struct ra_profile_row r;

	assert_int_equal(store_ra_profile_get(f->store, "devices", &r, &f->why), STORE_OK);
	assert_string_equal(r.authority_id, authority);
}

/* "next ID" or "previous ID UNTIL", one behind the other. */
static inline bool
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

static inline void
assert_beside(struct store_fixture *f, const char *profile, int64_t now, const char *want)
{
	char text[512] = "";

	assert_int_equal(
	    store_profile_ra_each(f->store, profile, now, write_ra, text, &f->why), STORE_OK);
	assert_string_equal(text, want);
}

#endif
