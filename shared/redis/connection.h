/*
 * connection.h: one socket to Redis: dialled, written to and read from within a deadline.  For this room alone.
 *
 * hiredis parses the replies.  The socket is ours, since hiredis' own knows a time-out per read but none for a whole call, lets
 * descriptors pass to programs that are executed, and raises SIGPIPE.
 */
#ifndef REDIS_CONNECTION_H
#define REDIS_CONNECTION_H

#include <sys/types.h>

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "base/octets.h"

struct connection_address {
	char path[108]; /* of a unix socket; "" with tcp */
	char host[256];
	char port[8];
};

/* "unix:/path", "tcp:host:port" or "tcp:[v6]:port".  false with why for anything else. */
bool connection_address_parse(const char *text, struct connection_address *out, struct errbuf *why);

struct connection {
	int fd;	     /* -1: none */
	pid_t owner; /* who dialled: after a fork it is another's */
	redisReader *reader;
};

enum connection_rc {
	CONNECTION_DONE,
	CONNECTION_CLOSED, /* the other side had closed it */
	CONNECTION_FAILED  /* timed out, protocol error, out of memory */
};

/*
 * Deadlines are clock_monotonic_ms().  c must not be open.  Looking up a host name is bounded by the system's resolver alone.
 * On failure c is closed again and why says what was tried.
 */
bool connection_dial(struct connection *c, const struct connection_address *a, int64_t deadline_ms,
    struct errbuf *why);
enum connection_rc connection_send(
    struct connection *c, struct octets o, int64_t deadline_ms, struct errbuf *why);
/* The caller frees *reply with freeReplyObject(). */
enum connection_rc connection_receive(
    struct connection *c, int64_t deadline_ms, redisReply **reply, struct errbuf *why);
/* Close; sends nothing, so it is safe in a child too.  Fine when not open. */
void connection_drop(struct connection *c);

#endif
