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

#define CHALLENGE_ID_SIZE      32 /* octets of HMAC-SHA-256 */

/* What a CSR must have for a challenge to be its own: UTF-8, "" where it may have any. */
#define CHALLENGE_CN_MAX       256
#define CHALLENGE_SAN_MAX      1024
#define CHALLENGE_KEY_TYPE_MAX 31
#define CHALLENGE_DEVICE_MAX   256
struct challenge_binding {
	char cn[CHALLENGE_CN_MAX + 1];		   /* every commonName of the subject */
	char san[CHALLENGE_SAN_MAX + 1];	   /* "dns:a.example", several by commas */
	char key_type[CHALLENGE_KEY_TYPE_MAX + 1]; /* "RSA", "RSA-2048", "EC", "EC P-256" */
	char device[CHALLENGE_DEVICE_MAX +
		    1]; /* a serialNumber, UID or CN of the subject, or a value of the SAN */
};

struct challenge_mint {
	const char *profile_id;
	uint8_t id[CHALLENGE_ID_SIZE];
	int64_t now_ms;
	int64_t expires_ms;
	int64_t max_pending;
	const struct challenge_binding *binding; /* NULL: not bound */
	const char *audit_json;			 /* queued in the same script; NULL: none */
};
/*
 * REFUSED: max_pending are pending already.  AWAY also where the audit row finds its queue full.  An id that is there already is DONE and changes nothing.  pending, if not NULL, gets the count after.
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
	struct challenge_binding binding; /* out */
};
/*
 * DONE with *state; token and binding are written only with CHALLENGE_RESERVED.  The reservation ends by itself after reserve_ms; the same
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

/*
 * Used, and the certificate is taken back: it may be used once more, until expires_ms, with the binding it has, whatever is pending.  REFUSED with
 * why: it is not used, or no longer known here.
 */
enum redis_rc challenge_reopen(struct redis *r, const char *profile_id,
    const uint8_t id[CHALLENGE_ID_SIZE], int64_t now_ms, int64_t expires_ms, struct errbuf *why);

/* How many are pending at now. */
enum redis_rc challenge_pending(
    struct redis *r, const char *profile_id, int64_t now_ms, int64_t *count, struct errbuf *why);

#endif
