#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store/revocation.h"
#include "store_fixture.h"

static int64_t
events(struct store_fixture *f)
{
	return store_fixture_integer(f, "SELECT count(*) FROM audit_event");
}

static struct certificate_import
an_import(const char *serial, size_t len)
{
	struct certificate_import c = {
	    .serial = octets_of(serial, len),
	    .authority_id = FIXTURE_AUTHORITY,
	    .scep_profile_id = FIXTURE_SCEP_PROFILE,
	    .certificate = octets_of(serial, len),
	    .subject = "CN=imported",
	    .san = "DNS:imported",
	    .not_before = FIXTURE_NOW - 1000,
	    .not_after = FIXTURE_NOW + 1000,
	    .now = FIXTURE_NOW,
	};

	return c;
}

static enum store_rc
import(struct store_fixture *f, const struct certificate_import *c)
{
	return store_certificate_import(f->store, c, &fixture_event, &f->why);
}

static void
an_imported_certificate_is_there_and_renews_through_its_profile(void **state)
{
	struct certificate_import c = an_import("\1", 1);
	struct store_fixture *f = *state;
	struct certificate_row row;
	struct buffer der = {0};
	struct renewable r;

	assert_int_equal(import(f, &c), STORE_OK);
	assert_int_equal(events(f), 1);
	assert_int_equal(store_certificate_get(f->store, "1", "ca", &row, &der, &f->why), STORE_OK);
	assert_true(octets_equal(buffer_octets(&der), c.certificate));
	buffer_free(&der);
	assert_string_equal(row.serial, "00000000000000000000000000000001");
	assert_string_equal(row.uuid, "00000000-0000-0000-0000-000000000001");
	assert_string_equal(row.subject, "CN=imported");
	assert_string_equal(row.san, "DNS:imported");
	assert_string_equal(row.status, "valid");
	assert_string_equal(row.purpose, "device");
	assert_string_equal(row.profile, "demo");
	assert_int_equal(row.not_before, FIXTURE_NOW - 1000);
	assert_int_equal(row.not_after, FIXTURE_NOW + 1000);
	assert_int_equal(row.created_at, FIXTURE_NOW);
	assert_int_equal(row.revoked_at, 0);
	assert_int_equal(store_fixture_integer(f, "SELECT revocations FROM authority"), 0);
	assert_int_equal(store_renewable(f->store, c.serial, c.certificate, &r, &f->why), STORE_OK);
	assert_string_equal(r.profile_id, FIXTURE_SCEP_PROFILE);
	assert_false(r.revoked);
}

static void
a_serial_of_20_octets_is_imported_and_one_of_21_is_not(void **state)
{
	static const char serial[] = "\x7f-20-octets-of-serial!";
	struct certificate_import c = an_import(serial, 20);
	struct store_fixture *f = *state;
	struct certificate_row row;

	assert_int_equal(import(f, &c), STORE_OK);
	assert_int_equal(store_certificate_get_id(f->store, 1, &row, NULL, &f->why), STORE_OK);
	assert_string_equal(row.uuid, "");
	assert_int_equal(strlen(row.serial), 40);
	assert_int_equal(
	    store_certificate_get(f->store, row.serial, NULL, &row, NULL, &f->why), STORE_OK);
	c = an_import(serial, 21);
	assert_int_equal(import(f, &c), STORE_AWAY);
	assert_non_null(strstr(f->why.line, "has 21 octets"));
	c = an_import(serial, 0);
	assert_int_equal(import(f, &c), STORE_AWAY);
	assert_int_equal(events(f), 1);
}

static void
what_is_there_already_is_not_imported_again_in_whatever_form(void **state)
{
	struct store_fixture *f = *state;
	enum enrolment_conflict what;
	struct certificate_import c;
	struct fixture_enrolment x;

	fixture_enrolment(&x, 0, false);
	memset(x.serial, 0, 15);
	x.serial[15] = 9;
	assert_int_equal(store_commit_enrolment(f->store, &x.e, &what, &f->why), STORE_OK);
	c = an_import("\0\11", 2);
	assert_int_equal(import(f, &c), STORE_CONFLICT);
	assert_non_null(strstr(f->why.line, "of this serial already"));
	c = an_import("\12", 1);
	assert_int_equal(import(f, &c), STORE_OK);
	assert_int_equal(import(f, &c), STORE_CONFLICT);
	assert_int_equal(events(f), 2);
}

static void
an_import_needs_its_authority_and_its_profile_where_it_names_one(void **state)
{
	struct certificate_import c = an_import("\1", 1);
	struct store_fixture *f = *state;
	struct certificate_row row;

	c.authority_id = FIXTURE_RA_PROFILE;
	assert_int_equal(import(f, &c), STORE_NONE);
	c.authority_id = FIXTURE_AUTHORITY;
	c.scep_profile_id = FIXTURE_RA_PROFILE;
	assert_int_equal(import(f, &c), STORE_NONE);
	assert_int_equal(events(f), 0);
	c.scep_profile_id = NULL;
	assert_int_equal(import(f, &c), STORE_OK);
	assert_int_equal(store_certificate_get_id(f->store, 1, &row, NULL, &f->why), STORE_OK);
	assert_string_equal(row.profile, "");
}

static void
a_certificate_imported_as_revoked_makes_a_new_crl_wanted(void **state)
{
	struct certificate_import c = an_import("\1", 1);
	struct store_fixture *f = *state;
	struct certificate_row row;
	int64_t n = -1;

	c.revoked_at = FIXTURE_NOW - 10;
	assert_int_equal(import(f, &c), STORE_OK);
	assert_int_equal(store_certificate_get_id(f->store, 1, &row, NULL, &f->why), STORE_OK);
	assert_string_equal(row.status, "revoked");
	assert_int_equal(row.revoked_at, FIXTURE_NOW - 10);
	assert_int_equal(row.revocation_reason, 0);
	assert_int_equal(store_crl_wanted(f->store, FIXTURE_AUTHORITY, &n, &f->why), STORE_OK);
	assert_int_equal(n, 1);
	assert_int_equal(store_unhold(f->store, 1, NULL, &f->why), STORE_CONFLICT);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(an_imported_certificate_is_there_and_renews_through_its_profile),
	    ROWS(a_serial_of_20_octets_is_imported_and_one_of_21_is_not),
	    ROWS(what_is_there_already_is_not_imported_again_in_whatever_form),
	    ROWS(an_import_needs_its_authority_and_its_profile_where_it_names_one),
	    ROWS(a_certificate_imported_as_revoked_makes_a_new_crl_wanted),
	};

	return cmocka_run_group_tests_name("store_import", tests, NULL, NULL);
}
