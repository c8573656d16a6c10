/* command.h: one command to Redis as a list of arguments of any octets.  For this room alone. */
#ifndef REDIS_COMMAND_H
#define REDIS_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/octets.h"

#define COMMAND_ARGS 40
#define COMMAND_ROOM 1536 /* octets of keys and numbers together */

/* Once something did not fit, failed is set and command_encode() refuses. */
struct command {
	int argc;
	struct octets argv[COMMAND_ARGS];
	size_t used;
	bool failed;
	char room[COMMAND_ROOM];
};

/* Text and octets are borrowed until the command is encoded for the last time; keys and numbers are kept inside. */
void command_start(struct command *c, const char *name);
void command_text(struct command *c, const char *text);
void command_octets(struct command *c, struct octets o);
void command_number(struct command *c, int64_t n);
/* "{PROFILE}:" and the rest: all keys of one profile are in one slot of a cluster. */
void command_key(struct command *c, const char *profile_id, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Append the command in Redis' protocol (RESP2).  false: it did not fit when it was built, or out of memory. */
bool command_encode(const struct command *c, struct buffer *out);

#endif
