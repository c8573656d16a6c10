/* ocsp_responder_row.c: the certificates that answer OCSP requests for an authority. */
#include "store/revocation.h"
#include "store/transaction.h"

void
ocsp_responder_row_free(struct ocsp_responder_row *r)
{
	buffer_free(&r->certificate);
}

enum store_rc
store_ocsp_responder_get(
    struct store *st, const char *authority_id, struct ocsp_responder_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_OCSP_RESPONDER_GET);
	enum store_rc rc;

	*out = (struct ocsp_responder_row){0};
	db_bind_text(q, authority_id);
	if ((rc = store_first(q, why)) == STORE_OK) {
		store_column_text(q, 0, out->id, sizeof(out->id));
		store_column_text(q, 1, out->authority_id, sizeof(out->authority_id));
		store_column_text(q, 2, out->key_file, sizeof(out->key_file));
		out->not_after = db_integer(q, 3);
		out->created_at = db_integer(q, 4);
		store_column_octets(q, 5, &out->certificate);
		if (out->certificate.failed) {
			ocsp_responder_row_free(out);
			errbuf_set(why, "OCSP responder: out of memory");
			rc = STORE_AWAY;
		}
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_ocsp_responder_insert(struct store *st, const struct ocsp_responder_row *r,
    const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_OCSP_RESPONDER_INSERT);
	db_bind_text(q, r->id);
	db_bind_text(q, r->key_file);
	db_bind_integer(q, r->not_after);
	db_bind_integer(q, r->created_at);
	db_bind_octets(q, buffer_octets(&r->certificate));
	db_bind_text(q, r->authority_id);
	if ((rc = store_run(q, why)) == STORE_NONE)
		errbuf_set(why, "OCSP responder %s: no authority %s", r->id, r->authority_id);
	return store_change_end(st, rc, e, why);
}
