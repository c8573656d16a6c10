/* organization_row.c: organizations; their seats in use are counted by seat_use.c. */
#include "store/seat_row.h"
#include "store/transaction.h"

/* What went wrong, for people; rc as it was. */
static enum store_rc
told(enum store_rc rc, const char *name, const char *conflict, struct errbuf *why)
{
	if (rc == STORE_CONFLICT)
		errbuf_set(why, "organization %s: %s", name, conflict);
	else if (rc == STORE_NONE)
		errbuf_set(why, "organization %s: it is not there", name);
	return rc;
}

enum store_rc
store_organization_insert(struct store *st, const struct organization_row *o,
    const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_ORGANIZATION_INSERT);
	db_bind_text(q, o->id);
	db_bind_text(q, o->name);
	db_bind_integer(q, o->license_count);
	db_bind_integer(q, o->created_at);
	rc = told(store_run(q, why), o->name, "the name is taken", why);
	return store_event_end(st, rc, e, why);
}

enum store_rc
store_organization_update(struct store *st, const struct organization_row *o,
    const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_ORGANIZATION_UPDATE);
	db_bind_text(q, o->name);
	db_bind_integer(q, o->license_count);
	db_bind_text(q, o->id);
	rc = told(store_run(q, why), o->name, "the name is taken", why);
	return store_event_end(st, rc, e, why);
}

enum store_rc
store_organization_delete(
    struct store *st, const char *name_or_id, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_ORGANIZATION_DELETE);
	db_bind_text(q, name_or_id);
	rc = told(store_run(q, why), name_or_id, "it has seats or accounts", why);
	return store_event_end(st, rc, e, why);
}

static void
read_organization(struct query *q, struct organization_row *o)
{
	*o = (struct organization_row){0};
	store_column_text(q, 0, o->id, sizeof(o->id));
	store_column_text(q, 1, o->name, sizeof(o->name));
	o->license_count = db_integer(q, 2);
	o->seats_in_use = db_integer(q, 3);
	o->created_at = db_integer(q, 4);
}

enum store_rc
store_organization_get(
    struct store *st, const char *name_or_id, struct organization_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ORGANIZATION_GET);
	enum store_rc rc;

	*out = (struct organization_row){0};
	db_bind_text(q, name_or_id);
	if ((rc = store_first(q, why)) == STORE_OK)
		read_organization(q, out);
	db_reset(q);
	return rc;
}

enum store_rc
store_organization_each(struct store *st, bool (*row)(void *ctx, const struct organization_row *o),
    void *ctx, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ORGANIZATION_LIST);
	struct organization_row o;
	enum store_rc rc = STORE_NONE;
	bool more = true;

	while (more && (rc = store_first(q, why)) == STORE_OK) {
		read_organization(q, &o);
		more = row(ctx, &o);
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}
