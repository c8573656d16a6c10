/* prefork_server.h: a program on prefork_run() in a process of its own, for tests. */
#ifndef TEST_PREFORK_SERVER_H
#define TEST_PREFORK_SERVER_H

#include <sys/types.h>

#include <stdbool.h>

/*
 * What it serves, by path: /pid, /generation (SCEP_CHALLENGE_TRIES), /alive (workers alive), /restarts, /env (PREFORK_TEST), /id,
 * /body (at most 1000 octets; its octets, or the status of why not), /slow?MS (logs slow_begun first), /hang, /die, /inside
 * (how many are in the gate), /die-inside, /hang-after (when the answer is sent), /silent, /twice.
 */
struct prefork_server {
	pid_t pid;
	char dir[64];	   /* holds sock, settings, log */
	char address[100]; /* to listen on and to connect to */
	int listen_fd;	   /* not -1: passed as systemd would; the caller's */
};

/* A directory of its own under /tmp, and the address of a unix socket in it.  Nothing runs yet. */
void prefork_server_init(struct prefork_server *s);
/* As before, but on a free port of 127.0.0.1. */
void prefork_server_init_tcp(struct prefork_server *s);
/* Another server in the place of s: the same directory and address. */
void prefork_server_init_beside(struct prefork_server *s, const struct prefork_server *other);

/* Write the settings file: the address, and lines of the caller's. */
void prefork_server_configure(const struct prefork_server *s, const char *lines);

/* Start without waiting, or until its workers are up (false: it ended instead, or took longer than 20 s). */
void prefork_server_spawn(struct prefork_server *s);
bool prefork_server_start(struct prefork_server *s);

/* Whether the log has text in at least count lines. */
bool prefork_server_logs_now(const struct prefork_server *s, const char *text, int count);
/* Wait for that, up to 20 s. */
bool prefork_server_logs(const struct prefork_server *s, const char *text, int count);

/* Wait for the end, up to 20 s, and return the exit status; -1 when it did not end by itself. */
int prefork_server_wait(struct prefork_server *s);
/* SIGTERM, then as prefork_server_wait(). */
int prefork_server_stop(struct prefork_server *s);

/* End it by force if need be, and remove its directory. */
void prefork_server_clear(struct prefork_server *s);

/* Whether a process of this number runs (a zombie does not). */
bool prefork_server_runs(pid_t pid);
/* Wait until it does not, up to 20 s. */
bool prefork_server_gone(pid_t pid);

#endif
