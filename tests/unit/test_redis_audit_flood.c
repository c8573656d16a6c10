/* test_redis_audit_flood.c: refusals from ever new addresses take no more of Redis' memory than a bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "redis/audit_queue.h"
#include "tests/unit/redis_server.h"

#define PROFILE	   "0a1b2c3d-0000-4000-8000-000000000001"
#define NOW	   ((int64_t)1795000020000) /* a minute begins */
#define MINUTE	   ((int64_t)60000)
#define PER_MINUTE 60

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
	return (redis = redis_server_client(&server, 10000)) != NULL ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	redis_close(redis);
	redis_server_end(&server);
	return 0;
}

static void
put_from(int address)
{
	char flood_key[32];

	snprintf(flood_key, sizeof(flood_key), "address %d", address);
	assert_int_equal(audit_queue_put(redis, PROFILE, "{}", octets_of_string(flood_key),
			     PER_MINUTE, NOW, &why),
	    REDIS_DONE);
}

static int64_t
ask(const char *command)
{
	int64_t n = -1;

	assert_true(redis_server_command(redis, command, &n));
	return n;
}

static void
so_many_addresses_are_told_apart_in_a_minute_and_the_rest_count_as_one(void **state)
{
	const int more = 3 * PER_MINUTE;
	char rates[128];
	int64_t rows;

	(void)state;
	if (!redis_server_installed())
		skip();
	snprintf(
	    rates, sizeof(rates), "HLEN {" PROFILE "}:audit-rates:%lld", (long long)(NOW / MINUTE));
	for (int i = 0; i < AUDIT_QUEUE_COUNTED_MAX; i++)
		put_from(i);
	assert_int_equal(ask(rates), AUDIT_QUEUE_COUNTED_MAX);
	rows = ask("LLEN {" PROFILE "}:audit");
	assert_int_equal(rows, AUDIT_QUEUE_COUNTED_MAX);
	for (int i = 0; i < more; i++)
		put_from(AUDIT_QUEUE_COUNTED_MAX + i);
	assert_int_equal(ask(rates), AUDIT_QUEUE_COUNTED_MAX + 1);
	assert_int_equal(ask("LLEN {" PROFILE "}:audit"), rows + PER_MINUTE);
	assert_int_equal(ask("HLEN {" PROFILE "}:audit-counts"), 1);
	/* Who was there before is told apart still. */
	put_from(7);
	assert_int_equal(ask("LLEN {" PROFILE "}:audit"), rows + PER_MINUTE + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		so_many_addresses_are_told_apart_in_a_minute_and_the_rest_count_as_one),
	};

	return cmocka_run_group_tests(tests, start, end);
}
