#include "store/revocation.h"

#include <string.h>

#include "store/revoke.h"
#include "store/seat_use.h"
#include "store/serial.h"
#include "store/transaction.h"

#define PAGE 2000 /* rows of one read: some milliseconds */

/* NONE: there is no such row; else CONFLICT. */
static enum store_rc
none_or_conflict(struct store *st, int64_t id, const char *conflict, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CERTIFICATE_THERE);
	enum store_rc rc;

	db_bind_integer(q, id);
	if ((rc = store_first(q, why)) == STORE_OK) {
		errbuf_set(why, "certificate: %s", conflict);
		rc = STORE_CONFLICT;
	}
	db_reset(q);
	return rc;
}

/* The status of row id has changed: so has its authority's CRL. */
static enum store_rc
raise_revocations(struct store *st, int64_t id, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_REVOCATIONS_RAISE);

	db_bind_integer(q, id);
	return store_run(q, why);
}

/* What it replaces stays valid when it goes, and it needs no revoking when its time comes. */
static enum store_rc
forget_replaced(struct store *st, int64_t id, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_REPLACED_END);
	enum store_rc rc;

	db_bind_integer(q, id);
	rc = store_run(q, why);
	return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc
store_revoke_row(struct store *st, int64_t id, int reason, int64_t now, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CERTIFICATE_REVOKE);
	enum store_rc rc;

	db_bind_integer(q, now);
	db_bind_integer(q, reason);
	db_bind_integer(q, id);
	if ((rc = store_run(q, why)) == STORE_NONE)
		rc = none_or_conflict(st, id, "it is revoked already", why);
	if (rc == STORE_OK)
		rc = raise_revocations(st, id, why);
	if (rc != STORE_OK || reason == REVOCATION_HOLD)
		return rc;
	if ((rc = store_seat_free_of(st, id, now, why)) == STORE_OK)
		rc = forget_replaced(st, id, why);
	return rc;
}

enum store_rc
store_revoke(struct store *st, int64_t id, int reason, int64_t now, const struct audit_event *e,
    struct errbuf *why)
{
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = store_revoke_row(st, id, reason, now, why);
	return store_event_end(st, rc, e, why);
}

enum store_rc
store_unhold(struct store *st, int64_t id, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_CERTIFICATE_UNHOLD);
	db_bind_integer(q, id);
	if ((rc = store_run(q, why)) == STORE_NONE)
		rc = none_or_conflict(st, id, "it is not on hold", why);
	if (rc == STORE_OK)
		rc = raise_revocations(st, id, why);
	return store_event_end(st, rc, e, why);
}

struct walk {
	const char *authority_id;
	int64_t not_after, id; /* where the last row was */
	bool (*row)(void *ctx, struct octets serial, int64_t revoked_at, int reason);
	void *ctx;
	bool more; /* row() wants more */
};

/* One page by a statement that is bound; *count says how many rows it had. */
static enum store_rc
walk_page(struct query *q, struct walk *w, int *count, struct errbuf *why)
{
	enum store_rc rc = STORE_OK;

	*count = 0;
	while (w->more && (rc = store_first(q, why)) == STORE_OK) {
		w->id = db_integer(q, 0);
		w->not_after = db_integer(q, 1);
		w->more = w->row(w->ctx, db_octets(q, 2), db_integer(q, 3), (int)db_integer(q, 4));
		++*count;
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}

static enum store_rc
walk_same(struct store *st, struct walk *w, int *count, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_REVOKED_SAME);

	db_bind_text(q, w->authority_id);
	db_bind_integer(q, w->not_after);
	db_bind_integer(q, w->id);
	db_bind_integer(q, PAGE);
	return walk_page(q, w, count, why);
}

static enum store_rc
walk_after(struct store *st, struct walk *w, int *count, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_REVOKED_AFTER);

	db_bind_text(q, w->authority_id);
	db_bind_integer(q, w->not_after);
	db_bind_integer(q, PAGE);
	return walk_page(q, w, count, why);
}

/*
 * A page that is full may end between certificates that expire at the same moment (a fleet of one day, or notAfter cut by the CA's): the rest
 * of them comes first.
 */
enum store_rc
store_revoked_each(struct store *st, const char *authority_id, int64_t since,
    bool (*row)(void *ctx, struct octets serial, int64_t revoked_at, int reason), void *ctx,
    struct errbuf *why)
{
	struct walk w = {.authority_id = authority_id,
	    .not_after = since > INT64_MIN ? since - 1 : since,
	    .row = row,
	    .ctx = ctx,
	    .more = true};
	enum store_rc rc;
	int count;

	do {
		rc = walk_after(st, &w, &count, why);
		if (rc != STORE_OK || count < PAGE)
			return rc;
		do
			rc = walk_same(st, &w, &count, why);
		while (rc == STORE_OK && w.more && count == PAGE);
	} while (rc == STORE_OK && w.more);
	return rc;
}

enum store_rc
store_certificate_status(struct store *st, const char *authority_id, struct octets serial,
    struct certificate_status *out, struct errbuf *why)
{
	struct serial s;
	struct query *q;
	enum store_rc rc;

	*out = (struct certificate_status){0};
	if (!serial_of(serial, &s))
		return STORE_NONE;
	q = db_query(st->db, STATEMENT_CERTIFICATE_STATUS);
	db_bind_octets(q, serial_octets(&s));
	db_bind_text(q, authority_id);
	if ((rc = store_first(q, why)) == STORE_OK) {
		out->revoked = strcmp(db_text(q, 0), "valid") != 0;
		out->revoked_at = db_integer(q, 1);
		out->reason = (int)db_integer(q, 2);
	}
	db_reset(q);
	return rc;
}
