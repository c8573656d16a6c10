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
#include "base/network.h"
#include "base/settings.h"
#include "pki/csr.h"
#include "profile/profile.h"
#include "redis/challenge.h"
#include "redis/redis.h"
#include "store/seat_row.h"

enum authorise_rc {
	AUTHORISE_ALLOW = 0,
	AUTHORISE_DENY, /* badRequest; why tells which check failed, to the audit alone */
	AUTHORISE_AWAY	/* what decides cannot be reached: 503, nothing burned */
};

struct http;
struct outbound_gate;
struct renewable;
struct suspects;
struct transaction_row;

struct authoriser {
	const struct settings *settings;
	const struct master_key *master_key;
	struct redis *redis;
	struct store *store;
	struct http *http;	    /* for calls of others */
	struct outbound_gate *gate; /* bounds how many workers are in one */
	_Atomic uint32_t *workers;  /* alive: half of them may be */
	const struct suspects
	    *suspects; /* where wrong secrets came from; NULL: anybody may be one */
};

/* What is asked; borrowed. */
struct authorise_request {
	const struct profile *profile;
	int message_type;		  /* PKCSReq or RenewalReq */
	const struct certificate *signer; /* the certificate that signed the message */
	bool signer_self_signed;
	const struct csr *csr;	    /* its proof of possession held */
	const uint8_t *repeat_key;  /* 32 octets: names the request */
	const char *transaction_id; /* printable; for those that are asked about it */
	const char *network;	    /* where it came from (network.h); NULL: not known */
	int64_t now_ms;
};

/* What a client is told of a challenge that is missing, wrong, expired, used or bound to another: the same. */
#define AUTHORISE_REFUSAL "the request is not authorised"

struct authorisation {
	const char *
	    method; /* "static", "dynamic", "enrollmentCode", "intune", "webhook", "none", "account", "certificate", "anchor": for the audit */
	bool one_time; /* reservation and challenge_id are filled, and the reservation is ours */
	bool
	    already_used; /* denied because it was used, or is held, by a request that may be this very one: look for a repeat */
	uint8_t challenge_id[CHALLENGE_ID_SIZE];
	struct challenge_reservation reservation;
	int64_t
	    challenge_version; /* the profile's where a challenge was checked, to be checked again at the commit; 0: none was */
	int64_t predecessor_id; /* row of the certificate that is renewed; 0: a first enrolment */

	/* Whom it is for, for the commit and the audit; 0 and "": not known.  A renewal has its predecessor's. */
	int64_t enrollment_row;
	int64_t account_row;
	int64_t seat_row;
	char seat_id[SEAT_ID_MAX + 1];
	char organization[65];
	char department[65];
	struct field_value manual[ENROLLMENT_ATTRIBUTES_MAX]; /* given with the enrolment */
	int manual_count;
	const char
	    *delivery; /* "intune": it must be told before the certificate leaves; NULL: none */
	int64_t retry_after_s; /* with DENY: slowed down, answer 429; 0: not */

	bool
	    wrong_code; /* with DENY: a wrong enrolment code, to be counted against the seat that the CSR names, seat_id */
	bool
	    undecided; /* with DENY: who decides could not be asked: nobody's wrong try, and no challenge is burned for it */

	/* With DENY: what the client may know; text is AUTHORISE_REFUSAL wherever a secret was checked. */
	enum scep_fail_info fail_info;
	struct errbuf text;
};

/*
 * Decide for a CSR whose proof of possession held.  The same request, by its repeat key, enters its own reservation again.  Only ALLOW
 * with one_time leaves something to release.  The work done for a wrong, a missing and an unknown challenge is the same.
 *
 * A certificate that authorises a renewal (renewal.h) makes any challenge beside it void.  Where it does not, a valid challenge makes
 * the request a first enrolment (RFC 8894 2.4); but the signer must then have the CSR's key, as a self-signed one has, or
 * be a certificate of ours for the CSR's own names: otherwise whoever sees a message could sign its envelope anew and spend the challenge in it.
 */
enum authorise_rc authorise_enrolment(const struct authoriser *a, const struct authorise_request *q,
    struct authorisation *out, struct errbuf *why);

/*
 * A request that waited was approved by hand: by what it was authorised when it came, and for whom, so that the commit can check and count it.  A
 * one-time challenge is its own still (one_time).  DENY where its enrolment or account was taken away meanwhile; a predecessor is the caller's to
 * look at, before authorise_inherit().
 */
enum authorise_rc authorise_approved(const struct authoriser *a, const struct transaction_row *row,
    int64_t now, struct authorisation *out, struct errbuf *why);

/*
 * A renewal is for whom its predecessor (row 0: there is none) was for: its seat, which has one certificate more and counts once, account,
 * organization and department, unless a challenge beside it has told.  A predecessor whose seat or account was deleted has none any more, and so
 * has the renewal: whoever wants the device out revokes its certificate.  The account need not be enabled: it lets nobody in here.
 */
void authorise_inherit(const struct renewable *predecessor, struct authorisation *out);

/*
 * May this worker call others now?  false with why where it cannot, or where as many as may be are doing so: 503.  true: the place is kept until
 * outbound_gate_leave(), so that what is begun with Intune can be ended with it.
 */
bool authorise_may_call(const struct authoriser *a, struct errbuf *why);

/* Not committed.  client_fault counts as a failed try, and enough of them burn the challenge.  Failing to tell Redis is no
 * error: the reservation ends by itself; false then, with why for the log. */
bool authorise_release(
    const struct authoriser *a, struct authorisation *g, bool client_fault, struct errbuf *why);

/* Committed.  The store's UNIQUE key already keeps the challenge from a second use; this tells Redis.  false with why for the log. */
bool authorise_committed(
    const struct authoriser *a, struct authorisation *g, int64_t now_ms, struct errbuf *why);

/* A wrong enrolment code: what is counted when the answer is sent, so that its time does not tell whether there is such a seat. */
struct authorise_wrong_code {
	char profile_id[37];
	char profile[65]; /* its name */
	char seat_id[SEAT_ID_MAX + 1];
	char network[NETWORK_SIZE];
	int64_t now_ms;
};
void authorise_note_wrong_code(const struct authorise_request *q,
    const struct authorisation *denial, struct authorise_wrong_code *out);
/*
 * Count it in the store, at most so many in a window, where it may lock the seat's enrolments, which the audit tells; and in Redis, for the address and
 * for the seat.  false with why: not all of it.
 */
bool authorise_count_wrong_code(
    const struct authoriser *a, const struct authorise_wrong_code *w, struct errbuf *why);

/* The id of a challenge under a profile: HMAC-SHA-256 under the master key.  false only when OpenSSL fails. */
bool authorise_challenge_id(const struct master_key *k, const char *profile_id,
    struct octets challenge, uint8_t out[CHALLENGE_ID_SIZE]);

#endif
