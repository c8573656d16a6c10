/* exchange.h: commands out, replies in, within one time-out, on a connection that is made when there is none.  For this room alone. */
#ifndef REDIS_EXCHANGE_H
#define REDIS_EXCHANGE_H

#include "redis/command.h"
#include "redis/connection.h"
#include "redis/redis.h"
#include "redis/script.h"

struct audit_part; /* audit_queue.c: what the last take gave, queue by queue */

struct redis {
	struct connection_address address;
	char password_file[SETTINGS_TEXT];
	int64_t timeout_ms;
	struct connection connection;
	int64_t
	    dial_again_ms; /* after a failed dial or a time-out: not before this (clock_monotonic_ms) */
	int64_t pause_ms; /* how long the last such pause was; 0 after a reply */
	char sha[SCRIPTS][SCRIPT_SHA_SIZE];
	struct audit_part *parts;
	size_t part_count;
	size_t turn; /* which queue the next take begins with */
};

/*
 * Send count commands at once and read their replies, all within the time-out.  A connection that turns out to be closed is made anew
 * once, where repeatable says that it does no harm to run the commands twice.  An error reply other than NOSCRIPT is AWAY.
 *
 * DONE: the caller frees replies[] with exchange_free().  AWAY: they are NULL, and the connection is dropped.
 */
enum redis_rc exchange(struct redis *r, const struct command *const *commands, int count,
    bool repeatable, redisReply **replies, struct errbuf *why);
void exchange_free(redisReply **replies, int count);

/* AWAY for a reply of another form than wanted; drops the connection. */
enum redis_rc exchange_unexpected(struct redis *r, const char *what, struct errbuf *why);

/* The integer of a reply into *n; false when it is none. */
bool exchange_integer(const redisReply *reply, int64_t *n);

#endif
