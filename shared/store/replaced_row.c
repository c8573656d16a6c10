#include "store/replaced_row.h"

#include "store/serial.h"
#include "store/transaction.h"

static enum store_rc
find_seen(struct store *st, struct octets serial, struct octets der, const char *authority_id,
    int64_t now, int64_t *id, struct errbuf *why)
{
	struct query *q = db_query(st->db,
	    authority_id != NULL ? STATEMENT_REPLACED_BY_ASKED : STATEMENT_REPLACED_BY_SIGNED);
	struct serial s;
	enum store_rc rc;

	if (!serial_of(serial, &s))
		return STORE_NONE;
	db_bind_octets(q, serial_octets(&s));
	if (authority_id != NULL)
		db_bind_text(q, authority_id);
	else
		db_bind_octets(q, der);
	db_bind_integer(q, now);
	if ((rc = store_first(q, why)) == STORE_OK)
		*id = db_integer(q, 0);
	db_reset(q);
	return rc;
}

enum store_rc
store_replaced_seen(struct store *st, struct octets serial, struct octets der,
    const char *authority_id, int64_t now, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;
	int64_t id = 0;

	if ((rc = find_seen(st, serial, der, authority_id, now, &id, why)) != STORE_OK ||
	    (rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_REPLACED_HASTEN);
	db_bind_integer(q, now);
	db_bind_integer(q, id);
	/* NONE: another was quicker. */
	if ((rc = store_run(q, why)) == STORE_NONE)
		rc = STORE_OK;
	return store_write_end(st, rc, why);
}

enum store_rc
store_replaced_due(struct store *st, int64_t now, struct replaced_row *out, int max, int *count,
    struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_REPLACED_DUE);
	enum store_rc rc = STORE_OK;

	*count = 0;
	db_bind_integer(q, now);
	db_bind_integer(q, max);
	while (*count < max && (rc = store_first(q, why)) == STORE_OK)
		out[(*count)++] = (struct replaced_row){.certificate_id = db_integer(q, 0),
		    .by_id = db_integer(q, 1),
		    .by_revoked = db_integer(q, 2) != 0};
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc
store_replaced_forget(struct store *st, const struct replaced_row *row, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_REPLACED_FORGET);
	db_bind_integer(q, row->certificate_id);
	db_bind_integer(q, row->by_id);
	if ((rc = store_run(q, why)) == STORE_NONE)
		rc = STORE_OK;
	return store_write_end(st, rc, why);
}

enum store_rc
store_held_each(struct store *st, const char *lineage, int64_t after, int64_t now, int limit,
    bool (*row)(void *ctx, int64_t id, int64_t seat_row, struct octets der), void *ctx,
    int64_t *last, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_HELD_LIST);
	enum store_rc rc;
	bool more = true;

	*last = after;
	db_bind_text(q, lineage);
	db_bind_integer(q, after);
	db_bind_integer(q, now);
	db_bind_integer(q, limit);
	while (more && (rc = store_first(q, why)) == STORE_OK) {
		*last = db_integer(q, 0);
		more = row(ctx, *last, db_integer(q, 1), db_octets(q, 2));
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}

static enum store_rc
put_one(struct store *st, enum statement statement, struct octets digest, int64_t id,
    struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if (digest.len == 0)
		return STORE_OK;
	q = db_query(st->db, statement);
	db_bind_octets(q, digest);
	db_bind_integer(q, id);
	/* NONE: it is there. */
	return (rc = store_run(q, why)) == STORE_NONE ? STORE_OK : rc;
}

enum store_rc
store_held_put(struct store *st, const struct held_row *rows, int count, struct errbuf *why)
{
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	for (int i = 0; i < count && rc == STORE_OK; i++) {
		rc = put_one(
		    st, STATEMENT_HELD_HOLDER_PUT, rows[i].holder, rows[i].certificate_id, why);
		if (rc == STORE_OK)
			rc = put_one(st, STATEMENT_HELD_KEY_PUT, rows[i].key_digest,
			    rows[i].certificate_id, why);
	}
	return store_write_end(st, rc, why);
}

enum store_rc
store_profile_in_use(struct store *st, const char *scep_profile_id, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_SCEP_PROFILE_IN_USE);
	enum store_rc rc;

	db_bind_text(q, scep_profile_id);
	rc = store_first(q, why);
	db_reset(q);
	return rc;
}
