#include <stdio.h>
#include <string.h>

#include "redis/limit.h"
#include "tests/unit/challenge_fixture.h"

#define MINUTE	  ((int64_t)60000)
#define BEGINNING (NOW / MINUTE * MINUTE) /* of a minute */

/* How long to wait, 0 where it passed; *exceeded likewise. */
static int64_t
take(const struct limit *limits, int count, int64_t now_ms, int *exceeded)
{
	int64_t retry_after_s = -1;

	assert_int_equal(
	    limit_take(redis, PROFILE, limits, count, now_ms, exceeded, &retry_after_s, &why),
	    REDIS_DONE);
	assert_int_equal(*exceeded >= 0, retry_after_s > 0);
	return retry_after_s;
}

static int64_t
take_one(const struct limit *limit, int64_t now_ms)
{
	int exceeded;

	return take(limit, 1, now_ms, &exceeded);
}

static void
test_as_many_as_allowed(void **state)
{
	const struct limit limit = {"address", "192.0.2.1", 5, false},
			   other = {"address", "192.0.2.2", 5, false},
			   scope = {"seat", "192.0.2.1", 5, false};

	(void)state;
	NEEDS_SERVER();
	for (int i = 0; i < 5; i++)
		assert_int_equal(take_one(&limit, BEGINNING + i), 0);
	/* the next minute, when the first of these leave the window */
	assert_int_equal(take_one(&limit, BEGINNING + 20000), 41);
	assert_int_equal(take_one(&other, BEGINNING + 20000), 0);
	assert_int_equal(take_one(&scope, BEGINNING + 20000), 0);
}

static void
test_window_slides(void **state)
{
	const struct limit limit = {"address", "192.0.2.1", 10, false};
	int64_t next = BEGINNING + MINUTE;

	(void)state;
	NEEDS_SERVER();
	for (int i = 0; i < 10; i++)
		assert_int_equal(take_one(&limit, BEGINNING + 50000), 0);
	/* all ten are in the window still; then one after the other leaves it */
	assert_int_equal(take_one(&limit, next), 1);
	assert_int_equal(take_one(&limit, next + 1), 0);
	assert_int_equal(take_one(&limit, next + 2), 6);
	assert_int_equal(take_one(&limit, next + 5999), 1);
	assert_int_equal(take_one(&limit, next + 6002), 0);
	assert_int_equal(take_one(&limit, next + 6002), 6);
	/* and two minutes later none is left */
	for (int i = 0; i < 10; i++)
		assert_int_equal(take_one(&limit, next + 2 * MINUTE), 0);
	assert_int_not_equal(take_one(&limit, next + 2 * MINUTE), 0);
}

static void
test_first_exceeded_counts_nothing(void **state)
{
	struct limit both[] = {{"address", "192.0.2.1", 100, false}, {"profile", "", 2, false}},
		     look = {"address", "192.0.2.1", 3, true};
	int exceeded;

	(void)state;
	NEEDS_SERVER();
	assert_int_equal(take(both, 2, BEGINNING, &exceeded), 0);
	assert_int_equal(take(both, 2, BEGINNING, &exceeded), 0);
	for (int i = 0; i < 10; i++) {
		assert_int_not_equal(take(both, 2, BEGINNING, &exceeded), 0);
		assert_int_equal(exceeded, 1);
	}
	/* two, not twelve */
	assert_int_equal(take(&look, 1, BEGINNING, &exceeded), 0);
	look.per_minute = 2;
	assert_int_not_equal(take(&look, 1, BEGINNING, &exceeded), 0);
}

static void
test_places_of_those_that_limit(void **state)
{
	const struct limit limits[LIMITS_MAX] = {{"address", "a", 0, false},
	    {"profile", "", 3, false}, {"account", "7", 0, false}, {"seat", "s", 1, false},
	    {"wrong", "a", 9, true}, {"wrong", "b", 9, false}};
	int exceeded;

	(void)state;
	NEEDS_SERVER();
	assert_int_equal(take(limits, LIMITS_MAX, BEGINNING, &exceeded), 0);
	assert_int_equal(exceeded, -1);
	assert_int_not_equal(take(limits, LIMITS_MAX, BEGINNING, &exceeded), 0);
	assert_int_equal(exceeded, 3);
}

static void
test_looking_adds_nothing(void **state)
{
	const struct limit look = {"wrong", "192.0.2.1", 2, true};

	(void)state;
	NEEDS_SERVER();
	for (int i = 0; i < 5; i++)
		assert_int_equal(take_one(&look, BEGINNING), 0);
	assert_int_equal(limit_add(redis, PROFILE, &look, BEGINNING, &why), REDIS_DONE);
	assert_int_equal(take_one(&look, BEGINNING), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(limit_add(redis, PROFILE, &look, BEGINNING, &why), REDIS_DONE);
	/* four where two may be: half of them have to leave the window */
	assert_int_equal(take_one(&look, BEGINNING + 59999), 31);
	assert_int_equal(take_one(&look, BEGINNING + MINUTE + 29999), 1);
	assert_int_equal(take_one(&look, BEGINNING + MINUTE + 30001), 0);
}

static void
test_forgotten(void **state)
{
	const struct limit limit = {"address", "192.0.2.1", 5, false};
	char line[128];
	int64_t n = -1;

	(void)state;
	NEEDS_SERVER();
	assert_int_equal(take_one(&limit, BEGINNING), 0);
	snprintf(line, sizeof(line), "PTTL {" PROFILE "}:l:address:%lld",
	    (long long)(BEGINNING / MINUTE));
	assert_true(redis_server_command(redis, line, &n));
	assert_in_range(n, 60000, 125000);
	assert_true(redis_server_command(redis, "DBSIZE", &n));
	assert_int_equal(n, 1);
}

static void
test_invented_keys(void **state)
{
	struct limit limit = {"address", NULL, 2, false};
	char line[256], key[32];
	int64_t n = -1;

	(void)state;
	NEEDS_SERVER();
	limit.key = "known";
	assert_int_equal(take_one(&limit, BEGINNING), 0);
	snprintf(line, sizeof(line),
	    "EVAL for/**/i=1,%d/**/do/**/redis.call('HSET',KEYS[1],i,1)end 1 "
	    "{" PROFILE "}:l:address:%lld",
	    LIMIT_KEYS_MAX - 1, (long long)(BEGINNING / MINUTE));
	/* Lua has no such comments: tabs part the words there */
	for (char *p = line; (p = strstr(p, "/**/")) != NULL;) {
		*p++ = '\t';
		memmove(p, p + 3, strlen(p + 3) + 1);
	}
	assert_true(redis_server_command(redis, line, NULL));
	for (int i = 0; i < 10; i++) {
		snprintf(key, sizeof(key), "invented %d", i % 2);
		limit.key = key;
		assert_int_equal(take_one(&limit, BEGINNING), 0);
	}
	snprintf(line, sizeof(line), "HLEN {" PROFILE "}:l:address:%lld",
	    (long long)(BEGINNING / MINUTE));
	assert_true(redis_server_command(redis, line, &n));
	assert_int_equal(n, LIMIT_KEYS_MAX);
	/* who was counted before is still */
	limit.key = "known";
	assert_int_equal(take_one(&limit, BEGINNING), 0);
	assert_int_not_equal(take_one(&limit, BEGINNING), 0);
}

static void
test_away(void **state)
{
	const struct limit none[] = {{"address", "a", 0, false}, {"profile", "", 0, false}},
			   one = {"address", "a", 1, false};
	int64_t retry_after_s = -1;
	int exceeded = 7;

	(void)state;
	NEEDS_SERVER();
	redis_server_kill(&server);
	assert_int_equal(
	    limit_take(redis, PROFILE, none, 2, NOW, &exceeded, &retry_after_s, &why), REDIS_DONE);
	assert_int_equal(exceeded, -1);
	assert_int_equal(
	    limit_take(redis, PROFILE, &one, 1, NOW, &exceeded, &retry_after_s, &why), REDIS_AWAY);
	assert_int_equal(exceeded, -1);
	assert_int_equal(limit_add(redis, PROFILE, &one, NOW, &why), REDIS_AWAY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE("as many as allowed pass, others' counts are their own", test_as_many_as_allowed),
	    CASE("the window slides: what leaves it makes room", test_window_slides),
	    CASE("a request that one limit refuses is counted by none",
		test_first_exceeded_counts_nothing),
	    CASE("a limit of 0 is skipped and the others keep their places",
		test_places_of_those_that_limit),
	    CASE("looking adds nothing, adding asks nothing", test_looking_adds_nothing),
	    CASE("Redis forgets a minute after the next", test_forgotten),
	    CASE(
		"invented keys beyond a bound are not counted, known ones are", test_invented_keys),
	    CASE("without a limit Redis is not asked, with one it says that it is away", test_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
