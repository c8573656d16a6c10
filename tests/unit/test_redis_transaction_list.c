#include <stdio.h>
#include <string.h>

#include "tests/unit/pending_fixture.h"

struct seen {
	int count, stop_at;
	uint8_t numbers[64];
	enum pending_state state;
	bool end; /* mark each as ended */
};

static bool
see(void *ctx, const struct pending *p)
{
	struct seen *s = ctx;

	assert_true(s->count < 64);
	assert_string_equal(p->profile_id, PROFILE);
	assert_string_equal(p->id, ids[p->key[0]]);
	assert_int_equal(p->state, s->state);
	assert_true(octets_equal(p->csr, octets_of("\x30\0\r\n\xff", 5)));
	s->numbers[s->count++] = p->key[0];
	if (s->end)
		assert_int_equal(
		    transaction_ended(redis, PROFILE, p->key, p->id, NOW + 2 * LIFE, &why),
		    REDIS_DONE);
	return s->count != s->stop_at;
}

static int
each(struct seen *s, int64_t now_ms, int limit)
{
	s->count = 0;
	s->state = PENDING_WAITS;
	if (transaction_each(redis, PROFILE, now_ms, limit, see, s, &why) != REDIS_DONE)
		fail_msg("%s", why.line);
	return s->count;
}

static int
expired(struct seen *s, int64_t now_ms, int limit)
{
	s->count = 0;
	s->state = PENDING_EXPIRED;
	if (transaction_expired_each(redis, PROFILE, now_ms, limit, see, s, &why) != REDIS_DONE)
		fail_msg("%s", why.line);
	return s->count;
}

static void
put_many(uint8_t count)
{
	struct pending p;

	/* Not in the order of their expiry. */
	for (uint8_t i = count; i >= 1; i--) {
		p = a_pending(i);
		assert_int_equal(transaction_put(redis, &p, NOW, 100, NULL, &why), REDIS_DONE);
	}
}

static int64_t
set_size(void)
{
	int64_t n = -1;

	assert_true(redis_server_command(redis, "ZCARD {" PROFILE "}:transactions", &n));
	return n;
}

static void
delete_record(uint8_t number)
{
	char line[200];

	snprintf(line, sizeof(line), "DEL {" PROFILE "}:t:%02x00", number);
	for (int i = 2; i < TRANSACTION_KEY_OCTETS; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "%02x", number);
	assert_true(redis_server_command(redis, line, NULL));
	assert_int_equal(set_size() > 0, true);
}

static void
those_that_wait_are_listed_oldest_expiry_first(void **state)
{
	struct pending p = a_pending(50);
	struct seen s = {0};

	(void)state;
	NEEDS_SERVER();
	assert_int_equal(each(&s, NOW, 100), 0);
	put_many(41);
	p.profile_id = OTHER;
	assert_int_equal(put(&p, NOW), REDIS_DONE);
	assert_int_equal(each(&s, NOW, 100), 41);
	for (int i = 0; i < 41; i++)
		assert_int_equal(s.numbers[i], i + 1);
	assert_int_equal(each(&s, NOW, 17), 17);
	assert_int_equal(s.numbers[16], 17);
	s.stop_at = 16;
	assert_int_equal(each(&s, NOW, 100), 16);
}

static void
expired_and_removed_ones_do_not_wait(void **state)
{
	struct seen s = {0};

	(void)state;
	NEEDS_SERVER();
	put_many(5);
	assert_int_equal(each(&s, NOW + LIFE + 2, 100), 3);
	assert_memory_equal(s.numbers, "\3\4\5", 3);
	assert_int_equal(
	    transaction_remove(redis, PROFILE, a_pending(4).key, ids[4], &why), REDIS_DONE);
	delete_record(5);
	assert_int_equal(each(&s, NOW + LIFE + 2, 100), 1);
	assert_memory_equal(s.numbers, "\3", 1);
}

static void
those_whose_time_is_over_are_given_until_they_are_marked(void **state)
{
	struct seen s = {0};

	(void)state;
	NEEDS_SERVER();
	put_many(20);
	assert_int_equal(expired(&s, NOW + LIFE, 100), 0);
	assert_int_equal(expired(&s, NOW + LIFE + 18, 100), 18);
	assert_int_equal(expired(&s, NOW + LIFE + 18, 17), 17);
	s.end = true;
	assert_int_equal(expired(&s, NOW + LIFE + 18, 17), 17);
	assert_int_equal(s.numbers[0], 1);
	assert_int_equal(expired(&s, NOW + LIFE + 18, 100), 1);
	assert_int_equal(s.numbers[0], 18);
	assert_int_equal(expired(&s, NOW + LIFE + 18, 100), 0);
	assert_int_equal(set_size(), 2);
}

static void
one_that_redis_has_swept_leaves_the_set_and_hides_no_other(void **state)
{
	struct seen s = {0};

	(void)state;
	NEEDS_SERVER();
	put_many(3);
	delete_record(1);
	delete_record(3);
	assert_int_equal(expired(&s, NOW + LIFE + 2, 1), 0);
	assert_int_equal(set_size(), 2);
	assert_int_equal(expired(&s, NOW + LIFE + 2, 1), 1);
	assert_int_equal(s.numbers[0], 2);
	/* Its time is not over: it stays where it is. */
	assert_int_equal(set_size(), 2);
}

static void
one_that_was_put_anew_since_is_not_expired(void **state)
{
	struct pending again = a_pending(1);
	struct seen s = {0};

	(void)state;
	NEEDS_SERVER();
	put_many(2);
	again.expires_ms = NOW + 3 * LIFE;
	assert_int_equal(put(&again, NOW + 2 * LIFE), REDIS_DONE);
	assert_int_equal(expired(&s, NOW + 2 * LIFE, 100), 1);
	assert_int_equal(s.numbers[0], 2);
	assert_int_equal(each(&s, NOW + 2 * LIFE, 100), 1);
	assert_int_equal(s.numbers[0], 1);
}

static void
one_is_found_by_its_id_expired_or_not(void **state)
{
	struct pending p;
	bool there = false;

	(void)state;
	NEEDS_SERVER();
	put_many(40);
	for (uint8_t i = 1; i <= 40; i += 13) {
		assert_int_equal(
		    transaction_find(redis, PROFILE, ids[i], NOW, &there, &p, &why), REDIS_DONE);
		assert_true(there);
		assert_int_equal(p.key[0], i);
		assert_int_equal(p.state, PENDING_WAITS);
		pending_free(&p);
	}
	assert_int_equal(
	    transaction_find(redis, PROFILE, ids[1], NOW + 2 * LIFE, &there, &p, &why), REDIS_DONE);
	assert_true(there);
	assert_int_equal(p.state, PENDING_EXPIRED);
	pending_free(&p);
	assert_int_equal(
	    transaction_find(redis, PROFILE, OTHER, NOW, &there, &p, &why), REDIS_DONE);
	assert_false(there);
	assert_int_equal(transaction_find(redis, OTHER, ids[1], NOW, &there, &p, &why), REDIS_DONE);
	assert_false(there);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) CASE(#f, f)
	    TEST(those_that_wait_are_listed_oldest_expiry_first),
	    TEST(expired_and_removed_ones_do_not_wait),
	    TEST(those_whose_time_is_over_are_given_until_they_are_marked),
	    TEST(one_that_redis_has_swept_leaves_the_set_and_hides_no_other),
	    TEST(one_that_was_put_anew_since_is_not_expired),
	    TEST(one_is_found_by_its_id_expired_or_not),
	};

	return cmocka_run_group_tests_name("redis_transaction_list", tests, NULL, NULL);
}
