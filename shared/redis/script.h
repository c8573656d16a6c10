/* script.h: the Lua scripts, a fixed table addressed by name; each is one round trip.  For this room alone. */
#ifndef REDIS_SCRIPT_H
#define REDIS_SCRIPT_H

#include <hiredis/hiredis.h>

#include "redis/command.h"
#include "redis/redis.h"

/* KEYS and ARGV of each, and what it returns, are written above its text in script.c. */
enum script {
	SCRIPT_MINT,
	SCRIPT_RESERVE,
	SCRIPT_RELEASE,
	SCRIPT_MARK_USED,
	SCRIPT_REOPEN,
	SCRIPT_AUDIT_PUT,
	SCRIPT_AUDIT_TAKE,
	SCRIPT_AUDIT_REMOVE,
	SCRIPT_TRANSACTION_PUT,
	SCRIPT_TRANSACTION_POLL,
	SCRIPT_TRANSACTION_REMOVE,
	SCRIPT_TRANSACTION_END,
	SCRIPT_LIMIT_TAKE,
	SCRIPTS
};

#define SCRIPT_SHA_SIZE 41 /* SHA-1 in hexadecimal and a NUL: what EVALSHA calls a script by */

bool script_digests(char sha[SCRIPTS][SCRIPT_SHA_SIZE], struct errbuf *why);

/* Begin a call of script with so many keys; the caller appends them and then the arguments. */
void script_start(struct command *c, const struct redis *r, enum script script, int keys);

/*
 * Run it by its digest, and once more with its text where Redis does not know it (it forgets scripts when it restarts).  before, unless
 * NULL, is a command that goes out in the same round trip ahead of the script.  DONE: the caller frees *reply.
 */
enum redis_rc script_run(struct redis *r, enum script script, struct command *c,
    const struct command *before, redisReply **reply, struct errbuf *why);

#endif
