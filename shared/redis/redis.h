/*
 * redis.h: one connection to Redis for one process, opened when first needed and again after a failure.
 *
 * Everything here may be lost or be away: each call says so.  Time-outs come from settings.  After a failed connect further calls fail
 * at once for 200 ms, so that a dead Redis costs the others nothing.
 */
#ifndef REDIS_REDIS_H
#define REDIS_REDIS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "base/settings.h"

struct redis;

enum redis_rc {
	REDIS_DONE = 0,
	REDIS_NONE,    /* no such thing */
	REDIS_REFUSED, /* by the state of things: full, held by another, used, burned: see each call */
	REDIS_AWAY /* not reachable, timed out, refused to write: an answer of 503 where Redis is needed */
};

/* Does not connect yet.  false only out of memory or for an address that makes no sense. */
bool redis_open(const struct settings *s, struct redis **out, struct errbuf *why);
void redis_close(struct redis *r);

/* PING, and that maxmemory-policy is noeviction (a wrong one is AWAY with why). */
enum redis_rc redis_health(struct redis *r, struct errbuf *why);

#endif
