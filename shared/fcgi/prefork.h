/*
 * prefork.h: a master that opens the socket, forks workers, restarts the dead, drains on SIGTERM and rolls on SIGHUP.
 *
 * The master only listens, forks and reaps: it never reads a request and holds no store, Redis or key.
 */
#ifndef FCGI_PREFORK_H
#define FCGI_PREFORK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/outbound_gate.h"
#include "base/settings.h"
#include "base/suspects.h"
#include "fcgi/request.h"

/* Shared by master and all children (anonymous shared memory), zeroed at start. */
struct prefork_shared {
	_Atomic uint64_t audit_lost; /* audit rows that could be written nowhere but in the log */
	_Atomic uint32_t workers;    /* workers alive */
	_Atomic uint64_t restarts;   /* workers that died and were replaced */
	struct suspects suspects;    /* where wrong secrets came from */
	struct outbound_gate
	    gate; /* workers now in a call of others; who dies there is counted out */
};

struct prefork_program {
	const char *name; /* "fcgi-scep", in logs and, without its "fcgi-", in the process title */

	/* Which settings to go by, so that SIGHUP finds them again: offsetof(struct settings, listen) and (…, workers). */
	size_t listen_at;  /* a text: unix:/path or tcp:host:port; read at start only */
	size_t workers_at; /* an int64_t; 0 in it: one a core, at least 2 */

	/* In a new worker, after fork: open what it needs.  false with why: the worker exits and is restarted with back-off. */
	bool (*worker_start)(const struct settings *s, struct prefork_shared *shared, void **worker,
	    struct errbuf *why);
	/* One request.  Where it returns without an answer, 500 is sent and logged. */
	void (*serve)(void *worker, struct fcgi_request *r);
	/* Optional: when the answer is sent and the connection closed: what nobody should wait for. */
	void (*served)(void *worker);
	void (*worker_stop)(void *worker);

	/* Optional: one more child that serves no requests; it returns when *stop becomes true (SIGTERM).  Restarted like a worker. */
	int (*background)(
	    const struct settings *s, struct prefork_shared *shared, const volatile bool *stop);

	/* Optional: in the master before the socket opens and again at SIGHUP (false: refuse to start, or keep the old workers). */
	bool (*check)(const struct settings *s, struct errbuf *why);
};

/*
 * Run until SIGTERM or SIGINT; returns the exit status: 0, or 1 where it could not start (which is logged).
 *
 * SIGHUP reads settings_file (NULL: the environment alone) and checks again, starts new workers, and ends the old ones once the
 * new are up; *s then has the new settings.  Where that fails, it is logged and the old workers stay.  The address that is listened on
 * changes by a restart only.
 *
 * A socket passed by systemd (LISTEN_FDS=1) is used instead of opening one: then requests that arrive while no process runs
 * wait in it.  Without one, a new process takes the path over by rename, and the old one answers what had already connected
 * to it before it ends: start the new, then stop the old, and no request fails.
 * With tcp:, SCEP_FCGI_SECRET_FILE must be set, and a request whose parameter SCEP_FCGI_SECRET differs gets 403 (compared in
 * constant time).
 *
 * A worker that is in one request for longer than request_timeout_s, a peer that stays silent included, ends itself (by _exit, as if killed)
 * and is replaced; so is one that is in served() for as long.  At the end, what has not ended after drain_timeout_s is killed.
 */
int prefork_run(
    const struct prefork_program *program, struct settings *s, const char *settings_file);

#endif
