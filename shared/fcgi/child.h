/* child.h: what runs in a process that the master has forked: a worker, or the background process. */
#ifndef FCGI_CHILD_H
#define FCGI_CHILD_H

#include <sys/types.h>

#include <stdatomic.h>
#include <stdbool.h>

#include "fcgi/listener.h"
#include "fcgi/prefork.h"

/* How a child ends, for the master's log; a signal's number is another matter. */
enum child_status {
	CHILD_ENDED = 0,	 /* asked to, or after worker_requests */
	CHILD_START_FAILED = 70, /* worker_start() refused */
	CHILD_REQUEST_TOO_LONG,	 /* its own watchdog ended it */
	CHILD_ACCEPT_FAILED	 /* the socket gives no connection */
};

/* What the master hands down; all of it outlives the child. */
struct child_place {
	const struct prefork_program *program;
	const struct settings *settings;
	const struct listener *listener;
	struct prefork_shared *shared;
	_Atomic bool *draining;	 /* shared: at SIGTERM, accept what has connected before ending */
	_Atomic uint32_t *ready; /* shared: workers of this generation that can serve */
	pid_t master;
};

/*
 * Serve until SIGTERM, or until the process has served its number of requests; the result is for _exit().  Signals that the
 * master uses are blocked on entry.  A worker that is ready says so by ready and SIGUSR1 to the master.
 */
enum child_status child_work(const struct child_place *place);

/* Run the program's background function until it returns, which it does soon after SIGTERM; for _exit(). */
int child_background(const struct child_place *place);

#endif
