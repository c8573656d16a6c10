/*
 * db.h: the driver: one connection to a database and the statements of statements.h on it.  Inside the store only.
 *
 * db_sqlite.c is the driver for SQLite and the only file that includes sqlite3.h; another database is another such file.
 * After a failure that may have left the connection unfit (input/output, a damaged, vanished or read-only file) it is made anew
 * at the next use, so that the store works again as soon as the cause is gone.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "store/statements.h"

struct db;
struct query; /* a statement between db_query and db_reset */

enum db_rc {
	DB_ROW,
	DB_DONE,
	DB_UNIQUE,    /* a UNIQUE key is taken: the statement changed nothing */
	DB_REFERENCE, /* a foreign key forbids it: likewise */
	DB_AWAY	      /* anything else; why names the file and what to do */
};

/* Open the file, which must exist.  false with why; *out is NULL then.  The caller closes; db_close(NULL) is fine. */
bool db_open(const char *path, struct db **out, struct errbuf *why);
void db_close(struct db *db);

/* *there: has the database this table? */
bool db_has_table(struct db *db, const char *name, bool *there, struct errbuf *why);
/* Several statements that return nothing, as the files of schema/ have. */
bool db_script(struct db *db, const char *sql, struct errbuf *why);

/* Begin a transaction that will write, waiting at most wait_ms for others'. */
bool db_begin(struct db *db, int64_t wait_ms, struct errbuf *why);
/* true: it is durable.  false: nothing of it is there, and the transaction is over. */
bool db_commit(struct db *db, struct errbuf *why);
void db_rollback(struct db *db);

/*
 * Copy what is in the write-ahead log into the database, beside writers; with restart, under the writers' lock, so that the
 * next writer begins it anew.  *pages is the length of the log.
 */
bool db_checkpoint(struct db *db, bool restart, int *pages, struct errbuf *why);

/*
 * A statement, prepared at its first use.  Never NULL: what goes wrong, here or in binding, comes out of db_step.  Parameters
 * are bound one after the other; texts and octets are borrowed until db_reset (db_bind_copy copies).  Empty octets and NULL
 * texts are NULL.  db_reset must follow, in every case.
 */
struct query *db_query(struct db *db, enum statement s);
void db_bind_integer(struct query *q, int64_t value);
void db_bind_text(struct query *q, const char *text);
void db_bind_copy(struct query *q, const char *text);
void db_bind_octets(struct query *q, struct octets value);
enum db_rc db_step(struct query *q, struct errbuf *why);
void db_reset(struct query *q);

/* Columns of the row at hand, from 0; texts and octets live until the next step or reset.  A text is NULL where the column is. */
int64_t db_integer(struct query *q, int column);
const char *db_text(struct query *q, int column);
struct octets db_octets(struct query *q, int column);

/* How many rows the statement, just stepped to its end, has written. */
int db_changes(const struct query *q);

#endif
