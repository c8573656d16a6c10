/*
 * limit.h: how often something may be done, counted in sliding windows of a minute; all limits of one request in one round trip.
 *
 * Keys: "{PROFILE-UUID}:l:SCOPE:KEY:MINUTE", two numbers (this minute and the one before, weighed by what of it is still in the window).
 */
#ifndef REDIS_LIMIT_H
#define REDIS_LIMIT_H

#include "redis/redis.h"

#define LIMITS_MAX 6

struct limit {
	const char *scope;  /* address, profile, account, seat, wrong */
	const char *key;    /* what is counted; hashed where it is long or holds other characters */
	int64_t per_minute; /* 0: not limited, not counted */
	bool look_only;	    /* is it exceeded?  Nothing is added */
};

/*
 * DONE with *exceeded: the index of the first limit that is exceeded (nothing is then counted for any), and retry_after_s, when it will
 * let one pass; -1 where none is, and each is counted.
 */
enum redis_rc limit_take(struct redis *r, const char *profile_id, const struct limit *limits,
    int count, int64_t now_ms, int *exceeded, int64_t *retry_after_s, struct errbuf *why);

/* Add one to a window (a wrong try), whatever its limit. */
enum redis_rc limit_add(struct redis *r, const char *profile_id, const struct limit *limit,
    int64_t now_ms, struct errbuf *why);

#endif
