#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store_fixture.h"

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

static void
assert_same_authority(const struct authority_row *a, const struct authority_row *b)
{
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->state, b->state);
	assert_string_equal(a->key_file, b->key_file);
	assert_string_equal(a->crl_url, b->crl_url);
	assert_string_equal(a->ocsp_url, b->ocsp_url);
	assert_string_equal(a->lineage, b->lineage);
	assert_string_equal(a->predecessor_id, b->predecessor_id);
	assert_int_equal(a->revocations, b->revocations);
	assert_true(octets_equal(buffer_octets(&a->certificate), buffer_octets(&b->certificate)));
	assert_true(octets_equal(buffer_octets(&a->chain), buffer_octets(&b->chain)));
	assert_true(octets_equal(buffer_octets(&a->request), buffer_octets(&b->request)));
	assert_int_equal(a->not_after, b->not_after);
	assert_int_equal(a->created_at, b->created_at);
}

static void
an_authority_comes_back_by_name_and_by_uuid(void **state)
{
	struct store_fixture *f = *state;
	struct authority_row want = fixture_authority(), have;

	assert_int_equal(store_authority_get(f->store, "ca", &have, &f->why), STORE_OK);
	assert_same_authority(&want, &have);
	authority_row_free(&have);
	assert_int_equal(
	    store_authority_get(f->store, FIXTURE_AUTHORITY, &have, &f->why), STORE_OK);
	assert_same_authority(&want, &have);
	authority_row_free(&have);
	authority_row_free(&want);
	assert_int_equal(store_authority_get(f->store, "CA", &have, &f->why), STORE_NONE);
	authority_row_free(&have);
}

static void
an_authority_without_a_lineage_begins_one_and_a_predecessor_must_be_there(void **state)
{
	struct store_fixture *f = *state;
	struct authority_row a = fixture_authority(), have;

	strcpy(a.id, "0a0a0a0a-0000-4000-8000-000000000002");
	strcpy(a.name, "ca2");
	strcpy(a.lineage, "");
	strcpy(a.predecessor_id, a.id);
	assert_int_equal(store_authority_insert(f->store, &a, &fixture_event, &f->why), STORE_NONE);
	assert_int_equal(events(f), 0);
	strcpy(a.predecessor_id, FIXTURE_AUTHORITY);
	assert_int_equal(store_authority_insert(f->store, &a, NULL, &f->why), STORE_OK);
	assert_int_equal(store_authority_get(f->store, "ca2", &have, &f->why), STORE_OK);
	strcpy(a.lineage, a.id);
	assert_same_authority(&a, &have);
	authority_row_free(&have);
	authority_row_free(&a);
}

static void
a_name_in_the_form_of_a_uuid_does_not_hide_that_uuid(void **state)
{
	struct store_fixture *f = *state;
	struct authority_row a = fixture_authority(), have;

	strcpy(a.id, "0a0a0a0a-0000-4000-8000-000000000002");
	strcpy(a.name, FIXTURE_AUTHORITY);
	assert_int_equal(store_authority_insert(f->store, &a, NULL, &f->why), STORE_OK);
	authority_row_free(&a);
	assert_int_equal(
	    store_authority_get(f->store, FIXTURE_AUTHORITY, &have, &f->why), STORE_OK);
	assert_string_equal(have.name, "ca");
	authority_row_free(&have);
}

static void
a_change_raises_the_version_and_writes_its_event_a_refused_one_neither(void **state)
{
	struct store_fixture *f = *state;
	struct authority_row a = fixture_authority();
	int64_t before = version(f);

	strcpy(a.id, "0a0a0a0a-0000-4000-8000-000000000002");
	assert_int_equal(
	    store_authority_insert(f->store, &a, &fixture_event, &f->why), STORE_CONFLICT);
	assert_non_null(strstr(f->why.line, "ca"));
	assert_int_equal(version(f), before);
	assert_int_equal(events(f), 0);
	strcpy(a.name, "ca2");
	assert_int_equal(store_authority_insert(f->store, &a, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(version(f), before + 1);
	assert_int_equal(events(f), 1);
	authority_row_free(&a);
}

static void
a_pending_authority_becomes_active_once(void **state)
{
	struct store_fixture *f = *state;
	struct authority_row a = {.id = "0a0a0a0a-0000-4000-8000-000000000002",
	    .name = "sub",
	    .state = "pending",
	    .key_file = "sub.pem"};
	struct authority_row have;

	buffer_append_string(&a.request, "request");
	assert_int_equal(store_authority_insert(f->store, &a, NULL, &f->why), STORE_OK);
	buffer_append_string(&a.certificate, "certificate");
	buffer_append_string(&a.chain, "chain");
	a.not_after = 77;
	assert_int_equal(store_authority_activate(f->store, &a, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(store_authority_get(f->store, "sub", &have, &f->why), STORE_OK);
	assert_string_equal(have.state, "active");
	assert_int_equal(have.not_after, 77);
	assert_true(octets_equal(buffer_octets(&have.chain), octets_of_string("chain")));
	assert_int_equal(have.request.len, 0);
	authority_row_free(&have);
	assert_int_equal(
	    store_authority_activate(f->store, &a, &fixture_event, &f->why), STORE_CONFLICT);
	assert_non_null(strstr(f->why.line, "have state active"));
	strcpy(a.id, "0a0a0a0a-0000-4000-8000-000000000003");
	assert_int_equal(
	    store_authority_activate(f->store, &a, &fixture_event, &f->why), STORE_NONE);
	assert_int_equal(events(f), 1);
	authority_row_free(&a);
}

static void
an_active_authority_without_certificate_is_refused(void **state)
{
	struct store_fixture *f = *state;
	struct authority_row a = {.id = "0a0a0a0a-0000-4000-8000-000000000002",
	    .name = "sub",
	    .state = "active",
	    .key_file = "sub.pem"};

	assert_int_equal(store_authority_insert(f->store, &a, NULL, &f->why), STORE_AWAY);
	strcpy(a.state, "pending");
	assert_int_equal(store_authority_insert(f->store, &a, NULL, &f->why), STORE_OK);
}

static void
the_crl_url_of_an_authority_changes(void **state)
{
	struct store_fixture *f = *state;
	struct authority_row have;

	assert_int_equal(store_authority_set_urls(f->store, FIXTURE_AUTHORITY, "http://x/",
			     "http://y/", &fixture_event, &f->why),
	    STORE_OK);
	assert_int_equal(store_authority_get(f->store, "ca", &have, &f->why), STORE_OK);
	assert_string_equal(have.crl_url, "http://x/");
	assert_string_equal(have.ocsp_url, "http://y/");
	authority_row_free(&have);
	assert_int_equal(store_authority_set_urls(f->store, FIXTURE_RA_PROFILE, "http://x/", "",
			     &fixture_event, &f->why),
	    STORE_NONE);
	assert_int_equal(events(f), 1);
}

static bool
count_authority(void *ctx, const struct authority_row *a)
{
	assert_true(a->certificate.len > 0);
	return ++*(int *)ctx < 2;
}

static void
authorities_are_listed_until_the_caller_has_enough(void **state)
{
	struct store_fixture *f = *state;
	struct authority_row a = fixture_authority();
	int i, count = 0;

	for (i = 2; i < 5; i++) {
		a.id[35] = (char)('0' + i);
		snprintf(a.name, sizeof(a.name), "ca%d", i);
		assert_int_equal(store_authority_insert(f->store, &a, NULL, &f->why), STORE_OK);
	}
	authority_row_free(&a);
	assert_int_equal(
	    store_authority_each(f->store, count_authority, &count, &f->why), STORE_OK);
	assert_int_equal(count, 2);
}

/* ---- RA certificates ---- */

static bool
count_ra(void *ctx, const struct ra_certificate_row *r)
{
	assert_string_equal(r->id, FIXTURE_RA_CERTIFICATE);
	++*(int *)ctx;
	return true;
}

static void
an_ra_certificate_comes_back(void **state)
{
	struct store_fixture *f = *state;
	struct ra_certificate_row want = fixture_ra_certificate(), have;
	int count = 0;

	assert_int_equal(
	    store_ra_certificate_get(f->store, FIXTURE_RA_CERTIFICATE, &have, &f->why), STORE_OK);
	assert_string_equal(have.authority_id, want.authority_id);
	assert_string_equal(have.key_file, want.key_file);
	assert_int_equal(have.not_after, want.not_after);
	assert_true(
	    octets_equal(buffer_octets(&have.certificate), buffer_octets(&want.certificate)));
	ra_certificate_row_free(&have);
	ra_certificate_row_free(&want);
	assert_int_equal(
	    store_ra_certificate_get(f->store, FIXTURE_AUTHORITY, &have, &f->why), STORE_NONE);
	assert_int_equal(store_ra_certificate_each(f->store, count_ra, &count, &f->why), STORE_OK);
	assert_int_equal(count, 1);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(an_authority_comes_back_by_name_and_by_uuid),
	    ROWS(an_authority_without_a_lineage_begins_one_and_a_predecessor_must_be_there),
	    ROWS(a_name_in_the_form_of_a_uuid_does_not_hide_that_uuid),
	    ROWS(a_change_raises_the_version_and_writes_its_event_a_refused_one_neither),
	    ROWS(a_pending_authority_becomes_active_once),
	    ROWS(an_active_authority_without_certificate_is_refused),
	    ROWS(the_crl_url_of_an_authority_changes),
	    ROWS(authorities_are_listed_until_the_caller_has_enough),
	    ROWS(an_ra_certificate_comes_back),
	};

	return cmocka_run_group_tests_name("store_authority", tests, NULL, NULL);
}
