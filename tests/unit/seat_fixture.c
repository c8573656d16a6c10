#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "seat_fixture.h"

struct organization_row
fixture_organization(unsigned number, const char *name, int64_t licenses)
{
	struct organization_row o = {.license_count = licenses, .created_at = FIXTURE_NOW};

	snprintf(o.id, sizeof(o.id), "0f0f0f0f-0001-4000-8000-%012u", number);
	snprintf(o.name, sizeof(o.name), "%s", name);
	return o;
}

struct seat_row
fixture_seat(unsigned number, const char *organization)
{
	struct seat_row s = {.type = "device",
	    .name = "laptop",
	    .email = "someone@example.com",
	    .department = "IT",
	    .created_at = FIXTURE_NOW};

	snprintf(s.id, sizeof(s.id), "0f0f0f0f-0002-4000-8000-%012u", number);
	snprintf(s.seat_id, sizeof(s.seat_id), "seat-%u", number);
	snprintf(s.organization, sizeof(s.organization), "%s", organization);
	return s;
}

struct enrollment_row
fixture_enrollment(unsigned number, unsigned seat, int64_t max_uses)
{
	struct enrollment_row n = {.profile_id = FIXTURE_SCEP_PROFILE,
	    .email = "someone@example.com",
	    .attributes = {{.type = "subject.organization", .value = "Example"}},
	    .attribute_count = 1,
	    .max_uses = max_uses,
	    .created_by = "scepctl:root",
	    .created_at = FIXTURE_NOW,
	    .expires_at = FIXTURE_NOW + 3600};
	struct fixture_enrolment x;

	fixture_enrolment(&x, number, true);
	memcpy(n.code_hash, x.challenge_id, sizeof(n.code_hash));
	snprintf(n.id, sizeof(n.id), "0f0f0f0f-0003-4000-8000-%012u", number);
	snprintf(n.seat_id, sizeof(n.seat_id), "seat-%u", seat);
	return n;
}

struct account_row
fixture_account(unsigned number, const char *organization)
{
	struct account_row a = {.profile_id = FIXTURE_SCEP_PROFILE,
	    .department = "IT",
	    .enabled = true,
	    .created_at = FIXTURE_NOW};

	memset(a.secret_hash, (int)number, sizeof(a.secret_hash));
	snprintf(a.id, sizeof(a.id), "0f0f0f0f-0004-4000-8000-%012u", number);
	snprintf(a.name, sizeof(a.name), "account-%u", number);
	snprintf(a.organization, sizeof(a.organization), "%s", organization);
	return a;
}

static void
check(struct store_fixture *f, enum store_rc rc)
{
	if (rc != STORE_OK)
		fail_msg("have %d: %s", (int)rc, f->why.line);
}

void
fixture_insert_organization(
    struct store_fixture *f, unsigned number, const char *name, int64_t licenses)
{
	struct organization_row o = fixture_organization(number, name, licenses);

	check(f, store_organization_insert(f->store, &o, NULL, &f->why));
}

void
fixture_insert_seat(struct store_fixture *f, unsigned number, const char *organization)
{
	struct seat_row s = fixture_seat(number, organization);

	check(f, store_seat_insert(f->store, &s, NULL, &f->why));
}

void
fixture_insert_enrollment(struct store_fixture *f, unsigned number, unsigned seat, int64_t max_uses)
{
	struct enrollment_row n = fixture_enrollment(number, seat, max_uses);

	check(f, store_enrollment_insert(f->store, &n, NULL, &f->why));
}

void
fixture_insert_account(struct store_fixture *f, unsigned number, const char *organization)
{
	struct account_row a = fixture_account(number, organization);

	check(f, store_account_insert(f->store, &a, NULL, &f->why));
}

int64_t
fixture_in_use(struct store_fixture *f, const char *organization)
{
	struct organization_row o;

	check(f, store_organization_get(f->store, organization, &o, &f->why));
	return o.seats_in_use;
}

void
fixture_commit(struct store_fixture *f, struct fixture_enrolment *x, enum enrolment_conflict want)
{
	enum enrolment_conflict what;
	enum store_rc rc = store_commit_enrolment(f->store, &x->e, &what, &f->why);

	if (rc != (want == ENROLMENT_NO_CONFLICT ? STORE_OK : STORE_CONFLICT))
		fail_msg("have %d: %s", (int)rc, f->why.line);
	assert_int_equal(what, want);
}

void
fixture_enrol_seat(
    struct store_fixture *f, unsigned number, int64_t seat_row, enum enrolment_conflict want)
{
	struct fixture_enrolment x;

	fixture_enrolment(&x, number, false);
	x.e.seat_row = seat_row;
	fixture_commit(f, &x, want);
}
