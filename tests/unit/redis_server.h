/* redis_server.h: a redis-server of a test's own: a unix socket in a new directory, no TCP port; ends with the test at the latest. */
#ifndef TESTS_REDIS_SERVER_H
#define TESTS_REDIS_SERVER_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "redis/redis.h"

#define REDIS_SERVER_PROGRAM "/usr/bin/redis-server"

struct redis_server {
	char dir[64];
	char socket[96];   /* the path */
	char password[64]; /* "" for none */
	bool append_only;  /* keeps what it has over a restart */
	pid_t pid;	   /* 0: not running */
};

/* Whether the program is there; the test is skipped otherwise. */
bool redis_server_installed(void);

/* A new directory, and the server in it; back when it answers.  password may be NULL. */
bool redis_server_start(struct redis_server *s, const char *password, bool append_only);
/* SIGKILL, and again in the same directory. */
void redis_server_kill(struct redis_server *s);
bool redis_server_again(struct redis_server *s);
/* Kill it if it runs, remove the directory. */
void redis_server_end(struct redis_server *s);

/* A client of it with a time-out of timeout_ms; NULL on failure. */
struct redis *redis_server_client(const struct redis_server *s, int64_t timeout_ms);

/* One command of words between spaces, for what only tests need; its integer, or -1; false when it fails. */
bool redis_server_command(struct redis *r, const char *words, int64_t *integer);

/*
 * No Redis: on a TCP port of loopback, whose address goes to s->redis, something that reads once from each connection, says reply, an octet every
 * pause_us, and then nothing.  Its pid, to be ended with SIGKILL; -1 on failure.
 */
pid_t redis_server_fake(const char *reply, unsigned pause_us, struct settings *s);

#endif
