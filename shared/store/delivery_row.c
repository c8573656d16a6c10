#include "store/delivery_row.h"

#include "store/challenge_use.h"
#include "store/revoke.h"
#include "store/transaction.h"

#define LIST_MAX 500

void
delivery_row_free(struct delivery_row *d)
{
	buffer_free(&d->csr);
	buffer_free(&d->certificate);
}

/* AWAY: out of memory, and d is freed. */
static enum store_rc
read_delivery(struct query *q, struct delivery_row *d, struct errbuf *why)
{
	*d = (struct delivery_row){0};
	d->certificate_id = db_integer(q, 0);
	store_column_text(q, 1, d->state, sizeof(d->state));
	store_column_text(q, 2, d->by, sizeof(d->by));
	store_column_text(q, 3, d->profile, sizeof(d->profile));
	store_column_text(q, 4, d->transaction_id, sizeof(d->transaction_id));
	store_column_octets(q, 5, &d->csr);
	store_column_octets(q, 6, &d->certificate);
	d->created_at = db_integer(q, 7);
	if (!d->csr.failed && !d->certificate.failed)
		return STORE_OK;
	delivery_row_free(d);
	errbuf_set(why, "delivery: out of memory");
	return STORE_AWAY;
}

enum store_rc
store_delivery_get(
    struct store *st, struct octets repeat_key, struct delivery_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_DELIVERY_GET);
	enum store_rc rc;

	*out = (struct delivery_row){0};
	db_bind_octets(q, repeat_key);
	if ((rc = store_first(q, why)) == STORE_OK)
		rc = read_delivery(q, out, why);
	db_reset(q);
	return rc;
}

enum store_rc
store_delivery_each(struct store *st, int64_t before, int limit,
    bool (*row)(void *ctx, const struct delivery_row *d), void *ctx, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_DELIVERY_LIST);
	enum store_rc rc = STORE_NONE;
	struct delivery_row d;
	bool more = true;

	db_bind_integer(q, before);
	db_bind_integer(q, limit > 0 && limit < LIST_MAX ? limit : LIST_MAX);
	while (more && (rc = store_first(q, why)) == STORE_OK) {
		if ((rc = read_delivery(q, &d, why)) != STORE_OK)
			break;
		more = row(ctx, &d);
		delivery_row_free(&d);
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc
store_delivery_done(
    struct store *st, int64_t certificate_id, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_DELIVERY_DONE);
	db_bind_integer(q, certificate_id);
	return store_event_end(st, store_run(q, why), e, why);
}

/* OK: it waited, and does so no longer; challenge_id gets what it was issued for. */
static enum store_rc
mark_failed(
    struct store *st, int64_t certificate_id, struct buffer *challenge_id, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_DELIVERY_FAIL);
	enum store_rc rc;

	db_bind_integer(q, certificate_id);
	if ((rc = store_first(q, why)) == STORE_OK) {
		store_column_octets(q, 0, challenge_id);
		if (challenge_id->failed) {
			errbuf_set(why, "delivery: out of memory");
			rc = STORE_AWAY;
		}
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_delivery_failed(struct store *st, int64_t certificate_id, int64_t now,
    const struct audit_event *e, struct errbuf *why)
{
	struct buffer challenge_id = {0};
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = mark_failed(st, certificate_id, &challenge_id, why);
	/* Conflict: somebody else has revoked it, which is as good. */
	if (rc == STORE_OK && (rc = store_revoke_row(st, certificate_id, REVOCATION_CESSATION, now,
				   why)) == STORE_CONFLICT)
		rc = STORE_OK;
	if (rc == STORE_OK && challenge_id.len > 0)
		rc = store_challenge_give_back(
		    st, buffer_octets(&challenge_id), certificate_id, why);
	buffer_free(&challenge_id);
	return store_event_end(st, rc, e, why);
}
