#include "store/transaction.h"

enum store_rc
store_lease(struct store *st, const char *name, const char *holder, int64_t now, int64_t seconds,
    struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_LEASE_TAKE);
	db_bind_text(q, name);
	db_bind_text(q, holder);
	db_bind_integer(q, now + seconds);
	db_bind_integer(q, now);
	rc = store_run(q, why);
	if (rc == STORE_NONE) {
		errbuf_set(why, "the lease \"%s\" is another's", name);
		rc = STORE_CONFLICT;
	}
	return store_write_end(st, rc, why);
}

enum store_rc
store_lease_release(struct store *st, const char *name, const char *holder, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_LEASE_RELEASE);
	db_bind_text(q, name);
	db_bind_text(q, holder);
	rc = store_run(q, why);
	return store_write_end(st, rc, why);
}
