/* transaction.h: requests that wait for someone's word: listing, showing, approving and rejecting them. */
#ifndef MANAGE_TRANSACTION_H
#define MANAGE_TRANSACTION_H

#include "fcgi-admin/manage/manage.h"
#include "store/transaction_row.h"

#define MANAGE_TRANSACTIONS_MAX 10000 /* waiting ones of one profile that are looked at */
#define MANAGE_DECIDED_MAX	500   /* newest decided ones */
#define MANAGE_TRANSACTION_ID	8     /* characters of an id that may stand for all of it */

/* What people call its state. */
enum manage_transaction_state {
	MANAGE_TRANSACTION_WAITS,
	MANAGE_TRANSACTION_EXPIRED, /* nobody decided in time; its end is told to polls for a day */
	MANAGE_TRANSACTION_DECIDED  /* row.status tells how */
};

/* One that waits is in Redis, a decided one in the store: as a row either way. */
struct manage_transaction {
	enum manage_transaction_state state;
	struct transaction_row row;
	int64_t polls; /* while it waited; -1 once it is decided */
	char challenge_token[33];
};
void manage_transaction_free(struct manage_transaction *t);
/* "pending", "expired", "approved", "issued", "rejected", "failed". */
const char *manage_transaction_state_name(const struct manage_transaction *t);

/*
 * Those that wait, of one profile (name or uuid; NULL: of all), and with decided the newest decided ones (those without their buffers).  row() must
 * not call back into store or Redis; what it gets lives as long as the call.
 */
enum manage_rc manage_transaction_each(struct manage *m, const char *profile, bool decided,
    bool (*row)(void *ctx, const struct manage_transaction *t), void *ctx, struct manage_report *r);

/* How many wait under profiles that approve by hand. */
enum manage_rc manage_transaction_count(
    struct manage *m, int64_t *waiting, struct manage_report *r);

/*
 * id: a uuid, at least MANAGE_TRANSACTION_ID characters that only one begins with, or a transactionID that only one waits with.  With Redis away, only
 * what is decided is found, by its whole id.  The caller frees *out.  CONFLICT: several fit.
 */
enum manage_rc manage_transaction_get(
    struct manage *m, const char *id, struct manage_transaction *out, struct manage_report *r);

/*
 * Approve: the device's next poll issues.  Reject: it gets FAILURE (badRequest) and its one-time challenge is free again.  Either is committed with
 * all that there is of the transaction, so that Redis is needed no more; reason may be NULL.  CONFLICT: it is decided already, or nobody did in
 * time.  *out is as with manage_transaction_get().
 */
enum manage_rc manage_transaction_decide(struct manage *m, const struct manage_actor *by,
    const char *id, bool approve, const char *reason, struct manage_transaction *out,
    struct manage_report *r);

/* What the CSR and what came with it say, for people. */
struct manage_transaction_content {
	char subject[1025]; /* RFC 4514 */
	char san[1025];	    /* "" none */
	char key[32];
	char fingerprint[65]; /* SHA-256 of its SubjectPublicKeyInfo, hex */
	/* Of the certificate that it renews; "" and 0: it renews none. */
	char renews_serial[64];
	char renews_subject[1025];
	int64_t renews_not_after;
};
/* Opens t's CSR, which is sealed until then.  FAULT: it cannot be read. */
enum manage_rc manage_transaction_read(struct manage *m, struct manage_transaction *t,
    struct manage_transaction_content *out, struct manage_report *r);

/*
 * Record the end of up to limit that nobody decided in time, of all profiles, and free their challenges; *ended counts them.  Twice does no
 * harm.
 */
enum manage_rc manage_transaction_sweep(
    struct manage *m, int limit, int *ended, struct manage_report *r);

#endif
