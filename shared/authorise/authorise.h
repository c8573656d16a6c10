/*
 * authorise.h: may this device have a certificate under this profile?  One interface over the ways to prove it; each fails closed.
 *
 * What a method takes (a reservation of a one-time challenge) is given back by authorise_release() on every path that does
 * not commit, and marked by authorise_committed() on the one that does.
 */
#ifndef AUTHORISE_AUTHORISE_H
#define AUTHORISE_AUTHORISE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "base/master_key.h"
#include "base/settings.h"
#include "pki/csr.h"
#include "profile/profile.h"
#include "redis/challenge.h"
#include "redis/redis.h"

enum authorise_rc {
	AUTHORISE_ALLOW = 0,
	AUTHORISE_DENY, /* badRequest; why tells which check failed, to the audit alone */
	AUTHORISE_AWAY	/* what decides cannot be reached: 503, nothing burned */
};

struct authoriser {
	const struct settings *settings;
	const struct master_key *master_key;
	struct redis *redis;
};

struct authorisation {
	const char *method; /* "static", "dynamic": for the audit */
	bool one_time; /* reservation and challenge_id are filled, and the reservation is ours */
	bool
	    already_used; /* denied because it was used, or is held, by a request that may be this very one: look for a repeat */
	uint8_t challenge_id[CHALLENGE_ID_SIZE];
	struct challenge_reservation reservation;
};

/*
 * Decide for a CSR whose proof of possession held.  repeat_key (32 octets) names the request: the same one enters its own
 * reservation again.  Only ALLOW with one_time leaves something to release.  The work done for a wrong, a missing and an unknown challenge is the same.
 */
enum authorise_rc authorise_enrolment(const struct authoriser *a, const struct profile *p,
    const struct csr *csr, const uint8_t repeat_key[32], int64_t now_ms, struct authorisation *out,
    struct errbuf *why);

/* Not committed.  client_fault counts as a failed try, and enough of them burn the challenge.  Failing to tell Redis is no
 * error: the reservation ends by itself; false then, with why for the log. */
bool authorise_release(
    const struct authoriser *a, struct authorisation *g, bool client_fault, struct errbuf *why);

/* Committed.  The store's UNIQUE key already keeps the challenge from a second use; this tells Redis.  false with why for the log. */
bool authorise_committed(
    const struct authoriser *a, struct authorisation *g, int64_t now_ms, struct errbuf *why);

/* The id of a challenge under a profile: HMAC-SHA-256 under the master key.  false only when OpenSSL fails. */
bool authorise_challenge_id(const struct master_key *k, const char *profile_id,
    struct octets challenge, uint8_t out[CHALLENGE_ID_SIZE]);

#endif
