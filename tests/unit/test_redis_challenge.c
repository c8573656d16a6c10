#include <string.h>

#include "tests/unit/challenge_fixture.h"

static void
test_minted_reserved_used(void **state)
{
	struct challenge_reservation c = a_request(1, 1);

	(void)state;
	NEEDS_SERVER();
	mint(1);
	assert_int_equal(reserve_at(&c, NOW + 1), CHALLENGE_RESERVED);
	assert_int_equal(strlen(c.token), 32);
	assert_string_equal(c.binding.cn, "");
	assert_int_equal(challenge_mark_used(redis, &c, NOW + 2, &why), REDIS_DONE);
}

static void
test_used_once_only(void **state)
{
	struct challenge_reservation c = a_request(1, 1), again = a_request(1, 1),
				     other = a_request(1, 2);

	(void)state;
	NEEDS_SERVER();
	mint(1);
	assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
	assert_int_equal(challenge_mark_used(redis, &c, NOW, &why), REDIS_DONE);
	assert_int_equal(reserve_at(&other, NOW), CHALLENGE_USED);
	assert_int_equal(reserve_at(&again, NOW), CHALLENGE_USED);
	assert_int_equal(reserve_at(&other, NOW + LIFE + 1), CHALLENGE_USED);
	assert_string_equal(other.token, "");
	/* nor does minting the same again revive it */
	mint(1);
	assert_int_equal(reserve_at(&other, NOW), CHALLENGE_USED);
}

static void
test_unknown(void **state)
{
	struct challenge_reservation c = a_request(1, 1), elsewhere = a_request(1, 1);

	(void)state;
	NEEDS_SERVER();
	assert_int_equal(reserve_at(&c, NOW), CHALLENGE_UNKNOWN);
	mint(1);
	elsewhere.profile_id = OTHER;
	assert_int_equal(reserve_at(&elsewhere, NOW), CHALLENGE_UNKNOWN);
	assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
}

static void
test_expiry(void **state)
{
	struct challenge_reservation c = a_request(1, 1), late = a_request(2, 1);

	(void)state;
	NEEDS_SERVER();
	mint(1);
	mint(2);
	assert_int_equal(reserve_at(&c, NOW + LIFE - 1), CHALLENGE_RESERVED);
	assert_int_equal(reserve_at(&late, NOW + LIFE), CHALLENGE_EXPIRED);
}

static void
test_held(void **state)
{
	struct challenge_reservation first = a_request(1, 1), second = a_request(1, 2),
				     same = a_request(1, 1);

	(void)state;
	NEEDS_SERVER();
	mint(1);
	assert_int_equal(reserve_at(&first, NOW), CHALLENGE_RESERVED);
	assert_int_equal(reserve_at(&second, NOW + 1), CHALLENGE_HELD);
	assert_int_equal(reserve_at(&same, NOW + 1), CHALLENGE_RESERVED);
	assert_string_equal(same.token, first.token);
}

static void
test_holder_after_expiry(void **state)
{
	struct challenge_reservation first = a_request(1, 1), second = a_request(1, 2),
				     same = a_request(1, 1);

	(void)state;
	NEEDS_SERVER();
	mint(1);
	assert_int_equal(reserve_at(&first, NOW + LIFE - 1), CHALLENGE_RESERVED);
	assert_int_equal(reserve_at(&second, NOW + LIFE + 1), CHALLENGE_EXPIRED);
	assert_int_equal(reserve_at(&same, NOW + LIFE + 1), CHALLENGE_RESERVED);
	assert_string_equal(same.token, first.token);
}

static void
test_reservation_ends(void **state)
{
	struct challenge_reservation first = a_request(1, 1), second = a_request(1, 2),
				     third = a_request(1, 3);

	(void)state;
	NEEDS_SERVER();
	mint(1);
	assert_int_equal(reserve_at(&first, NOW), CHALLENGE_RESERVED);
	assert_int_equal(reserve_at(&second, NOW + RESERVE - 1), CHALLENGE_HELD);
	assert_int_equal(reserve_at(&second, NOW + RESERVE), CHALLENGE_RESERVED);
	assert_string_not_equal(second.token, first.token);
	/* the first holder has no say any more, the second has */
	assert_int_equal(challenge_release(redis, &first, true, 1, &why), REDIS_REFUSED);
	assert_int_equal(reserve_at(&third, NOW + RESERVE), CHALLENGE_HELD);
	assert_int_equal(challenge_release(redis, &second, false, TRIES, &why), REDIS_DONE);
	assert_int_equal(reserve_at(&third, NOW + RESERVE), CHALLENGE_RESERVED);
}

static void
test_entering_again_makes_it_last(void **state)
{
	struct challenge_reservation first = a_request(1, 1), second = a_request(1, 2);

	(void)state;
	NEEDS_SERVER();
	mint(1);
	assert_int_equal(reserve_at(&first, NOW), CHALLENGE_RESERVED);
	assert_int_equal(reserve_at(&first, NOW + 20000), CHALLENGE_RESERVED);
	assert_int_equal(reserve_at(&second, NOW + RESERVE), CHALLENGE_HELD);
	assert_int_equal(reserve_at(&second, NOW + 20000 + RESERVE), CHALLENGE_RESERVED);
}

static void
test_release(void **state)
{
	struct challenge_reservation first = a_request(1, 1), second = a_request(1, 2);

	(void)state;
	NEEDS_SERVER();
	mint(1);
	assert_int_equal(reserve_at(&first, NOW), CHALLENGE_RESERVED);
	assert_int_equal(challenge_release(redis, &first, false, TRIES, &why), REDIS_DONE);
	assert_int_equal(challenge_release(redis, &first, false, TRIES, &why), REDIS_REFUSED);
	assert_int_equal(reserve_at(&second, NOW), CHALLENGE_RESERVED);
	assert_int_equal(pending_at(NOW), 1);
}

static void
test_tries_burn(void **state)
{
	struct challenge_reservation c = a_request(1, 1);

	(void)state;
	NEEDS_SERVER();
	mint(1);
	for (int i = 0; i < TRIES; i++) {
		assert_int_equal(pending_at(NOW), 1);
		assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
		assert_int_equal(challenge_release(redis, &c, true, TRIES, &why), REDIS_DONE);
	}
	assert_int_equal(reserve_at(&c, NOW), CHALLENGE_BURNED);
	assert_int_equal(pending_at(NOW), 0);
}

static void
test_no_tries_no_burn(void **state)
{
	struct challenge_reservation c = a_request(1, 1);

	(void)state;
	NEEDS_SERVER();
	mint(1);
	for (int i = 0; i < 2 * TRIES; i++) {
		assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
		assert_int_equal(challenge_release(redis, &c, true, 0, &why), REDIS_DONE);
	}
	/* and what was no failed try does not count */
	mint(2);
	c = a_request(2, 1);
	for (int i = 0; i < 2 * TRIES; i++) {
		assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
		assert_int_equal(challenge_release(redis, &c, false, TRIES, &why), REDIS_DONE);
	}
	assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
}

static void
fill_text(char *text, size_t size, char c)
{
	memset(text, c, size - 1);
	text[size - 1] = '\0';
}

static void
test_bindings(void **state)
{
	struct challenge_reservation c = a_request(1, 1), some = a_request(2, 1),
				     plain = a_request(3, 1);
	struct challenge_mint m = a_challenge(1), other = a_challenge(2);
	struct challenge_binding longest = {0}, san = {.san = "dns:a.example"};

	(void)state;
	NEEDS_SERVER();
	fill_text(longest.cn, sizeof(longest.cn), 'c');
	fill_text(longest.san, sizeof(longest.san), 's');
	fill_text(longest.key_type, sizeof(longest.key_type), 'k');
	fill_text(longest.device, sizeof(longest.device), 'd');
	m.binding = &longest;
	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_DONE);
	assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
	assert_memory_equal(&c.binding, &longest, sizeof(longest));

	other.binding = &san;
	assert_int_equal(challenge_mint(redis, &other, NULL, &why), REDIS_DONE);
	assert_int_equal(reserve_at(&some, NOW), CHALLENGE_RESERVED);
	assert_string_equal(some.binding.cn, "");
	assert_string_equal(some.binding.san, "dns:a.example");

	mint(3);
	memset(&plain.binding, 'y', sizeof(plain.binding));
	assert_int_equal(reserve_at(&plain, NOW), CHALLENGE_RESERVED);
	assert_string_equal(plain.binding.cn, "");
	assert_string_equal(plain.binding.san, "");
	assert_string_equal(plain.binding.key_type, "");
	assert_string_equal(plain.binding.device, "");
}

static enum redis_rc
reopen(const struct challenge_reservation *c, int64_t expires_ms)
{
	return challenge_reopen(redis, PROFILE, c->id, NOW, expires_ms, &why);
}

static void
test_reopened(void **state)
{
	struct challenge_reservation c = a_request(1, 1), again = a_request(1, 2);
	struct challenge_mint m = a_challenge(1);
	struct challenge_binding san = {.san = "dns:a.example"};

	(void)state;
	NEEDS_SERVER();
	m.binding = &san;
	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_DONE);
	assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
	assert_int_equal(challenge_mark_used(redis, &c, NOW, &why), REDIS_DONE);
	assert_int_equal(pending_at(NOW), 0);
	assert_int_equal(reopen(&c, NOW + 2 * LIFE), REDIS_DONE);
	/* the same call again finds its own work */
	assert_int_equal(reopen(&c, NOW + 2 * LIFE), REDIS_DONE);
	assert_int_equal(pending_at(NOW), 1);
	assert_int_equal(reserve_at(&again, NOW + LIFE + 1), CHALLENGE_RESERVED);
	assert_string_equal(again.binding.san, "dns:a.example");
	assert_int_equal(challenge_mark_used(redis, &again, NOW, &why), REDIS_DONE);
	assert_int_equal(reserve_at(&again, NOW + LIFE + 1), CHALLENGE_USED);
}

static void
test_what_is_not_used_is_not_reopened(void **state)
{
	struct challenge_reservation c = a_request(1, 1);

	(void)state;
	NEEDS_SERVER();
	assert_int_equal(reopen(&c, NOW + 2 * LIFE), REDIS_REFUSED);
	assert_string_equal(why.line, "challenge: unknown, not used");
	mint(1);
	assert_int_equal(reopen(&c, NOW + 2 * LIFE), REDIS_REFUSED);
	assert_string_equal(why.line, "challenge: minted, not used");
	assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
	assert_int_equal(reopen(&c, NOW + 2 * LIFE), REDIS_REFUSED);
	for (int i = 0; i < TRIES; i++) {
		assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
		assert_int_equal(challenge_release(redis, &c, true, TRIES, &why), REDIS_DONE);
	}
	assert_int_equal(reopen(&c, NOW + 2 * LIFE), REDIS_REFUSED);
	assert_string_equal(why.line, "challenge: burned, not used");
	assert_int_equal(reserve_at(&c, NOW + LIFE + 1), CHALLENGE_BURNED);
}

static void
test_used_whatever_the_token(void **state)
{
	struct challenge_reservation slow = a_request(1, 1), quick = a_request(1, 2),
				     third = a_request(1, 3);

	(void)state;
	NEEDS_SERVER();
	mint(1);
	assert_int_equal(reserve_at(&slow, NOW), CHALLENGE_RESERVED);
	assert_int_equal(reserve_at(&quick, NOW + RESERVE), CHALLENGE_RESERVED);
	assert_int_equal(challenge_mark_used(redis, &slow, NOW + RESERVE, &why), REDIS_DONE);
	assert_int_equal(challenge_release(redis, &quick, true, 1, &why), REDIS_REFUSED);
	assert_int_equal(reserve_at(&third, NOW + 3 * RESERVE), CHALLENGE_USED);
	assert_int_equal(pending_at(NOW), 0);
}

static void
test_state_names(void **state)
{
	(void)state;
	assert_string_equal(challenge_state_name(CHALLENGE_RESERVED), "reserved");
	assert_string_equal(challenge_state_name(CHALLENGE_BURNED), "burned");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE("a minted challenge is reserved and then used", test_minted_reserved_used),
	    CASE("a used challenge is told as used to every request", test_used_once_only),
	    CASE("a challenge that was never minted for the profile is unknown", test_unknown),
	    CASE("a challenge expires by the caller's clock", test_expiry),
	    CASE("another request is held off and the same enters again", test_held),
	    CASE("the holder enters again after the challenge's expiry, others do not",
		test_holder_after_expiry),
	    CASE("a reservation ends by itself, and its token with it", test_reservation_ends),
	    CASE("entering again makes a reservation last", test_entering_again_makes_it_last),
	    CASE("a released challenge can be reserved again, and released once", test_release),
	    CASE("failed tries burn a challenge", test_tries_burn),
	    CASE("without a limit failed tries burn nothing", test_no_tries_no_burn),
	    CASE("what it is bound to comes back with the reservation", test_bindings),
	    CASE("a used one is reopened, once more and with its binding", test_reopened),
	    CASE("what is not used is not reopened", test_what_is_not_used_is_not_reopened),
	    CASE("marking used does not ask for the token", test_used_whatever_the_token),
	    CASE("states have names", test_state_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
