/*
 * limit.h: how often something may be done, counted in sliding windows of a minute; all limits of one request in one round trip.
 *
 * Keys: "{PROFILE-UUID}:l:SCOPE:MINUTE", a hash of counts by what is counted (16 octets of its SHA-256), which Redis forgets when the window
 * has left it.  What counts is this minute's and, of the minute before, the part that is still in the window, as if it had been even.
 */
#ifndef REDIS_LIMIT_H
#define REDIS_LIMIT_H

#include "redis/redis.h"

#define LIMITS_MAX     6

/* Whoever invents keys does not fill Redis: beyond so many of one scope, profile and minute, further ones are not counted. */
#define LIMIT_KEYS_MAX 65536

struct limit {
	const char *scope;  /* address, profile, account, seat, wrong */
	const char *key;    /* what is counted: any text */
	int64_t per_minute; /* 0: not limited, not counted */
	bool look_only;	    /* is it exceeded?  Nothing is added */
};

/*
 * DONE with *exceeded: the index of the first limit that is exceeded (nothing is then counted for any), and retry_after_s, when it will
 * let one pass; -1 where none is, and each is counted.  Where no limit of them limits, Redis is not asked.
 */
enum redis_rc limit_take(struct redis *r, const char *profile_id, const struct limit *limits,
    int count, int64_t now_ms, int *exceeded, int64_t *retry_after_s, struct errbuf *why);

/* Add one to a window (a wrong try), whatever its limit. */
enum redis_rc limit_add(struct redis *r, const char *profile_id, const struct limit *limit,
    int64_t now_ms, struct errbuf *why);

/*
 * When a window with so many in this minute and before in the last, passed_ms after this minute began, lets one more pass: 0 now, otherwise
 * the whole seconds until then.  The same rule as in Redis, for those who count by themselves.
 */
int64_t limit_retry_after_s(int64_t before, int64_t here, int64_t passed_ms, int64_t per_minute);

#endif
