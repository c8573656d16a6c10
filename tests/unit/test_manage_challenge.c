/* test_manage_challenge.c: minting one-time challenges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <ctype.h>
#include <string.h>

#include "authorise/authorise.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/challenge.h"
#include "redis/audit_queue.h"
#include "tests/unit/manage_fixture.h"
#include "tests/unit/redis_server.h"

static struct redis_server server;
static struct manage_profile profile;
static struct manage_challenge challenge;

static int
setup(void **state)
{
	struct manage_fixture *f;

	if (manage_fixture_setup(state) != 0)
		return -1;
	f = *state;
	manage_fixture_authority(f);
	manage_fixture_profile(f, "mdm", NULL);
	manage_fixture_profile(f, "demo", "2987577aaeea1613a03e81a5");
	if (!redis_server_installed())
		return 0;
	if (!redis_server_start(&server, NULL, false))
		return -1;
	snprintf(f->settings.redis, sizeof(f->settings.redis), "unix:%s", server.socket);
	return 0;
}

static int
teardown(void **state)
{
	manage_fixture_teardown(state);
	redis_server_end(&server);
	return 0;
}

static enum manage_rc
mint(struct manage_fixture *f, const char *name, int64_t expiry_s, const char *bind_cn)
{
	const struct manage_challenge_order o = {.profile = &profile.scep,
	    .expiry_s = expiry_s,
	    .bind_cn = bind_cn,
	    .reason = "payloadIdentifier x"};

	assert_int_equal(
	    manage_profile_get(&f->manage, name, &profile, manage_fixture_report(f)), MANAGE_OK);
	return manage_challenge_mint(
	    &f->manage, &f->actor, &o, &challenge, manage_fixture_report(f));
}

static int64_t
pending(struct manage_fixture *f)
{
	int64_t count = -1;

	assert_int_equal(
	    manage_challenge_count(&f->manage, &profile.scep, &count, manage_fixture_report(f)),
	    MANAGE_OK);
	return count;
}

#define NEEDS_SERVER()                                                                             \
	do {                                                                                       \
		if (!redis_server_installed())                                                     \
			skip();                                                                    \
	} while (0)

static void
a_challenge_is_32_upper_case_digits_and_pending_under_the_id_that_authorise_makes(void **state)
{
	struct manage_fixture *f = *state;
	uint8_t id[CHALLENGE_ID_SIZE];
	char hex[65];

	NEEDS_SERVER();
	assert_int_equal(mint(f, "mdm", 0, NULL), MANAGE_OK);
	assert_int_equal(strlen(challenge.value), 32);
	for (const char *p = challenge.value; *p != '\0'; p++)
		assert_true(isdigit((unsigned char)*p) || (*p >= 'A' && *p <= 'F'));
	assert_true(authorise_challenge_id(
	    f->manage.master_key, profile.scep.id, octets_of_string(challenge.value), id));
	encoding_hex(octets_of(id, sizeof(id)), hex);
	assert_string_equal(hex, challenge.id);
	assert_int_equal(pending(f), 1);
	assert_true(challenge.expires_at >= clock_now() + 3590 &&
		    challenge.expires_at <= clock_now() + 3600);
}

struct seen {
	int rows;
	char json[2048];
};

static bool
keep_row(void *ctx, const char *json, int64_t count)
{
	struct seen *seen = ctx;

	assert_int_equal(count, 1);
	seen->rows++;
	snprintf(seen->json, sizeof(seen->json), "%s", json);
	return true;
}

static void
the_audit_row_waits_in_redis_and_does_not_tell_the_challenge(void **state)
{
	struct manage_fixture *f = *state;
	struct seen seen = {0};
	struct errbuf why = {0};
	int taken;

	NEEDS_SERVER();
	assert_int_equal(mint(f, "mdm", 60, "dev-1"), MANAGE_OK);
	assert_int_equal(
	    audit_queue_take(f->manage.redis, 10, clock_now_ms(), keep_row, &seen, &taken, &why),
	    REDIS_DONE);
	assert_int_equal(seen.rows, 1);
	assert_non_null(strstr(seen.json, "challenge.mint"));
	assert_non_null(strstr(seen.json, "bound to CN dev-1; payloadIdentifier x"));
	assert_non_null(strstr(seen.json, "scepctl:test"));
	assert_null(strstr(seen.json, challenge.value));
}

static void
a_life_out_of_bounds_and_an_overlong_name_are_refused(void **state)
{
	struct manage_fixture *f = *state;
	char cn[258] = "";

	NEEDS_SERVER();
	memset(cn, 'a', 257);
	assert_int_equal(mint(f, "mdm", 59, NULL), MANAGE_INVALID);
	assert_int_equal(mint(f, "mdm", 30 * 86400 + 1, NULL), MANAGE_INVALID);
	assert_int_equal(mint(f, "mdm", 0, cn), MANAGE_INVALID);
	assert_int_equal(mint(f, "mdm", 0, ""), MANAGE_INVALID);
	assert_string_equal(challenge.value, "");
	cn[256] = '\0';
	assert_int_equal(mint(f, "mdm", 30 * 86400, cn), MANAGE_OK);
	assert_int_equal(pending(f), 1);
}

/* As the fixture's profile mints, bound to more. */
static enum manage_rc
mint_bound(struct manage_fixture *f, const char *san, const char *key, const char *device)
{
	const struct manage_challenge_order o = {.profile = &profile.scep,
	    .bind_cn = "dev-1",
	    .bind_san = san,
	    .bind_key = key,
	    .bind_device = device};

	return manage_challenge_mint(
	    &f->manage, &f->actor, &o, &challenge, manage_fixture_report(f));
}

static void
what_a_challenge_is_bound_to_is_in_its_record_and_in_the_audit(void **state)
{
	struct manage_fixture *f = *state;
	struct challenge_reservation c = {0};
	enum challenge_state got;
	struct seen seen = {0};
	struct errbuf why = {0};
	int taken;

	NEEDS_SERVER();
	assert_int_equal(mint(f, "mdm", 60, NULL), MANAGE_OK);
	assert_int_equal(
	    mint_bound(f, "dns:a.example,ip:192.0.2.1", "RSA-2048", "C02XYZ"), MANAGE_OK);
	c.profile_id = profile.scep.id;
	assert_true(encoding_unhex(challenge.id, c.id, sizeof(c.id)));
	assert_int_equal(
	    challenge_reserve(f->manage.redis, &c, clock_now_ms(), 1000, &got, &why), REDIS_DONE);
	assert_int_equal(got, CHALLENGE_RESERVED);
	assert_string_equal(c.binding.cn, "dev-1");
	assert_string_equal(c.binding.san, "dns:a.example,ip:192.0.2.1");
	assert_string_equal(c.binding.key_type, "RSA-2048");
	assert_string_equal(c.binding.device, "C02XYZ");
	assert_int_equal(
	    audit_queue_take(f->manage.redis, 10, clock_now_ms(), keep_row, &seen, &taken, &why),
	    REDIS_DONE);
	assert_non_null(strstr(seen.json,
	    "bound to CN dev-1; bound to SAN dns:a.example,ip:192.0.2.1; bound to a key of type "
	    "RSA-2048; bound to device C02XYZ"));
}

static void
what_no_csr_could_ever_have_is_no_binding(void **state)
{
	static const char *const keys[] = {"", "rsa", "RSA-", "RSA-0", "RSA-02048", "RSA-511",
	    "RSA-8193", "RSA-2048x", "RSA-99999999", "EC P-224", "Ed25519"};
	struct manage_fixture *f = *state;

	NEEDS_SERVER();
	assert_int_equal(mint(f, "mdm", 60, NULL), MANAGE_OK);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		assert_int_equal(mint_bound(f, NULL, keys[i], NULL), MANAGE_INVALID);
		assert_true(manage_fixture_faults(f, "bindKey"));
	}
	assert_int_equal(mint_bound(f, "nonsense", NULL, ""), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "bindSan"));
	assert_true(manage_fixture_faults(f, "bindDevice"));
	assert_int_equal(mint_bound(f, NULL, "EC P-256", "x"), MANAGE_OK);
	assert_int_equal(mint_bound(f, NULL, "RSA-8192", NULL), MANAGE_OK);
	assert_int_equal(mint_bound(f, NULL, "EC", NULL), MANAGE_OK);
}

static void
a_profile_of_16_characters_mints_such(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	NEEDS_SERVER();
	c.challenge_length = 16;
	assert_int_equal(
	    manage_profile_set(&f->manage, &f->actor, "mdm", &c, &profile, &f->report), MANAGE_OK);
	assert_int_equal(mint(f, "mdm", 0, NULL), MANAGE_OK);
	assert_int_equal(strlen(challenge.value), 16);
	assert_int_equal(strspn(challenge.value, "0123456789ABCDEF"), 16);
}

static void
a_static_or_a_disabled_profile_mints_nothing(void **state)
{
	struct manage_fixture *f = *state;

	NEEDS_SERVER();
	assert_int_equal(mint(f, "demo", 0, NULL), MANAGE_CONFLICT);
	assert_non_null(strstr(f->report.why.line, "its mode is static"));
	assert_int_equal(
	    manage_profile_enable(&f->manage, &f->actor, "mdm", false, &f->report), MANAGE_OK);
	assert_int_equal(mint(f, "mdm", 0, NULL), MANAGE_CONFLICT);
	assert_int_equal(pending(f), 0);
}

static void
no_more_are_pending_than_the_profile_allows(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	NEEDS_SERVER();
	c.max_pending = 2;
	assert_int_equal(
	    manage_profile_set(&f->manage, &f->actor, "mdm", &c, &profile, &f->report), MANAGE_OK);
	assert_int_equal(mint(f, "mdm", 0, NULL), MANAGE_OK);
	assert_int_equal(mint(f, "mdm", 0, NULL), MANAGE_OK);
	assert_int_equal(mint(f, "mdm", 0, NULL), MANAGE_FULL);
	assert_string_equal(f->report.why.line, "The challenge cache is full");
	assert_string_equal(challenge.value, "");
	assert_int_equal(pending(f), 2);
}

static void
without_redis_nothing_is_minted(void **state)
{
	struct manage_fixture *f = *state;

	NEEDS_SERVER();
	redis_server_kill(&server);
	assert_int_equal(mint(f, "mdm", 0, NULL), MANAGE_AWAY);
	assert_string_equal(challenge.value, "");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_challenge_is_32_upper_case_digits_and_pending_under_the_id_that_authorise_makes),
	    CASE(the_audit_row_waits_in_redis_and_does_not_tell_the_challenge),
	    CASE(a_life_out_of_bounds_and_an_overlong_name_are_refused),
	    CASE(what_a_challenge_is_bound_to_is_in_its_record_and_in_the_audit),
	    CASE(what_no_csr_could_ever_have_is_no_binding),
	    CASE(a_profile_of_16_characters_mints_such),
	    CASE(a_static_or_a_disabled_profile_mints_nothing),
	    CASE(no_more_are_pending_than_the_profile_allows),
	    CASE(without_redis_nothing_is_minted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
