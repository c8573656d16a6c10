/* transaction_row.h: transactions that waited for approval, once they are decided; until then they are in Redis. */
#ifndef STORE_TRANSACTION_ROW_H
#define STORE_TRANSACTION_ROW_H

#include "store/audit_event.h"
#include "store/store.h"

#define TRANSACTION_KEY_SIZE 32

enum transaction_status {
	TRANSACTION_APPROVED, /* the next poll issues */
	TRANSACTION_ISSUED,
	TRANSACTION_REJECTED,
	TRANSACTION_FAILED /* approved, but the profile's rules refused it when it was issued */
};
const char *transaction_status_name(enum transaction_status s);

/* A buffer is the row's own; empty where there is none. */
struct transaction_row {
	uint8_t key[TRANSACTION_KEY_SIZE]; /* MAC of profile, transactionID and the signer's key */
	char id[37];
	char profile_id[37];
	char profile[65]; /* its name; read only */
	enum transaction_status status;
	int64_t created_at;
	int64_t expires_at;
	int64_t decided_at;
	char decided_by[128];
	char reason[512]; /* why it was rejected or failed: for people */
	int fail_info;	  /* enum scep_fail_info with REJECTED and FAILED */
	char address[64];
	char transaction_id[2 * 256 + 8]; /* printable, as in the audit */
	int message_type;
	char method[16]; /* how it was authorised: static, dynamic, certificate */
	char subject[1025];
	char key_type[32];
	struct buffer csr;    /* DER */
	struct buffer signer; /* the certificate that signed it, DER */
	uint8_t repeat_key[32];
	struct buffer challenge_id; /* 32 octets where a one-time challenge is held */
	struct buffer predecessor;  /* DER of the certificate that it renews */
	struct buffer
	    sealed_password;	/* what keys the reply to an EC key; not kept of what is refused */
	int64_t enrollment_row; /* by what it was authorised; 0: by none, or it was deleted since */
	int64_t account_row;
	char certificate_serial[64]; /* ISSUED: hex; read only */
	bool undelivered; /* ISSUED: it may not leave (delivery_row.h); read only, not in lists */
};
void transaction_row_free(struct transaction_row *t);

/*
 * A decision (APPROVED or REJECTED) with its event.  An older row of the same key and another id that is issued, rejected or failed gives way, and
 * an approved one whose time is over.  CONFLICT: an approved one of this key waits for its poll, or the id is there already: that request is decided.
 * NONE: no such profile.  An enrolment that it names is pending until its certificate is issued, and created again where it is rejected, fails or
 * expires.
 */
enum store_rc store_transaction_decide(struct store *st, const struct transaction_row *t,
    const struct audit_event *e, struct errbuf *why);
/* By key, with all of it; der, if not NULL, gets the certificate of an ISSUED one, which may not leave where undelivered is set. */
enum store_rc store_transaction_get(struct store *st, const uint8_t key[TRANSACTION_KEY_SIZE],
    struct transaction_row *out, struct buffer *der, struct errbuf *why);
/* By its id (uuid). */
enum store_rc store_transaction_get_id(
    struct store *st, const char *id, struct transaction_row *out, struct errbuf *why);
/* APPROVED → FAILED.  CONFLICT: it is not approved (any more). */
enum store_rc store_transaction_fail(struct store *st, const uint8_t key[TRANSACTION_KEY_SIZE],
    int fail_info, const char *reason, const struct audit_event *e, struct errbuf *why);
/* Newest first, at most limit (<= 500); without the buffers and the repeat key. */
enum store_rc store_transaction_list(struct store *st, int limit,
    bool (*row)(void *ctx, const struct transaction_row *t), void *ctx, struct errbuf *why);
/* Forget up to 500 that were decided and have expired before the time: approved ones wait for their poll until they expire. */
enum store_rc store_transaction_purge(
    struct store *st, int64_t before, int *deleted, struct errbuf *why);

#endif
