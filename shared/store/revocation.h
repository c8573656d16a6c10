/* revocation.h: revoking certificates, and what CRL and OCSP are made from. */
#ifndef STORE_REVOCATION_H
#define STORE_REVOCATION_H

#include "store/audit_event.h"
#include "store/store.h"

/* CRLReason, RFC 5280 5.3.1. */
#define REVOCATION_SUPERSEDED 4
#define REVOCATION_CESSATION  5 /* cessationOfOperation */
#define REVOCATION_HOLD	      6 /* certificateHold */

/*
 * Revoke the certificate of row id and raise its authority's revocations, in one commit with the event; its seat is free then where it was the last
 * valid one (one on hold counts as valid: it may come back), and what it was to replace stays.  CONFLICT: it is revoked already (one on
 * hold may be revoked for good with another reason: its date stays); NONE: no such row.
 */
enum store_rc store_revoke(struct store *st, int64_t id, int reason, int64_t now,
    const struct audit_event *e, struct errbuf *why);
/* Take a hold back.  CONFLICT: it is not on hold. */
enum store_rc store_unhold(
    struct store *st, int64_t id, const struct audit_event *e, struct errbuf *why);

/*
 * All revoked certificates of the authority that expire at or after since, in short reads (at most some thousand rows each, so that the
 * write-ahead log is not pinned).  serial as the row has it: unsigned, may have leading zeros.  Rows revoked meanwhile may or may not be
 * among them: read store_crl_wanted() first.
 */
enum store_rc store_revoked_each(struct store *st, const char *authority_id, int64_t since,
    bool (*row)(void *ctx, struct octets serial, int64_t revoked_at, int reason), void *ctx,
    struct errbuf *why);

/* OCSP's question.  NONE: the authority issued no such certificate. */
struct certificate_status {
	bool revoked;
	int64_t revoked_at;
	int reason;
};
enum store_rc store_certificate_status(struct store *st, const char *authority_id,
    struct octets serial, struct certificate_status *out, struct errbuf *why);

struct crl_row {
	int64_t number;
	int64_t revocations; /* the authority's when its content was read */
	int64_t this_update;
	int64_t next_update;
	int64_t entries;
	struct buffer der; /* the caller's */
};
/* The newest; NONE: none was made yet.  With der false all but the octets: cheap. */
enum store_rc store_crl_get(
    struct store *st, const char *authority_id, bool der, struct crl_row *out, struct errbuf *why);
/* What the authority's revocations are now: a CRL with another number is out of date. */
enum store_rc store_crl_wanted(
    struct store *st, const char *authority_id, int64_t *revocations, struct errbuf *why);
/* Keep one with a number above the stored one's.  CONFLICT: another was quicker. */
enum store_rc store_crl_put(struct store *st, const char *authority_id, const struct crl_row *crl,
    const struct audit_event *e, struct errbuf *why);

struct ocsp_responder_row {
	char id[37];
	char authority_id[37];
	char key_file[256];
	struct buffer certificate; /* DER; the caller's */
	int64_t not_after;
	int64_t created_at;
};
void ocsp_responder_row_free(struct ocsp_responder_row *r);
/* The newest of the authority; NONE: none. */
enum store_rc store_ocsp_responder_get(
    struct store *st, const char *authority_id, struct ocsp_responder_row *out, struct errbuf *why);
/* Raises config_version. */
enum store_rc store_ocsp_responder_insert(struct store *st, const struct ocsp_responder_row *r,
    const struct audit_event *e, struct errbuf *why);

#endif
