#include <string.h>

#include "store/token_row.h"
#include "store/transaction.h"

#define KEPT_TO_S 60

enum store_rc
store_token_insert(
    struct store *st, const struct token_row *t, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_TOKEN_INSERT);
	db_bind_text(q, t->id);
	db_bind_text(q, t->name);
	db_bind_octets(q, octets_of(t->hash, sizeof(t->hash)));
	db_bind_text(q, t->role);
	db_bind_text(q, t->profiles);
	db_bind_integer(q, t->created_at);
	db_bind_integer(q, t->expires_at);
	db_bind_integer(q, t->last_used_at);
	db_bind_integer(q, t->revoked);
	if ((rc = store_run(q, why)) == STORE_CONFLICT)
		errbuf_set(why, "token %s: the name is taken", t->name);
	return store_event_end(st, rc, e, why);
}

static void
read_token(struct query *q, struct token_row *t)
{
	struct octets hash;

	*t = (struct token_row){0};
	store_column_text(q, 0, t->id, sizeof(t->id));
	store_column_text(q, 1, t->name, sizeof(t->name));
	hash = db_octets(q, 2);
	if (hash.len == sizeof(t->hash))
		memcpy(t->hash, hash.data, hash.len);
	store_column_text(q, 3, t->role, sizeof(t->role));
	store_column_text(q, 4, t->profiles, sizeof(t->profiles));
	t->created_at = db_integer(q, 5);
	t->expires_at = db_integer(q, 6);
	t->last_used_at = db_integer(q, 7);
	t->revoked = db_integer(q, 8) != 0;
}

enum store_rc
store_token_by_hash(
    struct store *st, const uint8_t hash[32], struct token_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_TOKEN_BY_HASH);
	enum store_rc rc;

	*out = (struct token_row){0};
	db_bind_octets(q, octets_of(hash, 32));
	if ((rc = store_first(q, why)) == STORE_OK)
		read_token(q, out);
	db_reset(q);
	return rc;
}

enum store_rc
store_token_each(struct store *st, bool (*row)(void *ctx, const struct token_row *t), void *ctx,
    struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_TOKEN_LIST);
	struct token_row t;
	enum store_rc rc;
	bool more = true;

	while (more && (rc = store_first(q, why)) == STORE_OK) {
		read_token(q, &t);
		more = row(ctx, &t);
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc
store_token_revoke(
    struct store *st, const char *name_or_id, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_TOKEN_REVOKE);
	db_bind_text(q, name_or_id);
	rc = store_run(q, why);
	return store_event_end(st, rc, e, why);
}

enum store_rc
store_token_used(struct store *st, const char *id, int64_t now, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_TOKEN_LAST_USED);
	int64_t kept = 0;
	enum store_rc rc;

	db_bind_text(q, id);
	if ((rc = store_first(q, why)) == STORE_OK)
		kept = db_integer(q, 0);
	db_reset(q);
	if (rc != STORE_OK || now - kept <= KEPT_TO_S)
		return rc;
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_TOKEN_USED);
	db_bind_integer(q, now);
	db_bind_text(q, id);
	rc = store_run(q, why);
	return store_write_end(st, rc, why);
}
