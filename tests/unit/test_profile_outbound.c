/* test_profile_outbound.c: whom a profile calls: unsealed once a snapshot, and clients that outlive it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "tests/unit/outbound_fake.h"
#include "tests/unit/pki_request.h"
#include "tests/unit/rooms.h"

static struct rooms rooms;
static const struct audit_event event = {.action = "test", .outcome = "success", .count = 1};

static int
setup(void **state)
{
	(void)state;
	fake = (struct outbound_fake){.opened = 0};
	rooms_open(&rooms, false);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rooms_close(&rooms);
	pki_free_keys();
	return 0;
}

static void
seal(const char *id, const char *secret, struct buffer *out)
{
	assert_true(master_key_seal(rooms.manage.master_key, octets_of_string(id),
	    octets_of_string(secret), out, &rooms.why));
}

static void
set_secret(struct intune_row *row, const char *secret)
{
	struct buffer sealed = {0};

	seal(row->id, secret, &sealed);
	memcpy(row->sealed_key, sealed.data, sealed.len);
	row->sealed_key_len = sealed.len;
	buffer_free(&sealed);
}

/* A connection, which the profile gets. */
static struct intune_row
connect_tenant(const char *name)
{
	struct intune_row row = {
	    .tenant = "example.onmicrosoft.com", .client_id = "a client", .created_at = 1};
	struct scep_profile_row p;

	snprintf(row.name, sizeof(row.name), "%s", name);
	assert_true(encoding_uuid(row.id));
	set_secret(&row, "a client secret");
	assert_int_equal(
	    store_intune_insert(rooms.manage.store, &row, &event, &rooms.why), STORE_OK);
	assert_int_equal(
	    store_scep_profile_get(rooms.manage.store, ROOMS_PROFILE, &p, &rooms.why), STORE_OK);
	memcpy(p.intune_id, row.id, sizeof(p.intune_id));
	assert_int_equal(
	    store_scep_profile_update(rooms.manage.store, &p, &event, &rooms.why), STORE_OK);
	return row;
}

static void
add_webhook(const char *name, const char *kind, bool enabled, const char *bound_to)
{
	struct webhook_row w = {.url = "https://hook.example/",
	    .authentication = "bearer",
	    .timeout_ms = 1000,
	    .enabled = enabled,
	    .created_at = 1};

	snprintf(w.name, sizeof(w.name), "%s", name);
	snprintf(w.kind, sizeof(w.kind), "%s", kind);
	memcpy(w.profile_id, rooms_profile(&rooms)->scep.id, sizeof(w.profile_id));
	assert_true(encoding_uuid(w.id));
	seal(bound_to != NULL ? bound_to : w.id, "a key of the webhook's", &w.sealed_secret);
	seal(w.id, "a token", &w.sealed_credential);
	assert_int_equal(
	    store_webhook_insert(rooms.manage.store, &w, &event, &rooms.why), STORE_OK);
	webhook_row_free(&w);
}

/* From here on the cache calls others. */
static void
call_others(void)
{
	assert_true(
	    profile_cache_outbound(rooms.profiles, rooms.manage.master_key, NULL, &rooms.why));
}

static void
a_cache_that_calls_nobody_leaves_them_out(void **state)
{
	(void)state;
	connect_tenant("tenant");
	add_webhook("hook", "validate", true, NULL);
	assert_null(rooms_profile(&rooms)->intune);
	assert_int_equal(rooms_profile(&rooms)->webhook_count, 0);
	call_others();
	assert_non_null(rooms_profile(&rooms)->intune);
	assert_int_equal(rooms_profile(&rooms)->webhook_count, 1);
}

static void
a_connection_has_its_secret_unsealed(void **state)
{
	(void)state;
	connect_tenant("tenant");
	call_others();
	assert_string_equal(rooms_profile(&rooms)->intune->secret, "a client secret");
	assert_string_equal(rooms_profile(&rooms)->intune->tenant, "example.onmicrosoft.com");
	assert_string_equal(rooms_profile(&rooms)->intune_name, "tenant");
}

static void
a_client_outlives_changes_of_other_things(void **state)
{
	const struct intune *before;

	(void)state;
	connect_tenant("tenant");
	call_others();
	before = rooms_profile(&rooms)->intune;
	for (int i = 0; i < 3; i++) {
		rooms_enable(&rooms, false);
		rooms_enable(&rooms, true);
		assert_ptr_equal(rooms_profile(&rooms)->intune, before);
	}
	assert_int_equal(fake.opened, 1);
	assert_int_equal(fake.closed, 0);
}

static void
a_connection_that_is_changed_has_another_client(void **state)
{
	struct intune_row row;

	(void)state;
	row = connect_tenant("tenant");
	call_others();
	assert_non_null(rooms_profile(&rooms)->intune);
	set_secret(&row, "another secret");
	assert_int_equal(
	    store_intune_update(rooms.manage.store, &row, &event, &rooms.why), STORE_OK);
	assert_string_equal(rooms_profile(&rooms)->intune->secret, "another secret");
	rooms_enable(&rooms, true);
	rooms_enable(&rooms, false);
	assert_string_equal(rooms_profile(&rooms)->intune->secret, "another secret");
	assert_int_equal(fake.opened, 2);
	assert_int_equal(fake.closed, 1);
}

static void
webhooks_that_are_enabled_are_there_with_their_secrets(void **state)
{
	const struct profile *p;

	(void)state;
	add_webhook("ask", "validate", true, NULL);
	add_webhook("off", "validate", false, NULL);
	add_webhook("tell", "notify", true, NULL);
	call_others();
	p = rooms_profile(&rooms);
	assert_int_equal(p->webhook_count, 2);
	for (int i = 0; i < 2; i++) {
		const struct profile_webhook *w = &p->webhooks[i];

		assert_string_equal(w->name, w->notify ? "tell" : "ask");
		assert_string_equal(w->call.url, "https://hook.example/");
		assert_string_equal(w->call.id, w->id);
		assert_int_equal(w->call.authentication, WEBHOOK_BEARER);
		assert_true(
		    octets_equal(w->call.secret, octets_of_string("a key of the webhook's")));
		assert_true(octets_equal(w->call.credential, octets_of_string("a token")));
	}
	assert_int_not_equal(p->webhooks[0].notify, p->webhooks[1].notify);
}

/* Rather no profile than one that asks fewer than it should. */
static void
a_webhook_that_cannot_be_unsealed_closes_the_profile(void **state)
{
	struct profile *p;

	(void)state;
	add_webhook("good", "validate", true, NULL);
	add_webhook("moved", "validate", true, "another row's id");
	call_others();
	assert_int_equal(profile_get(rooms.profiles, ROOMS_PROFILE, &p, &rooms.why), STORE_AWAY);
	assert_non_null(strstr(rooms.why.line, "webhook: moved"));
	assert_null(strstr(rooms.why.line, "a key"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_cache_that_calls_nobody_leaves_them_out),
	    TEST(a_connection_has_its_secret_unsealed),
	    TEST(a_client_outlives_changes_of_other_things),
	    TEST(a_connection_that_is_changed_has_another_client),
	    TEST(webhooks_that_are_enabled_are_there_with_their_secrets),
	    TEST(a_webhook_that_cannot_be_unsealed_closes_the_profile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
