/* pending_fixture.h: for the tests of transactions in Redis: requests that wait, by number. */
#ifndef TESTS_PENDING_FIXTURE_H
#define TESTS_PENDING_FIXTURE_H

#include <stdio.h>

#include "redis/audit_queue.h"
#include "redis/transaction.h"
#include "tests/unit/challenge_fixture.h"

#define MAX ((int64_t)10)

static char ids[256][37];

/* A transaction of key number with octets for everything. */
static inline struct pending
a_pending(uint8_t number)
{
	struct pending p = {
	    .profile_id = PROFILE,
	    .created_ms = NOW,
	    .expires_ms = NOW + LIFE + number,
	    .message_type = 19,
	    .address = "2001:db8::7",
	    .transaction_id = octets_of_string("transaction \"1\""),
	    .method = "dynamic",
	    .subject = octets_of_string("CN=device"),
	    .key_type = "EC-P-256",
	    .csr = octets_of("\x30\0\r\n\xff", 5),
	    .signer = octets_of("\x30\1", 2),
	    .challenge_id = octets_of("\0challenge\r\n", 12),
	    .challenge_token = "0123456789abcdef0123456789abcdef",
	    .predecessor = octets_of("\x30\2", 2),
	    .sealed_password = octets_of("\0\1\2", 3),
	    .enrollment_row = 7,
	    .account_row = INT64_MAX,
	};

	memset(p.key, number, sizeof(p.key));
	p.key[1] = 0;
	memset(p.repeat_key, number, sizeof(p.repeat_key));
	p.repeat_key[2] = '\n';
	snprintf(p.id, sizeof(p.id), "0e0e0e0e-0000-4000-8000-0000000000%02x", number);
	memcpy(ids[number], p.id, sizeof(ids[number]));
	return p;
}

static inline enum redis_rc
put(const struct pending *p, int64_t now_ms)
{
	return transaction_put(redis, p, now_ms, MAX, NULL, &why);
}

static inline void
assert_put(uint8_t number)
{
	struct pending p = a_pending(number);

	if (put(&p, NOW) != REDIS_DONE)
		fail_msg("%s", why.line);
}

/* Is there a transaction of this number?  Then it is in out, which the caller frees. */
static inline bool
get(uint8_t number, int64_t now_ms, bool count_poll, struct pending *out)
{
	struct pending p = a_pending(number);
	bool there;

	assert_int_equal(
	    transaction_get(redis, PROFILE, p.key, now_ms, count_poll, &there, out, &why),
	    REDIS_DONE);
	return there;
}

static inline bool
is_there(uint8_t number)
{
	struct pending p;
	bool there = get(number, NOW, false, &p);

	pending_free(&p);
	return there;
}

static inline void
assert_same(const struct pending *a, const struct pending *b)
{
	assert_string_equal(a->profile_id, b->profile_id);
	assert_memory_equal(a->key, b->key, sizeof(a->key));
	assert_string_equal(a->id, b->id);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->created_ms, b->created_ms);
	assert_int_equal(a->expires_ms, b->expires_ms);
	assert_int_equal(a->polls, b->polls);
	assert_int_equal(a->message_type, b->message_type);
	assert_string_equal(a->address, b->address);
	assert_true(octets_equal(a->transaction_id, b->transaction_id));
	assert_string_equal(a->method, b->method);
	assert_true(octets_equal(a->subject, b->subject));
	assert_string_equal(a->key_type, b->key_type);
	assert_true(octets_equal(a->csr, b->csr));
	assert_true(octets_equal(a->signer, b->signer));
	assert_memory_equal(a->repeat_key, b->repeat_key, sizeof(a->repeat_key));
	assert_true(octets_equal(a->challenge_id, b->challenge_id));
	assert_string_equal(a->challenge_token, b->challenge_token);
	assert_true(octets_equal(a->predecessor, b->predecessor));
	assert_true(octets_equal(a->sealed_password, b->sealed_password));
	assert_int_equal(a->enrollment_row, b->enrollment_row);
	assert_int_equal(a->account_row, b->account_row);
}

/* How many rows the audit queue has. */
static inline int64_t
rows(void)
{
	int64_t n = -1;

	assert_int_equal(audit_queue_length(redis, &n, &why), REDIS_DONE);
	return n;
}

#endif
