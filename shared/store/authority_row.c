#include "store/authority_table.h"
#include "store/transaction.h"

void
authority_row_free(struct authority_row *a)
{
	buffer_free(&a->certificate);
	buffer_free(&a->chain);
	buffer_free(&a->request);
}

void
ra_certificate_row_free(struct ra_certificate_row *r)
{
	buffer_free(&r->certificate);
}

bool
store_read_authority(struct query *q, struct authority_row *a)
{
	*a = (struct authority_row){0};
	store_column_text(q, 0, a->id, sizeof(a->id));
	store_column_text(q, 1, a->name, sizeof(a->name));
	store_column_text(q, 2, a->state, sizeof(a->state));
	store_column_text(q, 3, a->key_file, sizeof(a->key_file));
	store_column_text(q, 4, a->crl_url, sizeof(a->crl_url));
	a->not_after = db_integer(q, 5);
	a->created_at = db_integer(q, 6);
	store_column_octets(q, 7, &a->certificate);
	store_column_octets(q, 8, &a->chain);
	store_column_octets(q, 9, &a->request);
	store_column_text(q, 10, a->lineage, sizeof(a->lineage));
	store_column_text(q, 11, a->predecessor_id, sizeof(a->predecessor_id));
	store_column_text(q, 12, a->ocsp_url, sizeof(a->ocsp_url));
	a->revocations = db_integer(q, 13);
	return !a->certificate.failed && !a->chain.failed && !a->request.failed;
}

bool
store_read_ra_certificate(struct query *q, struct ra_certificate_row *r)
{
	*r = (struct ra_certificate_row){0};
	store_column_text(q, 0, r->id, sizeof(r->id));
	store_column_text(q, 1, r->authority_id, sizeof(r->authority_id));
	store_column_text(q, 2, r->key_file, sizeof(r->key_file));
	r->not_after = db_integer(q, 3);
	r->created_at = db_integer(q, 4);
	store_column_octets(q, 5, &r->certificate);
	return !r->certificate.failed;
}

enum store_rc
store_insert_authority(struct store *st, const struct authority_row *a, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_AUTHORITY_INSERT);
	enum store_rc rc;

	db_bind_text(q, a->id);
	db_bind_text(q, a->name);
	db_bind_text(q, a->state);
	db_bind_text(q, a->key_file);
	db_bind_text(q, a->crl_url);
	db_bind_integer(q, a->not_after);
	db_bind_integer(q, a->created_at);
	db_bind_octets(q, buffer_octets(&a->certificate));
	db_bind_octets(q, buffer_octets(&a->chain));
	db_bind_octets(q, buffer_octets(&a->request));
	db_bind_text(q, a->lineage[0] != '\0' ? a->lineage : a->id);
	db_bind_text(q, a->ocsp_url);
	db_bind_text(q, a->predecessor_id);
	if ((rc = store_run(q, why)) == STORE_CONFLICT)
		errbuf_set(why, "authority %s: the name is taken", a->name);
	else if (rc == STORE_NONE)
		errbuf_set(why, "authority %s: no predecessor %s", a->name, a->predecessor_id);
	return rc;
}

enum store_rc
store_authority_insert(struct store *st, const struct authority_row *a, const struct audit_event *e,
    struct errbuf *why)
{
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = store_insert_authority(st, a, why);
	return store_change_end(st, rc, e, why);
}

enum store_rc
store_authority_get(
    struct store *st, const char *name_or_id, struct authority_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_AUTHORITY_GET);
	enum store_rc rc;

	*out = (struct authority_row){0};
	db_bind_text(q, name_or_id);
	rc = store_first(q, why);
	if (rc == STORE_OK && !store_read_authority(q, out)) {
		authority_row_free(out);
		errbuf_set(why, "authority %s: out of memory", name_or_id);
		rc = STORE_AWAY;
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_authority_activate(struct store *st, const struct authority_row *a,
    const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_AUTHORITY_ACTIVATE);
	db_bind_octets(q, buffer_octets(&a->certificate));
	db_bind_octets(q, buffer_octets(&a->chain));
	db_bind_integer(q, a->not_after);
	db_bind_text(q, a->id);
	rc = store_run(q, why);
	if (rc == STORE_NONE) {
		q = db_query(st->db, STATEMENT_AUTHORITY_GET);
		db_bind_text(q, a->id);
		if ((rc = store_first(q, why)) == STORE_OK) {
			errbuf_set(why, "authority %s: have state %s, want pending", a->name,
			    db_text(q, 2));
			rc = STORE_CONFLICT;
		}
		db_reset(q);
	}
	return store_change_end(st, rc, e, why);
}

enum store_rc
store_authority_set_urls(struct store *st, const char *id, const char *crl_url,
    const char *ocsp_url, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_AUTHORITY_URLS);
	db_bind_text(q, crl_url);
	db_bind_text(q, ocsp_url);
	db_bind_text(q, id);
	rc = store_run(q, why);
	return store_change_end(st, rc, e, why);
}

enum store_rc
store_authority_each(struct store *st, bool (*row)(void *ctx, const struct authority_row *a),
    void *ctx, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_AUTHORITY_LIST);
	struct authority_row a;
	enum store_rc rc;
	bool more = true;

	while (more && (rc = store_first(q, why)) == STORE_OK) {
		if (!store_read_authority(q, &a)) {
			authority_row_free(&a);
			errbuf_set(why, "authorities: out of memory");
			rc = STORE_AWAY;
			break;
		}
		more = row(ctx, &a);
		authority_row_free(&a);
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc
store_ra_certificate_get(
    struct store *st, const char *id, struct ra_certificate_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_RA_CERTIFICATE_GET);
	enum store_rc rc;

	*out = (struct ra_certificate_row){0};
	db_bind_text(q, id);
	rc = store_first(q, why);
	if (rc == STORE_OK && !store_read_ra_certificate(q, out)) {
		ra_certificate_row_free(out);
		errbuf_set(why, "RA certificate %s: out of memory", id);
		rc = STORE_AWAY;
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_ra_certificate_each(struct store *st,
    bool (*row)(void *ctx, const struct ra_certificate_row *r), void *ctx, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_RA_CERTIFICATE_LIST);
	struct ra_certificate_row r;
	enum store_rc rc;
	bool more = true;

	while (more && (rc = store_first(q, why)) == STORE_OK) {
		if (!store_read_ra_certificate(q, &r)) {
			ra_certificate_row_free(&r);
			errbuf_set(why, "RA certificates: out of memory");
			rc = STORE_AWAY;
			break;
		}
		more = row(ctx, &r);
		ra_certificate_row_free(&r);
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}
