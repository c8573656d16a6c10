/* pending_manage.h: for the tests of approval: an installation with a Redis, and requests that wait in it, by number. */
#ifndef TESTS_PENDING_MANAGE_H
#define TESTS_PENDING_MANAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "fcgi-admin/manage/transaction.h"
#include "redis/challenge.h"
#include "redis/transaction.h"
#include "scep/scep.h"
#include "tests/unit/manage_fixture.h"
#include "tests/unit/pki_request.h"
#include "tests/unit/redis_server.h"

#define HOUR_MS ((int64_t)3600000)

static struct redis_server server;
static struct redis *redis;
static struct buffer csr;
static char profile_ids[2][37];
static struct errbuf why;

static inline int
setup(void **state)
{
	static const char *const names[] = {"manual", "other"};
	struct manage_fixture *f;
	struct manage_profile p;

	if (manage_fixture_setup(state) != 0)
		return -1;
	f = *state;
	manage_fixture_authority(f);
	for (int i = 0; i < 2; i++) {
		manage_fixture_profile(f, names[i], NULL);
		if (manage_profile_get(&f->manage, names[i], &p, manage_fixture_report(f)) !=
		    MANAGE_OK)
			return -1;
		memcpy(profile_ids[i], p.scep.id, sizeof(profile_ids[i]));
	}
	pki_csr(&csr, pki_ec_key(), "CN=device-1", NULL);
	if (!redis_server_installed())
		return 0;
	if (!redis_server_start(&server, NULL, false))
		return -1;
	snprintf(f->settings.redis, sizeof(f->settings.redis), "unix:%s", server.socket);
	return (redis = redis_server_client(&server, 2000)) != NULL ? 0 : -1;
}

static inline int
teardown(void **state)
{
	buffer_free(&csr);
	redis_close(redis);
	redis = NULL;
	manage_fixture_teardown(state);
	redis_server_end(&server);
	return 0;
}

/* Request number of a profile (0 or 1) that waits until expires_ms from now; with a reservation of the challenge of its number. */
static inline void
put(int profile, uint8_t number, int64_t expires_ms)
{
	int64_t now = clock_now_ms(), long_ago = now - 10 * HOUR_MS;
	struct challenge_mint mint = {.profile_id = profile_ids[profile],
	    .now_ms = long_ago,
	    .expires_ms = now + HOUR_MS,
	    .max_pending = 100};
	struct challenge_reservation c = {.profile_id = profile_ids[profile]};
	enum challenge_state state = CHALLENGE_UNKNOWN;
	struct pending p = {.profile_id = profile_ids[profile],
	    .created_ms = long_ago,
	    .expires_ms = now + expires_ms,
	    .message_type = SCEP_PKCS_REQ,
	    .address = "192.0.2.7",
	    .transaction_id = octets_of_string("CAFE"),
	    .method = "dynamic",
	    .subject = octets_of_string("CN=device-1"),
	    .key_type = "EC P-256",
	    .csr = buffer_octets(&csr),
	    .signer = octets_of_string("signer"),
	    .sealed_password = octets_of_string("sealed")};

	memset(mint.id, number, sizeof(mint.id));
	memset(c.id, number, sizeof(c.id));
	memset(c.repeat_key, number, sizeof(c.repeat_key));
	memset(p.repeat_key, number, sizeof(p.repeat_key));
	memset(p.key, number, sizeof(p.key));
	snprintf(p.id, sizeof(p.id), "%02x0e0e0e-0000-4000-8000-0000000000%02x", number, number);
	p.challenge_id = octets_of(mint.id, sizeof(mint.id));
	assert_int_equal(challenge_mint(redis, &mint, NULL, &why), REDIS_DONE);
	assert_int_equal(
	    challenge_reserve(redis, &c, long_ago, 20 * HOUR_MS, &state, &why), REDIS_DONE);
	assert_int_equal(state, CHALLENGE_RESERVED);
	memcpy(p.challenge_token, c.token, sizeof(p.challenge_token));
	assert_int_equal(transaction_put(redis, &p, long_ago, 100, NULL, &why), REDIS_DONE);
}

static inline const char *
id_of(uint8_t number)
{
	static char id[37];

	snprintf(id, sizeof(id), "%02x0e0e0e-0000-4000-8000-0000000000%02x", number, number);
	return id;
}

/* What another request finds that tries the challenge. */
static inline enum challenge_state
challenge_of(int profile, uint8_t number)
{
	struct challenge_reservation c = {.profile_id = profile_ids[profile]};
	enum challenge_state state = CHALLENGE_UNKNOWN;

	memset(c.id, number, sizeof(c.id));
	memset(c.repeat_key, 0xee, sizeof(c.repeat_key));
	assert_int_equal(challenge_reserve(redis, &c, clock_now_ms(), 1, &state, &why), REDIS_DONE);
	return state;
}

#define NEEDS_SERVER()                                                                             \
	do {                                                                                       \
		if (!redis_server_installed())                                                     \
			skip();                                                                    \
	} while (0)

static inline bool
count_row(void *ctx, const struct manage_transaction *t)
{
	(void)t;
	(*(int *)ctx)++;
	return true;
}

static inline int
listed(struct manage_fixture *f, const char *profile, bool decided)
{
	int count = 0;

	assert_int_equal(manage_transaction_each(&f->manage, profile, decided, count_row, &count,
			     manage_fixture_report(f)),
	    MANAGE_OK);
	return count;
}

static inline enum manage_rc
decide(struct manage_fixture *f, const char *id, bool approve, const char *reason)
{
	struct manage_transaction t;
	enum manage_rc rc = manage_transaction_decide(
	    &f->manage, &f->actor, id, approve, reason, &t, manage_fixture_report(f));

	if (rc == MANAGE_OK)
		manage_transaction_free(&t);
	return rc;
}

#endif
