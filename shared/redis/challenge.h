/*
 * challenge.h: one-time challenges: minted → reserved → used, each step one Lua script, so one round trip.
 *
 * Keys: "{PROFILE-UUID}:c:HEX" a hash per challenge, "{PROFILE-UUID}:pending" a sorted set of the pending by expiry.
 * Redis knows a challenge by the MAC of its value alone.  Records carry their own expiry, compared with the caller's now
 * (base/clock); Redis' TTL only sweeps, some minutes later.
 */
#ifndef REDIS_CHALLENGE_H
#define REDIS_CHALLENGE_H

#include "redis/redis.h"

#define CHALLENGE_ID_SIZE 32  /* octets of HMAC-SHA-256 */
#define CHALLENGE_CN_MAX  256 /* octets of a bound CN */

struct challenge_mint {
	const char *profile_id;
	uint8_t id[CHALLENGE_ID_SIZE];
	int64_t now_ms;
	int64_t expires_ms;
	int64_t max_pending;
	const char *bind_cn;	/* NULL: not bound */
	const char *audit_json; /* queued in the same script; NULL: none */
};
/*
 * REFUSED: max_pending are pending already (also a bind_cn of more than CHALLENGE_CN_MAX octets, which is the caller's to check).  AWAY also where
 * the audit row finds its queue full.  An id that is there already is DONE and changes nothing.  pending, if not NULL, gets the count after.
 */
enum redis_rc challenge_mint(
    struct redis *r, const struct challenge_mint *m, int64_t *pending, struct errbuf *why);

#define CHALLENGE_SWEEP_MS 600000 /* Redis' TTL is this much longer than the record's life */

enum challenge_state {
	CHALLENGE_RESERVED, /* ours: go on */
	CHALLENGE_UNKNOWN,  /* never minted here, lost, or long expired */
	CHALLENGE_EXPIRED,
	CHALLENGE_HELD, /* another request holds the reservation now */
	CHALLENGE_USED,
	CHALLENGE_BURNED /* too many failed tries */
};
const char *challenge_state_name(enum challenge_state s);

struct challenge_reservation {
	const char *profile_id;
	uint8_t id[CHALLENGE_ID_SIZE];
	uint8_t repeat_key[32]; /* the same request enters at once, with the token that is there */
	char token[33];		/* out: proves the reservation */
	char bind_cn[CHALLENGE_CN_MAX + 1]; /* out: "" where not bound */
};
/*
 * DONE with *state; token and bind_cn are written only with CHALLENGE_RESERVED.  The reservation ends by itself after reserve_ms; the same
 * request entering again makes it last reserve_ms from then, and may do so after the challenge's own expiry too.
 */
enum redis_rc challenge_reserve(struct redis *r, struct challenge_reservation *c, int64_t now_ms,
    int64_t reserve_ms, enum challenge_state *state, struct errbuf *why);

/*
 * Give back (compare token): failed_try counts one, and max_tries of them burn it (0: never).  REFUSED: the token is no longer the holder's.
 */
enum redis_rc challenge_release(struct redis *r, const struct challenge_reservation *c,
    bool failed_try, int max_tries, struct errbuf *why);

/*
 * After the commit: used, whatever the token, and no longer pending; the record stays to its end so that a second try is told apart.  One that is
 * not there any more is made anew for CHALLENGE_SWEEP_MS.
 */
enum redis_rc challenge_mark_used(
    struct redis *r, const struct challenge_reservation *c, int64_t now_ms, struct errbuf *why);

/* How many are pending at now. */
enum redis_rc challenge_pending(
    struct redis *r, const char *profile_id, int64_t now_ms, int64_t *count, struct errbuf *why);

#endif
