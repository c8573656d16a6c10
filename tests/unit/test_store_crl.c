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

static int64_t
version(struct store_fixture *f)
{
	int64_t v = -1;

	assert_int_equal(store_config_version(f->store, &v, &f->why), STORE_OK);
	return v;
}

/* ---- CRLs ---- */

static enum store_rc
put(struct store_fixture *f, int64_t number, const char *der)
{
	struct crl_row crl = {.number = number,
	    .revocations = 100 + number,
	    .this_update = 200 + number,
	    .next_update = 300 + number,
	    .entries = 400 + number};
	enum store_rc rc;

	buffer_append_string(&crl.der, der);
	rc = store_crl_put(f->store, FIXTURE_AUTHORITY, &crl, &fixture_event, &f->why);
	buffer_free(&crl.der);
	return rc;
}

static void
the_newest_crl_is_kept_and_an_older_one_or_as_old_is_not(void **state)
{
	struct store_fixture *f = *state;
	struct crl_row crl;
	int64_t before = version(f);

	assert_int_equal(
	    store_crl_get(f->store, FIXTURE_AUTHORITY, true, &crl, &f->why), STORE_NONE);
	assert_int_equal(put(f, 7, "seven"), STORE_OK);
	assert_int_equal(put(f, 7, "another"), STORE_CONFLICT);
	assert_int_equal(put(f, 6, "six"), STORE_CONFLICT);
	assert_non_null(strstr(f->why.line, "number 6 or above"));
	assert_int_equal(put(f, 8, "eight"), STORE_OK);
	assert_int_equal(events(f), 2);
	assert_int_equal(version(f), before);
	assert_int_equal(store_crl_get(f->store, FIXTURE_AUTHORITY, true, &crl, &f->why), STORE_OK);
	assert_int_equal(crl.number, 8);
	assert_int_equal(crl.revocations, 108);
	assert_int_equal(crl.this_update, 208);
	assert_int_equal(crl.next_update, 308);
	assert_int_equal(crl.entries, 408);
	assert_true(octets_equal(buffer_octets(&crl.der), octets_of_string("eight")));
	buffer_free(&crl.der);
	assert_int_equal(
	    store_crl_get(f->store, FIXTURE_AUTHORITY, false, &crl, &f->why), STORE_OK);
	assert_int_equal(crl.number, 8);
	assert_int_equal(crl.der.len, 0);
}

static void
a_crl_needs_its_authority(void **state)
{
	struct store_fixture *f = *state;
	struct crl_row crl = {.number = 1};
	int64_t n = -1;

	buffer_append_string(&crl.der, "der");
	assert_int_equal(
	    store_crl_put(f->store, FIXTURE_RA_PROFILE, &crl, NULL, &f->why), STORE_NONE);
	buffer_free(&crl.der);
	assert_int_equal(
	    store_crl_get(f->store, FIXTURE_RA_PROFILE, true, &crl, &f->why), STORE_NONE);
	assert_int_equal(store_crl_wanted(f->store, FIXTURE_RA_PROFILE, &n, &f->why), STORE_NONE);
	assert_int_equal(store_crl_wanted(f->store, FIXTURE_AUTHORITY, &n, &f->why), STORE_OK);
	assert_int_equal(n, 0);
}

/* ---- OCSP responders ---- */

static struct ocsp_responder_row
a_responder(const char *id)
{
	struct ocsp_responder_row r = {.authority_id = FIXTURE_AUTHORITY,
	    .key_file = "ocsp.pem",
	    .not_after = FIXTURE_NOW + 1000,
	    .created_at = FIXTURE_NOW};

	strcpy(r.id, id);
	buffer_append_string(&r.certificate, id);
	return r;
}

static void
the_newest_responder_answers(void **state)
{
	static const char *const ids[] = {
	    "0f0f0f0f-0000-4000-8000-000000000001", "0f0f0f0f-0000-4000-8000-000000000002"};
	struct store_fixture *f = *state;
	struct ocsp_responder_row r, have;
	int64_t before = version(f);

	assert_int_equal(
	    store_ocsp_responder_get(f->store, FIXTURE_AUTHORITY, &have, &f->why), STORE_NONE);
	for (int i = 0; i < 2; i++) {
		r = a_responder(ids[i]);
		assert_int_equal(
		    store_ocsp_responder_insert(f->store, &r, &fixture_event, &f->why), STORE_OK);
		assert_int_equal(
		    store_ocsp_responder_get(f->store, FIXTURE_AUTHORITY, &have, &f->why),
		    STORE_OK);
		assert_string_equal(have.id, ids[i]);
		assert_string_equal(have.authority_id, FIXTURE_AUTHORITY);
		assert_string_equal(have.key_file, "ocsp.pem");
		assert_int_equal(have.not_after, r.not_after);
		assert_int_equal(have.created_at, r.created_at);
		assert_true(
		    octets_equal(buffer_octets(&have.certificate), buffer_octets(&r.certificate)));
		ocsp_responder_row_free(&have);
		ocsp_responder_row_free(&r);
	}
	assert_int_equal(version(f), before + 2);
	assert_int_equal(events(f), 2);
}

static void
a_responder_needs_its_authority_and_an_id_of_its_own(void **state)
{
	struct store_fixture *f = *state;
	struct ocsp_responder_row r = a_responder("0f0f0f0f-0000-4000-8000-000000000001");

	strcpy(r.authority_id, FIXTURE_RA_PROFILE);
	assert_int_equal(
	    store_ocsp_responder_insert(f->store, &r, &fixture_event, &f->why), STORE_NONE);
	strcpy(r.authority_id, FIXTURE_AUTHORITY);
	assert_int_equal(store_ocsp_responder_insert(f->store, &r, NULL, &f->why), STORE_OK);
	assert_int_equal(
	    store_ocsp_responder_insert(f->store, &r, &fixture_event, &f->why), STORE_CONFLICT);
	assert_int_equal(events(f), 0);
	ocsp_responder_row_free(&r);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(the_newest_crl_is_kept_and_an_older_one_or_as_old_is_not),
	    ROWS(a_crl_needs_its_authority),
	    ROWS(the_newest_responder_answers),
	    ROWS(a_responder_needs_its_authority_and_an_id_of_its_own),
	};

	return cmocka_run_group_tests_name("store_crl", tests, NULL, NULL);
}
