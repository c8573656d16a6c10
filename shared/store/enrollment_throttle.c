/* enrollment_throttle.c: wrong tries at the enrolment codes of a seat. */
#include "store/seat_row.h"
#include "store/transaction.h"

enum store_rc
store_enrollment_standing(struct store *st, const char *profile_id, const char *seat_id,
    const struct enrollment_throttle *t, int64_t now, struct enrollment_standing *out,
    struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ENROLLMENT_STANDING);
	int64_t ends_at;
	enum store_rc rc;

	*out = (struct enrollment_standing){0};
	db_bind_text(q, seat_id);
	db_bind_text(q, profile_id);
	db_bind_integer(q, now);
	while ((rc = store_first(q, why)) == STORE_OK) {
		out->open = true;
		ends_at = db_integer(q, 0) + t->window_s;
		if (db_integer(q, 0) > now || ends_at <= now || db_integer(q, 1) < t->per_window)
			continue;
		out->slowed = true;
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}

/* OK: a wrong try would be counted; NONE: nothing is open, or the window has counted enough. */
static enum store_rc
countable(struct store *st, const char *profile_id, const char *seat_id,
    const struct enrollment_throttle *t, int64_t now, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ENROLLMENT_COUNTABLE);
	enum store_rc rc;

	db_bind_text(q, seat_id);
	db_bind_text(q, profile_id);
	db_bind_integer(q, now);
	db_bind_integer(q, t->window_s);
	db_bind_integer(q, t->per_window);
	rc = store_first(q, why);
	db_reset(q);
	return rc;
}

static enum store_rc
count_wrong(struct store *st, const char *profile_id, const char *seat_id,
    const struct enrollment_throttle *t, int64_t now, bool *locked, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ENROLLMENT_WRONG);
	enum store_rc rc;

	db_bind_integer(q, t->window_s);
	db_bind_integer(q, now);
	db_bind_integer(q, t->lock_after);
	db_bind_integer(q, t->lock_s);
	db_bind_text(q, seat_id);
	db_bind_text(q, profile_id);
	db_bind_integer(q, t->per_window);
	while ((rc = store_first(q, why)) == STORE_OK)
		*locked = *locked || db_integer(q, 0) > now;
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}

/* A flood of wrong tries reads; it does not hold up writers. */
enum store_rc
store_enrollment_wrong(struct store *st, const char *profile_id, const char *seat_id,
    const struct enrollment_throttle *t, int64_t now, bool *locked, struct errbuf *why)
{
	enum store_rc rc;

	*locked = false;
	if ((rc = countable(st, profile_id, seat_id, t, now, why)) != STORE_OK)
		return rc == STORE_NONE ? STORE_OK : rc;
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = count_wrong(st, profile_id, seat_id, t, now, locked, why);
	if ((rc = store_write_end(st, rc, why)) != STORE_OK)
		*locked = false;
	return rc;
}
