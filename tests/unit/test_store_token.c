#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store/token_row.h"
#include "store_fixture.h"

#define TOKEN "0f0f0f0f-0000-4000-8000-000000000001"

static struct token_row
sample(void)
{
	struct token_row t = {.id = TOKEN,
	    .name = "mdm",
	    .hash = {9, 8, 7},
	    .role = "challenge",
	    .profiles = "demo,other",
	    .created_at = FIXTURE_NOW,
	    .expires_at = FIXTURE_NOW + 1000};

	return t;
}

static int
setup(void **state)
{
	struct token_row t = sample();
	struct store_fixture *f;

	store_fixture_setup(state);
	f = *state;
	assert_int_equal(store_token_insert(f->store, &t, &fixture_event, &f->why), STORE_OK);
	return 0;
}

static void
a_token_comes_back_by_its_hash(void **state)
{
	struct store_fixture *f = *state;
	struct token_row want = sample(), have;

	assert_int_equal(store_token_by_hash(f->store, want.hash, &have, &f->why), STORE_OK);
	assert_string_equal(have.id, want.id);
	assert_string_equal(have.name, want.name);
	assert_memory_equal(have.hash, want.hash, 32);
	assert_string_equal(have.role, want.role);
	assert_string_equal(have.profiles, want.profiles);
	assert_int_equal(have.created_at, want.created_at);
	assert_int_equal(have.expires_at, want.expires_at);
	assert_int_equal(have.last_used_at, 0);
	assert_false(have.revoked);
	want.hash[31] ^= 1;
	assert_int_equal(store_token_by_hash(f->store, want.hash, &have, &f->why), STORE_NONE);
}

static void
a_token_is_written_with_its_event_and_is_no_configuration(void **state)
{
	struct store_fixture *f = *state;
	struct token_row t = sample();

	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM audit_event"), 1);
	assert_int_equal(store_fixture_integer(f, "SELECT version FROM config_version"), 4);
	/* Its name, its uuid and its hash are taken. */
	assert_int_equal(store_token_insert(f->store, &t, &fixture_event, &f->why), STORE_CONFLICT);
	strcpy(t.id, "0f0f0f0f-0000-4000-8000-000000000002");
	t.hash[0]++;
	assert_int_equal(store_token_insert(f->store, &t, &fixture_event, &f->why), STORE_CONFLICT);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM audit_event"), 1);
	strcpy(t.name, "other");
	assert_int_equal(store_token_insert(f->store, &t, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM audit_event"), 2);
}

static void
a_token_is_revoked_by_name_or_uuid(void **state)
{
	static const char *const names[] = {"mdm", TOKEN};
	struct store_fixture *f = *state;
	struct token_row want = sample(), have;
	int i;

	assert_int_equal(
	    store_token_revoke(f->store, "nobody", &fixture_event, &f->why), STORE_NONE);
	for (i = 0; i < 2; i++) {
		assert_int_equal(
		    store_token_by_hash(f->store, want.hash, &have, &f->why), STORE_OK);
		assert_false(have.revoked);
		assert_int_equal(
		    store_token_revoke(f->store, names[i], &fixture_event, &f->why), STORE_OK);
		assert_int_equal(
		    store_token_by_hash(f->store, want.hash, &have, &f->why), STORE_OK);
		assert_true(have.revoked);
		store_fixture_script(f, "UPDATE token SET revoked = 0");
	}
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM audit_event"), 3);
}

static int64_t
last_used(struct store_fixture *f)
{
	return store_fixture_integer(f, "SELECT last_used_at FROM token");
}

static void
the_last_use_is_written_once_a_minute(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(store_token_used(f->store, TOKEN, FIXTURE_NOW, &f->why), STORE_OK);
	assert_int_equal(last_used(f), FIXTURE_NOW);
	assert_int_equal(store_token_used(f->store, TOKEN, FIXTURE_NOW + 60, &f->why), STORE_OK);
	assert_int_equal(last_used(f), FIXTURE_NOW);
	assert_int_equal(store_token_used(f->store, TOKEN, FIXTURE_NOW + 61, &f->why), STORE_OK);
	assert_int_equal(last_used(f), FIXTURE_NOW + 61);
	assert_int_equal(
	    store_token_used(f->store, FIXTURE_AUTHORITY, FIXTURE_NOW, &f->why), STORE_NONE);
}

static bool
count(void *ctx, const struct token_row *t)
{
	assert_string_equal(t->name, "mdm");
	++*(int *)ctx;
	return true;
}

static void
tokens_are_listed(void **state)
{
	struct store_fixture *f = *state;
	int n = 0;

	assert_int_equal(store_token_each(f->store, count, &n, &f->why), STORE_OK);
	assert_int_equal(n, 1);
}

#define ROWS(name) cmocka_unit_test_setup_teardown(name, setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(a_token_comes_back_by_its_hash),
	    ROWS(a_token_is_written_with_its_event_and_is_no_configuration),
	    ROWS(a_token_is_revoked_by_name_or_uuid),
	    ROWS(the_last_use_is_written_once_a_minute),
	    ROWS(tokens_are_listed),
	};

	return cmocka_run_group_tests_name("store_token", tests, NULL, NULL);
}
