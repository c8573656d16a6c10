/* seat_use.c: a seat is in use while it has a certificate that is valid or on hold, and takes one of its organization's licences. */
#include "store/seat_use.h"
#include "store/seat_row.h"

#define SWEEP_MAX 500 /* seats of one page */

enum store_rc
store_license_take(struct store *st, int64_t organization, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if (organization == 0)
		return STORE_OK;
	q = db_query(st->db, STATEMENT_ORGANIZATION_TAKE);
	db_bind_integer(q, organization);
	if ((rc = store_run(q, why)) == STORE_NONE) {
		errbuf_set(why, "the organization has as many seats in use as it has licences");
		rc = STORE_CONFLICT;
	}
	return rc;
}

enum store_rc
store_license_give_back(struct store *st, int64_t organization, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	if (organization == 0)
		return STORE_OK;
	q = db_query(st->db, STATEMENT_ORGANIZATION_GIVE_BACK);
	db_bind_integer(q, organization);
	rc = store_run(q, why);
	return rc == STORE_NONE ? STORE_OK : rc;
}

/* Step a statement that gives the organization of the seat whose state it has changed, and reset it. */
static enum store_rc
changed_of(struct query *q, int64_t *organization, struct errbuf *why)
{
	enum store_rc rc;

	if ((rc = store_first(q, why)) == STORE_OK)
		*organization = db_integer(q, 0);
	db_reset(q);
	return rc;
}

enum store_rc
store_seat_take(struct store *st, int64_t seat_row, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_SEAT_TAKE);
	int64_t organization = 0;
	enum store_rc rc;

	db_bind_integer(q, seat_row);
	/* None: it is in use already. */
	if ((rc = changed_of(q, &organization, why)) == STORE_NONE)
		return STORE_OK;
	return rc == STORE_OK ? store_license_take(st, organization, why) : rc;
}

static enum store_rc
free_by(struct store *st, enum statement s, int64_t id, int64_t now, int *freed, struct errbuf *why)
{
	struct query *q = db_query(st->db, s);
	int64_t organization = 0;
	enum store_rc rc;

	db_bind_integer(q, id);
	db_bind_integer(q, now);
	/* None: it has another certificate, or is free. */
	if ((rc = changed_of(q, &organization, why)) == STORE_NONE)
		return STORE_OK;
	if (rc == STORE_OK) {
		++*freed;
		rc = store_license_give_back(st, organization, why);
	}
	return rc;
}

enum store_rc
store_seat_free_of(struct store *st, int64_t certificate_id, int64_t now, struct errbuf *why)
{
	int freed = 0;

	return free_by(st, STATEMENT_SEAT_FREE_OF, certificate_id, now, &freed, why);
}

/* The page's seats without a certificate, in rows; *after is where the page ended, 0 behind the last. */
static enum store_rc
idle_page(struct store *st, int64_t now, int64_t *after, int64_t rows[SWEEP_MAX], int *count,
    struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_SEAT_SWEEP);
	enum store_rc rc;
	int seen = 0;

	*count = 0;
	db_bind_integer(q, now);
	db_bind_integer(q, *after);
	db_bind_integer(q, SWEEP_MAX);
	while (seen < SWEEP_MAX && (rc = store_first(q, why)) == STORE_OK) {
		*after = db_integer(q, 0);
		if (db_integer(q, 1) == 0)
			rows[(*count)++] = *after;
		seen++;
	}
	db_reset(q);
	if (seen < SWEEP_MAX)
		*after = 0;
	return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc
store_seat_sweep(struct store *st, int64_t now, int64_t *after, int *freed, struct errbuf *why)
{
	int64_t rows[SWEEP_MAX];
	enum store_rc rc;
	int count;

	*freed = 0;
	if ((rc = idle_page(st, now, after, rows, &count, why)) != STORE_OK || count == 0)
		return rc;
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	for (int i = 0; rc == STORE_OK && i < count; i++)
		rc = free_by(st, STATEMENT_SEAT_FREE, rows[i], now, freed, why);
	return store_write_end(st, rc, why);
}
