/* rollover.c: the next generation of a CA or of a profile's RA certificate: prepared, switched to, or taken back; each in one transaction. */
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "store/authority_table.h"
#include "store/transaction.h"

/* Run a statement whose one or two parameters name what it is for; that it writes nothing is fine. */
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

enum store_rc
store_authority_next(
    struct store *st, const char *id, struct authority_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_AUTHORITY_NEXT);
	enum store_rc rc;

	*out = (struct authority_row){0};
	db_bind_text(q, id);
	if ((rc = store_first(q, why)) == STORE_OK && !store_read_authority(q, out)) {
		authority_row_free(out);
		errbuf_set(why, "authority %s: out of memory", id);
		rc = STORE_AWAY;
	}
	db_reset(q);
	return rc;
}

/* ---- RA certificates ------------------------------------------------------------------------------------------------------------ */

/* Why a profile gets no next RA certificate. */
static enum store_rc
not_next(struct store *st, const char *scep_profile_id, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_SCEP_PROFILE_GET);
	enum store_rc rc;

	db_bind_text(q, scep_profile_id);
	if ((rc = store_first(q, why)) == STORE_OK) {
		errbuf_set(
		    why, "SCEP profile %s: it has a next RA certificate already", db_text(q, 1));
		rc = STORE_CONFLICT;
	}
	db_reset(q);
	if (rc == STORE_NONE)
		errbuf_set(why, "SCEP profile %s: it is not there", scep_profile_id);
	return rc;
}

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
	if ((rc = store_run(q, why)) == STORE_NONE)
		rc = not_next(st, scep_profile_id, why);
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

/*
 * The current ones become previous, the next ones current.  authority_id "": of that profile, but not one that waits for the rollover of its CA;
 * scep_profile_id "": of all profiles that this authority issues for.
 */
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
	if (rc == STORE_OK)
		rc = run_for(st, STATEMENT_PROFILE_RA_CURRENT, authority_id, scep_profile_id, why);
	/* What is left of the next ones is of profiles that issue by another CA meanwhile. */
	if (rc == STORE_OK || rc == STORE_NONE)
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

/* NONE: there is none, or it waits for the rollover of its CA. */
static enum store_rc
delete_next_ra(struct store *st, const char *scep_profile_id, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_PROFILE_RA_NEXT_TAKE);
	enum store_rc rc;
	int64_t id = 0;

	db_bind_text(q, scep_profile_id);
	if ((rc = store_first(q, why)) == STORE_OK)
		id = db_integer(q, 0);
	db_reset(q);
	if (rc != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_RA_CERTIFICATE_DELETE_UNUSED_ID);
	db_bind_integer(q, id);
	/* None: it has another use. */
	rc = store_run(q, why);
	return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc
store_ra_cancel(
    struct store *st, const char *scep_profile_id, const struct audit_event *e, struct errbuf *why)
{
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	if ((rc = delete_next_ra(st, scep_profile_id, why)) == STORE_NONE) {
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

/* OK: the predecessor is active, *lineage is its own, and nothing is prepared to succeed it. */
static enum store_rc
check_predecessor(
    struct store *st, const struct authority_row *next, char lineage[UUID_SIZE], struct errbuf *why)
{
	struct authority_row old, there;
	enum store_rc rc;

	if ((rc = store_authority_get(st, next->predecessor_id, &old, why)) != STORE_OK) {
		if (rc == STORE_NONE)
			errbuf_set(
			    why, "CA %s: no predecessor %s", next->name, next->predecessor_id);
		return rc;
	}
	snprintf(lineage, UUID_SIZE, "%s", old.lineage);
	if (strcmp(old.state, "active") != 0) {
		errbuf_set(why, "CA %s: have state %s, want active", old.name, old.state);
		rc = STORE_CONFLICT;
	} else if ((rc = store_authority_next(st, old.id, &there, why)) == STORE_OK) {
		errbuf_set(why, "CA %s is prepared already to succeed CA %s", there.name, old.name);
		authority_row_free(&there);
		rc = STORE_CONFLICT;
	} else if (rc == STORE_NONE) {
		rc = STORE_OK;
	}
	authority_row_free(&old);
	return rc;
}

enum store_rc
store_rollover_prepare(struct store *st, const struct authority_row *next,
    const struct next_ra *ras, int count, const struct audit_event *e, struct errbuf *why)
{
	/* The row's own buffers are the caller's all the same. */
	struct authority_row row = *next;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	snprintf(row.state, sizeof(row.state), "next");
	if ((rc = check_predecessor(st, next, row.lineage, why)) == STORE_OK)
		rc = store_insert_authority(st, &row, why);
	for (int i = 0; rc == STORE_OK && i < count; i++)
		rc = insert_next_ra(st, ras[i].scep_profile_id, ras[i].ra, why);
	return store_change_end(st, rc, e, why);
}

static enum store_rc
not_prepared(const char *next_id, struct errbuf *why)
{
	errbuf_set(why, "CA %s is not prepared to be the next one", next_id);
	return STORE_CONFLICT;
}

/* The RA profiles first: whose RA certificates change is told by the authority that they issue by then. */
enum store_rc
store_rollover_switch(struct store *st, const char *next_id, int64_t overlap_until,
    const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;
	int switched = 0;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_AUTHORITY_NEXT_ACTIVATE);
	db_bind_text(q, next_id);
	if ((rc = store_run(q, why)) == STORE_NONE)
		rc = not_prepared(next_id, why);
	if (rc == STORE_OK)
		rc = run_for(st, STATEMENT_AUTHORITY_RETIRE, next_id, NULL, why);
	if (rc == STORE_OK)
		rc = run_for(st, STATEMENT_RA_PROFILE_SUCCEED, next_id, NULL, why);
	if (rc == STORE_OK)
		rc = switch_ras(st, next_id, "", overlap_until, &switched, why);
	return store_change_end(st, rc, e, why);
}

enum store_rc
store_rollover_cancel(
    struct store *st, const char *next_id, const struct audit_event *e, struct errbuf *why)
{
	static const enum statement belongings[] = {STATEMENT_RA_CERTIFICATE_DELETE_OF,
	    STATEMENT_OCSP_RESPONDER_DELETE_OF, STATEMENT_CRL_DELETE_OF};
	enum store_rc rc;
	struct query *q;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = run_for(st, STATEMENT_PROFILE_RA_NEXT_DELETE, next_id, "", why);
	for (size_t i = 0; rc == STORE_OK && i < sizeof(belongings) / sizeof(belongings[0]); i++)
		rc = run_for(st, belongings[i], next_id, NULL, why);
	if (rc == STORE_OK) {
		q = db_query(st->db, STATEMENT_AUTHORITY_NEXT_DELETE);
		db_bind_text(q, next_id);
		rc = store_run(q, why);
	}
	if (rc == STORE_NONE)
		rc = not_prepared(next_id, why);
	else if (rc == STORE_CONFLICT)
		errbuf_set(why,
		    "CA %s: certificates or profiles depend on it: it has issued, or is used, "
		    "already",
		    next_id);
	return store_change_end(st, rc, e, why);
}
