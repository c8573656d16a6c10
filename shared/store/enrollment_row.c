/* enrollment_row.c: enrolments: codes that stand against seats under profiles, with what was given with them. */
#include <stdio.h>
#include <string.h>

#include "store/seat_row.h"
#include "store/transaction.h"

#define LIST_MAX 500

/* What went wrong, for people; rc as it was. */
static enum store_rc
told(enum store_rc rc, const char *id, const char *conflict, struct errbuf *why)
{
	if (rc == STORE_CONFLICT)
		errbuf_set(why, "enrollment %s: %s", id, conflict);
	else if (rc == STORE_NONE)
		errbuf_set(why, "enrollment %s: it is not there", id);
	return rc;
}

static enum store_rc
insert_attributes(struct store *st, int64_t row, const struct enrollment_row *n, struct errbuf *why)
{
	enum store_rc rc = STORE_OK;
	struct query *q;

	for (int i = 0; rc == STORE_OK && i < n->attribute_count; i++) {
		q = db_query(st->db, STATEMENT_ENROLLMENT_ATTRIBUTE_INSERT);
		db_bind_integer(q, row);
		db_bind_integer(q, i);
		db_bind_text(q, n->attributes[i].type);
		db_bind_text(q, n->attributes[i].value);
		rc = store_run(q, why);
	}
	return rc;
}

static enum store_rc
insert_enrollment(
    struct store *st, const struct enrollment_row *n, int64_t *row, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ENROLLMENT_INSERT);
	enum store_rc rc;

	db_bind_text(q, n->id);
	db_bind_octets(q, octets_of(n->code_hash, sizeof(n->code_hash)));
	db_bind_integer(q, n->code_weak);
	db_bind_text(q, n->email);
	db_bind_integer(q, n->max_uses > 0 ? n->max_uses : 1);
	db_bind_text(q, n->created_by);
	db_bind_integer(q, n->created_at);
	db_bind_integer(q, n->expires_at);
	db_bind_text(q, n->profile_id);
	db_bind_text(q, n->seat_id);
	if ((rc = store_first(q, why)) == STORE_OK)
		*row = db_integer(q, 0);
	else if (rc == STORE_NONE)
		errbuf_set(why, "enrollment %s: no seat %s or no profile %s", n->id, n->seat_id,
		    n->profile_id);
	else if (rc == STORE_CONFLICT)
		errbuf_set(why, "enrollment %s: the code is registered already", n->id);
	db_reset(q);
	return rc;
}

enum store_rc
store_enrollment_insert(struct store *st, const struct enrollment_row *n,
    const struct audit_event *e, struct errbuf *why)
{
	enum store_rc rc;
	int64_t row;

	if (n->attribute_count > ENROLLMENT_ATTRIBUTES_MAX) {
		errbuf_set(why, "enrollment %s: has %d attributes, want <= %d", n->id,
		    n->attribute_count, ENROLLMENT_ATTRIBUTES_MAX);
		return STORE_AWAY;
	}
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	if ((rc = insert_enrollment(st, n, &row, why)) == STORE_OK)
		rc = insert_attributes(st, row, n, why);
	return store_event_end(st, rc, e, why);
}

/* Of what waits, time says nothing: the request that holds it has a time of its own. */
static const char *
status_at(const char *status, int64_t expires_at, int64_t locked_until, int64_t now)
{
	bool created = strcmp(status, "created") == 0;

	if (created && expires_at <= now)
		return "expired";
	return created && locked_until > now ? "locked" : status;
}

static void
read_counts(struct query *q, struct enrollment_row *n)
{
	n->max_uses = db_integer(q, 9);
	n->uses = db_integer(q, 10);
	n->bad_attempts = db_integer(q, 11);
	n->bad_window = db_integer(q, 12);
	n->bad_in_window = db_integer(q, 13);
	n->locked_until = db_integer(q, 14);
}

/* All but the attributes. */
static void
read_row(struct query *q, int64_t now, struct enrollment_row *n)
{
	struct octets hash = db_octets(q, 5);

	*n = (struct enrollment_row){0};
	n->row = db_integer(q, 0);
	store_column_text(q, 1, n->id, sizeof(n->id));
	store_column_text(q, 2, n->profile_id, sizeof(n->profile_id));
	store_column_text(q, 3, n->profile, sizeof(n->profile));
	store_column_text(q, 4, n->seat_id, sizeof(n->seat_id));
	if (hash.len == sizeof(n->code_hash))
		memcpy(n->code_hash, hash.data, hash.len);
	n->code_weak = db_integer(q, 6) != 0;
	store_column_text(q, 7, n->email, sizeof(n->email));
	read_counts(q, n);
	store_column_text(q, 15, n->created_by, sizeof(n->created_by));
	n->created_at = db_integer(q, 16);
	n->expires_at = db_integer(q, 17);
	n->seat_row = db_integer(q, 18);
	store_column_text(q, 19, n->organization, sizeof(n->organization));
	store_column_text(q, 20, n->department, sizeof(n->department));
	snprintf(n->status, sizeof(n->status), "%s",
	    status_at(db_text(q, 8), n->expires_at, n->locked_until, now));
}

/* Read while the row's statement is open: one snapshot of both. */
static enum store_rc
read_attributes(struct store *st, struct enrollment_row *n, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ENROLLMENT_ATTRIBUTE_LIST);
	struct enrollment_attribute *a;
	enum store_rc rc;

	db_bind_integer(q, n->row);
	while ((rc = store_first(q, why)) == STORE_OK &&
	       n->attribute_count < ENROLLMENT_ATTRIBUTES_MAX) {
		a = &n->attributes[n->attribute_count++];
		store_column_text(q, 0, a->type, sizeof(a->type));
		store_column_text(q, 1, a->value, sizeof(a->value));
	}
	db_reset(q);
	if (rc == STORE_OK) {
		errbuf_set(why, "enrollment %s: has more than %d attributes", n->id,
		    ENROLLMENT_ATTRIBUTES_MAX);
		return STORE_AWAY;
	}
	return rc == STORE_NONE ? STORE_OK : rc;
}

/* Step a statement that gives one row at most, and reset it. */
static enum store_rc
read_one(
    struct store *st, struct query *q, int64_t now, struct enrollment_row *out, struct errbuf *why)
{
	enum store_rc rc;

	*out = (struct enrollment_row){0};
	if ((rc = store_first(q, why)) == STORE_OK) {
		read_row(q, now, out);
		rc = read_attributes(st, out, why);
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_enrollment_get(
    struct store *st, const char *id, int64_t now, struct enrollment_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ENROLLMENT_GET);

	db_bind_text(q, id);
	return read_one(st, q, now, out, why);
}

enum store_rc
store_enrollment_by_hash(struct store *st, const uint8_t code_hash[32], int64_t now,
    struct enrollment_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ENROLLMENT_BY_HASH);

	db_bind_octets(q, octets_of(code_hash, sizeof(out->code_hash)));
	return read_one(st, q, now, out, why);
}

enum store_rc
store_enrollment_list(struct store *st, int64_t before_row, int limit, const char *seat_id,
    const char *profile_id, int64_t now, bool (*row)(void *ctx, const struct enrollment_row *n),
    void *ctx, struct errbuf *why)
{
	struct query *q = db_query(
	    st->db, seat_id != NULL ? STATEMENT_ENROLLMENT_LIST_OF : STATEMENT_ENROLLMENT_LIST);
	enum store_rc rc = STORE_NONE;
	struct enrollment_row n;
	bool more = true;

	db_bind_integer(q, before_row > 0 ? before_row : INT64_MAX);
	db_bind_text(q, profile_id);
	if (seat_id != NULL)
		db_bind_text(q, seat_id);
	db_bind_integer(q, limit > 0 && limit < LIST_MAX ? limit : LIST_MAX);
	while (more && (rc = store_first(q, why)) == STORE_OK) {
		read_row(q, now, &n);
		if ((rc = read_attributes(st, &n, why)) != STORE_OK)
			break;
		more = row(ctx, &n);
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc
store_enrollment_reissue(struct store *st, const char *id, const uint8_t code_hash[32],
    bool code_weak, int64_t expires_at, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_ENROLLMENT_REISSUE);
	db_bind_octets(q, octets_of(code_hash, 32));
	db_bind_integer(q, code_weak);
	db_bind_integer(q, expires_at);
	db_bind_text(q, id);
	rc = told(store_run(q, why), id, "the code is registered already", why);
	return store_event_end(st, rc, e, why);
}

/* Nothing was rejected: why? */
static enum store_rc
not_rejected(struct store *st, const char *id, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ENROLLMENT_THERE);
	enum store_rc rc;

	db_bind_text(q, id);
	rc = store_first(q, why);
	db_reset(q);
	return told(rc == STORE_OK ? STORE_CONFLICT : rc, id, "it is redeemed", why);
}

enum store_rc
store_enrollment_reject(
    struct store *st, const char *id, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_ENROLLMENT_REJECT);
	db_bind_text(q, id);
	if ((rc = store_run(q, why)) == STORE_NONE)
		rc = not_rejected(st, id, why);
	return store_event_end(st, rc, e, why);
}

enum store_rc
store_enrollment_delete(
    struct store *st, const char *id, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_ENROLLMENT_DELETE);
	db_bind_text(q, id);
	rc = told(store_run(q, why), id, "other rows depend on it", why);
	return store_event_end(st, rc, e, why);
}

enum store_rc
store_enrollment_pending(struct store *st, int64_t row, bool pending, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_ENROLLMENT_STATUS);
	db_bind_text(q, pending ? "pending" : "created");
	db_bind_integer(q, row);
	db_bind_text(q, pending ? "created" : "pending");
	return store_write_end(st, store_run(q, why), why);
}
