/* certificate_row.h: issued certificates, and the one commit that makes an enrolment real. */
#ifndef STORE_CERTIFICATE_ROW_H
#define STORE_CERTIFICATE_ROW_H

#include "store/audit_event.h"
#include "store/store.h"

/* A certificate about to be committed.  Slices and texts are borrowed for the call. */
struct enrolment {
	struct octets
	    serial; /* 16 random octets; as a UUID it is also the certificate's public id */
	const char *authority_id;
	const char *scep_profile_id; /* NULL for certificates outside SCEP (TLS server, RA) */
	const char *ra_profile_id;   /* NULL likewise */
	int64_t
	    challenge_version; /* of the SCEP profile when the challenge was checked; 0: no challenge was, nothing to re-check */
	struct octets certificate; /* DER */
	const char *subject;	   /* RFC 4514 text */
	const char *san;	   /* text, NULL without */
	int64_t not_before;
	int64_t not_after;
	const char *purpose; /* device, server */

	struct octets repeat_key; /* 32 octets; empty: no repeat is recognised */
	int64_t
	    repeat_since; /* an older holder of the same repeat_key (created before this, no longer valid at now, or revoked) gives it up */
	struct octets challenge_id; /* 32 octets of a one-time challenge; empty: none was used */
	int challenge_use;	    /* 0 for the first use */
	int64_t now;

	const struct audit_event *event;
};

/*
 * One transaction, synchronous=FULL: certificate, use of the challenge, audit event (which must be there).  It re-checks that
 * the SCEP profile is still there, enabled, with this RA profile and authority, and that its challenge has not changed since
 * (challenge_version).  OK: it is durable.  CONFLICT, with *what: the same request has committed before (REPEAT: read it with
 * store_repeat and the same times), its challenge is used (CHALLENGE), the profile has changed (PROFILE), the serial is taken
 * (SERIAL).  AWAY: nothing is committed.
 */
enum enrolment_conflict {
	ENROLMENT_NO_CONFLICT,
	ENROLMENT_REPEAT,
	ENROLMENT_CHALLENGE,
	ENROLMENT_PROFILE,
	ENROLMENT_SERIAL
};
enum store_rc store_commit_enrolment(
    struct store *st, const struct enrolment *e, enum enrolment_conflict *what, struct errbuf *why);

/* The certificate of the same request: repeat_key, created at or after since, valid at now, not revoked.  Appends its DER. */
enum store_rc store_repeat(struct store *st, struct octets repeat_key, int64_t since, int64_t now,
    struct buffer *certificate, struct errbuf *why);

/* Is this one-time challenge used? OK: yes, NONE: no. */
enum store_rc store_challenge_used(
    struct store *st, struct octets challenge_id, struct errbuf *why);

struct certificate_row {
	int64_t id;
	char uuid[37];
	char serial[64];
	char authority_id[37];
	char profile[65];
	char subject[1025];
	char san[1025];
	char status[16]; /* valid, revoked */
	char purpose[16];
	int64_t not_before;
	int64_t not_after;
	int64_t created_at;
};
/* Newest first below before_id; at most limit (<= 500). */
enum store_rc store_certificate_list(struct store *st, int64_t before_id, int limit,
    bool (*row)(void *ctx, const struct certificate_row *c), void *ctx, struct errbuf *why);
/* By uuid or serial in hex. */
enum store_rc store_certificate_get(struct store *st, const char *uuid, struct certificate_row *out,
    struct buffer *der, struct errbuf *why);

#endif
