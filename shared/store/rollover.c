#include "store/authority_table.h"
#include "store/transaction.h"

/* Run a statement whose two parameters name what it is for; none written is fine unless it says otherwise. */
static enum store_rc
run_for(
    struct store *st, enum statement s, const char *first, const char *second, struct errbuf *why)
{
	struct query *q = db_query(st->db, s);
	enum store_rc rc;

	db_bind_text(q, first);
	if (second != NULL)
		db_bind_text(q, second);
	rc = store_run(q, why);
	return rc == STORE_NONE ? STORE_OK : rc;
}

/* The same where nothing written is a conflict. */
static enum store_rc
run_or_conflict(
    struct store *st, enum statement s, const char *id, const char *conflict, struct errbuf *why)
{
	struct query *q = db_query(st->db, s);
	enum store_rc rc;

	db_bind_text(q, id);
	if ((rc = store_run(q, why)) == STORE_NONE) {
		errbuf_set(why, "%s", conflict);
		rc = STORE_CONFLICT;
	}
	return rc;
}

enum store_rc
store_authority_next(
    struct store *st, const char *id, struct authority_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_AUTHORITY_NEXT);
	enum store_rc rc;

	db_bind_text(q, id);
	if ((rc = store_first(q, why)) == STORE_OK && !store_read_authority(q, out)) {
		authority_row_free(out);
		errbuf_set(why, "authority: out of memory");
		rc = STORE_AWAY;
	}
	db_reset(q);
	return rc;
}

/* ---- RA certificates ------------------------------------------------------------------------------------------------------------ */

/* The certificate's row, and its place as the profile's next. */
static enum store_rc
insert_next_ra(struct store *st, const char *scep_profile_id, const struct ra_certificate_row *ra,
    struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_insert_ra_certificate(st, ra, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_PROFILE_RA_NEXT_INSERT);
	db_bind_text(q, scep_profile_id);
	db_bind_text(q, ra->id);
	if ((rc = store_run(q, why)) == STORE_NONE) {
		errbuf_set(why,
		    "SCEP profile %s: has a next RA certificate already, or is not there",
		    scep_profile_id);
		rc = STORE_CONFLICT;
	}
	return rc;
}

enum store_rc
store_ra_prepare(struct store *st, const char *scep_profile_id, const struct ra_certificate_row *ra,
    const struct audit_event *e, struct errbuf *why)
{
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = insert_next_ra(st, scep_profile_id, ra, why);
	return store_change_end(st, rc, e, why);
}

/* authority_id or scep_profile_id is "": any.  The current ones become previous, the next ones current. */
static enum store_rc
switch_ras(struct store *st, const char *authority_id, const char *scep_profile_id,
    int64_t overlap_until, int *switched, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_PROFILE_RA_PREVIOUS);
	enum store_rc rc;

	db_bind_integer(q, overlap_until);
	db_bind_text(q, authority_id);
	db_bind_text(q, scep_profile_id);
	rc = store_run_counting(q, switched, why);
	if (rc == STORE_NONE)
		return STORE_OK;
	if (rc == STORE_OK)
		rc = run_for(st, STATEMENT_PROFILE_RA_CURRENT, authority_id, scep_profile_id, why);
	if (rc == STORE_OK)
		rc = run_for(
		    st, STATEMENT_PROFILE_RA_NEXT_DELETE, authority_id, scep_profile_id, why);
	return rc;
}

enum store_rc
store_ra_switch(struct store *st, const char *scep_profile_id, int64_t overlap_until,
    const struct audit_event *e, struct errbuf *why)
{
	enum store_rc rc;
	int switched = 0;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = switch_ras(st, "", scep_profile_id, overlap_until, &switched, why);
	if (rc == STORE_OK && switched == 0) {
		errbuf_set(why, "no next RA certificate is prepared");
		rc = STORE_CONFLICT;
	}
	return store_change_end(st, rc, e, why);
}

enum store_rc
store_ra_cancel(
    struct store *st, const char *scep_profile_id, const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_PROFILE_RA_NEXT_DELETE);
	db_bind_text(q, "");
	db_bind_text(q, scep_profile_id);
	if ((rc = store_run(q, why)) == STORE_NONE) {
		errbuf_set(why, "no next RA certificate is prepared");
		rc = STORE_CONFLICT;
	}
	return store_change_end(st, rc, e, why);
}

enum store_rc
store_profile_ra_each(struct store *st, const char *scep_profile_id, int64_t now,
    bool (*row)(void *ctx, const struct ra_certificate_row *r), void *ctx, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_PROFILE_RA_LIST);
	struct ra_certificate_row r;
	enum store_rc rc;
	bool more = true;

	db_bind_text(q, scep_profile_id);
	db_bind_integer(q, now);
	while (more && (rc = store_first(q, why)) == STORE_OK) {
		if (!store_read_ra_certificate(q, &r)) {
			errbuf_set(why, "RA certificate: out of memory");
			ra_certificate_row_free(&r);
			rc = STORE_AWAY;
			break;
		}
		store_column_text(q, 6, r.role, sizeof(r.role));
		r.until = db_integer(q, 7);
		more = row(ctx, &r);
		ra_certificate_row_free(&r);
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc
store_profile_ra_sweep(struct store *st, int64_t now, int *forgotten, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	*forgotten = 0;
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_PROFILE_RA_SWEEP);
	db_bind_integer(q, now);
	if ((rc = store_run_counting(q, forgotten, why)) == STORE_NONE)
		rc = STORE_OK;
	return *forgotten > 0 ? store_change_end(st, rc, NULL, why) : store_write_end(st, rc, why);
}

/* ---- generations of a CA ------------------------------------------------------------------------------------------------------- */

enum store_rc
store_rollover_prepare(struct store *st, const struct authority_row *next,
    const struct next_ra *ras, int count, const struct audit_event *e, struct errbuf *why)
{
	struct authority_row there = {0};
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = store_authority_next(st, next->predecessor_id, &there, why);
	if (rc == STORE_OK) {
		errbuf_set(why, "CA %s is prepared already to be the next", there.name);
		rc = STORE_CONFLICT;
	} else if (rc == STORE_NONE) {
		rc = store_insert_authority(st, next, why);
	}
	authority_row_free(&there);
	for (int i = 0; rc == STORE_OK && i < count; i++)
		rc = insert_next_ra(st, ras[i].scep_profile_id, ras[i].ra, why);
	return store_change_end(st, rc, e, why);
}

enum store_rc
store_rollover_switch(struct store *st, const char *next_id, int64_t overlap_until,
    const struct audit_event *e, struct errbuf *why)
{
	enum store_rc rc;
	int switched = 0;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = run_or_conflict(st, STATEMENT_AUTHORITY_NEXT_ACTIVATE, next_id,
	    "the CA is not prepared to be the next", why);
	if (rc == STORE_OK)
		rc = switch_ras(st, next_id, "", overlap_until, &switched, why);
	if (rc == STORE_OK)
		rc = run_for(st, STATEMENT_RA_PROFILE_SUCCEED, next_id, NULL, why);
	if (rc == STORE_OK)
		rc = run_for(st, STATEMENT_AUTHORITY_RETIRE, next_id, NULL, why);
	return store_change_end(st, rc, e, why);
}

enum store_rc
store_rollover_cancel(
    struct store *st, const char *next_id, const struct audit_event *e, struct errbuf *why)
{
	static const enum statement belongings[] = {STATEMENT_RA_CERTIFICATE_DELETE_OF,
	    STATEMENT_OCSP_RESPONDER_DELETE_OF, STATEMENT_CRL_DELETE_OF};
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = run_for(st, STATEMENT_PROFILE_RA_NEXT_DELETE, next_id, "", why);
	for (size_t i = 0; rc == STORE_OK && i < sizeof(belongings) / sizeof(belongings[0]); i++)
		rc = run_for(st, belongings[i], next_id, NULL, why);
	if (rc == STORE_OK)
		rc = run_or_conflict(st, STATEMENT_AUTHORITY_NEXT_DELETE, next_id,
		    "the CA is not prepared to be the next", why);
	/* A foreign key: a client has used it already. */
	if (rc == STORE_CONFLICT && why->line[0] == '\0')
		errbuf_set(why, "the CA has issued certificates already");
	return store_change_end(st, rc, e, why);
}
