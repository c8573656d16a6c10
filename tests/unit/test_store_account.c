#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "seat_fixture.h"
#include "store/outbound_row.h"

#define INTUNE "0e0e0e0e-0000-4000-8000-000000000001"

static int64_t
version(struct store_fixture *f)
{
	int64_t v = -1;

	assert_int_equal(store_config_version(f->store, &v, &f->why), STORE_OK);
	return v;
}

/* ---- accounts ---- */

static void
assert_same_account(const struct account_row *a, const struct account_row *b)
{
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->profile_id, b->profile_id);
	assert_string_equal(a->name, b->name);
	assert_memory_equal(a->secret_hash, b->secret_hash, 32);
	assert_string_equal(a->organization, b->organization);
	assert_string_equal(a->department, b->department);
	assert_int_equal(a->enabled, b->enabled);
	assert_int_equal(a->created_at, b->created_at);
	assert_int_equal(a->expires_at, b->expires_at);
}

static bool
count_account(void *ctx, const struct account_row *a)
{
	assert_string_equal(a->name, "renamed");
	++*(int *)ctx;
	return true;
}

static void
an_account_comes_back_by_name_id_and_hash_and_is_changed_whole(void **state)
{
	struct store_fixture *f = *state;
	struct account_row want = fixture_account(1, "Example"), have;
	int64_t before = version(f);
	int count = -1, listed = 0;

	fixture_insert_organization(f, 1, "Example", 0);
	assert_int_equal(store_account_insert(f->store, &want, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(version(f), before + 1);
	assert_int_equal(
	    store_account_by_hash(f->store, want.secret_hash, &have, &f->why), STORE_OK);
	assert_same_account(&want, &have);
	assert_int_equal(have.row, 1);
	strcpy(want.name, "renamed");
	memset(want.secret_hash, 9, 32);
	strcpy(want.organization, "");
	strcpy(want.department, "HR");
	want.enabled = false;
	want.expires_at = FIXTURE_NOW + 5;
	assert_int_equal(store_account_update(f->store, &want, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(version(f), before + 2);
	assert_int_equal(
	    store_account_get(f->store, FIXTURE_SCEP_PROFILE, want.id, &have, &f->why), STORE_OK);
	assert_same_account(&want, &have);
	assert_int_equal(
	    store_account_get(f->store, FIXTURE_SCEP_PROFILE, "renamed", &have, &f->why), STORE_OK);
	assert_int_equal(
	    store_account_get(f->store, FIXTURE_RA_PROFILE, "renamed", &have, &f->why), STORE_NONE);
	assert_int_equal(
	    store_account_count(f->store, FIXTURE_SCEP_PROFILE, &count, &f->why), STORE_OK);
	assert_int_equal(count, 1);
	assert_int_equal(
	    store_account_each(f->store, FIXTURE_SCEP_PROFILE, count_account, &listed, &f->why),
	    STORE_OK);
	assert_int_equal(listed, 1);
	assert_int_equal(
	    store_account_count(f->store, FIXTURE_RA_PROFILE, &count, &f->why), STORE_OK);
	assert_int_equal(count, 0);
}

static void
an_account_needs_a_free_name_and_secret_a_profile_and_its_organization(void **state)
{
	struct store_fixture *f = *state;
	struct account_row a = fixture_account(2, "Nobody");

	fixture_insert_account(f, 1, "");
	assert_int_equal(store_account_insert(f->store, &a, NULL, &f->why), STORE_NONE);
	assert_non_null(strstr(f->why.line, "Nobody"));
	strcpy(a.organization, "");
	strcpy(a.profile_id, FIXTURE_RA_PROFILE);
	assert_int_equal(store_account_insert(f->store, &a, NULL, &f->why), STORE_NONE);
	strcpy(a.profile_id, FIXTURE_SCEP_PROFILE);
	strcpy(a.name, "account-1");
	assert_int_equal(store_account_insert(f->store, &a, NULL, &f->why), STORE_CONFLICT);
	strcpy(a.name, "account-2");
	memset(a.secret_hash, 1, 32);
	assert_int_equal(store_account_insert(f->store, &a, NULL, &f->why), STORE_CONFLICT);
	memset(a.secret_hash, 2, 32);
	assert_int_equal(store_account_update(f->store, &a, NULL, &f->why), STORE_NONE);
	assert_int_equal(store_account_insert(f->store, &a, NULL, &f->why), STORE_OK);
}

static void
a_deleted_account_leaves_its_certificates_without_it(void **state)
{
	struct store_fixture *f = *state;
	struct account_row a = fixture_account(1, "");
	struct certificate_row c;

	fixture_insert_account(f, 1, "");
	store_fixture_script(f,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) "
	    "INSERT INTO certificate (id, serial, authority_id, account_id, purpose, status, "
	    "not_before, not_after, created_at, subject, der) SELECT i, CAST(i AS BLOB), 1, 1, "
	    "'device', 'valid', 1, 2, 3, 'CN=x', x'30' FROM n");
	assert_int_equal(store_certificate_get_id(f->store, 9, &c, NULL, &f->why), STORE_OK);
	assert_string_equal(c.account, "account-1");
	assert_int_equal(store_account_delete(f->store, a.id, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM certificate"), 1200);
	assert_int_equal(store_fixture_integer(f, "SELECT count(account_id) FROM certificate"), 0);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM audit_event"), 1);
	assert_int_equal(store_account_delete(f->store, a.id, &fixture_event, &f->why), STORE_NONE);
}

/* ---- connections to Intune ---- */

static struct intune_row
intune(void)
{
	struct intune_row i = {.id = INTUNE,
	    .name = "tenant",
	    .tenant = "example.onmicrosoft.com",
	    .client_id = "c-1",
	    .sealed_key = {1, 0, 2},
	    .sealed_key_len = 3,
	    .revocations = true,
	    .created_at = FIXTURE_NOW};

	return i;
}

static bool
count_intune(void *ctx, const struct intune_row *i)
{
	assert_string_equal(i->id, INTUNE);
	++*(int *)ctx;
	return true;
}

static void
a_connection_comes_back_and_is_changed_whole(void **state)
{
	struct store_fixture *f = *state;
	struct intune_row want = intune(), have;
	int64_t before = version(f);
	int count = 0;

	assert_int_equal(store_intune_insert(f->store, &want, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(store_intune_insert(f->store, &want, NULL, &f->why), STORE_CONFLICT);
	strcpy(want.name, "renamed");
	strcpy(want.tenant, "other");
	strcpy(want.client_id, "c-2");
	memset(want.sealed_key, 7, 500);
	want.sealed_key_len = 500;
	want.revocations = false;
	assert_int_equal(store_intune_update(f->store, &want, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(
	    store_intune_revocations_at(f->store, INTUNE, FIXTURE_NOW, &f->why), STORE_OK);
	assert_int_equal(version(f), before + 2);
	assert_int_equal(store_intune_get(f->store, "renamed", &have, &f->why), STORE_OK);
	assert_string_equal(have.tenant, "other");
	assert_string_equal(have.client_id, "c-2");
	assert_int_equal(have.sealed_key_len, 500);
	assert_memory_equal(have.sealed_key, want.sealed_key, 500);
	assert_false(have.revocations);
	assert_int_equal(have.revocations_at, FIXTURE_NOW);
	assert_int_equal(have.created_at, FIXTURE_NOW);
	assert_int_equal(store_intune_each(f->store, count_intune, &count, &f->why), STORE_OK);
	assert_int_equal(count, 1);
	assert_int_equal(store_intune_get(f->store, "tenant", &have, &f->why), STORE_NONE);
}

static void
a_connection_that_a_profile_has_stays(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row p = fixture_scep_profile();
	struct intune_row i = intune();

	assert_int_equal(store_intune_insert(f->store, &i, NULL, &f->why), STORE_OK);
	strcpy(p.intune_id, INTUNE);
	assert_int_equal(store_scep_profile_update(f->store, &p, NULL, &f->why), STORE_OK);
	assert_int_equal(store_intune_delete(f->store, "tenant", NULL, &f->why), STORE_CONFLICT);
	p.version = 2;
	p.intune_id[0] = '\0';
	assert_int_equal(store_scep_profile_update(f->store, &p, NULL, &f->why), STORE_OK);
	assert_int_equal(store_intune_delete(f->store, "tenant", NULL, &f->why), STORE_OK);
	assert_int_equal(store_intune_delete(f->store, "tenant", NULL, &f->why), STORE_NONE);
	assert_int_equal(store_intune_update(f->store, &i, NULL, &f->why), STORE_NONE);
}

/* ---- webhooks ---- */

static struct webhook_row
webhook(char number)
{
	struct webhook_row w = {.id = "0e0e0e0e-0001-4000-8000-000000000000",
	    .profile_id = FIXTURE_SCEP_PROFILE,
	    .kind = "validate",
	    .name = "hook-0",
	    .url = "https://hook.example/",
	    .authentication = "bearer",
	    .ca_file = "/etc/ca.pem",
	    .allow_private = true,
	    .timeout_ms = 1500,
	    .enabled = true,
	    .created_at = FIXTURE_NOW};

	w.id[35] = number;
	w.name[5] = number;
	buffer_append_string(&w.sealed_secret, "sealed");
	buffer_append_string(&w.sealed_credential, "token");
	return w;
}

static enum store_rc
insert_webhook(struct store_fixture *f, char number)
{
	struct webhook_row w = webhook(number);
	enum store_rc rc = store_webhook_insert(f->store, &w, NULL, &f->why);

	webhook_row_free(&w);
	return rc;
}

static void
assert_same_webhook(const struct webhook_row *a, const struct webhook_row *b)
{
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->profile_id, b->profile_id);
	assert_string_equal(a->kind, b->kind);
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->url, b->url);
	assert_string_equal(a->authentication, b->authentication);
	assert_true(
	    octets_equal(buffer_octets(&a->sealed_secret), buffer_octets(&b->sealed_secret)));
	assert_true(octets_equal(
	    buffer_octets(&a->sealed_credential), buffer_octets(&b->sealed_credential)));
	assert_string_equal(a->ca_file, b->ca_file);
	assert_int_equal(a->allow_private, b->allow_private);
	assert_int_equal(a->timeout_ms, b->timeout_ms);
	assert_int_equal(a->enabled, b->enabled);
	assert_int_equal(a->created_at, b->created_at);
}

static void
assert_webhook_is(struct store_fixture *f, const struct webhook_row *want)
{
	struct webhook_row have;

	assert_int_equal(
	    store_webhook_get(f->store, FIXTURE_SCEP_PROFILE, want->name, &have, &f->why),
	    STORE_OK);
	assert_same_webhook(want, &have);
	webhook_row_free(&have);
}

static void
a_webhook_comes_back_and_is_changed_whole(void **state)
{
	struct store_fixture *f = *state;
	struct webhook_row want = webhook('1');
	int64_t before = version(f);

	assert_int_equal(store_webhook_insert(f->store, &want, &fixture_event, &f->why), STORE_OK);
	assert_webhook_is(f, &want);
	strcpy(want.kind, "notify");
	strcpy(want.name, "renamed");
	strcpy(want.url, "https://other.example/");
	strcpy(want.authentication, "none");
	buffer_free(&want.sealed_credential);
	buffer_append_string(&want.sealed_secret, " anew");
	strcpy(want.ca_file, "");
	want.allow_private = false;
	want.timeout_ms = 10;
	want.enabled = false;
	assert_int_equal(store_webhook_update(f->store, &want, &fixture_event, &f->why), STORE_OK);
	assert_webhook_is(f, &want);
	assert_int_equal(version(f), before + 2);
	assert_int_equal(
	    store_webhook_delete(f->store, want.id, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(
	    store_webhook_delete(f->store, want.id, &fixture_event, &f->why), STORE_NONE);
	assert_int_equal(
	    store_webhook_update(f->store, &want, &fixture_event, &f->why), STORE_NONE);
	webhook_row_free(&want);
}

static void
a_webhook_needs_a_secret_of_bounded_size(void **state)
{
	struct store_fixture *f = *state;
	struct webhook_row w = webhook('1');

	buffer_free(&w.sealed_secret);
	assert_int_equal(store_webhook_insert(f->store, &w, NULL, &f->why), STORE_AWAY);
	while (w.sealed_secret.len < OUTBOUND_SEALED_MAX)
		buffer_append(&w.sealed_secret, "0123456789abcdef", 16);
	assert_int_equal(store_webhook_insert(f->store, &w, NULL, &f->why), STORE_OK);
	buffer_append(&w.sealed_secret, "x", 1);
	assert_int_equal(store_webhook_update(f->store, &w, NULL, &f->why), STORE_AWAY);
	webhook_row_free(&w);
}

static bool
count_webhook(void *ctx, const struct webhook_row *w)
{
	assert_int_equal(w->sealed_secret.len, 6);
	++*(int *)ctx;
	return true;
}

static void
a_profile_has_eight_webhooks_at_most_and_takes_them_with_it(void **state)
{
	struct store_fixture *f = *state;
	struct webhook_row w = webhook('9');
	int count = 0;

	for (char i = '1'; i <= '8'; i++)
		assert_int_equal(insert_webhook(f, i), STORE_OK);
	assert_int_equal(insert_webhook(f, '9'), STORE_CONFLICT);
	assert_non_null(strstr(f->why.line, "8"));
	strcpy(w.profile_id, FIXTURE_RA_PROFILE);
	assert_int_equal(store_webhook_insert(f->store, &w, NULL, &f->why), STORE_NONE);
	webhook_row_free(&w);
	assert_int_equal(
	    store_webhook_each(f->store, FIXTURE_SCEP_PROFILE, count_webhook, &count, &f->why),
	    STORE_OK);
	assert_int_equal(count, 8);
	assert_int_equal(
	    store_scep_profile_delete(f->store, FIXTURE_SCEP_PROFILE, NULL, &f->why), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM webhook"), 0);
}

static void
a_webhooks_name_is_its_own_under_the_profile(void **state)
{
	struct store_fixture *f = *state;
	struct webhook_row w = webhook('1');

	assert_int_equal(insert_webhook(f, '1'), STORE_OK);
	w.id[35] = '2';
	assert_int_equal(store_webhook_insert(f->store, &w, NULL, &f->why), STORE_CONFLICT);
	assert_non_null(strstr(f->why.line, "taken"));
	webhook_row_free(&w);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(an_account_comes_back_by_name_id_and_hash_and_is_changed_whole),
	    ROWS(an_account_needs_a_free_name_and_secret_a_profile_and_its_organization),
	    ROWS(a_deleted_account_leaves_its_certificates_without_it),
	    ROWS(a_connection_comes_back_and_is_changed_whole),
	    ROWS(a_connection_that_a_profile_has_stays),
	    ROWS(a_webhook_comes_back_and_is_changed_whole),
	    ROWS(a_webhook_needs_a_secret_of_bounded_size),
	    ROWS(a_profile_has_eight_webhooks_at_most_and_takes_them_with_it),
	    ROWS(a_webhooks_name_is_its_own_under_the_profile),
	};

	return cmocka_run_group_tests_name("store_account", tests, NULL, NULL);
}
