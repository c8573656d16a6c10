/*
 * store.h: the database: profiles, authorities, certificates, uses of challenges, tokens, audit.
 *
 * One connection for one process, opened after fork.  SQLite in WAL mode, synchronous=FULL, foreign keys on.  Writers queue on
 * flock(DATABASE.lock) before BEGIN IMMEDIATE.  All statements stand in one table (statements.c), addressed by name and
 * prepared once.
 *
 * A function that gives rows to a callback holds a read open meanwhile: the callback may read other tables, but not write.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "base/settings.h"

struct store;

enum store_rc {
	STORE_OK = 0,
	STORE_NONE,	/* no such row */
	STORE_CONFLICT, /* a UNIQUE key is taken, or a re-check found that the world has changed */
	STORE_AWAY	/* locked too long, full, unreadable, no memory: an answer of 503 */
};

/*
 * Open for use: the schema must be there and fit this program.  STORE_AWAY with why, which names the command to run where the schema is missing,
 * too old ("scepctl migrate") or made by a newer program that this one is too old for.
 */
enum store_rc store_open(const struct settings *s, struct store **out, struct errbuf *why);
void store_close(struct store *st);

/* Create or bring up to date: applies schema/NNNN_….sql in order, each in a transaction.  *from and *to are schema numbers. */
enum store_rc store_migrate(const struct settings *s, int *from, int *to, struct errbuf *why);

/* The number that every change of configuration raises. */
enum store_rc store_config_version(struct store *st, int64_t *version, struct errbuf *why);

/* For health checks: a write transaction, rolled back, that proves lock, disk and file; waits at most a second for the lock. */
enum store_rc store_health(struct store *st, struct errbuf *why);

/*
 * Copy the write-ahead log into the database as far as readers allow, so that it is written from its start again (background
 * only; every second or so).  The file keeps its length: writing over it costs half of what making it longer does.
 */
enum store_rc store_checkpoint(struct store *st, struct errbuf *why);

/* Bytes free for us on the file system of the database; -1: cannot be known. */
int64_t store_disk_free(const struct store *st);

/* A named secret check, e.g. the MAC that proves the master key: set once, compare later.  CONFLICT: another value is there. */
enum store_rc store_check_value(
    struct store *st, const char *name, struct octets value, bool set, struct errbuf *why);

/*
 * Who holds `name` may do background work until it ends.  OK: ours now (taken or renewed); CONFLICT: another's.  One that ends more than an
 * hour after ours would was taken by a clock that was wrong: it does not count.
 */
enum store_rc store_lease(struct store *st, const char *name, const char *holder, int64_t now,
    int64_t seconds, struct errbuf *why);
enum store_rc store_lease_release(
    struct store *st, const char *name, const char *holder, struct errbuf *why);

#endif
