#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "redis/connection.h"

#define READ_SIZE 16384

static bool
parse_tcp(const char *text, struct connection_address *out)
{
	const char *colon = strrchr(text, ':');
	size_t len;
	char *end;
	long port;

	if (colon == NULL || colon == text)
		return false;
	len = (size_t)(colon - text);
	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	} else if (memchr(text, ':', len) != NULL) {
		return false;
	}
	if (len >= sizeof(out->host))
		return false;
	memcpy(out->host, text, len);
	if (colon[1] < '0' || colon[1] > '9')
		return false;
	port = strtol(colon + 1, &end, 10);
	if (*end != '\0' || port < 1 || port > 65535)
		return false;
	snprintf(out->port, sizeof(out->port), "%d", (int)port);
	return true;
}

bool
connection_address_parse(const char *text, struct connection_address *out, struct errbuf *why)
{
	*out = (struct connection_address){0};
	if (strncmp(text, "unix:/", 6) == 0) {
		if (strlen(text + 5) < sizeof(out->path)) {
			snprintf(out->path, sizeof(out->path), "%s", text + 5);
			return true;
		}
		errbuf_set(why, "redis: path of the socket: have %zu octets, want <= %zu",
		    strlen(text + 5), sizeof(out->path) - 1);
		return false;
	}
	if (strncmp(text, "tcp:", 4) == 0 && parse_tcp(text + 4, out))
		return true;
	errbuf_set(why, "redis: address: have \"%s\", want unix:/path or tcp:host:port", text);
	return false;
}

/* Until fd is ready for events.  false: time is over, or poll failed. */
static bool
wait_for(int fd, short events, int64_t deadline_ms, struct errbuf *why)
{
	struct pollfd p = {.fd = fd, .events = events};
	int64_t left;
	int n;

	for (;;) {
		left = deadline_ms - clock_monotonic_ms();
		n = left <= 0 ? 0 : poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
		if (n > 0)
			return true;
		if (n == 0) {
			errbuf_set(why, "timed out");
			return false;
		}
		if (errno != EINTR) {
			errbuf_errno(why, "poll");
			return false;
		}
	}
}

/* A connected socket that does not block, or -1. */
static int
dial_address(
    int family, const struct sockaddr *sa, socklen_t len, int64_t deadline_ms, struct errbuf *why)
{
	socklen_t size = sizeof(int);
	int error = 0;
	int fd;

	if ((fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) == -1) {
		errbuf_errno(why, "socket");
		return -1;
	}
	if (connect(fd, sa, len) == 0)
		return fd;
	if (errno != EINPROGRESS && errno != EINTR) {
		errbuf_errno(why, "connect");
		goto fail;
	}
	if (!wait_for(fd, POLLOUT, deadline_ms, why))
		goto fail;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1)
		error = errno;
	if (error == 0)
		return fd;
	errno = error;
	errbuf_errno(why, "connect");

fail:
	close(fd);
	return -1;
}

static int
dial_unix(const char *path, int64_t deadline_ms, struct errbuf *why)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	fd = dial_address(AF_UNIX, (struct sockaddr *)&sun, sizeof(sun), deadline_ms, why);
	if (fd == -1)
		errbuf_prefix(why, "redis: %s", path);
	return fd;
}

static int
dial_tcp(const struct connection_address *a, int64_t deadline_ms, struct errbuf *why)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all, *ai;
	int fd = -1, on = 1;
	int e;

	if ((e = getaddrinfo(a->host, a->port, &hints, &all)) != 0) {
		errbuf_set(why, "redis: %s: %s", a->host, gai_strerror(e));
		return -1;
	}
	for (ai = all; ai != NULL && fd == -1; ai = ai->ai_next)
		fd = dial_address(ai->ai_family, ai->ai_addr, ai->ai_addrlen, deadline_ms, why);
	freeaddrinfo(all);
	if (fd == -1) {
		errbuf_prefix(why, "redis: %s port %s", a->host, a->port);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	return fd;
}

bool
connection_dial(struct connection *c, const struct connection_address *a, int64_t deadline_ms,
    struct errbuf *why)
{
	c->fd = a->path[0] != '\0' ? dial_unix(a->path, deadline_ms, why)
				   : dial_tcp(a, deadline_ms, why);
	if (c->fd == -1)
		return false;
	c->owner = getpid();
	if ((c->reader = redisReaderCreate()) == NULL) {
		errbuf_set(why, "redis: out of memory");
		connection_drop(c);
		return false;
	}
	return true;
}

static enum connection_rc
io_failure(int error, const char *what, struct errbuf *why)
{
	errno = error;
	errbuf_errno(why, "redis: %s", what);
	return error == EPIPE || error == ECONNRESET ? CONNECTION_CLOSED : CONNECTION_FAILED;
}

enum connection_rc
connection_send(struct connection *c, struct octets o, int64_t deadline_ms, struct errbuf *why)
{
	ssize_t n;

	while (o.len > 0) {
		n = send(c->fd, o.data, o.len, MSG_NOSIGNAL);
		if (n >= 0) {
			o = octets_of(o.data + n, o.len - (size_t)n);
		} else if (errno == EAGAIN) {
			if (!wait_for(c->fd, POLLOUT, deadline_ms, why)) {
				errbuf_prefix(why, "redis: write");
				return CONNECTION_FAILED;
			}
		} else if (errno != EINTR) {
			return io_failure(errno, "write", why);
		}
	}
	return CONNECTION_DONE;
}

/* The next whole reply of those read so far: *reply is NULL when more is needed. */
static enum connection_rc
parse_reply(struct connection *c, redisReply **reply, struct errbuf *why)
{
	void *parsed = NULL;

	if (redisReaderGetReply(c->reader, &parsed) != REDIS_OK) {
		errbuf_set(why, "redis: %s", c->reader->errstr);
		return CONNECTION_FAILED;
	}
	*reply = parsed;
	return CONNECTION_DONE;
}

enum connection_rc
connection_receive(
    struct connection *c, int64_t deadline_ms, redisReply **reply, struct errbuf *why)
{
	enum connection_rc rc;
	char room[READ_SIZE];
	ssize_t n;

	*reply = NULL;
	while ((rc = parse_reply(c, reply, why)) == CONNECTION_DONE && *reply == NULL) {
		if (!wait_for(c->fd, POLLIN, deadline_ms, why)) {
			errbuf_prefix(why, "redis: read");
			return CONNECTION_FAILED;
		}
		n = recv(c->fd, room, sizeof(room), 0);
		if (n == 0) {
			errbuf_set(why, "redis: the connection was closed");
			return CONNECTION_CLOSED;
		}
		if (n < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return io_failure(errno, "read", why);
		}
		if (redisReaderFeed(c->reader, room, (size_t)n) != REDIS_OK) {
			errbuf_set(why, "redis: %s", c->reader->errstr);
			return CONNECTION_FAILED;
		}
	}
	return rc;
}

void
connection_drop(struct connection *c)
{
	if (c->reader != NULL)
		redisReaderFree(c->reader);
	if (c->fd != -1)
		close(c->fd);
	*c = (struct connection){.fd = -1};
}
