#include "store/account_row.h"

#include <string.h>

#include "store/transaction.h"

static enum store_rc
told(enum store_rc rc, const struct account_row *a, struct errbuf *why)
{
	if (rc == STORE_CONFLICT)
		errbuf_set(why, "account %s: the name is taken, or the secret", a->name);
	else if (rc == STORE_NONE)
		errbuf_set(why, "account %s: it is not there, or no profile %s%s%s", a->name,
		    a->profile_id, a->organization[0] != '\0' ? " or no organization " : "",
		    a->organization);
	return rc;
}

enum store_rc
store_account_insert(
    struct store *st, const struct account_row *a, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_ACCOUNT_INSERT);
	db_bind_text(q, a->id);
	db_bind_text(q, a->name);
	db_bind_octets(q, octets_of(a->secret_hash, sizeof(a->secret_hash)));
	db_bind_text(q, a->department);
	db_bind_integer(q, a->enabled);
	db_bind_integer(q, a->created_at);
	db_bind_integer(q, a->expires_at);
	db_bind_text(q, a->organization);
	db_bind_text(q, a->profile_id);
	rc = told(store_run(q, why), a, why);
	return store_change_end(st, rc, e, why);
}

enum store_rc
store_account_update(
    struct store *st, const struct account_row *a, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_ACCOUNT_UPDATE);
	db_bind_text(q, a->name);
	db_bind_octets(q, octets_of(a->secret_hash, sizeof(a->secret_hash)));
	db_bind_text(q, a->department);
	db_bind_integer(q, a->enabled);
	db_bind_integer(q, a->expires_at);
	db_bind_text(q, a->organization);
	db_bind_text(q, a->id);
	rc = told(store_run(q, why), a, why);
	return store_change_end(st, rc, e, why);
}

/* Run a statement about one account in a transaction of its own. */
static enum store_rc
change_one(struct store *st, enum statement s, const char *id, const struct audit_event *e,
    struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, s);
	db_bind_text(q, id);
	return store_change_end(st, store_run(q, why), e, why);
}

/* Its certificates stay and may be many: they forget it in batches, once no more can come. */
enum store_rc
store_account_delete(
    struct store *st, const char *id, const struct audit_event *e, struct errbuf *why)
{
	enum store_rc rc = change_one(st, STATEMENT_ACCOUNT_DISABLE, id, NULL, why);

	while (rc == STORE_OK)
		rc = change_one(st, STATEMENT_ACCOUNT_DETACH, id, NULL, why);
	if (rc == STORE_NONE)
		rc = change_one(st, STATEMENT_ACCOUNT_DELETE, id, e, why);
	if (rc == STORE_NONE)
		errbuf_set(why, "account %s: it is not there", id);
	return rc;
}

static void
read_account(struct query *q, struct account_row *a)
{
	struct octets hash = db_octets(q, 4);

	*a = (struct account_row){0};
	a->row = db_integer(q, 0);
	store_column_text(q, 1, a->id, sizeof(a->id));
	store_column_text(q, 2, a->profile_id, sizeof(a->profile_id));
	store_column_text(q, 3, a->name, sizeof(a->name));
	if (hash.len == sizeof(a->secret_hash))
		memcpy(a->secret_hash, hash.data, hash.len);
	store_column_text(q, 5, a->organization, sizeof(a->organization));
	store_column_text(q, 6, a->department, sizeof(a->department));
	a->enabled = db_integer(q, 7) != 0;
	a->created_at = db_integer(q, 8);
	a->expires_at = db_integer(q, 9);
}

/* Step a statement that gives one row at most, and reset it. */
static enum store_rc
read_one(struct query *q, struct account_row *out, struct errbuf *why)
{
	enum store_rc rc;

	*out = (struct account_row){0};
	if ((rc = store_first(q, why)) == STORE_OK)
		read_account(q, out);
	db_reset(q);
	return rc;
}

enum store_rc
store_account_get(struct store *st, const char *profile_id, const char *name_or_id,
    struct account_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ACCOUNT_GET);

	db_bind_text(q, profile_id);
	db_bind_text(q, name_or_id);
	return read_one(q, out, why);
}

enum store_rc
store_account_get_row(struct store *st, int64_t row, struct account_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ACCOUNT_GET_ROW);

	db_bind_integer(q, row);
	return read_one(q, out, why);
}

enum store_rc
store_account_by_hash(
    struct store *st, const uint8_t secret_hash[32], struct account_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ACCOUNT_BY_HASH);

	db_bind_octets(q, octets_of(secret_hash, sizeof(out->secret_hash)));
	return read_one(q, out, why);
}

enum store_rc
store_account_each(struct store *st, const char *profile_id,
    bool (*row)(void *ctx, const struct account_row *a), void *ctx, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ACCOUNT_LIST);
	enum store_rc rc = STORE_NONE;
	struct account_row a;
	bool more = true;

	db_bind_text(q, profile_id);
	while (more && (rc = store_first(q, why)) == STORE_OK) {
		read_account(q, &a);
		more = row(ctx, &a);
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc
store_account_count(struct store *st, const char *profile_id, int *count, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ACCOUNT_COUNT);
	enum store_rc rc;

	db_bind_text(q, profile_id);
	if ((rc = store_first(q, why)) == STORE_OK)
		*count = (int)db_integer(q, 0);
	db_reset(q);
	return rc;
}
