/* certificate_row.h: issued certificates, and the one commit that makes an enrolment real. */
#ifndef STORE_CERTIFICATE_ROW_H
#define STORE_CERTIFICATE_ROW_H

#include "store/audit_event.h"
#include "store/store.h"

enum enrolment_duplicates {
	ENROLMENT_DUPLICATES_ALLOW,
	ENROLMENT_DUPLICATES_REFUSE,
	ENROLMENT_DUPLICATES_REPLACE
};

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
	int challenge_use;	/* 0 for the first use; with enrollment_row it is counted there */
	int64_t predecessor_id; /* row of the certificate that is renewed; 0: a first enrolment */
	int64_t max_successors; /* of the predecessor, this one included; 0: any number */
	struct octets
	    transaction_key; /* 32 octets of an approved transaction, which this issues; empty: none */
	int64_t now;

	/* Whom it is for and by what it was authorised; 0 and NULL: not known. */
	int64_t seat_row; /* takes the seat into use, and one of its organization's licences */
	int64_t enrollment_row; /* counts a use of its code, whose hash is challenge_id */
	int64_t account_row;	/* must be enabled still, but for a renewal */
	const char *organization;
	const char *department;
	struct octets holder; /* 32 octets that name who holds it (issue.h); empty: nobody asks */
	enum enrolment_duplicates duplicates; /* what a holder that has a valid one already means */
	int64_t replaced_at; /* with REPLACE: when the older ones are revoked at the latest */
	struct octets
	    key_digest; /* 32 octets, SHA-256 of the SPKI: no other subject has this key; empty: nobody asks */
	const char *
	    delivery; /* "intune": a row of delivery_row.h comes with it; NULL: it may leave at once */
	struct octets csr;	    /* DER, with delivery */
	const char *transaction_id; /* with delivery */

	const struct audit_event *event;
};

/*
 * One transaction, synchronous=FULL: certificate, use of the challenge, audit event (which must be there).  It re-checks that
 * the SCEP profile is still there, enabled, with this RA profile and authority (or the one that is to succeed it), and that its
 * challenge has not changed since (challenge_version); that the predecessor is valid and has fewer successors than allowed, which it
 * counts; and that the transaction is approved, which it marks as issued.  What the enrolment says of whom it is for is checked and counted as
 * its members say; a renewal is no duplicate, whoever holds what; an enrolment of an approved transaction may have expired or be locked meanwhile.  OK: it is durable.  CONFLICT, with *what: the same request has
 * committed before (REPEAT: read it with store_repeat and the same times), its challenge is used (CHALLENGE), the seat's organization has
 * as many in use as it may (LICENSE), its enrolment code is redeemed, expired, locked or gone (ENROLLMENT), its account is disabled or gone
 * (ACCOUNT), the holder has a valid certificate that is not the predecessor (DUPLICATE), the key is certified for another subject (KEY), the profile
 * has changed (PROFILE), the serial is taken (SERIAL), the predecessor is revoked or has its successors (PREDECESSOR), the transaction is no longer
 * approved (TRANSACTION: read it again).  AWAY: nothing is committed.
 */
enum enrolment_conflict {
	ENROLMENT_NO_CONFLICT,
	ENROLMENT_REPEAT,
	ENROLMENT_CHALLENGE,
	ENROLMENT_PROFILE,
	ENROLMENT_SERIAL,
	ENROLMENT_PREDECESSOR,
	ENROLMENT_TRANSACTION,
	ENROLMENT_LICENSE,
	ENROLMENT_ENROLLMENT,
	ENROLMENT_ACCOUNT,
	ENROLMENT_DUPLICATE,
	ENROLMENT_KEY
};
enum store_rc store_commit_enrolment(
    struct store *st, const struct enrolment *e, enum enrolment_conflict *what, struct errbuf *why);

/*
 * The certificate of the same request: repeat_key, created at or after since, valid at now, not revoked.  Appends its DER.  *undelivered: it may not
 * leave yet (delivery_row.h).
 */
enum store_rc store_repeat(struct store *st, struct octets repeat_key, int64_t since, int64_t now,
    struct buffer *certificate, bool *undelivered, struct errbuf *why);

/* Is this one-time challenge used? OK: yes, NONE: no, or its use was given back. */
enum store_rc store_challenge_used(
    struct store *st, struct octets challenge_id, struct errbuf *why);
/* The row of the certificate of its last use.  NONE: it is not used. */
enum store_rc store_challenge_certificate(
    struct store *st, struct octets challenge_id, int64_t *certificate_id, struct errbuf *why);
/* The challenge or code that this certificate came by, unless its use was given back.  NONE: by none.  Looks at every use there is. */
enum store_rc store_challenge_of_certificate(
    struct store *st, int64_t certificate_id, uint8_t challenge_id[32], struct errbuf *why);
/*
 * For a device whose reply never arrived: revoke (superseded) the certificate of the last use of the challenge or enrolment code, and give that
 * use back, in one commit with the event.  The row of the use stays, under a negative number.  NONE: it is not used; CONFLICT: its last use is not
 * of this certificate, or that has successors.
 */
enum store_rc store_challenge_reopen(struct store *st, struct octets challenge_id,
    int64_t certificate_id, int64_t now, const struct audit_event *e, struct errbuf *why);

struct certificate_row {
	int64_t id;
	char uuid[37];	 /* of a serial of up to 16 octets; else "" */
	char serial[64]; /* hex */
	char authority_id[37];
	char authority[65]; /* its name */
	char profile[65];
	char subject[1025];
	char san[1025];
	char status[16]; /* valid, revoked */
	char purpose[16];
	int64_t not_before;
	int64_t not_after;
	int64_t created_at;
	int64_t revoked_at;	/* 0: it is not */
	int revocation_reason;	/* CRLReason; 6 (certificateHold) can be taken back */
	int64_t predecessor_id; /* 0: none */
	int64_t successors;
	char seat_id[257]; /* of its seat; "" none; likewise below */
	char account[65];  /* its name */
	char organization[65];
	char department[65];
	char delivery[16]; /* issued or failed where it may not leave; "" it may */
};
/* Newest first below before_id; at most limit (<= 500). */
enum store_rc store_certificate_list(struct store *st, int64_t before_id, int limit,
    bool (*row)(void *ctx, const struct certificate_row *c), void *ctx, struct errbuf *why);
/*
 * By uuid, or by serial in hex of up to 20 octets, zeros in front or not.  Where several CAs have the serial, authority (name or uuid) tells
 * which; with NULL the newest.
 */
enum store_rc store_certificate_get(struct store *st, const char *uuid, const char *authority,
    struct certificate_row *out, struct buffer *der, struct errbuf *why);
/* By row. */
enum store_rc store_certificate_get_id(struct store *st, int64_t id, struct certificate_row *out,
    struct buffer *der, struct errbuf *why);

/* What a renewal needs to know of the certificate that signed it. */
struct renewable {
	int64_t id;
	bool revoked;
	int64_t successors;
	int64_t not_before;
	int64_t not_after;
	char profile_id[37];	  /* of the SCEP profile it was issued through; "" none */
	char profile_lineage[37]; /* its lineage */
	char authority_id[37];
	char authority_lineage[37];
	int64_t authority_not_after;
	int64_t seat_row; /* whom it is for: 0 and "" not known */
	char seat_id[257];
	int64_t account_row;
	char organization[65];
	char department[65];
};
/*
 * The certificate that is der, octet for octet, in the store; serial is the content of its INTEGER (or without its sign octet).  NONE: it
 * is none of ours.
 */
enum store_rc store_renewable(struct store *st, struct octets serial, struct octets der,
    struct renewable *out, struct errbuf *why);

/*
 * The DER (der NULL: not wanted) of the certificate with this serial (as above) that the authority of that lineage issued, its row in *id.  NONE
 * also for one that may not leave yet (delivery_row.h).
 */
enum store_rc store_certificate_by_serial(struct store *st, struct octets serial,
    const char *authority_lineage, int64_t *id, struct buffer *der, struct errbuf *why);
/* OK: ancestor is id itself or one of its predecessors, at most 64 steps back; NONE: it is not. */
enum store_rc store_certificate_descends(
    struct store *st, int64_t id, int64_t ancestor, struct errbuf *why);

/*
 * A certificate that another program issued, under a CA that is here.  serial: 1 to 20 octets besides zeros in front.  CONFLICT: it is there
 * already; NONE: no such authority or profile; AWAY also for a serial that is too long.  scep_profile_id says through which profile it may be
 * renewed; NULL: none.  One that is revoked raises the authority's revocations.
 */
struct certificate_import {
	struct octets serial;
	const char *authority_id;
	const char *scep_profile_id;
	struct octets certificate;
	const char *subject;
	const char *san;
	int64_t not_before;
	int64_t not_after;
	int64_t revoked_at; /* 0: not revoked */
	int revocation_reason;
	int64_t now;
};
enum store_rc store_certificate_import(struct store *st, const struct certificate_import *c,
    const struct audit_event *e, struct errbuf *why);

#endif
