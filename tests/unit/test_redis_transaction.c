#include <stdio.h>
#include <string.h>

#include "tests/unit/pending_fixture.h"

/* ---- one ---- */

static void
a_transaction_comes_back_whole_and_another_key_finds_none(void **state)
{
	struct pending want = a_pending(1), have;

	(void)state;
	NEEDS_SERVER();
	assert_put(1);
	assert_true(get(1, NOW, false, &have));
	assert_same(&want, &have);
	pending_free(&have);
	assert_false(get(2, NOW, false, &have));
	assert_int_equal(have.room.len, 0);
}

static void
what_is_optional_may_be_empty(void **state)
{
	struct pending want = a_pending(1), have;

	(void)state;
	NEEDS_SERVER();
	want.challenge_id = want.predecessor = want.sealed_password = octets_of(NULL, 0);
	want.challenge_token[0] = want.address[0] = '\0';
	assert_int_equal(put(&want, NOW), REDIS_DONE);
	assert_true(get(1, NOW, false, &have));
	assert_same(&want, &have);
	pending_free(&have);
}

static void
polls_are_counted_where_that_is_asked_for(void **state)
{
	struct pending have;

	(void)state;
	NEEDS_SERVER();
	assert_false(get(1, NOW, true, &have));
	assert_put(1);
	for (int i = 1; i <= 3; i++) {
		assert_true(get(1, NOW, true, &have));
		assert_int_equal(have.polls, i);
		pending_free(&have);
	}
	assert_true(get(1, NOW, false, &have));
	assert_int_equal(have.polls, 3);
	pending_free(&have);
}

static void
a_transaction_expires_by_the_callers_clock(void **state)
{
	struct pending have;

	(void)state;
	NEEDS_SERVER();
	assert_put(1);
	assert_true(get(1, NOW + LIFE, false, &have));
	assert_int_equal(have.state, PENDING_WAITS);
	pending_free(&have);
	assert_true(get(1, NOW + LIFE + 1, true, &have));
	assert_int_equal(have.state, PENDING_EXPIRED);
	pending_free(&have);
}

/* The TTL in milliseconds of a record and of the set. */
static void
redis_sweeps_a_day_after_the_end(void **state)
{
	const int64_t left = LIFE + 1 + TRANSACTION_SWEEP_MS;
	int64_t n = -1;

	(void)state;
	NEEDS_SERVER();
	assert_put(1);
	assert_true(redis_server_command(redis,
	    "PTTL {" PROFILE "}:t:01000101010101010101010101010101010101010101010101010101010101"
	    "01",
	    &n));
	assert_in_range(n, left - 5000, left);
	assert_true(redis_server_command(redis, "PTTL {" PROFILE "}:transactions", &n));
	assert_in_range(n, left - 5000, left);
}

/* ---- the same key again ---- */

static void
the_same_request_again_stays_as_it_is(void **state)
{
	struct pending again = a_pending(1), have;

	(void)state;
	NEEDS_SERVER();
	assert_put(1);
	assert_true(get(1, NOW, true, &have));
	pending_free(&have);
	/* The same id. */
	again.subject = octets_of_string("CN=other");
	again.repeat_key[0] ^= 1;
	assert_int_equal(put(&again, NOW), REDIS_DONE);
	assert_true(get(1, NOW, false, &have));
	assert_int_equal(have.polls, 1);
	assert_true(octets_equal(have.subject, octets_of_string("CN=device")));
	pending_free(&have);
	/* Another copy of it, which was given an id of its own. */
	again = a_pending(1);
	again.id[0] = 'f';
	assert_int_equal(put(&again, NOW), REDIS_DONE);
	assert_true(get(1, NOW, false, &have));
	assert_string_equal(have.id, ids[1]);
	pending_free(&have);
}

static void
another_request_of_the_key_replaces_it_whole(void **state)
{
	struct pending other = a_pending(1), have;

	(void)state;
	NEEDS_SERVER();
	assert_put(1);
	assert_true(get(1, NOW, true, &have));
	pending_free(&have);
	other.id[0] = 'f';
	other.repeat_key[0] ^= 1;
	other.expires_ms = NOW + 1000;
	other.csr = octets_of_string("another");
	other.sealed_password = other.challenge_id = octets_of(NULL, 0);
	other.challenge_token[0] = '\0';
	assert_int_equal(put(&other, NOW), REDIS_DONE);
	assert_true(get(1, NOW, false, &have));
	assert_same(&other, &have);
	pending_free(&have);
}

static void
the_same_request_is_kept_anew_once_it_has_expired(void **state)
{
	struct pending again = a_pending(1), have;

	(void)state;
	NEEDS_SERVER();
	assert_put(1);
	again.expires_ms = NOW + 3 * LIFE;
	again.created_ms = NOW + 2 * LIFE;
	assert_int_equal(put(&again, NOW + 2 * LIFE), REDIS_DONE);
	assert_true(get(1, NOW + 2 * LIFE, false, &have));
	assert_same(&again, &have);
	pending_free(&have);
}

/* ---- how many ---- */

static void
more_than_may_wait_are_refused_until_one_is_gone_or_expired(void **state)
{
	struct pending p;

	(void)state;
	NEEDS_SERVER();
	for (uint8_t i = 1; i <= MAX; i++)
		assert_put(i);
	p = a_pending(11);
	assert_int_equal(put(&p, NOW), REDIS_REFUSED);
	assert_non_null(strstr(why.line, "10 wait already"));
	assert_false(is_there(11));
	/* What is there is no further one, nor is what comes in its place. */
	p = a_pending(1);
	assert_int_equal(put(&p, NOW), REDIS_DONE);
	p.id[0] = 'f';
	p.repeat_key[0] ^= 1;
	assert_int_equal(put(&p, NOW), REDIS_DONE);
	/* Another profile has its own number. */
	p = a_pending(11);
	p.profile_id = OTHER;
	assert_int_equal(put(&p, NOW), REDIS_DONE);
	p.profile_id = PROFILE;
	assert_int_equal(put(&p, NOW + LIFE + 1), REDIS_DONE);
	p = a_pending(12);
	assert_int_equal(put(&p, NOW + LIFE), REDIS_REFUSED);
	for (uint8_t i = 2; i <= 3; i++)
		assert_int_equal(
		    transaction_remove(redis, PROFILE, a_pending(i).key, ids[i], &why), REDIS_DONE);
	assert_int_equal(put(&p, NOW + LIFE), REDIS_DONE);
}

static void
parts_that_are_too_long_are_refused(void **state)
{
	static uint8_t room[TRANSACTION_DER_MAX + 1];
	struct pending p;

	(void)state;
	NEEDS_SERVER();
	p = a_pending(1);
	p.csr = p.signer = p.predecessor = octets_of(room, TRANSACTION_DER_MAX);
	p.transaction_id = octets_of(room, TRANSACTION_ID_MAX);
	p.subject = octets_of(room, TRANSACTION_SUBJECT_MAX);
	p.sealed_password = octets_of(room, TRANSACTION_PASSWORD_MAX);
	assert_int_equal(put(&p, NOW), REDIS_DONE);
	assert_true(is_there(1));
	for (int i = 0; i < 7; i++) {
		p = a_pending(2);
		*(struct octets *[]){&p.csr, &p.signer, &p.predecessor, &p.transaction_id,
		    &p.subject, &p.sealed_password, &p.challenge_id}[i] =
		    octets_of(room, (size_t[]){TRANSACTION_DER_MAX, TRANSACTION_DER_MAX,
					TRANSACTION_DER_MAX, TRANSACTION_ID_MAX,
					TRANSACTION_SUBJECT_MAX, TRANSACTION_PASSWORD_MAX, 32}[i] +
					1);
		assert_int_equal(put(&p, NOW), REDIS_REFUSED);
		assert_non_null(strstr(why.line, "octets, want <="));
	}
	assert_false(is_there(2));
}

/* ---- the end ---- */

static void
a_transaction_is_removed_by_key_and_id_alone(void **state)
{
	struct pending p = a_pending(1);

	(void)state;
	NEEDS_SERVER();
	assert_put(1);
	assert_put(2);
	assert_int_equal(transaction_remove(redis, PROFILE, p.key, ids[2], &why), REDIS_DONE);
	assert_true(is_there(1));
	assert_int_equal(transaction_remove(redis, PROFILE, p.key, ids[1], &why), REDIS_DONE);
	assert_false(is_there(1));
	assert_true(is_there(2));
	/* It may be gone already. */
	assert_int_equal(transaction_remove(redis, PROFILE, p.key, ids[1], &why), REDIS_DONE);
}

static void
an_ended_transaction_stays_for_polls_without_its_secrets(void **state)
{
	struct pending p = a_pending(1), have;
	int64_t n = -1;

	(void)state;
	NEEDS_SERVER();
	assert_put(1);
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(
		    transaction_ended(redis, PROFILE, p.key, ids[1], p.expires_ms, &why),
		    REDIS_DONE);
		/* Even where the clock goes back. */
		assert_true(get(1, NOW, true, &have));
		assert_int_equal(have.state, PENDING_EXPIRED);
		assert_int_equal(have.polls, twice + 1);
		assert_int_equal(have.sealed_password.len, 0);
		assert_string_equal(have.challenge_token, "");
		assert_true(octets_equal(have.csr, p.csr));
		pending_free(&have);
	}
	assert_true(redis_server_command(redis, "ZCARD {" PROFILE "}:transactions", &n));
	assert_int_equal(n, 0);
}

static void
what_waits_or_is_anothers_is_not_ended(void **state)
{
	struct pending p = a_pending(1), have;
	int64_t n = -1;

	(void)state;
	NEEDS_SERVER();
	assert_put(1);
	assert_int_equal(
	    transaction_ended(redis, PROFILE, p.key, ids[1], p.expires_ms - 1, &why), REDIS_DONE);
	assert_int_equal(
	    transaction_ended(redis, PROFILE, p.key, OTHER, p.expires_ms, &why), REDIS_DONE);
	assert_true(get(1, NOW, false, &have));
	assert_same(&p, &have);
	pending_free(&have);
	assert_true(redis_server_command(redis, "ZCARD {" PROFILE "}:transactions", &n));
	assert_int_equal(n, 1);
	/* Marking one that is gone makes none. */
	assert_int_equal(
	    transaction_ended(redis, PROFILE, a_pending(2).key, ids[2], NOW, &why), REDIS_DONE);
	assert_false(is_there(2));
}

/* ---- its audit row ---- */

static void
a_transaction_and_its_audit_row_are_kept_together(void **state)
{
	struct pending p = a_pending(1);

	(void)state;
	NEEDS_SERVER();
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(transaction_put(redis, &p, NOW, MAX, "{}", &why), REDIS_DONE);
		assert_int_equal(rows(), 1);
	}
	p = a_pending(2);
	assert_int_equal(transaction_put(redis, &p, NOW, 1, "{}", &why), REDIS_REFUSED);
	assert_int_equal(rows(), 1);
}

static void
a_full_audit_queue_keeps_no_transaction(void **state)
{
	struct pending p = a_pending(1);

	(void)state;
	NEEDS_SERVER();
	assert_true(redis_server_command(redis,
	    "EVAL for\ti=1,100000\tdo\tredis.call('RPUSH',KEYS[1],'1\t{}')\tend 1 {" PROFILE
	    "}:audit",
	    NULL));
	assert_int_equal(transaction_put(redis, &p, NOW, MAX, "{}", &why), REDIS_AWAY);
	assert_false(is_there(1));
	/* Without a row it is kept. */
	assert_int_equal(put(&p, NOW), REDIS_DONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) CASE(#f, f)
	    TEST(a_transaction_comes_back_whole_and_another_key_finds_none),
	    TEST(what_is_optional_may_be_empty),
	    TEST(polls_are_counted_where_that_is_asked_for),
	    TEST(a_transaction_expires_by_the_callers_clock),
	    TEST(redis_sweeps_a_day_after_the_end),
	    TEST(the_same_request_again_stays_as_it_is),
	    TEST(another_request_of_the_key_replaces_it_whole),
	    TEST(the_same_request_is_kept_anew_once_it_has_expired),
	    TEST(more_than_may_wait_are_refused_until_one_is_gone_or_expired),
	    TEST(parts_that_are_too_long_are_refused),
	    TEST(a_transaction_is_removed_by_key_and_id_alone),
	    TEST(an_ended_transaction_stays_for_polls_without_its_secrets),
	    TEST(what_waits_or_is_anothers_is_not_ended),
	    TEST(a_transaction_and_its_audit_row_are_kept_together),
	    TEST(a_full_audit_queue_keeps_no_transaction),
	};

	return cmocka_run_group_tests_name("redis_transaction", tests, NULL, NULL);
}
