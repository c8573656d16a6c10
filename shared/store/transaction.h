/* transaction.h: how the files of the store read and write: one open store, its transactions, its rows.  Inside the store only. */
#ifndef STORE_TRANSACTION_H
#define STORE_TRANSACTION_H

#include <sys/types.h>

#include "store/audit_event.h"
#include "store/db.h"
#include "store/store.h"

struct store {
	struct db *db;
	int lock;	    /* descriptor of DATABASE.lock, opened by this process */
	pid_t process;	    /* that opened it: neither lock nor connection outlives a fork */
	int64_t timeout_ms; /* for lock and BEGIN together */
	char *path;
};

/*
 * Take the writers' lock and begin.  STORE_OK: store_write_end or store_change_end must follow, whatever happens between;
 * STORE_AWAY with why otherwise.
 */
enum store_rc store_write_begin(struct store *st, struct errbuf *why);
enum store_rc store_write_begin_within(struct store *st, int64_t timeout_ms, struct errbuf *why);

/* Commit where rc is STORE_OK, else roll back; free the lock.  Returns rc, or STORE_AWAY when the commit failed. */
enum store_rc store_write_end(struct store *st, enum store_rc rc, struct errbuf *why);

/* The end of a change of configuration: raises config_version and writes the event (which may be NULL) before the commit. */
enum store_rc store_change_end(
    struct store *st, enum store_rc rc, const struct audit_event *e, struct errbuf *why);
/* The end of a change that is no configuration. */
enum store_rc store_event_end(
    struct store *st, enum store_rc rc, const struct audit_event *e, struct errbuf *why);

/* Run a statement that returns no row, and reset it.  OK: it wrote rows; NONE: none; CONFLICT: a key forbids it. */
enum store_rc store_run(struct query *q, struct errbuf *why);
/* The same, with the number of rows. */
enum store_rc store_run_counting(struct query *q, int *rows, struct errbuf *why);

/* Step to the first row.  OK: a row is there; NONE: none; the caller resets in either case. */
enum store_rc store_first(struct query *q, struct errbuf *why);

/* Write one event inside the transaction at hand. */
enum store_rc store_audit_insert(struct store *st, const struct audit_event *e, struct errbuf *why);

/* Bind a text made valid UTF-8 and at most TEXT_MAX (text.h) octets long. */
void store_bind_bounded(struct query *q, const char *text);

/* Copy a column into an array of size octets, cut at a character's border; "" where it is NULL. */
void store_column_text(struct query *q, int column, char *out, size_t size);
/* Append a column to a buffer that the caller frees. */
void store_column_octets(struct query *q, int column, struct buffer *out);

#endif
