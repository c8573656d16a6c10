#include "store/audit_texts.h"
#include "store/text.h"
#include "store/transaction.h"

#define BATCH 500
#define WINDOW                                                                                     \
	50000 /* rows that one statement looks at: a long read would keep the log from starting anew */

#define COLUMN_TIME  1
#define COLUMN_COUNT 2
#define COLUMN_TEXTS 3

void
store_bind_bounded(struct query *q, const char *text)
{
	char room[TEXT_MAX + 1];
	const char *fine = text_bounded(text, room);

	if (fine == room)
		db_bind_copy(q, fine);
	else
		db_bind_text(q, fine);
}

/* NONE from the statement means that its event_id is there already: that is as good. */
enum store_rc
store_audit_insert(struct store *st, const struct audit_event *e, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_AUDIT_INSERT);
	enum store_rc rc;
	size_t i;

	db_bind_integer(q, e->time_ms);
	db_bind_integer(q, e->count > 0 ? e->count : 1);
	for (i = 0; i < AUDIT_TEXTS; i++)
		store_bind_bounded(q, audit_text_get0(e, &audit_texts[i]));
	rc = store_run(q, why);
	return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc
store_audit_write(struct store *st, const struct audit_event *events, int count, struct errbuf *why)
{
	enum store_rc rc = STORE_OK;
	int i = 0, end;

	while (i < count && rc == STORE_OK) {
		if ((rc = store_write_begin(st, why)) != STORE_OK)
			return rc;
		end = count - i > BATCH ? i + BATCH : count;
		for (; i < end && rc == STORE_OK; i++)
			rc = store_audit_insert(st, &events[i], why);
		rc = store_write_end(st, rc, why);
	}
	return rc;
}

struct walk {
	const struct audit_filter *filter;
	bool (*row)(void *ctx, int64_t id, const struct audit_event *e);
	void *ctx;
	int left;
	bool more;
};

static void
give_row(struct query *q, struct walk *w)
{
	struct audit_event e = {0};
	int i;

	e.time_ms = db_integer(q, COLUMN_TIME);
	e.count = db_integer(q, COLUMN_COUNT);
	for (i = 0; i < AUDIT_TEXTS; i++)
		*audit_text_of(&e, &audit_texts[i]) = db_text(q, COLUMN_TEXTS + i);
	w->more = w->row(w->ctx, db_integer(q, 0), &e) && --w->left > 0;
}

/* The rows with low <= id < high that pass the filter. */
static enum store_rc
walk_window(struct store *st, enum statement s, int64_t low, int64_t high, struct walk *w,
    struct errbuf *why)
{
	struct query *q = db_query(st->db, s);
	enum store_rc rc = STORE_NONE;

	db_bind_integer(q, low);
	db_bind_integer(q, high);
	db_bind_integer(q, w->filter->failed);
	db_bind_text(q, w->filter->profile);
	db_bind_text(q, w->filter->transaction_id);
	db_bind_integer(q, w->left);
	while (w->more && (rc = store_first(q, why)) == STORE_OK)
		give_row(q, w);
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}

static enum store_rc
read_span(struct store *st, int64_t *oldest, int64_t *newest, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_AUDIT_SPAN);
	enum store_rc rc = store_first(q, why);

	if (rc == STORE_OK) {
		*oldest = db_integer(q, 0);
		*newest = db_integer(q, 1);
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_audit_list(struct store *st, const struct audit_filter *f,
    bool (*row)(void *ctx, int64_t id, const struct audit_event *e), void *ctx, struct errbuf *why)
{
	struct walk w = {.filter = f, .row = row, .ctx = ctx, .more = true};
	int64_t oldest = 0, newest = 0, at;
	enum store_rc rc;

	w.left = f->limit > 0 && f->limit < BATCH ? f->limit : BATCH;
	if ((rc = read_span(st, &oldest, &newest, why)) != STORE_OK || newest == 0)
		return rc;
	if (f->before_id == 0 && f->after_id > 0) {
		at = f->after_id + 1 > oldest ? f->after_id + 1 : oldest;
		for (; w.more && at <= newest && rc == STORE_OK; at += WINDOW)
			rc = walk_window(st, STATEMENT_AUDIT_OLDEST, at, at + WINDOW, &w, why);
		return rc;
	}
	at = f->before_id > 0 && f->before_id <= newest ? f->before_id : newest + 1;
	for (; w.more && at > oldest && rc == STORE_OK; at -= WINDOW)
		rc = walk_window(st, STATEMENT_AUDIT_NEWEST, at - WINDOW, at, &w, why);
	return rc;
}

enum store_rc
store_audit_purge(struct store *st, int64_t before_ms, int *deleted, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;

	*deleted = 0;
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_AUDIT_PURGE);
	db_bind_integer(q, before_ms);
	if ((rc = store_run_counting(q, deleted, why)) == STORE_NONE)
		rc = STORE_OK;
	return store_write_end(st, rc, why);
}
