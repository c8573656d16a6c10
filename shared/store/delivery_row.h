/*
 * delivery_row.h: certificates that have to be told to somebody before they may leave.  store_commit_enrolment() makes the row with the
 * certificate; it goes when the certificate may leave, and says "failed" where it never will.
 */
#ifndef STORE_DELIVERY_ROW_H
#define STORE_DELIVERY_ROW_H

#include "store/audit_event.h"
#include "store/store.h"

struct delivery_row {
	int64_t certificate_id;
	char state[16];	  /* issued, failed */
	char by[16];	  /* intune */
	char profile[65]; /* name of the SCEP profile */
	char transaction_id[521];
	struct buffer csr;	   /* DER */
	struct buffer certificate; /* DER */
	int64_t created_at;
};
void delivery_row_free(struct delivery_row *d);

/* Of the certificate with this DER's repeat key; NONE: it may leave. */
enum store_rc store_delivery_get(
    struct store *st, struct octets repeat_key, struct delivery_row *out, struct errbuf *why);
/* It was told: the row goes, with the audit event.  NONE: it had gone. */
enum store_rc store_delivery_done(
    struct store *st, int64_t certificate_id, const struct audit_event *e, struct errbuf *why);
/*
 * It could not be told: failed, and the certificate revoked (cessationOfOperation) in the same transaction with the event; what a revocation frees
 * is freed: a seat, and the uses of its challenge and of its enrolment code, so that a fault of ours or of theirs burns none.
 */
enum store_rc store_delivery_failed(struct store *st, int64_t certificate_id, int64_t now,
    const struct audit_event *e, struct errbuf *why);
/* Those in state issued that are older than before, at most limit. */
enum store_rc store_delivery_each(struct store *st, int64_t before, int limit,
    bool (*row)(void *ctx, const struct delivery_row *d), void *ctx, struct errbuf *why);

#endif
