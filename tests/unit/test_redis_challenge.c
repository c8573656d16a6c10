#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "redis/audit_queue.h"
#include "redis/challenge.h"
#include "tests/unit/redis_server.h"

#define PROFILE "0a1b2c3d-0000-4000-8000-000000000001"
#define OTHER	"0a1b2c3d-0000-4000-8000-000000000002"
#define NOW	((int64_t)1795000000000)
#define LIFE	((int64_t)3600000)
#define RESERVE ((int64_t)30000)
#define TRIES	3

static struct redis_server server;
static struct redis *redis;
static struct errbuf why;

static int
start(void **state)
{
	(void)state;
	if (!redis_server_installed())
		return 0;
	if (!redis_server_start(&server, NULL, false))
		return -1;
	return (redis = redis_server_client(&server, 2000)) != NULL ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	redis_close(redis);
	redis = NULL;
	redis_server_end(&server);
	return 0;
}

/* Without a server there is nothing to test: the case is skipped by its name. */
#define NEEDS_SERVER()                                                                             \
	do {                                                                                       \
		if (!redis_server_installed())                                                     \
			skip();                                                                    \
	} while (0)

static struct challenge_mint
a_challenge(uint8_t n)
{
	struct challenge_mint m = {
	    .profile_id = PROFILE, .now_ms = NOW, .expires_ms = NOW + LIFE, .max_pending = 10};

	memset(m.id, n, sizeof(m.id));
	m.id[1] = 0; /* any octets are good */
	return m;
}

static struct challenge_reservation
a_request(uint8_t challenge, uint8_t request)
{
	struct challenge_reservation c = {.profile_id = PROFILE};

	memset(c.id, challenge, sizeof(c.id));
	c.id[1] = 0;
	memset(c.repeat_key, request, sizeof(c.repeat_key));
	c.repeat_key[3] = 0;
	return c;
}

static void
mint(uint8_t n)
{
	struct challenge_mint m = a_challenge(n);

	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_DONE);
}

static enum challenge_state
reserve_at(struct challenge_reservation *c, int64_t now_ms)
{
	enum challenge_state state = CHALLENGE_UNKNOWN;

	assert_int_equal(challenge_reserve(redis, c, now_ms, RESERVE, &state, &why), REDIS_DONE);
	return state;
}

static int64_t
pending_at(int64_t now_ms)
{
	int64_t n = -1;

	assert_int_equal(challenge_pending(redis, PROFILE, now_ms, &n, &why), REDIS_DONE);
	return n;
}

static void
test_minted_reserved_used(void **state)
{
	struct challenge_reservation c = a_request(1, 1);

	(void)state;
	NEEDS_SERVER();
	mint(1);
	assert_int_equal(reserve_at(&c, NOW + 1), CHALLENGE_RESERVED);
	assert_int_equal(strlen(c.token), 32);
	assert_string_equal(c.bind_cn, "");
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
test_bound_cn(void **state)
{
	struct challenge_reservation c = a_request(1, 1), plain = a_request(2, 1);
	struct challenge_mint m = a_challenge(1);
	char longest[CHALLENGE_CN_MAX + 2];

	(void)state;
	NEEDS_SERVER();
	memset(longest, 'x', sizeof(longest));
	longest[CHALLENGE_CN_MAX] = '\0';
	m.bind_cn = longest;
	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_DONE);
	assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
	assert_string_equal(c.bind_cn, longest);
	mint(2);
	memset(plain.bind_cn, 'y', sizeof(plain.bind_cn) - 1);
	assert_int_equal(reserve_at(&plain, NOW), CHALLENGE_RESERVED);
	assert_string_equal(plain.bind_cn, "");
	m = a_challenge(3);
	longest[CHALLENGE_CN_MAX] = 'x';
	longest[CHALLENGE_CN_MAX + 1] = '\0';
	m.bind_cn = longest;
	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_REFUSED);
}

static void
test_max_pending(void **state)
{
	struct challenge_reservation c = a_request(1, 1);
	struct challenge_mint m;
	int64_t n = -1;

	(void)state;
	NEEDS_SERVER();
	for (uint8_t i = 1; i <= 10; i++) {
		m = a_challenge(i);
		assert_int_equal(challenge_mint(redis, &m, &n, &why), REDIS_DONE);
		assert_int_equal(n, i);
	}
	m = a_challenge(11);
	assert_int_equal(challenge_mint(redis, &m, &n, &why), REDIS_REFUSED);
	assert_int_equal(n, 10);
	m.profile_id = OTHER;
	assert_int_equal(challenge_mint(redis, &m, &n, &why), REDIS_DONE);
	assert_int_equal(n, 1);
	/* one that is there already is no new one */
	m = a_challenge(1);
	assert_int_equal(challenge_mint(redis, &m, &n, &why), REDIS_DONE);
	assert_int_equal(n, 10);
	/* a used one makes room, a reserved one does not */
	m = a_challenge(11);
	assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
	assert_int_equal(challenge_mint(redis, &m, &n, &why), REDIS_REFUSED);
	assert_int_equal(challenge_mark_used(redis, &c, NOW, &why), REDIS_DONE);
	assert_int_equal(challenge_mint(redis, &m, &n, &why), REDIS_DONE);
	assert_int_equal(n, 10);
}

static void
test_pending_by_the_callers_clock(void **state)
{
	struct challenge_mint m;
	int64_t n = -1;

	(void)state;
	NEEDS_SERVER();
	for (uint8_t i = 1; i <= 10; i++) {
		m = a_challenge(i);
		m.expires_ms = NOW + i * 1000;
		assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_DONE);
	}
	assert_int_equal(pending_at(NOW), 10);
	assert_int_equal(pending_at(NOW + 3999), 7);
	assert_int_equal(pending_at(NOW + 4000), 6);
	assert_int_equal(pending_at(NOW + 86400000), 0);
	/* a clock that jumped makes room at once */
	m = a_challenge(11);
	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_REFUSED);
	m.now_ms = NOW + 86400000;
	m.expires_ms = m.now_ms + LIFE;
	assert_int_equal(challenge_mint(redis, &m, &n, &why), REDIS_DONE);
	assert_int_equal(n, 1);
	assert_true(redis_server_command(redis, "ZCARD {" PROFILE "}:pending", &n));
	assert_int_equal(n, 1);
}

static void
record_key(uint8_t n, const char *command, char *out, size_t size)
{
	struct challenge_mint m = a_challenge(n);
	char hex[65];

	encoding_hex(octets_of(m.id, sizeof(m.id)), hex);
	snprintf(out, size, "%s {" PROFILE "}:c:%s", command, hex);
}

static void
test_used_though_vanished(void **state)
{
	struct challenge_reservation c = a_request(1, 1), other = a_request(1, 2);
	char line[200];
	int64_t n = -1;

	(void)state;
	NEEDS_SERVER();
	mint(1);
	assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
	assert_true(redis_server_command(redis, "FLUSHALL", NULL));
	assert_int_equal(reserve_at(&other, NOW), CHALLENGE_UNKNOWN);
	assert_int_equal(challenge_mark_used(redis, &c, NOW, &why), REDIS_DONE);
	assert_int_equal(reserve_at(&other, NOW), CHALLENGE_USED);
	record_key(1, "PTTL", line, sizeof(line));
	assert_true(redis_server_command(redis, line, &n));
	assert_in_range(n, CHALLENGE_SWEEP_MS - 60000, CHALLENGE_SWEEP_MS);
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
test_swept_after_its_life(void **state)
{
	struct challenge_reservation c = a_request(1, 1);
	enum challenge_state s;
	char line[200];
	int64_t n = -1;

	(void)state;
	NEEDS_SERVER();
	mint(1);
	record_key(1, "PTTL", line, sizeof(line));
	assert_true(redis_server_command(redis, line, &n));
	assert_in_range(n, LIFE + CHALLENGE_SWEEP_MS - 60000, LIFE + CHALLENGE_SWEEP_MS);
	assert_true(redis_server_command(redis, "PTTL {" PROFILE "}:pending", &n));
	assert_in_range(n, LIFE + CHALLENGE_SWEEP_MS - 60000, LIFE + CHALLENGE_SWEEP_MS);
	/* a reservation longer than the life keeps the record */
	assert_int_equal(challenge_reserve(redis, &c, NOW, 10 * LIFE, &s, &why), REDIS_DONE);
	assert_true(redis_server_command(redis, line, &n));
	assert_in_range(n, 10 * LIFE, 10 * LIFE + CHALLENGE_SWEEP_MS);
}

static bool
count_rows(void *ctx, const char *json, int64_t count)
{
	assert_string_equal(json, "{\"event_id\":\"1\"}");
	*(int64_t *)ctx += count;
	return true;
}

static void
test_mint_queues_its_row(void **state)
{
	struct challenge_mint m = a_challenge(1);
	int64_t count = 0;
	int taken = 0;

	(void)state;
	NEEDS_SERVER();
	m.audit_json = "{\"event_id\":\"1\"}";
	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_DONE);
	mint(2);
	m = a_challenge(3);
	m.max_pending = 2;
	m.audit_json = "{\"event_id\":\"3\"}";
	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_REFUSED);
	assert_int_equal(
	    audit_queue_take(redis, 10, NOW, count_rows, &count, &taken, &why), REDIS_DONE);
	assert_int_equal(taken, 1);
	assert_int_equal(count, 1);
}

static void
test_full_memory(void **state)
{
	struct challenge_reservation c = a_request(1, 1), back = a_request(2, 1);
	struct challenge_mint m = a_challenge(3);

	(void)state;
	NEEDS_SERVER();
	mint(1);
	mint(2);
	assert_true(redis_server_command(redis, "CONFIG SET maxmemory 1", NULL));
	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_AWAY);
	assert_non_null(strstr(why.line, "OOM"));
	assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
	assert_int_equal(challenge_mark_used(redis, &c, NOW, &why), REDIS_DONE);
	assert_int_equal(reserve_at(&back, NOW), CHALLENGE_RESERVED);
	assert_int_equal(challenge_release(redis, &back, true, TRIES, &why), REDIS_DONE);
	assert_true(redis_server_command(redis, "CONFIG SET maxmemory 0", NULL));
	assert_int_equal(pending_at(NOW), 1);
	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_DONE);
}

#define RACERS 8
#define ROUNDS 200

/* One racer: reserves challenge after challenge with requests of its own; its wins go to the pipe, one octet a round. */
static void
race(int go, int out, uint8_t racer)
{
	struct redis *r = redis_server_client(&server, 20000);
	uint8_t won[ROUNDS] = {0};
	enum challenge_state state;
	char start_line;

	if (r == NULL || read(go, &start_line, 1) != 0)
		_exit(1);
	for (int i = 0; i < ROUNDS; i++) {
		struct challenge_reservation c = a_request(0, racer);

		c.id[0] = (uint8_t)i;
		if (challenge_reserve(r, &c, NOW, RESERVE, &state, NULL) != REDIS_DONE ||
		    (state != CHALLENGE_RESERVED && state != CHALLENGE_HELD))
			_exit(2);
		won[i] = state == CHALLENGE_RESERVED;
	}
	redis_close(r);
	_exit(write(out, won, sizeof(won)) == sizeof(won) ? 0 : 3);
}

static void
test_race(void **state)
{
	int go[2], out[2], status;
	int wins[ROUNDS] = {0};
	uint8_t won[ROUNDS];
	pid_t pid[RACERS];

	(void)state;
	NEEDS_SERVER();
	for (int i = 0; i < ROUNDS; i++) {
		struct challenge_mint m = a_challenge(0);

		m.id[0] = (uint8_t)i;
		m.max_pending = ROUNDS;
		assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_DONE);
	}
	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(out), 0);
	for (uint8_t i = 0; i < RACERS; i++) {
		if ((pid[i] = fork()) == 0) {
			close(go[1]);
			race(go[0], out[1], i);
		}
		assert_true(pid[i] > 0);
	}
	close(go[0]);
	close(go[1]); /* off */
	for (int i = 0; i < RACERS; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
		assert_int_equal(read(out[0], won, sizeof(won)), sizeof(won));
		for (int j = 0; j < ROUNDS; j++)
			wins[j] += won[j];
	}
	close(out[0]);
	close(out[1]);
	for (int j = 0; j < ROUNDS; j++)
		assert_int_equal(wins[j], 1);
}

static void
test_state_names(void **state)
{
	(void)state;
	assert_string_equal(challenge_state_name(CHALLENGE_RESERVED), "reserved");
	assert_string_equal(challenge_state_name(CHALLENGE_BURNED), "burned");
}

#define CASE(name, f)                                                                              \
	{                                                                                          \
		name, f, start, end, NULL                                                          \
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
	    CASE("a bound CN comes back with the reservation", test_bound_cn),
	    CASE("no more than max_pending are pending", test_max_pending),
	    CASE("pending counts follow the caller's clock", test_pending_by_the_callers_clock),
	    CASE("marking a vanished challenge leaves a short-lived used record",
		test_used_though_vanished),
	    CASE("marking used does not ask for the token", test_used_whatever_the_token),
	    CASE("Redis sweeps a record ten minutes after its life", test_swept_after_its_life),
	    CASE("minting queues its audit row in the same step", test_mint_queues_its_row),
	    CASE("with full memory minting stops and enrolments go on", test_full_memory),
	    CASE("of 8 processes one reserves each of 200 challenges", test_race),
	    CASE("states have names", test_state_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
