#include "base/encoding.h"
#include "store/profile_row.h"
#include "store/transaction.h"

#define FINGERPRINT_SIZE 32

static bool
parse_fingerprint(const char *hex, uint8_t out[FINGERPRINT_SIZE], struct errbuf *why)
{
	if (encoding_unhex(hex, out, FINGERPRINT_SIZE))
		return true;
	errbuf_set(why, "anchor: the fingerprint is not SHA-256 in hexadecimal");
	return false;
}

enum store_rc
store_anchor_insert(struct store *st, const char *scep_profile_id, const struct anchor_row *a,
    const struct audit_event *e, struct errbuf *why)
{
	uint8_t fingerprint[FINGERPRINT_SIZE];
	struct query *q;
	enum store_rc rc;

	if (!parse_fingerprint(a->fingerprint, fingerprint, why))
		return STORE_AWAY;
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_ANCHOR_INSERT);
	db_bind_octets(q, octets_of(fingerprint, sizeof(fingerprint)));
	db_bind_octets(q, buffer_octets(&a->certificate));
	db_bind_integer(q, a->created_at);
	db_bind_text(q, scep_profile_id);
	if ((rc = store_run(q, why)) == STORE_CONFLICT)
		errbuf_set(why, "anchor %s: the profile has it already", a->fingerprint);
	else if (rc == STORE_NONE)
		errbuf_set(why, "anchor %s: no SCEP profile %s", a->fingerprint, scep_profile_id);
	return store_change_end(st, rc, e, why);
}

enum store_rc
store_anchor_delete(struct store *st, const char *scep_profile_id, const char *fingerprint,
    const struct audit_event *e, struct errbuf *why)
{
	uint8_t octets[FINGERPRINT_SIZE];
	struct query *q;
	enum store_rc rc;

	if (!encoding_unhex(fingerprint, octets, FINGERPRINT_SIZE))
		return STORE_NONE;
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_ANCHOR_DELETE);
	db_bind_octets(q, octets_of(octets, sizeof(octets)));
	db_bind_text(q, scep_profile_id);
	rc = store_run(q, why);
	return store_change_end(st, rc, e, why);
}

enum store_rc
store_anchor_each(struct store *st, const char *scep_profile_id,
    bool (*row)(void *ctx, const struct anchor_row *a), void *ctx, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ANCHOR_LIST);
	struct anchor_row a;
	enum store_rc rc = STORE_NONE;
	bool more = true;

	db_bind_text(q, scep_profile_id);
	while (more && (rc = store_first(q, why)) == STORE_OK) {
		a = (struct anchor_row){0};
		if (db_octets(q, 0).len == FINGERPRINT_SIZE)
			encoding_hex(db_octets(q, 0), a.fingerprint);
		store_column_octets(q, 1, &a.certificate);
		a.created_at = db_integer(q, 2);
		if (a.certificate.failed) {
			errbuf_set(why, "anchor: out of memory");
			rc = STORE_AWAY;
			more = false;
		} else {
			more = row(ctx, &a);
		}
		buffer_free(&a.certificate);
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}
