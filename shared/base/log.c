#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/log.h"

#define TAIL	    2  /* what always still fits: the brace and the newline that end a line */
#define ESCAPE_SIZE 16 /* the longest escape, a surrogate pair, with its NUL */

static struct {
	const char *program;
	bool json;
	enum log_level least;
	char request[64];
} to = {.program = "-", .least = LOG_LEVEL_INFO};

static const char *const level_names[] = {"debug", "info", "warning", "error"};

void
log_open(const char *program, bool json, enum log_level least)
{
	to.program = program;
	to.json = json;
	to.least = least;
}

void
log_set_request(const char *request_id)
{
	snprintf(to.request, sizeof(to.request), "%s", request_id);
}

/* How many octets may still come. */
static size_t
room_in(const struct log_line *l)
{
	return sizeof(l->text) - TAIL - l->len;
}

/* All of the text or nothing of it, so that no escape is cut in two. */
static bool
put(struct log_line *l, const char *text, size_t len)
{
	if (len > room_in(l))
		return false;
	memcpy(l->text + l->len, text, len);
	l->len += len;
	return true;
}

/* Characters that end a line, hide or reorder text on a terminal: C0, DEL, C1, and Unicode's separators and directions. */
static bool
is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x200e && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/*
 * The form in quotes of what value begins with, and in *used how many octets that was.  The result is value itself, where
 * nothing needs escaping, or written into room.  *len is its length.
 */
static const char *
escape(struct octets value, bool json, char room[ESCAPE_SIZE], size_t *used, size_t *len)
{
	uint32_t c = 0;
	int n;

	*used = encoding_utf8_sequence(value, &c);
	if (*used == 0 || (json && c == 0)) {
		/* JSON has no way to say which octet it was that is no UTF-8, and many readers of it take no NUL. */
		*used = 1;
		n = json ? snprintf(room, ESCAPE_SIZE, "\\ufffd")
			 : snprintf(room, ESCAPE_SIZE, "\\x%02x", value.data[0]);
	} else if (c == '"' || c == '\\') {
		n = snprintf(room, ESCAPE_SIZE, "\\%c", (char)c);
	} else if (c == '\n') {
		n = snprintf(room, ESCAPE_SIZE, "\\n");
	} else if (c == '\r') {
		n = snprintf(room, ESCAPE_SIZE, "\\r");
	} else if (c == '\t') {
		n = snprintf(room, ESCAPE_SIZE, "\\t");
	} else if (is_control(c)) {
		n = snprintf(room, ESCAPE_SIZE, "\\u%04" PRIx32, c);
	} else {
		*len = *used;
		return (const char *)value.data;
	}
	*len = (size_t)n;
	return room;
}

static void
put_quoted(struct log_line *l, struct octets value)
{
	char room[ESCAPE_SIZE];
	size_t used, len;

	put(l, "\"", 1);
	while (value.len > 0) {
		const char *text = escape(value, to.json, room, &used, &len);

		/* One is kept for the closing quote. */
		if (len + 1 > room_in(l))
			break;
		put(l, text, len);
		value = octets_of(value.data + used, value.len - used);
	}
	put(l, "\"", 1);
}

/* Letters, digits and the punctuation of names, addresses, times and paths need no quotes in key=value. */
static bool
is_plain(struct octets value)
{
	if (value.len == 0)
		return false;
	for (size_t i = 0; i < value.len; i++) {
		char c = (char)value.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			(c != '\0' && strchr("-_.:/@+,%*", c) != NULL)))
			return false;
	}
	return true;
}

/* A key, and what stands before and after it; false where key and an empty value do not fit any more. */
static bool
put_key(struct log_line *l, const char *key)
{
	size_t len = strlen(key);

	if (!l->open || len + 8 > room_in(l))
		return false;
	if (to.json) {
		put(l, l->len == 0 ? "{\"" : ",\"", 2);
		put(l, key, len);
		put(l, "\":", 2);
	} else {
		if (l->len > 0)
			put(l, " ", 1);
		put(l, key, len);
		put(l, "=", 1);
	}
	return true;
}

void
log_octets(struct log_line *l, const char *key, struct octets value)
{
	if (!put_key(l, key))
		return;
	if (to.json || !is_plain(value) || !put(l, (const char *)value.data, value.len))
		put_quoted(l, value);
}

void
log_text(struct log_line *l, const char *key, const char *value)
{
	if (value != NULL && l->open)
		log_octets(l, key, octets_of_string(value));
}

void
log_number(struct log_line *l, const char *key, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRId64, value);

	if ((size_t)n + strlen(key) + 8 > room_in(l) || !put_key(l, key))
		return;
	put(l, text, (size_t)n);
}

void
log_begin(struct log_line *l, enum log_level level, const char *event)
{
	char time_text[ENCODING_TIME_SIZE], with_ms[ENCODING_TIME_SIZE + 8];
	int64_t now;

	l->level = level;
	l->len = 0;
	l->open = level >= to.least;
	if (!l->open)
		return;
	now = clock_now_ms();
	encoding_time(now / 1000, time_text);
	time_text[strcspn(time_text, "Z")] = '\0';
	snprintf(with_ms, sizeof(with_ms), "%s.%03dZ", time_text, (int)(now % 1000));
	log_text(l, "time", with_ms);
	log_text(l, "level", level_names[level]);
	log_text(l, "program", to.program);
	log_number(l, "pid", getpid());
	if (to.request[0] != '\0')
		log_text(l, "request", to.request);
	log_text(l, "event", event);
}

void
log_end(struct log_line *l)
{
	int saved = errno;

	if (!l->open)
		return;
	l->open = false;
	if (to.json)
		l->text[l->len++] = '}';
	l->text[l->len++] = '\n';
	while (write(STDERR_FILENO, l->text, l->len) == -1 && errno == EINTR)
		continue;
	errno = saved;
}

void
log_event(enum log_level level, const char *event, const char *fmt, ...)
{
	char text[2048];
	struct log_line l;
	va_list ap;

	log_begin(&l, level, event);
	if (!l.open)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_text(&l, "msg", text);
	log_end(&l);
}
