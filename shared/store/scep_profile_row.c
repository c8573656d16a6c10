#include <string.h>

#include "store/authority_table.h"
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

static void
bind_renewal(struct query *q, const struct scep_profile_row *p)
{
	db_bind_text(q, p->lineage[0] != '\0' ? p->lineage : p->id);
	db_bind_text(q, p->approval);
	db_bind_integer(q, p->transaction_expiry_s);
	db_bind_integer(q, p->max_transactions);
	db_bind_integer(q, p->certificate_renewal);
	db_bind_integer(q, p->same_key_renewal);
	db_bind_integer(q, p->renewal_threshold_days);
	db_bind_integer(q, p->max_successors);
}

/* What a row without these members means is what profiles had before there were any. */
static void
bind_enrolment(struct query *q, const struct scep_profile_row *p)
{
	bool unset = p->duplicates[0] == '\0';

	db_bind_integer(
	    q, p->challenge_length > 0 ? p->challenge_length : PROFILE_CHALLENGE_LENGTH);
	db_bind_text(q, p->seat_field[0] != '\0' ? p->seat_field : PROFILE_SEAT_FIELD);
	db_bind_text(q, unset ? PROFILE_DUPLICATES : p->duplicates);
	db_bind_integer(q, unset ? PROFILE_DUPLICATE_GRACE_S : p->duplicate_grace_s);
	db_bind_integer(q, p->unique_keys);
	db_bind_integer(q, p->limit_address);
	db_bind_integer(q, p->limit_profile);
	db_bind_integer(q, p->limit_account);
	db_bind_integer(q, p->limit_seat);
}

/* What the row refers to, the last parameters of both statements but for the profile's own. */
static void
bind_references(struct query *q, const struct scep_profile_row *p)
{
	db_bind_text(q, p->intune_id);
	db_bind_text(q, p->ra_profile_id);
	db_bind_text(q, p->ra_certificate_id);
}

enum store_rc
store_insert_ra_certificate(
    struct store *st, const struct ra_certificate_row *ra, struct errbuf *why)
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
insert_renew_from(struct store *st, const struct scep_profile_row *p, struct errbuf *why)
{
	enum store_rc rc = STORE_OK;
	struct query *q;

	for (int i = 0; i < p->renew_from_count && rc == STORE_OK; i++) {
		q = db_query(st->db, STATEMENT_SCEP_PROFILE_RENEW_FROM_INSERT);
		db_bind_integer(q, i);
		db_bind_text(q, p->renew_from[i]);
		db_bind_text(q, p->id);
		/* None: named twice. */
		if ((rc = store_run(q, why)) == STORE_NONE)
			rc = STORE_OK;
	}
	return rc;
}

static enum store_rc
update_renew_from(struct store *st, const struct scep_profile_row *p, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_SCEP_PROFILE_RENEW_FROM_DELETE);
	enum store_rc rc;

	db_bind_text(q, p->id);
	/* None is fine: it had none. */
	if ((rc = store_run(q, why)) == STORE_OK || rc == STORE_NONE)
		rc = insert_renew_from(st, p, why);
	return rc;
}

static void
no_reference(const struct scep_profile_row *p, struct errbuf *why)
{
	errbuf_set(why, "SCEP profile %s: no RA profile %s, no RA certificate %s%s%s", p->name,
	    p->ra_profile_id, p->ra_certificate_id,
	    p->intune_id[0] != '\0' ? " or no Intune connection " : "", p->intune_id);
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
	bind_renewal(q, p);
	bind_enrolment(q, p);
	db_bind_integer(q, p->created_at);
	bind_references(q, p);
	if ((rc = store_run(q, why)) == STORE_CONFLICT)
		errbuf_set(why, "SCEP profile %s: the name is taken", p->name);
	else if (rc == STORE_NONE)
		no_reference(p, why);
	return rc;
}

enum store_rc
store_scep_profile_insert(struct store *st, const struct scep_profile_row *p,
    const struct ra_certificate_row *ra, const struct audit_event *e, struct errbuf *why)
{
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	if ((rc = store_insert_ra_certificate(st, ra, why)) == STORE_OK)
		rc = insert_profile(st, p, why);
	if (rc == STORE_OK)
		rc = insert_renew_from(st, p, why);
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
		no_reference(p, why);
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
	bind_renewal(q, p);
	bind_enrolment(q, p);
	bind_references(q, p);
	db_bind_text(q, p->id);
	db_bind_integer(q, p->version);
	if ((rc = store_run(q, why)) == STORE_CONFLICT)
		errbuf_set(why, "SCEP profile %s: the name is taken", p->name);
	else if (rc == STORE_NONE)
		rc = not_updated(st, p, why);
	if (rc == STORE_OK)
		rc = update_renew_from(st, p, why);
	return store_change_end(st, rc, e, why);
}

static enum store_rc
read_renew_from(struct store *st, struct scep_profile_row *p, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_SCEP_PROFILE_RENEW_FROM_LIST);
	enum store_rc rc;

	db_bind_text(q, p->id);
	while (
	    (rc = store_first(q, why)) == STORE_OK && p->renew_from_count < PROFILE_RENEW_FROM_MAX)
		store_column_text(
		    q, 0, p->renew_from[p->renew_from_count++], sizeof(p->renew_from[0]));
	db_reset(q);
	if (rc == STORE_OK) {
		errbuf_set(why, "SCEP profile %s: renews from more than %d others", p->name,
		    PROFILE_RENEW_FROM_MAX);
		return STORE_AWAY;
	}
	return rc == STORE_NONE ? STORE_OK : rc;
}

static void
read_renewal(struct query *q, struct scep_profile_row *p)
{
	store_column_text(q, 21, p->lineage, sizeof(p->lineage));
	store_column_text(q, 22, p->approval, sizeof(p->approval));
	p->transaction_expiry_s = db_integer(q, 23);
	p->max_transactions = db_integer(q, 24);
	p->certificate_renewal = db_integer(q, 25) != 0;
	p->same_key_renewal = db_integer(q, 26) != 0;
	p->renewal_threshold_days = db_integer(q, 27);
	p->max_successors = db_integer(q, 28);
}

static void
read_enrolment(struct query *q, struct scep_profile_row *p)
{
	p->challenge_length = db_integer(q, 29);
	store_column_text(q, 30, p->seat_field, sizeof(p->seat_field));
	store_column_text(q, 31, p->intune_id, sizeof(p->intune_id));
	store_column_text(q, 32, p->duplicates, sizeof(p->duplicates));
	p->duplicate_grace_s = db_integer(q, 33);
	p->unique_keys = db_integer(q, 34) != 0;
	p->limit_address = db_integer(q, 35);
	p->limit_profile = db_integer(q, 36);
	p->limit_account = db_integer(q, 37);
	p->limit_seat = db_integer(q, 38);
}

/* What it renews from is read while the row's statement is open: one snapshot of both. */
static enum store_rc
read_scep_profile(struct store *st, struct query *q, struct scep_profile_row *p, struct errbuf *why)
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
	read_renewal(q, p);
	read_enrolment(q, p);
	return read_renew_from(st, p, why);
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
		rc = read_scep_profile(st, q, out, why);
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

	while (more && (rc = store_first(q, why)) == STORE_OK)
		if ((rc = read_scep_profile(st, q, &p, why)) == STORE_OK)
			more = row(ctx, &p);
		else
			break;
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
