#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "redis/audit_queue.h"
#include "redis/command.h"
#include "redis/exchange.h"
#include "tests/unit/redis_server.h"

#define PROFILE	   "0a1b2c3d-0000-4000-8000-000000000001"
#define OTHER	   "0a1b2c3d-0000-4000-8000-000000000002"
#define NOW	   ((int64_t)1795000020000) /* a minute begins */
#define MINUTE	   ((int64_t)60000)
#define PER_MINUTE 60

static struct redis_server server;
static struct redis *redis;
static struct errbuf why;

static int
start_keeping(void **state)
{
	(void)state;
	if (!redis_server_installed())
		return 0;
	if (!redis_server_start(&server, NULL, *state != NULL))
		return -1;
	return (redis = redis_server_client(&server, 10000)) != NULL ? 0 : -1;
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

#define NEEDS_SERVER()                                                                             \
	do {                                                                                       \
		if (!redis_server_installed())                                                     \
			skip();                                                                    \
	} while (0)

/* What a taker was given. */
struct rows {
	int count;
	int64_t sum;
	int64_t most;	  /* the highest count */
	char most_of[64]; /* and whose */
	char first[64];
	char last[64];
	int refuse_at; /* this row is not taken, counted from 1; 0: all are */
};

static bool
note_row(void *ctx, const char *json, int64_t count)
{
	struct rows *rows = ctx;

	if (rows->refuse_at != 0 && rows->count + 1 == rows->refuse_at)
		return false;
	if (rows->count++ == 0)
		snprintf(rows->first, sizeof(rows->first), "%s", json);
	snprintf(rows->last, sizeof(rows->last), "%s", json);
	rows->sum += count;
	if (count > rows->most) {
		rows->most = count;
		snprintf(rows->most_of, sizeof(rows->most_of), "%s", json);
	}
	return true;
}

static struct rows
take_with(struct redis *r, int max, int64_t now_ms)
{
	struct rows rows = {0};
	int taken = -1;

	assert_int_equal(
	    audit_queue_take(r, max, now_ms, note_row, &rows, &taken, &why), REDIS_DONE);
	assert_int_equal(taken, rows.count);
	return rows;
}

static struct rows
take(int max, int64_t now_ms)
{
	return take_with(redis, max, now_ms);
}

static void
put_at(const char *profile_id, int n, const char *flood_key, int64_t now_ms)
{
	char json[64];

	snprintf(json, sizeof(json), "{\"event_id\":\"%d\"}", n);
	assert_int_equal(audit_queue_put(redis, profile_id, json, octets_of_string(flood_key),
			     PER_MINUTE, now_ms, &why),
	    REDIS_DONE);
}

static int64_t
length(void)
{
	int64_t n = -1;

	assert_int_equal(audit_queue_length(redis, &n, &why), REDIS_DONE);
	return n;
}

static void
test_in_order(void **state)
{
	struct rows rows;

	(void)state;
	NEEDS_SERVER();
	for (int i = 1; i <= 25; i++)
		put_at(PROFILE, i, "", NOW);
	assert_int_equal(length(), 25);
	rows = take(10, NOW);
	assert_int_equal(rows.count, 10);
	assert_int_equal(rows.sum, 10);
	assert_string_equal(rows.first, "{\"event_id\":\"1\"}");
	assert_int_equal(audit_queue_remove(redis, 10, &why), REDIS_DONE);
	rows = take(100, NOW);
	assert_int_equal(rows.count, 15);
	assert_string_equal(rows.first, "{\"event_id\":\"11\"}");
	assert_string_equal(rows.last, "{\"event_id\":\"25\"}");
	assert_int_equal(audit_queue_remove(redis, 15, &why), REDIS_DONE);
	assert_int_equal(take(100, NOW).count, 0);
	assert_int_equal(audit_queue_remove(redis, 0, &why), REDIS_DONE);
	assert_int_equal(length(), 0);
}

static void
test_empty(void **state)
{
	(void)state;
	NEEDS_SERVER();
	assert_int_equal(take(100, NOW).count, 0);
	assert_int_equal(audit_queue_remove(redis, 0, &why), REDIS_DONE);
	assert_int_equal(length(), 0);
}

static void
test_any_octets(void **state)
{
	static const char json[] = "{\"reason\":\"12 \\u0000 { } \xc3\xa9 % \r\n\"}";
	struct rows rows;

	(void)state;
	NEEDS_SERVER();
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    audit_queue_put(redis, PROFILE, json, octets_of("a\0\r\n{}:", 7), 1, NOW, &why),
		    REDIS_DONE);
	/* a key that differs behind a NUL is another */
	assert_int_equal(
	    audit_queue_put(redis, PROFILE, json, octets_of("a\0\r\n{};", 7), 1, NOW, &why),
	    REDIS_DONE);
	rows = take(10, NOW + MINUTE);
	assert_int_equal(rows.count, 3);
	assert_int_equal(rows.sum, 4);
	assert_string_equal(rows.first, json);
	assert_string_equal(rows.last, json);
}

static void
test_death_between(void **state)
{
	struct redis *second;
	struct rows rows;

	(void)state;
	NEEDS_SERVER();
	for (int i = 1; i <= 5; i++)
		put_at(PROFILE, i, "", NOW);
	assert_int_equal(take(3, NOW).count, 3); /* and dies here */
	second = redis_server_client(&server, 10000);
	rows = take_with(second, 3, NOW);
	assert_string_equal(rows.first, "{\"event_id\":\"1\"}");
	assert_int_equal(rows.count, 3);
	assert_int_equal(audit_queue_remove(second, 3, &why), REDIS_DONE);
	/* the first was only slow: its rows are gone, and no others go in their place */
	assert_int_equal(audit_queue_remove(redis, 3, &why), REDIS_DONE);
	assert_int_equal(length(), 2);
	/* and when the second went on */
	assert_int_equal(take_with(redis, 1, NOW).count, 1);
	assert_int_equal(take_with(second, 2, NOW).count, 2);
	assert_int_equal(audit_queue_remove(second, 2, &why), REDIS_DONE);
	put_at(PROFILE, 6, "", NOW);
	assert_int_equal(audit_queue_remove(redis, 1, &why), REDIS_REFUSED);
	assert_int_equal(length(), 1);
	redis_close(second);
}

static void
test_row_ends_the_taking(void **state)
{
	struct rows rows = {.refuse_at = 4};
	int taken = -1;

	(void)state;
	NEEDS_SERVER();
	for (int i = 1; i <= 6; i++)
		put_at(i <= 3 ? PROFILE : OTHER, i, "", NOW);
	assert_int_equal(
	    audit_queue_take(redis, 10, NOW, note_row, &rows, &taken, &why), REDIS_DONE);
	assert_int_equal(taken, 3);
	assert_int_equal(audit_queue_remove(redis, taken, &why), REDIS_DONE);
	assert_int_equal(length(), 3);
	assert_int_equal(take(10, NOW).count, 3);
	/* fewer may be removed than were taken */
	assert_int_equal(audit_queue_remove(redis, 2, &why), REDIS_DONE);
	assert_int_equal(length(), 1);
}

static void
test_flood(void **state)
{
	struct rows rows;

	(void)state;
	NEEDS_SERVER();
	for (int i = 1; i <= 10000; i++)
		put_at(PROFILE, i, "192.0.2.1 wrong challenge", NOW + i);
	rows = take(500, NOW + MINUTE - 1);
	assert_int_equal(rows.count, PER_MINUTE);
	assert_int_equal(rows.most, 1);
	assert_int_equal(audit_queue_remove(redis, rows.count, &why), REDIS_DONE);
	assert_int_equal(take(500, NOW + MINUTE - 1).count, 0);
	for (int twice = 0; twice < 2; twice++) { /* not removed, so given again */
		rows = take(500, NOW + MINUTE);
		assert_int_equal(rows.count, 1);
		assert_int_equal(rows.most, 10000 - PER_MINUTE);
		assert_string_equal(rows.most_of, "{\"event_id\":\"61\"}");
	}
	assert_int_equal(audit_queue_remove(redis, 1, &why), REDIS_DONE);
	assert_int_equal(take(500, NOW + 10 * MINUTE).count, 0);
}

static void
test_at_the_rate(void **state)
{
	struct rows rows;

	(void)state;
	NEEDS_SERVER();
	for (int i = 1; i <= PER_MINUTE; i++) {
		put_at(PROFILE, i, "a", NOW);
		put_at(PROFILE, 1000 + i, "b", NOW);
		put_at(OTHER, 2000 + i, "a", NOW);
		put_at(NULL, 3000 + i, "a", NOW);
		put_at(PROFILE, 4000 + i, "a", NOW + MINUTE);
	}
	for (int i = 0; i < 2 * PER_MINUTE; i++)
		put_at(PROFILE, 5000 + i, "", NOW);
	rows = take(10000, NOW + 2 * MINUTE);
	assert_int_equal(rows.count, 7 * PER_MINUTE);
	assert_int_equal(rows.most, 1);
}

static void
test_late_counts(void **state)
{
	struct rows rows;

	(void)state;
	NEEDS_SERVER();
	for (int i = 1; i <= 100; i++)
		put_at(PROFILE, i, "a", NOW);
	rows = take(500, NOW + MINUTE);
	assert_int_equal(rows.count, PER_MINUTE + 1);
	assert_int_equal(rows.sum, 100);
	/* by a worker whose clock is behind, before the removal and after it */
	put_at(PROFILE, 101, "a", NOW);
	put_at(PROFILE, 102, "a", NOW);
	assert_int_equal(audit_queue_remove(redis, rows.count, &why), REDIS_DONE);
	put_at(PROFILE, 103, "a", NOW);
	rows = take(500, NOW + MINUTE);
	assert_int_equal(rows.count, 1);
	assert_int_equal(rows.sum, 3);
	assert_string_equal(rows.last, "{\"event_id\":\"101\"}");
}

static void
test_counts_survive(void **state)
{
	struct rows rows;

	(void)state;
	NEEDS_SERVER();
	for (int i = 1; i <= 100; i++)
		put_at(PROFILE, i, "a", NOW);
	redis_server_kill(&server);
	assert_true(redis_server_again(&server));
	rows = take(500, NOW + MINUTE);
	assert_int_equal(rows.sum, 100);
	redis_server_kill(&server);
	assert_true(redis_server_again(&server));
	assert_int_equal(audit_queue_remove(redis, rows.count, &why), REDIS_DONE);
	assert_int_equal(length(), 0);
}

static void
test_rates_are_swept(void **state)
{
	char line[200];
	int64_t n = -1;

	(void)state;
	NEEDS_SERVER();
	put_at(PROFILE, 1, "a", NOW);
	snprintf(
	    line, sizeof(line), "PTTL {" PROFILE "}:audit-rates:%lld", (long long)(NOW / MINUTE));
	assert_true(redis_server_command(redis, line, &n));
	assert_in_range(n, MINUTE, 2 * MINUTE);
	/* rows are not */
	assert_true(redis_server_command(redis, "PTTL {" PROFILE "}:audit", &n));
	assert_int_equal(n, -1);
}

static void
test_queues_take_turns(void **state)
{
	static const char *const queues[] = {PROFILE, OTHER, "-"};
	struct rows rows;
	char line[100];
	int64_t left = -1;

	(void)state;
	NEEDS_SERVER();
	for (int i = 0; i < 100; i++)
		for (int q = 0; q < 3; q++)
			put_at(q < 2 ? queues[q] : NULL, i, "", NOW);
	for (int i = 0; i < 3; i++) {
		rows = take(5, NOW);
		assert_int_equal(rows.count, 5);
		assert_int_equal(audit_queue_remove(redis, rows.count, &why), REDIS_DONE);
	}
	for (int q = 0; q < 3; q++) {
		snprintf(line, sizeof(line), "LLEN {%s}:audit", queues[q]);
		assert_true(redis_server_command(redis, line, &left));
		assert_int_equal(left, 95);
	}
}

/* Straight into the list, in one command of a script. */
static void
fill_to(int rows)
{
	struct command c;
	const struct command *one = &c;
	redisReply *reply;

	command_start(&c, "EVAL");
	command_text(&c, "for i = redis.call('LLEN', KEYS[1]) + 1, tonumber(ARGV[1]) do "
			 "redis.call('RPUSH', KEYS[1], '1 {}') end return 1");
	command_number(&c, 1);
	command_key(&c, PROFILE, "audit");
	command_number(&c, rows);
	assert_int_equal(exchange(redis, &one, 1, false, &reply, &why), REDIS_DONE);
	exchange_free(&reply, 1);
}

static void
test_bounded(void **state)
{
	int64_t lost = -1;

	(void)state;
	NEEDS_SERVER();
	put_at(PROFILE, 1, "", NOW);
	fill_to(AUDIT_QUEUE_MAX - 1);
	put_at(PROFILE, 2, "", NOW);
	assert_int_equal(audit_queue_lost(redis, &lost, &why), REDIS_DONE);
	assert_int_equal(lost, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    audit_queue_put(redis, PROFILE, "{}", octets_of(NULL, 0), 1, NOW, &why),
		    REDIS_REFUSED);
	assert_int_equal(length(), AUDIT_QUEUE_MAX);
	assert_int_equal(audit_queue_lost(redis, &lost, &why), REDIS_DONE);
	assert_int_equal(lost, 3);
	/* another profile's is not full, and there is room again after a removal */
	put_at(OTHER, 3, "", NOW);
	assert_true(take(1, NOW).count == 1);
	assert_int_equal(audit_queue_remove(redis, 1, &why), REDIS_DONE);
	assert_true(take(1, NOW).count == 1);
	assert_int_equal(audit_queue_remove(redis, 1, &why), REDIS_DONE);
	put_at(PROFILE, 4, "", NOW);
}

static void
test_full_memory(void **state)
{
	struct rows rows;

	(void)state;
	NEEDS_SERVER();
	for (int i = 1; i <= 100; i++)
		put_at(PROFILE, i, "a", NOW);
	assert_true(redis_server_command(redis, "CONFIG SET maxmemory 1", NULL));
	assert_int_equal(
	    audit_queue_put(redis, PROFILE, "{}", octets_of(NULL, 0), 1, NOW, &why), REDIS_AWAY);
	rows = take(500, NOW + MINUTE);
	assert_int_equal(rows.sum, 100);
	assert_int_equal(audit_queue_remove(redis, rows.count, &why), REDIS_DONE);
	assert_int_equal(length(), 0);
}

static void
test_away(void **state)
{
	struct rows rows = {0};
	int64_t n = -1;
	int taken = -1;

	(void)state;
	NEEDS_SERVER();
	put_at(PROFILE, 1, "", NOW);
	redis_server_kill(&server);
	assert_int_equal(
	    audit_queue_put(redis, NULL, "{}", octets_of(NULL, 0), 1, NOW, &why), REDIS_AWAY);
	assert_int_equal(
	    audit_queue_take(redis, 9, NOW, note_row, &rows, &taken, &why), REDIS_AWAY);
	assert_int_equal(taken, 0);
	assert_int_equal(audit_queue_length(redis, &n, &why), REDIS_AWAY);
	assert_int_equal(n, -1);
}

static char keeping[] = "keeping";

#define CASE(name, f)                                                                              \
	{                                                                                          \
		name, f, start_keeping, end, NULL                                                  \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE("rows come out in order and go when removed", test_in_order),
	    CASE("an empty queue gives nothing", test_empty),
	    CASE("rows and flood keys may be any octets", test_any_octets),
	    CASE("a taker that dies loses nothing, and one that is late removes nothing of others",
		test_death_between),
	    CASE("row() can end the taking, and fewer can be removed", test_row_ends_the_taking),
	    CASE("10,000 refusals become few rows and one with the right count", test_flood),
	    CASE("what stays at the rate is not counted together", test_at_the_rate),
	    CASE("what is counted late makes a row of its own", test_late_counts),
	    {"rows and counts survive a restart of Redis", test_counts_survive, start_keeping, end,
		keeping},
	    CASE("rates are swept and rows are not", test_rates_are_swept),
	    CASE("a full queue does not hold up the others", test_queues_take_turns),
	    CASE("a queue is bounded and what it refuses is counted", test_bounded),
	    CASE("with full memory rows are refused, and those there can be taken",
		test_full_memory),
	    CASE("without Redis everything is away", test_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
