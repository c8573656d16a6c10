/* test_authorise.c: static and one-time challenges: who may, who may not, and what is given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "tests/unit/pki_request.h"
#include "tests/unit/rooms.h"

#define WRONG_OF_MINTED "00112233445566778899AABBCCDDEEFF"

static struct rooms rooms;

/* A PKCSReq under a self-signed certificate. */
static enum authorise_rc
ask(const struct profile *p, const struct csr *csr, const uint8_t repeat_key[32], int64_t now_ms,
    struct authorisation *out)
{
	const struct certificate none = {0};
	const struct authorise_request q = {
	    .profile = p,
	    .message_type = SCEP_PKCS_REQ,
	    .signer = &none,
	    .signer_self_signed = true,
	    .csr = csr,
	    .repeat_key = repeat_key,
	    .now_ms = now_ms,
	};

	return authorise_enrolment(&rooms.authoriser, &q, out, &rooms.why);
}

/* Decide for a CSR with this subject and challenge; the repeat key stands for the request. */
static enum authorise_rc
decide_at(const char *subject, const char *challenge, uint8_t request, int64_t now_ms,
    struct authorisation *out)
{
	struct csr csr = rooms_csr(pki_rsa_key(), subject, challenge);
	uint8_t repeat_key[32];
	enum authorise_rc rc;

	memset(repeat_key, request, sizeof(repeat_key));
	rooms.why.line[0] = '\0';
	rc = ask(rooms_profile(&rooms), &csr, repeat_key, now_ms, out);
	csr_free(&csr);
	return rc;
}

static enum authorise_rc
decide(const char *subject, const char *challenge, uint8_t request, struct authorisation *out)
{
	return decide_at(subject, challenge, request, clock_now_ms(), out);
}

static void
is_told(const char *part)
{
	if (strstr(rooms.why.line, part) == NULL)
		fail_msg("why: have \"%s\", want something of \"%s\"", rooms.why.line, part);
}

static void
set_mode(const char *mode)
{
	const struct octets challenge = octets_of_string(ROOMS_CHALLENGE);
	struct manage_profile_change change = MANAGE_PROFILE_KEEP;

	change.challenge_mode = mode;
	if (strcmp(mode, "static") == 0)
		change.challenge = &challenge;
	rooms_set(&rooms, &change);
}

/* Set-up of each case with one-time challenges: without a Redis it is skipped. */
static void
need_one_time_challenges(void)
{
	if (rooms.server.pid == 0)
		skip();
	set_mode("dynamic");
}

/* ---- static */

static void
the_right_static_challenge_is_allowed(void **state)
{
	struct authorisation a;

	(void)state;
	set_mode("static");
	assert_int_equal(decide("CN=a", ROOMS_CHALLENGE, 1, &a), AUTHORISE_ALLOW);
	assert_false(a.one_time);
	assert_string_equal(a.method, "static");
	assert_true(authorise_release(&rooms.authoriser, &a, true, &rooms.why));
	assert_true(authorise_committed(&rooms.authoriser, &a, clock_now_ms(), &rooms.why));
}

static void
a_wrong_static_challenge_is_denied_and_not_told(void **state)
{
	static const char *const wrong[] = {
	    "a wrong challenge", "a right challeng", "a right challenge ", "A right challenge", ""};
	struct authorisation a;

	(void)state;
	set_mode("static");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(decide("CN=a", wrong[i], 1, &a), AUTHORISE_DENY);
		is_told("wrong");
		assert_null(strstr(rooms.why.line, ROOMS_CHALLENGE));
		if (wrong[i][0] != '\0')
			assert_null(strstr(rooms.why.line, wrong[i]));
		assert_false(a.already_used);
	}
}

static void
a_missing_challenge_is_denied(void **state)
{
	struct authorisation a;

	(void)state;
	set_mode("static");
	assert_int_equal(decide("CN=a", NULL, 1, &a), AUTHORISE_DENY);
	is_told("has none");
}

static void
a_profile_without_a_challenge_denies_every_one(void **state)
{
	struct csr with = rooms_csr(pki_rsa_key(), "CN=a", ROOMS_CHALLENGE);
	struct csr without = rooms_csr(pki_rsa_key(), "CN=a", NULL);
	const uint8_t repeat_key[32] = {1};
	struct authorisation a;
	struct profile p;

	(void)state;
	set_mode("static");
	p = *rooms_profile(&rooms);
	p.scep.challenge_set = false;
	assert_int_equal(ask(&p, &with, repeat_key, 1, &a), AUTHORISE_DENY);
	memset(p.scep.challenge_hash, 0, sizeof(p.scep.challenge_hash));
	assert_int_equal(ask(&p, &without, repeat_key, 1, &a), AUTHORISE_DENY);
	p.scep.challenge_set = true;
	p.scep.challenge_mode[0] = '\0';
	assert_int_equal(ask(&p, &with, repeat_key, 1, &a), AUTHORISE_DENY);
	csr_free(&with);
	csr_free(&without);
}

static void
the_same_challenge_under_another_profile_is_another(void **state)
{
	uint8_t here[CHALLENGE_ID_SIZE], there[CHALLENGE_ID_SIZE];
	const struct octets challenge = octets_of_string(ROOMS_CHALLENGE);

	(void)state;
	assert_true(authorise_challenge_id(
	    rooms.manage.master_key, rooms_profile(&rooms)->scep.id, challenge, here));
	assert_true(
	    authorise_challenge_id(rooms.manage.master_key, "another profile", challenge, there));
	assert_memory_not_equal(here, there, sizeof(here));
	assert_memory_equal(here, rooms_profile(&rooms)->scep.challenge_hash, sizeof(here));
}

/* ---- one-time */

static void
a_minted_challenge_is_reserved_once(void **state)
{
	struct authorisation first, again, other;
	char value[33];

	(void)state;
	need_one_time_challenges();
	rooms_mint(&rooms, NULL, value);
	assert_int_equal(decide("CN=a", value, 1, &first), AUTHORISE_ALLOW);
	assert_true(first.one_time);
	assert_string_equal(first.method, "dynamic");
	/* The same request enters again; another one does not. */
	assert_int_equal(decide("CN=a", value, 1, &again), AUTHORISE_ALLOW);
	assert_string_equal(again.reservation.token, first.reservation.token);
	assert_int_equal(decide("CN=a", value, 2, &other), AUTHORISE_DENY);
	is_told("held");
	assert_true(other.already_used);
	assert_false(other.one_time);
}

static void
a_reservation_that_ended_lets_another_request_in(void **state)
{
	struct authorisation first, other;
	int64_t now_ms = clock_now_ms();
	char value[33];

	(void)state;
	need_one_time_challenges();
	rooms_mint(&rooms, NULL, value);
	assert_int_equal(decide_at("CN=a", value, 1, now_ms, &first), AUTHORISE_ALLOW);
	assert_int_equal(
	    decide_at("CN=a", value, 2, now_ms + rooms.settings.reserve_s * 1000 - 1, &other),
	    AUTHORISE_DENY);
	assert_int_equal(
	    decide_at("CN=a", value, 2, now_ms + rooms.settings.reserve_s * 1000, &other),
	    AUTHORISE_ALLOW);
	/* Whoever comes too late gives nothing back. */
	assert_true(authorise_release(&rooms.authoriser, &first, true, &rooms.why));
	assert_int_equal(
	    decide_at("CN=a", value, 3, now_ms + rooms.settings.reserve_s * 1000, &first),
	    AUTHORISE_DENY);
}

static void
a_used_challenge_is_denied_for_good(void **state)
{
	struct authorisation a;
	char value[33];

	(void)state;
	need_one_time_challenges();
	rooms_mint(&rooms, NULL, value);
	assert_int_equal(decide("CN=a", value, 1, &a), AUTHORISE_ALLOW);
	assert_true(authorise_committed(&rooms.authoriser, &a, clock_now_ms(), &rooms.why));
	assert_int_equal(decide("CN=a", value, 1, &a), AUTHORISE_DENY);
	is_told("used");
	assert_true(a.already_used);
	assert_int_equal(decide_at("CN=a", value, 2, clock_now_ms() + 3000000, &a), AUTHORISE_DENY);
}

static void
an_expired_challenge_is_denied(void **state)
{
	struct authorisation a;
	int64_t now_ms;
	char value[33];

	(void)state;
	need_one_time_challenges();
	rooms_mint(&rooms, NULL, value);
	now_ms = clock_now_ms();
	assert_int_equal(
	    decide_at("CN=a", value, 1, now_ms + 3600 * 1000 + 1000, &a), AUTHORISE_DENY);
	is_told("expired");
	assert_false(a.one_time);
	assert_int_equal(
	    decide_at("CN=a", value, 1, now_ms + 3600 * 1000 - 60000, &a), AUTHORISE_ALLOW);
}

static void
one_that_was_never_minted_is_denied(void **state)
{
	struct authorisation a;
	char value[33];

	(void)state;
	need_one_time_challenges();
	assert_int_equal(decide("CN=a", WRONG_OF_MINTED, 1, &a), AUTHORISE_DENY);
	is_told("unknown");
	assert_null(strstr(rooms.why.line, WRONG_OF_MINTED));
	assert_int_equal(decide("CN=a", NULL, 1, &a), AUTHORISE_DENY);
	is_told("has none");
	/* The static challenge of before is none either. */
	assert_int_equal(decide("CN=a", ROOMS_CHALLENGE, 1, &a), AUTHORISE_DENY);
	rooms_mint(&rooms, NULL, value);
	set_mode("static");
	assert_int_equal(decide("CN=a", value, 1, &a), AUTHORISE_DENY);
}

static void
a_bound_challenge_wants_its_common_name(void **state)
{
	struct authorisation a;
	char value[33];

	(void)state;
	need_one_time_challenges();
	rooms_mint(&rooms, "device-1", value);
	assert_int_equal(decide("CN=device-2", value, 1, &a), AUTHORISE_DENY);
	is_told("bound to CN device-1");
	assert_int_equal(decide("O=device-1", value, 2, &a), AUTHORISE_DENY);
	assert_false(a.one_time);
	/* Neither left it reserved. */
	assert_int_equal(decide("O=x,CN=device-1", value, 3, &a), AUTHORISE_ALLOW);
	assert_true(a.one_time);
}

/* What the certificate is used as is any of its common names, for many readers the last. */
static void
a_bound_challenge_wants_no_common_name_beside_its_own(void **state)
{
	struct authorisation a;
	char value[33];

	(void)state;
	need_one_time_challenges();
	rooms_mint(&rooms, "device-1", value);
	assert_int_equal(decide("CN=device-1,CN=admin", value, 1, &a), AUTHORISE_DENY);
	is_told("bound to CN device-1");
	assert_int_equal(decide("CN=admin,CN=device-1", value, 2, &a), AUTHORISE_DENY);
	assert_int_equal(decide("CN=device-1", value, 3, &a), AUTHORISE_ALLOW);
}

static void
what_is_given_back_is_free_at_once_and_no_try(void **state)
{
	struct authorisation a;
	char value[33];

	(void)state;
	need_one_time_challenges();
	rooms_mint(&rooms, NULL, value);
	for (uint8_t i = 1; i < 10; i++) {
		assert_int_equal(decide("CN=a", value, i, &a), AUTHORISE_ALLOW);
		assert_true(authorise_release(&rooms.authoriser, &a, false, &rooms.why));
		assert_false(a.one_time);
	}
}

static void
the_clients_own_faults_burn_it_after_so_many_tries(void **state)
{
	struct authorisation a;
	char value[33];

	(void)state;
	need_one_time_challenges();
	rooms_mint(&rooms, NULL, value);
	for (int i = 0; i < rooms.settings.challenge_tries; i++) {
		assert_int_equal(decide("CN=a", value, (uint8_t)i, &a), AUTHORISE_ALLOW);
		assert_true(authorise_release(&rooms.authoriser, &a, true, &rooms.why));
	}
	assert_int_equal(decide("CN=a", value, 9, &a), AUTHORISE_DENY);
	is_told("burned");
	assert_false(a.already_used);
}

static void
a_wrong_common_name_is_a_try(void **state)
{
	struct authorisation a;
	char value[33];

	(void)state;
	need_one_time_challenges();
	rooms_mint(&rooms, "device-1", value);
	for (int i = 0; i < rooms.settings.challenge_tries; i++)
		assert_int_equal(decide("CN=other", value, (uint8_t)i, &a), AUTHORISE_DENY);
	assert_int_equal(decide("CN=device-1", value, 9, &a), AUTHORISE_DENY);
	is_told("burned");
}

static void
without_redis_one_time_challenges_are_away_and_static_ones_go_on(void **state)
{
	struct authorisation a;
	char value[33];

	(void)state;
	need_one_time_challenges();
	rooms_mint(&rooms, NULL, value);
	redis_server_kill(&rooms.server);
	assert_int_equal(decide("CN=a", value, 1, &a), AUTHORISE_AWAY);
	assert_int_equal(decide("CN=a", WRONG_OF_MINTED, 1, &a), AUTHORISE_AWAY);
	assert_int_equal(decide("CN=a", NULL, 1, &a), AUTHORISE_AWAY);
	assert_false(a.one_time);
	set_mode("static");
	assert_int_equal(decide("CN=a", ROOMS_CHALLENGE, 1, &a), AUTHORISE_ALLOW);
	assert_int_equal(decide("CN=a", "a wrong challenge", 1, &a), AUTHORISE_DENY);
	assert_true(redis_server_again(&rooms.server));
}

static int
open_rooms(void **state)
{
	(void)state;
	rooms_open(&rooms, true);
	return 0;
}

static int
close_rooms(void **state)
{
	(void)state;
	rooms_close(&rooms);
	pki_free_keys();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_right_static_challenge_is_allowed),
	    cmocka_unit_test(a_wrong_static_challenge_is_denied_and_not_told),
	    cmocka_unit_test(a_missing_challenge_is_denied),
	    cmocka_unit_test(a_profile_without_a_challenge_denies_every_one),
	    cmocka_unit_test(the_same_challenge_under_another_profile_is_another),
	    cmocka_unit_test(a_minted_challenge_is_reserved_once),
	    cmocka_unit_test(a_reservation_that_ended_lets_another_request_in),
	    cmocka_unit_test(a_used_challenge_is_denied_for_good),
	    cmocka_unit_test(an_expired_challenge_is_denied),
	    cmocka_unit_test(one_that_was_never_minted_is_denied),
	    cmocka_unit_test(a_bound_challenge_wants_its_common_name),
	    cmocka_unit_test(a_bound_challenge_wants_no_common_name_beside_its_own),
	    cmocka_unit_test(what_is_given_back_is_free_at_once_and_no_try),
	    cmocka_unit_test(the_clients_own_faults_burn_it_after_so_many_tries),
	    cmocka_unit_test(a_wrong_common_name_is_a_try),
	    cmocka_unit_test(without_redis_one_time_challenges_are_away_and_static_ones_go_on),
	};

	return cmocka_run_group_tests(tests, open_rooms, close_rooms);
}
