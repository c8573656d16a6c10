/* test_redis_transaction_faults.c: transactions where Redis is full, forgets, is away, or has a record of another form. */
#include <string.h>

#include "tests/unit/pending_fixture.h"

static void
full_memory_takes_none_in_and_lets_what_is_there_go_on(void **state)
{
	struct pending p = a_pending(3), have;

	(void)state;
	NEEDS_SERVER();
	assert_put(1);
	assert_put(2);
	assert_true(redis_server_command(redis, "CONFIG SET maxmemory 1", NULL));
	assert_int_equal(put(&p, NOW), REDIS_AWAY);
	assert_int_equal(transaction_put(redis, &p, NOW, MAX, "{}", &why), REDIS_AWAY);
	assert_true(get(1, NOW, true, &have));
	assert_int_equal(have.polls, 1);
	pending_free(&have);
	assert_int_equal(
	    transaction_remove(redis, PROFILE, a_pending(1).key, ids[1], &why), REDIS_DONE);
	assert_int_equal(
	    transaction_ended(redis, PROFILE, a_pending(2).key, ids[2], NOW + 2 * LIFE, &why),
	    REDIS_DONE);
	assert_false(is_there(1));
	assert_true(redis_server_command(redis, "CONFIG SET maxmemory 0", NULL));
	assert_false(is_there(3));
	assert_int_equal(rows(), 0);
	assert_int_equal(put(&p, NOW), REDIS_DONE);
}

static void
scripts_that_redis_has_forgotten_are_sent_again(void **state)
{
	struct pending have;

	(void)state;
	NEEDS_SERVER();
	assert_put(1);
	assert_true(redis_server_command(redis, "SCRIPT FLUSH", NULL));
	assert_true(get(1, NOW, true, &have));
	pending_free(&have);
	assert_true(redis_server_command(redis, "SCRIPT FLUSH", NULL));
	assert_put(2);
}

static void
without_redis_every_call_is_away(void **state)
{
	struct pending p = a_pending(1), have;
	bool there = true;

	(void)state;
	NEEDS_SERVER();
	redis_server_kill(&server);
	assert_int_equal(put(&p, NOW), REDIS_AWAY);
	assert_int_equal(
	    transaction_get(redis, PROFILE, p.key, NOW, true, &there, &have, &why), REDIS_AWAY);
	assert_false(there);
	assert_int_equal(transaction_remove(redis, PROFILE, p.key, p.id, &why), REDIS_AWAY);
	assert_int_equal(transaction_ended(redis, PROFILE, p.key, p.id, NOW, &why), REDIS_AWAY);
	assert_int_equal(
	    transaction_find(redis, PROFILE, p.id, NOW, &there, &have, &why), REDIS_AWAY);
}

#define RECORD_OF_1                                                                                \
	"{" PROFILE "}:t:0100010101010101010101010101010101010101010101010101010101010101"

/* 0.2 knew of no enrolments and no accounts. */
static void
a_record_of_an_older_program_is_read(void **state)
{
	struct pending want = a_pending(1), have;

	(void)state;
	NEEDS_SERVER();
	assert_put(1);
	assert_true(redis_server_command(redis, "HDEL " RECORD_OF_1 " enrollment account", NULL));
	assert_true(get(1, NOW, false, &have));
	want.enrollment_row = want.account_row = 0;
	assert_same(&want, &have);
	pending_free(&have);
	assert_true(get(1, NOW, true, &have));
	assert_int_equal(have.polls, 1);
	pending_free(&have);
}

static void
a_record_of_another_form_is_no_transaction(void **state)
{
	struct pending p = a_pending(1), have;
	bool there;

	(void)state;
	NEEDS_SERVER();
	assert_put(1);
	assert_true(redis_server_command(redis, "HSET " RECORD_OF_1 " repeat short", NULL));
	assert_int_equal(
	    transaction_get(redis, PROFILE, p.key, NOW, false, &there, &have, &why), REDIS_AWAY);
	assert_false(there);
	assert_int_equal(have.room.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) CASE(#f, f)
	    TEST(full_memory_takes_none_in_and_lets_what_is_there_go_on),
	    TEST(scripts_that_redis_has_forgotten_are_sent_again),
	    TEST(without_redis_every_call_is_away),
	    TEST(a_record_of_an_older_program_is_read),
	    TEST(a_record_of_another_form_is_no_transaction),
	};

	return cmocka_run_group_tests_name("redis_transaction_faults", tests, NULL, NULL);
}
