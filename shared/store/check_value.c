#include "store/transaction.h"

/* Compare with what is kept.  OK: the same; CONFLICT: another; NONE: nothing is kept. */
static enum store_rc
compare(struct store *st, const char *name, struct octets value, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CHECK_VALUE);
	enum store_rc rc;

	db_bind_text(q, name);
	rc = store_first(q, why);
	if (rc == STORE_OK && !octets_equal_secret(db_octets(q, 0), value)) {
		errbuf_set(why, "another value of \"%s\" is kept", name);
		rc = STORE_CONFLICT;
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_check_value(
    struct store *st, const char *name, struct octets value, bool set, struct errbuf *why)
{
	enum store_rc rc = compare(st, name, value, why);
	struct query *q;

	if (rc != STORE_NONE || !set)
		return rc;
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_CHECK_VALUE_SET);
	db_bind_text(q, name);
	db_bind_octets(q, value);
	rc = store_run(q, why);
	/* Another process was faster. */
	if (rc == STORE_NONE)
		rc = compare(st, name, value, why);
	return store_write_end(st, rc, why);
}
