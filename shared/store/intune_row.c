/* intune_row.c: connections to tenants of Microsoft Intune. */
#include <string.h>

#include "store/outbound_row.h"
#include "store/transaction.h"

static enum store_rc
told(enum store_rc rc, const char *name, const char *conflict, struct errbuf *why)
{
	if (rc == STORE_CONFLICT)
		errbuf_set(why, "Intune connection %s: %s", name, conflict);
	else if (rc == STORE_NONE)
		errbuf_set(why, "Intune connection %s: it is not there", name);
	return rc;
}

/* These come in the same order in both statements. */
static void
bind_intune(struct query *q, const struct intune_row *i)
{
	db_bind_text(q, i->name);
	db_bind_text(q, i->tenant);
	db_bind_text(q, i->client_id);
	db_bind_octets(q, octets_of(i->sealed_key, i->sealed_key_len));
	db_bind_integer(q, i->revocations);
}

enum store_rc
store_intune_insert(
    struct store *st, const struct intune_row *i, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_INTUNE_INSERT);
	db_bind_text(q, i->id);
	bind_intune(q, i);
	db_bind_integer(q, i->created_at);
	rc = told(store_run(q, why), i->name, "the name is taken", why);
	return store_change_end(st, rc, e, why);
}

enum store_rc
store_intune_update(
    struct store *st, const struct intune_row *i, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_INTUNE_UPDATE);
	bind_intune(q, i);
	db_bind_text(q, i->id);
	rc = told(store_run(q, why), i->name, "the name is taken", why);
	return store_change_end(st, rc, e, why);
}

enum store_rc
store_intune_delete(
    struct store *st, const char *name_or_id, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_INTUNE_DELETE);
	db_bind_text(q, name_or_id);
	rc = told(store_run(q, why), name_or_id, "a profile has it", why);
	return store_change_end(st, rc, e, why);
}

/* A key that does not fit is none. */
static void
read_intune(struct query *q, struct intune_row *i)
{
	struct octets key = db_octets(q, 4);

	*i = (struct intune_row){0};
	store_column_text(q, 0, i->id, sizeof(i->id));
	store_column_text(q, 1, i->name, sizeof(i->name));
	store_column_text(q, 2, i->tenant, sizeof(i->tenant));
	store_column_text(q, 3, i->client_id, sizeof(i->client_id));
	if (key.len > 0 && key.len <= sizeof(i->sealed_key)) {
		memcpy(i->sealed_key, key.data, key.len);
		i->sealed_key_len = key.len;
	}
	i->revocations = db_integer(q, 5) != 0;
	i->revocations_at = db_integer(q, 6);
	i->created_at = db_integer(q, 7);
}

enum store_rc
store_intune_get(
    struct store *st, const char *name_or_id, struct intune_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_INTUNE_GET);
	enum store_rc rc;

	*out = (struct intune_row){0};
	db_bind_text(q, name_or_id);
	if ((rc = store_first(q, why)) == STORE_OK)
		read_intune(q, out);
	db_reset(q);
	return rc;
}

enum store_rc
store_intune_each(struct store *st, bool (*row)(void *ctx, const struct intune_row *i), void *ctx,
    struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_INTUNE_LIST);
	enum store_rc rc = STORE_NONE;
	struct intune_row i;
	bool more = true;

	while (more && (rc = store_first(q, why)) == STORE_OK) {
		read_intune(q, &i);
		more = row(ctx, &i);
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc
store_intune_revocations_at(struct store *st, const char *id, int64_t at, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_INTUNE_REVOCATIONS_AT);
	db_bind_integer(q, at);
	db_bind_text(q, id);
	return store_write_end(st, store_run(q, why), why);
}
