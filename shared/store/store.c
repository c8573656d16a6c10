#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/filesystem.h"
#include "store/lock.h"
#include "store/schema.h"
#include "store/transaction.h"

#define RESTART_PAGES	1000 /* of a log that is made to start anew */
#define HEALTH_WAIT_MS	1000
#define HEALTH_DISK_MIN (1 << 20) /* octets: below it a commit may fail at any time */

static int
lock_open(const char *database, struct errbuf *why)
{
	char *path;
	int fd;

	if (asprintf(&path, "%s.lock", database) < 0) {
		errbuf_set(why, "database %s: out of memory", database);
		return -1;
	}
	fd = filesystem_open(path, O_RDONLY, 0660, why);
	free(path);
	return fd;
}

/* Everything but the schema. */
static enum store_rc
store_attach(const struct settings *s, struct store **out, struct errbuf *why)
{
	struct store *st;

	*out = NULL;
	if ((st = calloc(1, sizeof(*st))) == NULL || (st->path = strdup(s->database)) == NULL) {
		errbuf_set(why, "database %s: out of memory", s->database);
		free(st);
		return STORE_AWAY;
	}
	st->process = getpid();
	st->timeout_ms = s->store_timeout_ms;
	st->lock = lock_open(st->path, why);
	if (st->lock < 0 || !db_open(st->path, &st->db, why)) {
		store_close(st);
		return STORE_AWAY;
	}
	*out = st;
	return STORE_OK;
}

enum store_rc
store_open(const struct settings *s, struct store **out, struct errbuf *why)
{
	*out = NULL;
	if (access(s->database, F_OK) != 0 && errno == ENOENT) {
		errbuf_set(why,
		    "database %s: is not there: --settings names another, scepctl init makes one",
		    s->database);
		return STORE_AWAY;
	}
	if (!filesystem_is_local(s->database, why) || store_attach(s, out, why) != STORE_OK)
		return STORE_AWAY;
	if (schema_check((*out)->db, (*out)->path, store_schema_files, SCEP_VERSION, why))
		return STORE_OK;
	store_close(*out);
	*out = NULL;
	return STORE_AWAY;
}

void
store_close(struct store *st)
{
	if (st == NULL)
		return;
	db_close(st->db);
	if (st->lock >= 0)
		close(st->lock);
	free(st->path);
	free(st);
}

static bool
take_lock(struct store *st, int64_t timeout_ms, struct errbuf *why)
{
	if (lock_take(st->lock, timeout_ms))
		return true;
	if (errno == ETIMEDOUT)
		errbuf_set(why,
		    "database %s: locked by another process for longer than %lld ms: see "
		    "who holds %s.lock",
		    st->path, (long long)timeout_ms, st->path);
	else
		errbuf_errno(why, "database %s: cannot lock %s.lock", st->path, st->path);
	return false;
}

enum store_rc
store_migrate(const struct settings *s, int *from, int *to, struct errbuf *why)
{
	struct store *st = NULL;
	bool ok;
	int fd;

	*from = *to = 0;
	if (!filesystem_is_local(s->database, why))
		return STORE_AWAY;
	if ((fd = filesystem_open(s->database, O_RDWR, 0640, why)) < 0)
		return STORE_AWAY;
	/* Not after SQLite has the file: closing any descriptor of it drops SQLite's own locks. */
	close(fd);
	if (store_attach(s, &st, why) != STORE_OK)
		return STORE_AWAY;
	ok = take_lock(st, st->timeout_ms, why);
	if (ok) {
		ok = schema_migrate(
		    st->db, st->path, store_schema_files, SCEP_VERSION, from, to, why);
		lock_release(st->lock);
	}
	store_close(st);
	return ok ? STORE_OK : STORE_AWAY;
}

enum store_rc
store_write_begin_within(struct store *st, int64_t timeout_ms, struct errbuf *why)
{
	int64_t start = clock_monotonic_ms(), left;

	if (getpid() != st->process) {
		errbuf_set(why, "database %s: opened before the fork", st->path);
		return STORE_AWAY;
	}
	if (!take_lock(st, timeout_ms, why))
		return STORE_AWAY;
	/* Only programs that know nothing of our lock can still be in the way. */
	left = timeout_ms - (clock_monotonic_ms() - start);
	if (db_begin(st->db, left > 0 ? left : 0, why))
		return STORE_OK;
	lock_release(st->lock);
	return STORE_AWAY;
}

enum store_rc
store_write_begin(struct store *st, struct errbuf *why)
{
	return store_write_begin_within(st, st->timeout_ms, why);
}

enum store_rc
store_write_end(struct store *st, enum store_rc rc, struct errbuf *why)
{
	if (rc != STORE_OK)
		db_rollback(st->db);
	else if (!db_commit(st->db, why))
		rc = STORE_AWAY;
	lock_release(st->lock);
	return rc;
}

enum store_rc
store_event_end(struct store *st, enum store_rc rc, const struct audit_event *e, struct errbuf *why)
{
	if (rc == STORE_OK && e != NULL)
		rc = store_audit_insert(st, e, why);
	return store_write_end(st, rc, why);
}

enum store_rc
store_change_end(
    struct store *st, enum store_rc rc, const struct audit_event *e, struct errbuf *why)
{
	if (rc == STORE_OK)
		rc = store_run(db_query(st->db, STATEMENT_CONFIG_RAISE), why);
	return store_event_end(st, rc, e, why);
}

static enum store_rc
rc_of(enum db_rc rc)
{
	switch (rc) {
	case DB_ROW:
	case DB_DONE:
		return STORE_OK;
	case DB_UNIQUE:
	case DB_REFERENCE:
		return STORE_CONFLICT;
	case DB_AWAY:
		break;
	}
	return STORE_AWAY;
}

enum store_rc
store_run_counting(struct query *q, int *rows, struct errbuf *why)
{
	enum store_rc rc = rc_of(db_step(q, why));

	*rows = rc == STORE_OK ? db_changes(q) : 0;
	if (rc == STORE_OK && *rows == 0)
		rc = STORE_NONE;
	db_reset(q);
	return rc;
}

enum store_rc
store_run(struct query *q, struct errbuf *why)
{
	int rows;

	return store_run_counting(q, &rows, why);
}

enum store_rc
store_first(struct query *q, struct errbuf *why)
{
	enum db_rc rc = db_step(q, why);

	return rc == DB_DONE ? STORE_NONE : rc_of(rc);
}

void
store_column_text(struct query *q, int column, char *out, size_t size)
{
	const char *text = db_text(q, column);
	size_t len = text != NULL ? strlen(text) : 0;

	if (len >= size)
		for (len = size - 1; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
			;
	if (len > 0)
		memcpy(out, text, len);
	out[len] = '\0';
}

void
store_column_octets(struct query *q, int column, struct buffer *out)
{
	struct octets value = db_octets(q, column);

	buffer_append(out, value.data, value.len);
}

enum store_rc
store_config_version(struct store *st, int64_t *version, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CONFIG_VERSION);
	enum store_rc rc = store_first(q, why);

	if (rc == STORE_OK)
		*version = db_integer(q, 0);
	db_reset(q);
	return rc;
}

int64_t
store_disk_free(const struct store *st)
{
	return filesystem_free(st->path);
}

enum store_rc
store_health(struct store *st, struct errbuf *why)
{
	int64_t wait_ms = st->timeout_ms < HEALTH_WAIT_MS ? st->timeout_ms : HEALTH_WAIT_MS;
	int64_t octets = store_disk_free(st);
	enum store_rc rc;

	if (octets >= 0 && octets < HEALTH_DISK_MIN) {
		errbuf_set(why, "database %s: %lld octets left on its file system: free space",
		    st->path, (long long)octets);
		return STORE_AWAY;
	}
	if ((rc = store_write_begin_within(st, wait_ms, why)) != STORE_OK)
		return rc;
	rc = store_run(db_query(st->db, STATEMENT_HEALTH), why);
	/* What the row says does not matter: rolled back, it costs no commit. */
	db_rollback(st->db);
	lock_release(st->lock);
	return rc == STORE_OK ? STORE_OK : STORE_AWAY;
}

/*
 * The bulk is copied beside the writers, and what they wrote meanwhile in a second turn.  A log that is long then is made to
 * start anew: it never would by itself while writers do not rest.  They wait for what little is left, and two syncs.
 */
enum store_rc
store_checkpoint(struct store *st, struct errbuf *why)
{
	int pages;
	bool ok;

	if (!db_checkpoint(st->db, false, &pages, why))
		return STORE_AWAY;
	if (pages < RESTART_PAGES)
		return STORE_OK;
	if (!db_checkpoint(st->db, false, &pages, why) || !take_lock(st, st->timeout_ms, why))
		return STORE_AWAY;
	ok = db_checkpoint(st->db, true, &pages, why);
	lock_release(st->lock);
	return ok ? STORE_OK : STORE_AWAY;
}
