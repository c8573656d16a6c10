#include <sqlite3.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/db.h"

/*
 * The background process checkpoints; a worker does so at 8,000 pages (32 MiB) if there is none.  The log's file keeps that
 * length: writing over it costs half of what making it longer does.  The cache is emptied by every other process's commit, so
 * a large one would hold nothing but memory.
 */
#define SETUP                                                                                      \
	"PRAGMA synchronous=FULL;"                                                                 \
	"PRAGMA foreign_keys=ON;"                                                                  \
	"PRAGMA wal_autocheckpoint=8000;"                                                          \
	"PRAGMA journal_size_limit=67108864;"                                                      \
	"PRAGMA mmap_size=0;"                                                                      \
	"PRAGMA cache_size=-1024;"                                                                 \
	"PRAGMA temp_store=MEMORY;"                                                                \
	"PRAGMA trusted_schema=OFF"

#define READ_WAIT_MS 1000 /* readers wait only while another process recovers the log */

struct query {
	struct db *db;
	sqlite3_stmt *statement;
	int bound;
	int fault; /* SQLite's code for what went wrong before the first step */
	bool active;
};

struct db {
	sqlite3 *handle; /* NULL: to be opened at the next use */
	sqlite3_stmt *begin;
	sqlite3_stmt *commit;
	int active; /* queries between db_query and db_reset */
	bool unfit; /* open it anew as soon as nothing is under way */
	char *path;
	struct query queries[STATEMENT_COUNT];
};

/* What an operator can do about it. */
static const char *
advice(int code)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
		return "the disk is full: free space on its file system";
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return "locked by another program for too long: see who has it open";
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return "not writable: check owner and mode of the file and its directory";
	case SQLITE_CANTOPEN:
		return "cannot be opened: check that it is there, its owner and mode";
	case SQLITE_IOERR:
		return "input/output error: check the disk and the kernel's log";
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return "damaged: stop the service and restore a backup";
	case SQLITE_NOMEM:
		return "out of memory";
	default:
		return "failed";
	}
}

/* Write why, and mark a connection that should be made anew. */
static void
explain(struct db *db, int code, struct errbuf *why)
{
	const char *text = db->handle != NULL && sqlite3_extended_errcode(db->handle) == code
			       ? sqlite3_errmsg(db->handle)
			       : sqlite3_errstr(code);
	int system = db->handle != NULL ? sqlite3_system_errno(db->handle) : 0;

	switch (code & 0xff) {
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		errbuf_set(why, "database %s: %s (%s, code %d, errno %d)", db->path, advice(code),
		    text, code, system);
		db->unfit = true;
		break;
	case SQLITE_READONLY:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_PROTOCOL:
		db->unfit = true;
		/* FALLTHROUGH */
	default:
		errbuf_set(
		    why, "database %s: %s (%s, code %d)", db->path, advice(code), text, code);
		break;
	}
}

static void
disconnect(struct db *db)
{
	int i;

	for (i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(db->queries[i].statement);
		db->queries[i].statement = NULL;
	}
	sqlite3_finalize(db->begin);
	sqlite3_finalize(db->commit);
	db->begin = db->commit = NULL;
	sqlite3_close_v2(db->handle);
	db->handle = NULL;
}

static int
is_wal(void *ctx, int columns, char **values, char **names)
{
	(void)names;
	*(bool *)ctx = columns == 1 && values[0] != NULL && strcmp(values[0], "wal") == 0;
	return 0;
}

static int
prepare(struct db *db, const char *sql, sqlite3_stmt **out)
{
	return sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
}

/* Run a statement of the driver's own. */
static int
run(sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);

	sqlite3_reset(s);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
connect_file(struct db *db, struct errbuf *why)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	bool wal = false;
	int rc;

	db->unfit = false;
	if ((rc = sqlite3_open_v2(db->path, &db->handle, flags, NULL)) != SQLITE_OK)
		goto fail;
	sqlite3_busy_timeout(db->handle, READ_WAIT_MS);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	rc = sqlite3_exec(db->handle, "PRAGMA journal_mode=WAL", is_wal, &wal, NULL);
	if (rc == SQLITE_OK && !wal)
		rc = SQLITE_CANTOPEN;
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db->handle, SETUP, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = prepare(db, "BEGIN IMMEDIATE", &db->begin);
	if (rc == SQLITE_OK)
		rc = prepare(db, "COMMIT", &db->commit);
	if (rc == SQLITE_OK)
		return SQLITE_OK;
fail:
	explain(db, rc, why);
	disconnect(db);
	return rc;
}

/* Make the connection anew where it is gone or unfit and nothing is under way on it. */
static int
ready(struct db *db, struct errbuf *why)
{
	if (db->handle != NULL &&
	    (!db->unfit || db->active > 0 || !sqlite3_get_autocommit(db->handle)))
		return SQLITE_OK;
	disconnect(db);
	return connect_file(db, why);
}

bool
db_open(const char *path, struct db **out, struct errbuf *why)
{
	struct db *db;
	int i;

	*out = NULL;
	/* Nobody asks SQLite how much memory it uses.  Without effect once the library is in use. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if ((db = calloc(1, sizeof(*db))) == NULL || (db->path = strdup(path)) == NULL) {
		errbuf_set(why, "database %s: out of memory", path);
		free(db);
		return false;
	}
	for (i = 0; i < STATEMENT_COUNT; i++)
		db->queries[i].db = db;
	if (connect_file(db, why) != SQLITE_OK) {
		db_close(db);
		return false;
	}
	*out = db;
	return true;
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	disconnect(db);
	free(db->path);
	free(db);
}

bool
db_has_table(struct db *db, const char *name, bool *there, struct errbuf *why)
{
	sqlite3_stmt *s = NULL;
	int rc;

	*there = false;
	if (ready(db, why) != SQLITE_OK)
		return false;
	rc = sqlite3_prepare_v2(db->handle,
	    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1", -1, &s, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	sqlite3_finalize(s);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		explain(db, rc, why);
		return false;
	}
	*there = rc == SQLITE_ROW;
	return true;
}

bool
db_script(struct db *db, const char *sql, struct errbuf *why)
{
	int rc;

	if (ready(db, why) != SQLITE_OK)
		return false;
	if ((rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL)) == SQLITE_OK)
		return true;
	explain(db, rc, why);
	return false;
}

bool
db_begin(struct db *db, int64_t wait_ms, struct errbuf *why)
{
	int rc;

	if (ready(db, why) != SQLITE_OK)
		return false;
	sqlite3_busy_timeout(db->handle, wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms);
	if ((rc = run(db->begin)) != SQLITE_OK)
		explain(db, rc, why);
	sqlite3_busy_timeout(db->handle, READ_WAIT_MS);
	return rc == SQLITE_OK;
}

bool
db_commit(struct db *db, struct errbuf *why)
{
	int rc = run(db->commit);

	if (rc == SQLITE_OK)
		return true;
	explain(db, rc, why);
	db_rollback(db);
	return false;
}

/* SQLite may have rolled back by itself; a rollback that fails leaves a connection to be made anew. */
void
db_rollback(struct db *db)
{
	if (db->handle == NULL || sqlite3_get_autocommit(db->handle))
		return;
	if (sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
		disconnect(db);
}

bool
db_checkpoint(struct db *db, bool restart, int *pages, struct errbuf *why)
{
	int mode = restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
	int rc, log = 0;

	*pages = 0;
	if (ready(db, why) != SQLITE_OK)
		return false;
	/* Not for long: writers wait behind us, and a reader in the way is gone the next time. */
	sqlite3_busy_timeout(db->handle, 20);
	rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, mode, &log, NULL);
	sqlite3_busy_timeout(db->handle, READ_WAIT_MS);
	*pages = log > 0 ? log : 0;
	if (rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY)
		return true;
	explain(db, rc, why);
	return false;
}

struct query *
db_query(struct db *db, enum statement s)
{
	struct query *q = &db->queries[s];

	if (q->active)
		db_reset(q);
	q->bound = 0;
	q->fault = ready(db, NULL);
	if (q->fault == SQLITE_OK && q->statement == NULL)
		q->fault = prepare(db, statement_sql(s), &q->statement);
	q->active = true;
	db->active++;
	return q;
}

static void
bound(struct query *q, int rc)
{
	if (q->fault == SQLITE_OK)
		q->fault = rc;
}

void
db_bind_integer(struct query *q, int64_t value)
{
	if (q->fault == SQLITE_OK)
		bound(q, sqlite3_bind_int64(q->statement, ++q->bound, value));
}

void
db_bind_text(struct query *q, const char *text)
{
	if (q->fault == SQLITE_OK)
		bound(q, sqlite3_bind_text(q->statement, ++q->bound, text, -1, SQLITE_STATIC));
}

void
db_bind_copy(struct query *q, const char *text)
{
	if (q->fault == SQLITE_OK)
		bound(q, sqlite3_bind_text(q->statement, ++q->bound, text, -1, SQLITE_TRANSIENT));
}

void
db_bind_octets(struct query *q, struct octets value)
{
	if (q->fault == SQLITE_OK)
		bound(q, sqlite3_bind_blob64(q->statement, ++q->bound,
			     value.len > 0 ? value.data : NULL, value.len, SQLITE_STATIC));
}

enum db_rc
db_step(struct query *q, struct errbuf *why)
{
	int rc = q->fault;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q->statement);
	switch (rc) {
	case SQLITE_ROW:
		return DB_ROW;
	case SQLITE_DONE:
		return DB_DONE;
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
		errbuf_set(why, "%s", sqlite3_errmsg(q->db->handle));
		return DB_UNIQUE;
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		errbuf_set(why, "%s", sqlite3_errmsg(q->db->handle));
		return DB_REFERENCE;
	default:
		explain(q->db, rc, why);
		return DB_AWAY;
	}
}

void
db_reset(struct query *q)
{
	if (!q->active)
		return;
	if (q->statement != NULL) {
		sqlite3_reset(q->statement);
		sqlite3_clear_bindings(q->statement);
	}
	q->active = false;
	q->db->active--;
}

int64_t
db_integer(struct query *q, int column)
{
	return sqlite3_column_int64(q->statement, column);
}

const char *
db_text(struct query *q, int column)
{
	return (const char *)sqlite3_column_text(q->statement, column);
}

struct octets
db_octets(struct query *q, int column)
{
	const void *data = sqlite3_column_blob(q->statement, column);

	return octets_of(data, (size_t)sqlite3_column_bytes(q->statement, column));
}

int
db_changes(const struct query *q)
{
	return sqlite3_changes(q->db->handle);
}
