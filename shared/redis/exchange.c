#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "redis/exchange.h"

#define DIAL_PAUSE_MS 200
#define HUNG_PAUSE_MS 5000 /* the longest pause, where Redis takes connections and says nothing */
#define PASSWORD_MAX  512

void
exchange_free(redisReply **replies, int count)
{
	for (int i = 0; i < count; i++) {
		if (replies[i] != NULL)
			freeReplyObject(replies[i]);
		replies[i] = NULL;
	}
}

bool
exchange_integer(const redisReply *reply, int64_t *n)
{
	if (reply->type != REDIS_REPLY_INTEGER)
		return false;
	*n = reply->integer;
	return true;
}

enum redis_rc
exchange_unexpected(struct redis *r, const char *what, struct errbuf *why)
{
	errbuf_set(why, "redis: %s: a reply of an unexpected form", what);
	connection_drop(&r->connection);
	return REDIS_AWAY;
}

/* The first line of the password file; room is the caller's to wipe. */
static bool
read_password(
    const char *path, char room[PASSWORD_MAX], struct octets *password, struct errbuf *why)
{
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		errbuf_errno(why, "redis: password file %s", path);
		return false;
	}
	n = read(fd, room, PASSWORD_MAX);
	close(fd);
	if (n < 0 || n == PASSWORD_MAX) {
		errbuf_set(why, "redis: password file %s: want one line below %d octets", path,
		    PASSWORD_MAX);
		return false;
	}
	*password = octets_of(room, (size_t)n);
	for (size_t i = 0; i < (size_t)n; i++) {
		if (room[i] == '\n' || room[i] == '\r') {
			password->len = i;
			break;
		}
	}
	if (password->len == 0) {
		errbuf_set(why, "redis: password file %s is empty", path);
		return false;
	}
	return true;
}

/* The code alone of a refusal is told: some servers repeat the arguments behind it. */
static bool
check_auth_reply(const redisReply *reply, struct errbuf *why)
{
	if (reply->type == REDIS_REPLY_STATUS)
		return true;
	if (reply->type == REDIS_REPLY_ERROR)
		errbuf_set(why, "redis: password refused: %.*s", (int)strcspn(reply->str, " "),
		    reply->str);
	else
		errbuf_set(why, "redis: AUTH: a reply of an unexpected form");
	return false;
}

static bool
authenticate(struct redis *r, int64_t deadline_ms, struct errbuf *why)
{
	char room[PASSWORD_MAX];
	struct octets password = {0};
	struct buffer out = {0};
	struct command auth;
	redisReply *reply = NULL;
	bool good = false;

	if (r->password_file[0] == '\0')
		return true;
	if (!read_password(r->password_file, room, &password, why))
		goto done;
	command_start(&auth, "AUTH");
	command_octets(&auth, password);
	if (!command_encode(&auth, &out)) {
		errbuf_set(why, "redis: out of memory");
		goto done;
	}
	if (connection_send(&r->connection, buffer_octets(&out), deadline_ms, why) !=
		CONNECTION_DONE ||
	    connection_receive(&r->connection, deadline_ms, &reply, why) != CONNECTION_DONE)
		goto done;
	good = check_auth_reply(reply, why);

done:
	octets_wipe(room, sizeof(room));
	buffer_free(&out);
	if (reply != NULL)
		freeReplyObject(reply);
	return good;
}

/*
 * No dialling for a while.  A Redis that let the time run out is left alone for longer each time: whoever waits for it holds a worker
 * that requests without Redis could have.
 */
static void
pause_dialling(struct redis *r, int64_t deadline_ms)
{
	int64_t now_ms = clock_monotonic_ms();

	if (now_ms < deadline_ms || r->pause_ms == 0)
		r->pause_ms = DIAL_PAUSE_MS;
	else
		r->pause_ms = 2 * r->pause_ms < HUNG_PAUSE_MS ? 2 * r->pause_ms : HUNG_PAUSE_MS;
	r->dial_again_ms = now_ms + r->pause_ms;
}

/* A connection of this process's own; the one that a fork brought along is closed without a word. */
static bool
connect_if_needed(struct redis *r, int64_t deadline_ms, bool *fresh, struct errbuf *why)
{
	*fresh = false;
	if (r->connection.fd != -1 && r->connection.owner == getpid())
		return true;
	connection_drop(&r->connection);
	if (clock_monotonic_ms() < r->dial_again_ms) {
		errbuf_set(why, "redis: could not connect a moment ago");
		return false;
	}
	*fresh = true;
	if (connection_dial(&r->connection, &r->address, deadline_ms, why)) {
		if (authenticate(r, deadline_ms, why))
			return true;
		connection_drop(&r->connection);
	}
	pause_dialling(r, deadline_ms);
	return false;
}

static enum connection_rc
send_and_receive(struct redis *r, struct octets out, int count, int64_t deadline_ms,
    redisReply **replies, struct errbuf *why)
{
	enum connection_rc rc;

	if ((rc = connection_send(&r->connection, out, deadline_ms, why)) != CONNECTION_DONE)
		return rc;
	for (int i = 0; i < count; i++) {
		rc = connection_receive(&r->connection, deadline_ms, &replies[i], why);
		if (rc != CONNECTION_DONE) {
			exchange_free(replies, count);
			return rc;
		}
	}
	return CONNECTION_DONE;
}

static enum redis_rc
check_replies(struct redis *r, int count, redisReply **replies, struct errbuf *why)
{
	for (int i = 0; i < count; i++) {
		if (replies[i]->type != REDIS_REPLY_ERROR ||
		    strncmp(replies[i]->str, "NOSCRIPT", 8) == 0)
			continue;
		errbuf_set(why, "redis: %s", replies[i]->str);
		exchange_free(replies, count);
		connection_drop(&r->connection);
		return REDIS_AWAY;
	}
	return REDIS_DONE;
}

enum redis_rc
exchange(struct redis *r, const struct command *const *commands, int count, bool repeatable,
    redisReply **replies, struct errbuf *why)
{
	int64_t deadline_ms = clock_monotonic_ms() + r->timeout_ms;
	enum connection_rc rc = CONNECTION_FAILED;
	struct buffer out = {0};
	bool fresh;

	for (int i = 0; i < count; i++) {
		replies[i] = NULL;
		if (!command_encode(commands[i], &out)) {
			errbuf_set(why, "redis: a command does not fit");
			goto done;
		}
	}
	do {
		if (!connect_if_needed(r, deadline_ms, &fresh, why))
			break;
		rc = send_and_receive(r, buffer_octets(&out), count, deadline_ms, replies, why);
		if (rc == CONNECTION_DONE)
			r->pause_ms = 0;
		else
			connection_drop(&r->connection);
		if (rc == CONNECTION_FAILED && clock_monotonic_ms() >= deadline_ms)
			pause_dialling(r, deadline_ms);
	} while (rc == CONNECTION_CLOSED && repeatable && !fresh);

done:
	buffer_free(&out);
	if (rc != CONNECTION_DONE)
		return REDIS_AWAY;
	return check_replies(r, count, replies, why);
}
