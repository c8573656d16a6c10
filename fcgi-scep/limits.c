/* limits.c: which limits there are, and in which order. */
#include "limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/network.h"
#include "redis/limit.h"

#define MINUTE_MS    60000

/* Wrong challenges of an address are counted over all profiles: in place of the profile's id. */
#define ALL_PROFILES "-"

void
limits_refuse(struct transaction *t, int64_t retry_after_s, const char *reason)
{
	char headers[96];

	snprintf(headers, sizeof(headers),
	    "Retry-After: %" PRId64 "\r\nCache-Control: no-store\r\n", retry_after_s);
	fcgi_respond_text(t->http, 429, headers, "Too many requests, try again later.");
	transaction_limited(t, reason);
}

/* 0: none is exceeded, or Redis cannot tell. */
static int64_t
take(struct transaction *t, const char *profile_id, const struct limit *limits, int count,
    int64_t now_ms, struct errbuf *why)
{
	struct errbuf away = {0};
	int64_t retry_after_s;
	int exceeded;

	if (limit_take(t->worker->redis, profile_id, limits, count, now_ms, &exceeded,
		&retry_after_s, &away) != REDIS_DONE) {
		log_event(LOG_LEVEL_DEBUG, "limits-not-asked", "%s", away.line);
		return 0;
	}
	if (exceeded < 0)
		return 0;
	errbuf_set(why, "limit: above %" PRId64 " a minute (%s)", limits[exceeded].per_minute,
	    limits[exceeded].scope);
	return retry_after_s;
}

/* Without a challenge nothing is guessed; but a webhook is called for it all the same, and its profile's workers wait. */
static bool
may_be_guess(const struct transaction *t, const struct csr *csr)
{
	return (csr->has_challenge && csr->challenge.len > 0) ||
	       strcmp(t->profile->scep.challenge_mode, "webhook") == 0;
}

/* A clean address costs a look into memory, and no round trip. */
static int64_t
wait_of_suspect(struct transaction *t, const char *network, int64_t now_ms, struct errbuf *why)
{
	int64_t per_minute = t->worker->settings->wrong_per_minute, here, before, wait_s;
	const struct limit limit = {"wrong", network, per_minute, true};

	if (per_minute == 0 || t->worker->shared == NULL ||
	    !suspects_find(&t->worker->shared->suspects, network, now_ms, &here, &before))
		return 0;
	wait_s = limit_retry_after_s(before, here, now_ms % MINUTE_MS, per_minute);
	if (wait_s == 0)
		wait_s = take(t, ALL_PROFILES, &limit, 1, now_ms, why);
	if (wait_s > 0)
		errbuf_set(why, "limit: more than %" PRId64 " wrong challenges a minute from %s",
		    per_minute, network);
	return wait_s;
}

bool
limits_allow_try(struct transaction *t, const struct csr *csr, int64_t now_ms)
{
	const struct scep_profile_row *p = &t->profile->scep;
	char network[NETWORK_SIZE];
	const struct limit limit = {"address", network, p->limit_address, false};
	struct errbuf why = {0};
	int64_t wait_s = 0;

	network_of(fcgi_request_address(t->http), network);
	if (may_be_guess(t, csr))
		wait_s = wait_of_suspect(t, network, now_ms, &why);
	if (wait_s == 0)
		wait_s = take(t, p->id, &limit, 1, now_ms, &why);
	if (wait_s > 0)
		limits_refuse(t, wait_s, why.line);
	return wait_s == 0;
}

int64_t
limits_of_grant(
    struct transaction *t, const struct authorisation *grant, int64_t now_ms, struct errbuf *why)
{
	const struct scep_profile_row *p = &t->profile->scep;
	char account[24];
	const struct limit limits[] = {
	    {"profile", "", p->limit_profile, false},
	    {"account", account, grant->account_row != 0 ? p->limit_account : 0, false},
	    {"seat", grant->seat_id, grant->seat_id[0] != '\0' ? p->limit_seat : 0, false},
	};

	snprintf(account, sizeof(account), "%" PRId64, grant->account_row);
	return take(t, p->id, limits, sizeof(limits) / sizeof(limits[0]), now_ms, why);
}

void
limits_count_wrong(struct transaction *t, const struct csr *csr, int64_t now_ms)
{
	char network[NETWORK_SIZE];
	const struct limit limit = {"wrong", network, t->worker->settings->wrong_per_minute, false};
	struct errbuf why = {0};

	if (limit.per_minute == 0 || t->worker->shared == NULL || !may_be_guess(t, csr))
		return;
	network_of(fcgi_request_address(t->http), network);
	suspects_add(&t->worker->shared->suspects, network, now_ms);
	if (limit_add(t->worker->redis, ALL_PROFILES, &limit, now_ms, &why) != REDIS_DONE)
		log_event(LOG_LEVEL_DEBUG, "limits-not-asked", "%s", why.line);
}
