/* generation.h: the children that were started under one reading of the settings; each place is filled again when its child ends. */
#ifndef FCGI_GENERATION_H
#define FCGI_GENERATION_H

#include <sys/types.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/settings.h"
#include "fcgi/child.h"

enum generation_state {
	GENERATION_STARTING, /* its workers are not all up; the one before still serves */
	GENERATION_SERVING,
	GENERATION_RETIRED /* asked to end */
};

struct generation_slot {
	bool background;
	pid_t pid; /* 0: nobody */
	int64_t started_ms;
	int64_t start_at_ms; /* not before; monotonic */
	int64_t delay_ms;    /* what the next failure will cost */
};

struct generation {
	struct generation *next;
	struct settings settings;
	enum generation_state state;
	struct child_place place;
	int workers;
	int count; /* slots: the workers, and one for the background process where the program has one */
	struct generation_slot *slots;
	int64_t kill_at_ms; /* when retired */
	bool failed;	    /* a child of it ended while it was starting */
};

/*
 * A new one with copies of *s and of *place, no process started yet.  NULL when out of memory.  The caller frees it when it is
 * empty.
 */
struct generation *generation_new(const struct settings *s, const struct child_place *place);
void generation_free(struct generation *g);

/*
 * Fork into each empty slot whose time has come; retired ones get none, and the background process waits until the generation
 * serves.  In the child this does not return.
 */
void generation_fill(struct generation *g, int64_t now_ms);

/* When generation_fill() has something to do next, monotonic; INT64_MAX: not before a child ends. */
int64_t generation_due_ms(const struct generation *g);

/* Take note that pid ended with status (of waitpid); false when pid is none of its children. */
bool generation_reap(struct generation *g, pid_t pid, int status, int64_t now_ms);

bool generation_is_ready(const struct generation *g); /* all workers are up */
bool generation_is_empty(const struct generation *g); /* no child is left */

/* Ask all children to end (SIGTERM), and remember when to kill them. */
void generation_retire(struct generation *g, int64_t kill_at_ms);
/* SIGKILL to what is left; returns how many that were. */
int generation_kill(struct generation *g);

#endif
