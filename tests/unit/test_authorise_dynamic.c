/* test_authorise_dynamic.c: one-time challenges: who may, who may not, and what is given back. */
#include "tests/unit/authorise_fixture.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_minted_challenge_is_reserved_once),
	    cmocka_unit_test(a_reservation_that_ended_lets_another_request_in),
	    cmocka_unit_test(a_used_challenge_is_denied_for_good),
	    cmocka_unit_test(an_expired_challenge_is_denied),
	    cmocka_unit_test(one_that_was_never_minted_is_denied),
	    cmocka_unit_test(what_is_given_back_is_free_at_once_and_no_try),
	    cmocka_unit_test(the_clients_own_faults_burn_it_after_so_many_tries),
	    cmocka_unit_test(without_redis_one_time_challenges_are_away_and_static_ones_go_on),
	};

	return cmocka_run_group_tests(tests, open_rooms, close_rooms);
}
