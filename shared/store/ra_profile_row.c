#include "store/profile_row.h"
#include "store/transaction.h"

/* These come in the same order in both statements. */
static void
bind_rules(struct query *q, const struct ra_profile_row *p)
{
	db_bind_text(q, p->name);
	db_bind_integer(q, p->validity_days);
	db_bind_text(q, p->key_usage);
	db_bind_text(q, p->eku);
	db_bind_integer(q, p->refuse_extra);
	db_bind_integer(q, p->refuse_extensions);
	db_bind_integer(q, p->min_rsa_bits);
	db_bind_integer(q, p->max_rsa_bits);
	db_bind_text(q, p->curves);
	db_bind_integer(q, p->not_after);
	db_bind_integer(q, p->microsoft_sid);
	db_bind_integer(q, p->microsoft_template);
}

static enum store_rc
insert_fields(struct store *st, int64_t id, const struct ra_profile_row *p, struct errbuf *why)
{
	enum store_rc rc = STORE_OK;
	const struct field_row *f;
	struct query *q;
	int i;

	for (i = 0; i < p->field_count && rc == STORE_OK; i++) {
		f = &p->fields[i];
		q = db_query(st->db, STATEMENT_RA_PROFILE_FIELD_INSERT);
		db_bind_integer(q, id);
		db_bind_integer(q, i);
		db_bind_text(q, f->type);
		db_bind_text(q, f->source);
		db_bind_integer(q, f->required);
		db_bind_integer(q, f->multiple);
		db_bind_text(q, f->value);
		db_bind_text(q, f->pattern);
		db_bind_integer(q, f->min_length);
		db_bind_integer(q, f->max_length);
		rc = store_run(q, why);
	}
	return rc;
}

/* Step a statement that returns the row's id, and reset it. */
static enum store_rc
run_for_id(struct query *q, const struct ra_profile_row *p, int64_t *id, struct errbuf *why)
{
	enum store_rc rc = store_first(q, why);

	if (rc == STORE_OK)
		*id = db_integer(q, 0);
	else if (rc == STORE_CONFLICT)
		errbuf_set(why, "RA profile %s: the name is taken", p->name);
	db_reset(q);
	return rc;
}

enum store_rc
store_ra_profile_insert(struct store *st, const struct ra_profile_row *p,
    const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;
	int64_t id;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_RA_PROFILE_INSERT);
	db_bind_text(q, p->id);
	bind_rules(q, p);
	db_bind_integer(q, p->created_at);
	db_bind_text(q, p->authority_id);
	if ((rc = run_for_id(q, p, &id, why)) == STORE_OK)
		rc = insert_fields(st, id, p, why);
	else if (rc == STORE_NONE)
		errbuf_set(why, "RA profile %s: no authority %s", p->name, p->authority_id);
	return store_change_end(st, rc, e, why);
}

enum store_rc
store_ra_profile_update(struct store *st, const struct ra_profile_row *p,
    const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;
	int64_t id;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_RA_PROFILE_UPDATE);
	bind_rules(q, p);
	db_bind_text(q, p->authority_id);
	db_bind_text(q, p->id);
	if ((rc = run_for_id(q, p, &id, why)) == STORE_OK) {
		q = db_query(st->db, STATEMENT_RA_PROFILE_FIELD_DELETE);
		db_bind_integer(q, id);
		/* None is fine: it had no fields. */
		if ((rc = store_run(q, why)) == STORE_OK || rc == STORE_NONE)
			rc = insert_fields(st, id, p, why);
	} else if (rc == STORE_NONE) {
		errbuf_set(why, "RA profile %s: no such profile, or no authority %s", p->name,
		    p->authority_id);
	}
	return store_change_end(st, rc, e, why);
}

static enum store_rc
read_fields(struct store *st, int64_t id, struct ra_profile_row *p, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_RA_PROFILE_FIELD_LIST);
	enum store_rc rc;
	struct field_row *f;

	db_bind_integer(q, id);
	while ((rc = store_first(q, why)) == STORE_OK && p->field_count < PROFILE_FIELDS_MAX) {
		f = &p->fields[p->field_count++];
		store_column_text(q, 0, f->type, sizeof(f->type));
		store_column_text(q, 1, f->source, sizeof(f->source));
		f->required = db_integer(q, 2) != 0;
		f->multiple = db_integer(q, 3) != 0;
		store_column_text(q, 4, f->value, sizeof(f->value));
		store_column_text(q, 5, f->pattern, sizeof(f->pattern));
		f->min_length = db_integer(q, 6);
		f->max_length = db_integer(q, 7);
	}
	db_reset(q);
	/* Rules left out would let through what they forbid. */
	if (rc == STORE_OK) {
		errbuf_set(
		    why, "RA profile %s: has more than %d fields", p->name, PROFILE_FIELDS_MAX);
		return STORE_AWAY;
	}
	return rc == STORE_NONE ? STORE_OK : rc;
}

static enum store_rc
read_ra_profile(struct store *st, struct query *q, struct ra_profile_row *p, struct errbuf *why)
{
	*p = (struct ra_profile_row){0};
	store_column_text(q, 1, p->id, sizeof(p->id));
	store_column_text(q, 2, p->name, sizeof(p->name));
	store_column_text(q, 3, p->authority_id, sizeof(p->authority_id));
	p->validity_days = db_integer(q, 4);
	store_column_text(q, 5, p->key_usage, sizeof(p->key_usage));
	store_column_text(q, 6, p->eku, sizeof(p->eku));
	p->refuse_extra = db_integer(q, 7) != 0;
	p->refuse_extensions = db_integer(q, 8) != 0;
	p->min_rsa_bits = db_integer(q, 9);
	p->max_rsa_bits = db_integer(q, 10);
	p->created_at = db_integer(q, 11);
	store_column_text(q, 12, p->curves, sizeof(p->curves));
	p->not_after = db_integer(q, 13);
	p->microsoft_sid = db_integer(q, 14) != 0;
	p->microsoft_template = db_integer(q, 15) != 0;
	return read_fields(st, db_integer(q, 0), p, why);
}

/* The fields are read while the row's statement is open: one snapshot of both. */
enum store_rc
store_ra_profile_get(
    struct store *st, const char *name_or_id, struct ra_profile_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_RA_PROFILE_GET);
	enum store_rc rc;

	*out = (struct ra_profile_row){0};
	db_bind_text(q, name_or_id);
	if ((rc = store_first(q, why)) == STORE_OK)
		rc = read_ra_profile(st, q, out, why);
	db_reset(q);
	return rc;
}

enum store_rc
store_ra_profile_each(struct store *st, bool (*row)(void *ctx, const struct ra_profile_row *p),
    void *ctx, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_RA_PROFILE_LIST);
	struct ra_profile_row p;
	enum store_rc rc;
	bool more = true;

	while (more && (rc = store_first(q, why)) == STORE_OK)
		if ((rc = read_ra_profile(st, q, &p, why)) == STORE_OK)
			more = row(ctx, &p);
		else
			break;
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}
