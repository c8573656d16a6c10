#include <string.h>

#include "store/profile_row.h"
#include "store/transaction.h"

static void
bind_challenge(struct query *q, const struct scep_profile_row *p)
{
	db_bind_text(q, p->challenge_mode);
	db_bind_octets(
	    q, octets_of(p->challenge_hash, p->challenge_set ? sizeof(p->challenge_hash) : 0));
	db_bind_integer(q, p->challenge_weak);
	db_bind_integer(q, p->challenge_expiry_s);
	db_bind_integer(q, p->max_pending);
}

static void
bind_switches(struct query *q, const struct scep_profile_row *p)
{
	db_bind_integer(q, p->digests);
	db_bind_integer(q, p->ciphers);
	db_bind_integer(q, p->require_signer_key);
	db_bind_integer(q, p->include_ca_in_get_ca_cert);
	db_bind_integer(q, p->include_ca_certificate);
	db_bind_integer(q, p->include_ca_chain);
	db_bind_integer(q, p->replay_hours);
}

static enum store_rc
insert_ra_certificate(struct store *st, const struct ra_certificate_row *ra, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_RA_CERTIFICATE_INSERT);
	enum store_rc rc;

	db_bind_text(q, ra->id);
	db_bind_text(q, ra->key_file);
	db_bind_integer(q, ra->not_after);
	db_bind_integer(q, ra->created_at);
	db_bind_octets(q, buffer_octets(&ra->certificate));
	db_bind_text(q, ra->authority_id);
	if ((rc = store_run(q, why)) == STORE_NONE)
		errbuf_set(why, "RA certificate %s: no authority %s", ra->id, ra->authority_id);
	return rc;
}

static enum store_rc
insert_profile(struct store *st, const struct scep_profile_row *p, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_SCEP_PROFILE_INSERT);
	enum store_rc rc;

	db_bind_text(q, p->id);
	db_bind_text(q, p->name);
	db_bind_text(q, p->description);
	db_bind_integer(q, p->enabled);
	bind_challenge(q, p);
	bind_switches(q, p);
	db_bind_integer(q, p->created_at);
	db_bind_text(q, p->ra_profile_id);
	db_bind_text(q, p->ra_certificate_id);
	if ((rc = store_run(q, why)) == STORE_CONFLICT)
		errbuf_set(why, "SCEP profile %s: the name is taken", p->name);
	else if (rc == STORE_NONE)
		errbuf_set(why, "SCEP profile %s: no RA profile %s or no RA certificate %s",
		    p->name, p->ra_profile_id, p->ra_certificate_id);
	return rc;
}

enum store_rc
store_scep_profile_insert(struct store *st, const struct scep_profile_row *p,
    const struct ra_certificate_row *ra, const struct audit_event *e, struct errbuf *why)
{
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	if ((rc = insert_ra_certificate(st, ra, why)) == STORE_OK)
		rc = insert_profile(st, p, why);
	return store_change_end(st, rc, e, why);
}

/* Nothing was updated: why? */
static enum store_rc
not_updated(struct store *st, const struct scep_profile_row *p, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_SCEP_PROFILE_GET);
	enum store_rc rc;

	db_bind_text(q, p->id);
	rc = store_first(q, why);
	if (rc == STORE_OK && db_integer(q, 6) != p->version) {
		errbuf_set(why, "SCEP profile %s: changed meanwhile (have version %lld, want %lld)",
		    p->name, (long long)db_integer(q, 6), (long long)p->version);
		rc = STORE_CONFLICT;
	} else if (rc == STORE_OK) {
		errbuf_set(why, "SCEP profile %s: no RA profile %s or no RA certificate %s",
		    p->name, p->ra_profile_id, p->ra_certificate_id);
		rc = STORE_NONE;
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_scep_profile_update(struct store *st, const struct scep_profile_row *p,
    const struct audit_event *e, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_SCEP_PROFILE_UPDATE);
	db_bind_text(q, p->name);
	db_bind_text(q, p->description);
	db_bind_integer(q, p->enabled);
	bind_challenge(q, p);
	bind_switches(q, p);
	db_bind_text(q, p->ra_profile_id);
	db_bind_text(q, p->ra_certificate_id);
	db_bind_text(q, p->id);
	db_bind_integer(q, p->version);
	if ((rc = store_run(q, why)) == STORE_CONFLICT)
		errbuf_set(why, "SCEP profile %s: the name is taken", p->name);
	else if (rc == STORE_NONE)
		rc = not_updated(st, p, why);
	return store_change_end(st, rc, e, why);
}

static void
read_scep_profile(struct query *q, struct scep_profile_row *p)
{
	struct octets hash;

	*p = (struct scep_profile_row){0};
	store_column_text(q, 0, p->id, sizeof(p->id));
	store_column_text(q, 1, p->name, sizeof(p->name));
	store_column_text(q, 2, p->description, sizeof(p->description));
	p->enabled = db_integer(q, 3) != 0;
	store_column_text(q, 4, p->ra_profile_id, sizeof(p->ra_profile_id));
	store_column_text(q, 5, p->ra_certificate_id, sizeof(p->ra_certificate_id));
	p->version = db_integer(q, 6);
	p->challenge_version = db_integer(q, 7);
	store_column_text(q, 8, p->challenge_mode, sizeof(p->challenge_mode));
	hash = db_octets(q, 9);
	if (hash.len == sizeof(p->challenge_hash)) {
		memcpy(p->challenge_hash, hash.data, hash.len);
		p->challenge_set = true;
	}
	p->challenge_weak = db_integer(q, 10) != 0;
	p->challenge_expiry_s = db_integer(q, 11);
	p->max_pending = db_integer(q, 12);
	p->digests = (uint32_t)db_integer(q, 13);
	p->ciphers = (uint32_t)db_integer(q, 14);
	p->require_signer_key = db_integer(q, 15) != 0;
	p->include_ca_in_get_ca_cert = db_integer(q, 16) != 0;
	p->include_ca_certificate = db_integer(q, 17) != 0;
	p->include_ca_chain = db_integer(q, 18) != 0;
	p->replay_hours = db_integer(q, 19);
	p->created_at = db_integer(q, 20);
}

enum store_rc
store_scep_profile_get(
    struct store *st, const char *name_or_id, struct scep_profile_row *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_SCEP_PROFILE_GET);
	enum store_rc rc;

	*out = (struct scep_profile_row){0};
	db_bind_text(q, name_or_id);
	if ((rc = store_first(q, why)) == STORE_OK)
		read_scep_profile(q, out);
	db_reset(q);
	return rc;
}

enum store_rc
store_scep_profile_each(struct store *st, bool (*row)(void *ctx, const struct scep_profile_row *p),
    void *ctx, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_SCEP_PROFILE_LIST);
	struct scep_profile_row p;
	enum store_rc rc;
	bool more = true;

	while (more && (rc = store_first(q, why)) == STORE_OK) {
		read_scep_profile(q, &p);
		more = row(ctx, &p);
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}

/* CONFLICT where certificates came from it. */
static enum store_rc
unused(struct store *st, const char *id, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_SCEP_PROFILE_USED);
	enum store_rc rc;

	db_bind_text(q, id);
	rc = store_first(q, why);
	db_reset(q);
	if (rc == STORE_OK) {
		errbuf_set(why, "SCEP profile %s: it has issued certificates", id);
		return STORE_CONFLICT;
	}
	return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc
store_scep_profile_delete(
    struct store *st, const char *id, const struct audit_event *e, struct errbuf *why)
{
	struct scep_profile_row p;
	struct query *q;
	enum store_rc rc;

	if ((rc = store_scep_profile_get(st, id, &p, why)) != STORE_OK ||
	    (rc = unused(st, p.id, why)) != STORE_OK ||
	    (rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_SCEP_PROFILE_DELETE);
	db_bind_text(q, p.id);
	if ((rc = store_run(q, why)) == STORE_CONFLICT)
		errbuf_set(why, "SCEP profile %s: certificates or other rows depend on it", p.name);
	if (rc == STORE_OK) {
		q = db_query(st->db, STATEMENT_RA_CERTIFICATE_DELETE_UNUSED);
		db_bind_text(q, p.ra_certificate_id);
		rc = store_run(q, why);
		/* Another profile has it too. */
		if (rc == STORE_NONE)
			rc = STORE_OK;
	}
	return store_change_end(st, rc, e, why);
}
