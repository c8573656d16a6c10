/* pending_fixture.h: for the tests of transactions in Redis: requests that wait, by number. */
#ifndef TESTS_PENDING_FIXTURE_H
#define TESTS_PENDING_FIXTURE_H

#include <stdio.h>

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

#endif
