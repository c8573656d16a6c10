/*
 * issue.h: from an authorised CSR to a committed certificate: key policy, field rules, TBSCertificate, the CA's signature, the
 * commit; for enrolment, approved polls and the API alike.
 */
#ifndef ISSUE_ISSUE_H
#define ISSUE_ISSUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/csr.h"
#include "profile/profile.h"
#include "scep/scep.h"
#include "store/certificate_row.h"

#define ISSUE_BACKDATE_S 300 /* notBefore lies this far back: devices' clocks are late */

enum issue_rc {
	ISSUE_DONE = 0, /* committed; certificate holds it */
	/* By the profile's rules, for want of a licence, as a duplicate: fail_info and text say what the client may know. */
	ISSUE_REFUSED,
	ISSUE_REPEAT, /* the same request has committed meanwhile; certificate holds its first answer */
	ISSUE_CHALLENGE_USED, /* this use of the challenge has a certificate already */
	/* Meanwhile the enrolment code was redeemed, expired, locked or taken away, or the account: nothing the client may know. */
	ISSUE_UNAUTHORISED,
	/* Meanwhile the profile was changed, the predecessor revoked or renewed, the transaction issued: look again. */
	ISSUE_CHANGED,
	ISSUE_AWAY /* ours: nothing was committed */
};

struct issue_order {
	const struct profile *profile;		   /* its keys are open */
	const struct profile_authority *authority; /* of the RA that the request came under */
	const struct csr *csr;
	struct octets repeat_key;      /* 32 octets */
	struct octets challenge_id;    /* empty: no one-time challenge was used */
	int64_t challenge_version;     /* to be checked again; 0: no challenge was checked */
	int64_t predecessor_id;	       /* row of the certificate that is renewed; 0: none */
	struct octets transaction_key; /* of an approved transaction; empty: none */
	int64_t now;

	/* Whom it is for and by what it was authorised; 0 and NULL (or ""): not known. */
	int64_t seat_row;
	int64_t enrollment_row;
	int64_t account_row;
	const char *organization;
	const char *department;
	/* The values of fields whose source is manual; with a predecessor and none given they are what that has. */
	const struct field_value *manual;
	int manual_count;
	/* "intune": it must be told before the certificate leaves (event.transaction_id is kept with it); NULL: none. */
	const char *delivery;

	const char *note; /* NULL, or what goes into the audit's reason */
	/* Filled by the caller but for what is known here only: serial, subject, outcome. */
	struct audit_event event;
};

struct issue_result {
	struct buffer certificate; /* DER */
	bool undelivered;	   /* with ISSUE_REPEAT: it may not leave yet (delivery_row.h) */
	char serial[33];	   /* hex */
	struct buffer subject;	   /* RFC 4514 */
	enum scep_fail_info fail_info;
	struct errbuf text; /* failInfoText: names field, algorithm or size, no secrets */
	bool
	    ours; /* refused by a fault of the profile's, or for want of a licence: not a wrong try of the client's */
};

/* The caller frees result with issue_result_free(), whatever came out. */
enum issue_rc issue_certificate(struct store *st, const struct issue_order *order,
    struct issue_result *result, struct errbuf *why);
void issue_result_free(struct issue_result *r);

/*
 * Would the profile's rules let the order's CSR have a certificate?  DONE: yes; REFUSED with fail_info and text of result, which holds nothing to
 * free; AWAY.  Asks the rules alone, not the store.
 */
enum issue_rc issue_check(
    const struct issue_order *order, struct issue_result *result, struct errbuf *why);

/*
 * By whom a certificate is held, for the duplicates policy and the backfill of older ones: SHA-256 over the lineage of the profile and the seat (its
 * row), or, where there is none (0), the subject's DER.  false only when OpenSSL fails.
 */
bool issue_holder(const char *lineage, int64_t seat_row, struct octets subject, uint8_t out[32]);

/* The first answer to the same request, if it is within the profile's replayHours and still valid; *undelivered: it may not leave yet. */
enum store_rc issue_repeat(struct store *st, const struct profile *p, struct octets repeat_key,
    int64_t now, struct buffer *certificate, bool *undelivered, struct errbuf *why);

/* Key type and size against the profile's limits.  false: fail_info and text are set. */
bool issue_check_key(const struct profile *p, const struct public_key *key,
    enum scep_fail_info *fail_info, struct errbuf *why, struct errbuf *text);

#endif
