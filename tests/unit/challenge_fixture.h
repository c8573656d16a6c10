/* challenge_fixture.h: for the tests of challenges: a Redis, a client of it, and challenges and requests by number. */
#ifndef TESTS_CHALLENGE_FIXTURE_H
#define TESTS_CHALLENGE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

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

/* Set-up of each case; where the program is not installed there is no server. */
static inline int
challenge_fixture_start(void **state)
{
	(void)state;
	if (!redis_server_installed())
		return 0;
	if (!redis_server_start(&server, NULL, false))
		return -1;
	return (redis = redis_server_client(&server, 2000)) != NULL ? 0 : -1;
}

static inline int
challenge_fixture_end(void **state)
{
	(void)state;
	redis_close(redis);
	redis = NULL;
	redis_server_end(&server);
	return 0;
}

static inline struct challenge_mint
a_challenge(uint8_t n)
{
	struct challenge_mint m = {
	    .profile_id = PROFILE, .now_ms = NOW, .expires_ms = NOW + LIFE, .max_pending = 10};

	memset(m.id, n, sizeof(m.id));
	m.id[1] = 0; /* any octets are good */
	return m;
}

static inline struct challenge_reservation
a_request(uint8_t challenge, uint8_t request)
{
	struct challenge_reservation c = {.profile_id = PROFILE};

	memset(c.id, challenge, sizeof(c.id));
	c.id[1] = 0;
	memset(c.repeat_key, request, sizeof(c.repeat_key));
	c.repeat_key[3] = 0;
	return c;
}

/* The rest assert that Redis was there. */
static inline void
mint(uint8_t n)
{
	struct challenge_mint m = a_challenge(n);

	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_DONE);
}

static inline enum challenge_state
reserve_at(struct challenge_reservation *c, int64_t now_ms)
{
	enum challenge_state state = CHALLENGE_UNKNOWN;

	assert_int_equal(challenge_reserve(redis, c, now_ms, RESERVE, &state, &why), REDIS_DONE);
	return state;
}

static inline int64_t
pending_at(int64_t now_ms)
{
	int64_t n = -1;

	assert_int_equal(challenge_pending(redis, PROFILE, now_ms, &n, &why), REDIS_DONE);
	return n;
}

/* Without a server there is nothing to test: the case is skipped by its name. */
#define NEEDS_SERVER()                                                                             \
	do {                                                                                       \
		if (!redis_server_installed())                                                     \
			skip();                                                                    \
	} while (0)
#define CASE(name, f)                                                                              \
	{                                                                                          \
		name, f, challenge_fixture_start, challenge_fixture_end, NULL                      \
	}

#endif
