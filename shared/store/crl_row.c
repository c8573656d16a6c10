/* crl_row.c: the newest CRL of each authority. */
#include "store/revocation.h"
#include "store/transaction.h"

enum store_rc
store_crl_get(
    struct store *st, const char *authority_id, bool der, struct crl_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CRL_GET);
	enum store_rc rc;

	*out = (struct crl_row){0};
	db_bind_integer(q, der);
	db_bind_text(q, authority_id);
	if ((rc = store_first(q, why)) == STORE_OK) {
		out->number = db_integer(q, 0);
		out->revocations = db_integer(q, 1);
		out->this_update = db_integer(q, 2);
		out->next_update = db_integer(q, 3);
		out->entries = db_integer(q, 4);
		if (der)
			store_column_octets(q, 5, &out->der);
		if (out->der.failed) {
			buffer_free(&out->der);
			errbuf_set(why, "CRL: out of memory");
			rc = STORE_AWAY;
		}
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_crl_wanted(
    struct store *st, const char *authority_id, int64_t *revocations, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CRL_WANTED);
	enum store_rc rc;

	db_bind_text(q, authority_id);
	if ((rc = store_first(q, why)) == STORE_OK)
		*revocations = db_integer(q, 0);
	db_reset(q);
	return rc;
}

/* NONE: there is no such authority; else CONFLICT. */
static enum store_rc
none_or_conflict(
    struct store *st, const char *authority_id, const struct crl_row *crl, struct errbuf *why)
{
	int64_t revocations;
	enum store_rc rc = store_crl_wanted(st, authority_id, &revocations, why);

	if (rc != STORE_OK)
		return rc;
	errbuf_set(
	    why, "CRL: one of number %lld or above is there already", (long long)crl->number);
	return STORE_CONFLICT;
}

enum store_rc
store_crl_put(struct store *st, const char *authority_id, const struct crl_row *crl,
    const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_CRL_PUT);
	db_bind_integer(q, crl->number);
	db_bind_integer(q, crl->revocations);
	db_bind_integer(q, crl->this_update);
	db_bind_integer(q, crl->next_update);
	db_bind_integer(q, crl->entries);
	db_bind_octets(q, buffer_octets(&crl->der));
	db_bind_text(q, authority_id);
	if ((rc = store_run(q, why)) == STORE_NONE)
		rc = none_or_conflict(st, authority_id, crl, why);
	return store_event_end(st, rc, e, why);
}
