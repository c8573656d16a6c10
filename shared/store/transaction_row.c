#include "store/transaction_row.h"

#include <string.h>

#include "base/encoding.h"
#include "store/transaction.h"

#define LIST_MAX    500
#define COLUMN_REST 18
#define COLUMN_DER  24

static const char *const status_names[] = {
    [TRANSACTION_APPROVED] = "approved",
    [TRANSACTION_ISSUED] = "issued",
    [TRANSACTION_REJECTED] = "rejected",
    [TRANSACTION_FAILED] = "failed",
};

const char *
transaction_status_name(enum transaction_status s)
{
	return status_names[s];
}

void
transaction_row_free(struct transaction_row *t)
{
	buffer_free(&t->csr);
	buffer_free(&t->signer);
	buffer_free(&t->challenge_id);
	buffer_free(&t->predecessor);
	buffer_free(&t->sealed_password);
}

/* "" is NULL. */
static void
bind_optional(struct query *q, const char *text)
{
	store_bind_bounded(q, *text != '\0' ? text : NULL);
}

static void
bind_transaction(struct query *q, const struct transaction_row *t)
{
	static const struct octets none = {0};

	db_bind_octets(q, octets_of(t->key, sizeof(t->key)));
	db_bind_text(q, t->id);
	db_bind_text(q, status_names[t->status]);
	db_bind_integer(q, t->created_at);
	db_bind_integer(q, t->expires_at);
	db_bind_integer(q, t->decided_at);
	store_bind_bounded(q, t->decided_by);
	bind_optional(q, t->reason);
	db_bind_integer(q, t->fail_info);
	bind_optional(q, t->address);
	store_bind_bounded(q, t->transaction_id);
	db_bind_integer(q, t->message_type);
	db_bind_text(q, t->method);
	store_bind_bounded(q, t->subject);
	db_bind_text(q, t->key_type);
	db_bind_octets(q, buffer_octets(&t->csr));
	db_bind_octets(q, buffer_octets(&t->signer));
	db_bind_octets(q, octets_of(t->repeat_key, sizeof(t->repeat_key)));
	db_bind_octets(q, buffer_octets(&t->challenge_id));
	db_bind_octets(q, buffer_octets(&t->predecessor));
	/* What is rejected needs no key to its reply. */
	db_bind_octets(
	    q, t->status == TRANSACTION_APPROVED ? buffer_octets(&t->sealed_password) : none);
	db_bind_integer(q, t->enrollment_row);
	db_bind_integer(q, t->account_row);
	db_bind_text(q, t->profile_id);
}

/* An older row of the same key gives way, and lets go of its enrolment. */
static enum store_rc
give_way(struct store *st, const struct transaction_row *t, struct errbuf *why)
{
	static const enum statement order[] = {
	    STATEMENT_TRANSACTION_UNPEND_OLDER, STATEMENT_TRANSACTION_GIVE_WAY};
	enum store_rc rc = STORE_OK;
	struct query *q;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && rc == STORE_OK; i++) {
		q = db_query(st->db, order[i]);
		db_bind_octets(q, octets_of(t->key, sizeof(t->key)));
		db_bind_text(q, t->id);
		db_bind_integer(q, t->decided_at);
		if ((rc = store_run(q, why)) == STORE_NONE)
			rc = STORE_OK;
	}
	return rc;
}

/* Its enrolment waits with it, or is open again. */
static enum store_rc
write_pending(struct store *st, const struct transaction_row *t, struct errbuf *why)
{
	bool waits = t->status == TRANSACTION_APPROVED;
	struct query *q;
	enum store_rc rc;

	if (t->enrollment_row == 0)
		return STORE_OK;
	q = db_query(st->db, STATEMENT_ENROLLMENT_STATUS);
	db_bind_text(q, waits ? "pending" : "created");
	db_bind_integer(q, t->enrollment_row);
	db_bind_text(q, waits ? "created" : "pending");
	/* None: it is so already. */
	rc = store_run(q, why);
	return rc == STORE_NONE ? STORE_OK : rc;
}

static enum store_rc
write_decision(struct store *st, const struct transaction_row *t, struct errbuf *why)
{
	enum store_rc rc = give_way(st, t, why);
	struct query *q;

	if (rc != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_TRANSACTION_INSERT);
	bind_transaction(q, t);
	if ((rc = store_run(q, why)) == STORE_CONFLICT)
		errbuf_set(why, "transaction %s: it is decided already", t->id);
	else if (rc == STORE_NONE)
		errbuf_set(why, "transaction %s: no profile %s", t->id, t->profile_id);
	return rc == STORE_OK ? write_pending(st, t, why) : rc;
}

enum store_rc
store_transaction_decide(struct store *st, const struct transaction_row *t,
    const struct audit_event *e, struct errbuf *why)
{
	enum store_rc rc;

	if (t->csr.len == 0 || t->signer.len == 0) {
		errbuf_set(why, "transaction %s: want a CSR and its signer", t->id);
		return STORE_AWAY;
	}
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = write_decision(st, t, why);
	return store_event_end(st, rc, e, why);
}

static enum transaction_status
status_of(const char *name)
{
	for (int i = TRANSACTION_APPROVED; i <= TRANSACTION_FAILED; i++)
		if (strcmp(name, status_names[i]) == 0)
			return (enum transaction_status)i;
	return TRANSACTION_FAILED;
}

static void
copy_octets(struct query *q, int column, void *out, size_t size)
{
	struct octets value = db_octets(q, column);

	if (value.len == size)
		memcpy(out, value.data, size);
}

static void
read_listed(struct query *q, struct transaction_row *t)
{
	struct octets serial;

	*t = (struct transaction_row){0};
	copy_octets(q, 0, t->key, sizeof(t->key));
	store_column_text(q, 1, t->id, sizeof(t->id));
	store_column_text(q, 2, t->profile_id, sizeof(t->profile_id));
	store_column_text(q, 3, t->profile, sizeof(t->profile));
	t->status = status_of(db_text(q, 4));
	t->created_at = db_integer(q, 5);
	t->expires_at = db_integer(q, 6);
	t->decided_at = db_integer(q, 7);
	store_column_text(q, 8, t->decided_by, sizeof(t->decided_by));
	store_column_text(q, 9, t->reason, sizeof(t->reason));
	t->fail_info = (int)db_integer(q, 10);
	store_column_text(q, 11, t->address, sizeof(t->address));
	store_column_text(q, 12, t->transaction_id, sizeof(t->transaction_id));
	t->message_type = (int)db_integer(q, 13);
	store_column_text(q, 14, t->method, sizeof(t->method));
	store_column_text(q, 15, t->subject, sizeof(t->subject));
	store_column_text(q, 16, t->key_type, sizeof(t->key_type));
	serial = db_octets(q, 17);
	if (serial.len * 2 < sizeof(t->certificate_serial))
		encoding_hex(serial, t->certificate_serial);
}

/* false: out of memory. */
static bool
read_rest(struct query *q, struct transaction_row *t)
{
	store_column_octets(q, COLUMN_REST, &t->csr);
	store_column_octets(q, COLUMN_REST + 1, &t->signer);
	copy_octets(q, COLUMN_REST + 2, t->repeat_key, sizeof(t->repeat_key));
	store_column_octets(q, COLUMN_REST + 3, &t->challenge_id);
	store_column_octets(q, COLUMN_REST + 4, &t->predecessor);
	store_column_octets(q, COLUMN_REST + 5, &t->sealed_password);
	t->enrollment_row = db_integer(q, COLUMN_DER + 1);
	t->account_row = db_integer(q, COLUMN_DER + 2);
	t->undelivered = db_integer(q, COLUMN_DER + 3) != 0;
	return !t->csr.failed && !t->signer.failed && !t->challenge_id.failed &&
	       !t->predecessor.failed && !t->sealed_password.failed;
}

/* Step a statement that gives one row at most, and reset it. */
static enum store_rc
read_one(struct query *q, struct transaction_row *out, struct buffer *der, struct errbuf *why)
{
	enum store_rc rc;
	bool ok;

	if ((rc = store_first(q, why)) == STORE_OK) {
		read_listed(q, out);
		ok = read_rest(q, out);
		if (der != NULL)
			store_column_octets(q, COLUMN_DER, der);
		if (!ok || (der != NULL && der->failed)) {
			transaction_row_free(out);
			errbuf_set(why, "transaction: out of memory");
			rc = STORE_AWAY;
		}
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_transaction_get(struct store *st, const uint8_t key[TRANSACTION_KEY_SIZE],
    struct transaction_row *out, struct buffer *der, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_TRANSACTION_GET);

	*out = (struct transaction_row){0};
	db_bind_octets(q, octets_of(key, TRANSACTION_KEY_SIZE));
	return read_one(q, out, der, why);
}

enum store_rc
store_transaction_get_id(
    struct store *st, const char *id, struct transaction_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_TRANSACTION_GET_ID);

	*out = (struct transaction_row){0};
	db_bind_text(q, id);
	return read_one(q, out, NULL, why);
}

enum store_rc
store_transaction_fail(struct store *st, const uint8_t key[TRANSACTION_KEY_SIZE], int fail_info,
    const char *reason, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_TRANSACTION_FAIL);
	db_bind_integer(q, fail_info);
	store_bind_bounded(q, reason);
	db_bind_octets(q, octets_of(key, TRANSACTION_KEY_SIZE));
	if ((rc = store_run(q, why)) == STORE_NONE) {
		errbuf_set(why, "transaction: it is not approved (any more)");
		rc = STORE_CONFLICT;
	}
	if (rc == STORE_OK) {
		q = db_query(st->db, STATEMENT_TRANSACTION_UNPEND);
		db_bind_octets(q, octets_of(key, TRANSACTION_KEY_SIZE));
		/* None: it came by no enrolment. */
		if ((rc = store_run(q, why)) == STORE_NONE)
			rc = STORE_OK;
	}
	return store_event_end(st, rc, e, why);
}

enum store_rc
store_transaction_list(struct store *st, int limit,
    bool (*row)(void *ctx, const struct transaction_row *t), void *ctx, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_TRANSACTION_LIST);
	enum store_rc rc = STORE_NONE;
	struct transaction_row t;
	bool more = true;

	db_bind_integer(q, limit > 0 && limit < LIST_MAX ? limit : LIST_MAX);
	while (more && (rc = store_first(q, why)) == STORE_OK) {
		read_listed(q, &t);
		more = row(ctx, &t);
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}

/* Writers are not held up where there is nothing to forget. */
enum store_rc
store_transaction_purge(struct store *st, int64_t before, int *deleted, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_TRANSACTION_OLD);
	enum store_rc rc;

	*deleted = 0;
	db_bind_integer(q, before);
	rc = store_first(q, why);
	db_reset(q);
	if (rc != STORE_OK)
		return rc == STORE_NONE ? STORE_OK : rc;
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_TRANSACTION_UNPEND_OLD);
	db_bind_integer(q, before);
	if ((rc = store_run(q, why)) != STORE_OK && rc != STORE_NONE)
		return store_write_end(st, rc, why);
	q = db_query(st->db, STATEMENT_TRANSACTION_PURGE);
	db_bind_integer(q, before);
	if ((rc = store_run_counting(q, deleted, why)) == STORE_NONE)
		rc = STORE_OK;
	return store_write_end(st, rc, why);
}
