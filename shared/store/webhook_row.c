/* webhook_row.c: webhooks of profiles. */
#include "store/outbound_row.h"
#include "store/transaction.h"

void
webhook_row_free(struct webhook_row *w)
{
	buffer_free(&w->sealed_secret);
	buffer_free(&w->sealed_credential);
}

/* These come in the same order in both statements. */
static void
bind_webhook(struct query *q, const struct webhook_row *w)
{
	db_bind_text(q, w->kind);
	db_bind_text(q, w->name);
	db_bind_text(q, w->url);
	db_bind_text(q, w->authentication);
	db_bind_octets(q, buffer_octets(&w->sealed_secret));
	db_bind_octets(q, buffer_octets(&w->sealed_credential));
	db_bind_text(q, w->ca_file);
	db_bind_integer(q, w->allow_private);
	db_bind_integer(q, w->timeout_ms);
	db_bind_integer(q, w->enabled);
}

/* What a column holds, and no more than the column's reader has room for. */
static bool
fits(const struct webhook_row *w, struct errbuf *why)
{
	if (w->sealed_secret.len > 0 && w->sealed_secret.len <= OUTBOUND_SEALED_MAX &&
	    w->sealed_credential.len <= OUTBOUND_SEALED_MAX)
		return true;
	errbuf_set(why, "webhook %s: want a secret, and secret and credential of <= %d octets",
	    w->name, OUTBOUND_SEALED_MAX);
	return false;
}

/* Nothing was inserted: why? */
static enum store_rc
not_inserted(struct store *st, const struct webhook_row *w, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_PROFILE_THERE);
	enum store_rc rc;

	db_bind_text(q, w->profile_id);
	if ((rc = store_first(q, why)) == STORE_OK) {
		errbuf_set(why, "webhook %s: its profile has %d already", w->name, WEBHOOKS_MAX);
		rc = STORE_CONFLICT;
	} else if (rc == STORE_NONE) {
		errbuf_set(why, "webhook %s: no profile %s", w->name, w->profile_id);
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_webhook_insert(
    struct store *st, const struct webhook_row *w, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if (!fits(w, why))
		return STORE_AWAY;
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_WEBHOOK_INSERT);
	db_bind_text(q, w->id);
	bind_webhook(q, w);
	db_bind_integer(q, w->created_at);
	db_bind_text(q, w->profile_id);
	db_bind_integer(q, WEBHOOKS_MAX);
	if ((rc = store_run(q, why)) == STORE_CONFLICT)
		errbuf_set(why, "webhook %s: the name is taken", w->name);
	else if (rc == STORE_NONE)
		rc = not_inserted(st, w, why);
	return store_change_end(st, rc, e, why);
}

enum store_rc
store_webhook_update(
    struct store *st, const struct webhook_row *w, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if (!fits(w, why))
		return STORE_AWAY;
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_WEBHOOK_UPDATE);
	bind_webhook(q, w);
	db_bind_text(q, w->id);
	if ((rc = store_run(q, why)) == STORE_CONFLICT)
		errbuf_set(why, "webhook %s: the name is taken", w->name);
	else if (rc == STORE_NONE)
		errbuf_set(why, "webhook %s: it is not there", w->name);
	return store_change_end(st, rc, e, why);
}

enum store_rc
store_webhook_delete(
    struct store *st, const char *id, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_WEBHOOK_DELETE);
	db_bind_text(q, id);
	if ((rc = store_run(q, why)) == STORE_NONE)
		errbuf_set(why, "webhook %s: it is not there", id);
	return store_change_end(st, rc, e, why);
}

/* AWAY: out of memory, and w is freed. */
static enum store_rc
read_webhook(struct query *q, struct webhook_row *w, struct errbuf *why)
{
	*w = (struct webhook_row){0};
	store_column_text(q, 0, w->id, sizeof(w->id));
	store_column_text(q, 1, w->profile_id, sizeof(w->profile_id));
	store_column_text(q, 2, w->kind, sizeof(w->kind));
	store_column_text(q, 3, w->name, sizeof(w->name));
	store_column_text(q, 4, w->url, sizeof(w->url));
	store_column_text(q, 5, w->authentication, sizeof(w->authentication));
	store_column_octets(q, 6, &w->sealed_secret);
	store_column_octets(q, 7, &w->sealed_credential);
	store_column_text(q, 8, w->ca_file, sizeof(w->ca_file));
	w->allow_private = db_integer(q, 9) != 0;
	w->timeout_ms = db_integer(q, 10);
	w->enabled = db_integer(q, 11) != 0;
	w->created_at = db_integer(q, 12);
	if (!w->sealed_secret.failed && !w->sealed_credential.failed)
		return STORE_OK;
	webhook_row_free(w);
	errbuf_set(why, "webhook: out of memory");
	return STORE_AWAY;
}

enum store_rc
store_webhook_get(struct store *st, const char *profile_id, const char *name_or_id,
    struct webhook_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_WEBHOOK_GET);
	enum store_rc rc;

	*out = (struct webhook_row){0};
	db_bind_text(q, profile_id);
	db_bind_text(q, name_or_id);
	if ((rc = store_first(q, why)) == STORE_OK)
		rc = read_webhook(q, out, why);
	db_reset(q);
	return rc;
}

enum store_rc
store_webhook_each(struct store *st, const char *profile_id,
    bool (*row)(void *ctx, const struct webhook_row *w), void *ctx, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_WEBHOOK_LIST);
	enum store_rc rc = STORE_NONE;
	struct webhook_row w;
	bool more = true;

	db_bind_text(q, profile_id);
	while (more && (rc = store_first(q, why)) == STORE_OK) {
		if ((rc = read_webhook(q, &w, why)) != STORE_OK)
			break;
		more = row(ctx, &w);
		webhook_row_free(&w);
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}
