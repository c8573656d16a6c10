#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "redis/command.h"

void
command_start(struct command *c, const char *name)
{
	c->argc = 0;
	c->used = 0;
	c->failed = false;
	command_text(c, name);
}

void
command_text(struct command *c, const char *text)
{
	command_octets(c, octets_of_string(text));
}

void
command_octets(struct command *c, struct octets o)
{
	if (c->argc == COMMAND_ARGS) {
		c->failed = true;
		return;
	}
	c->argv[c->argc++] = o;
}

/* The n characters that were just printed behind what is used; longer than the room: nothing. */
static void
keep(struct command *c, int n)
{
	if (n < 0 || (size_t)n >= sizeof(c->room) - c->used) {
		c->failed = true;
		return;
	}
	command_octets(c, octets_of(c->room + c->used, (size_t)n));
	c->used += (size_t)n;
}

void
command_number(struct command *c, int64_t n)
{
	keep(c, snprintf(c->room + c->used, sizeof(c->room) - c->used, "%" PRId64, n));
}

void
command_key(struct command *c, const char *profile_id, const char *fmt, ...)
{
	size_t left = sizeof(c->room) - c->used;
	va_list ap;
	int head, tail;

	head = snprintf(c->room + c->used, left, "{%s}:", profile_id);
	if (head < 0 || (size_t)head >= left) {
		c->failed = true;
		return;
	}
	va_start(ap, fmt);
	tail = vsnprintf(c->room + c->used + head, left - (size_t)head, fmt, ap);
	va_end(ap);
	keep(c, tail < 0 ? -1 : head + tail);
}

bool
command_encode(const struct command *c, struct buffer *out)
{
	if (c->failed)
		return false;
	buffer_append_format(out, "*%d\r\n", c->argc);
	for (int i = 0; i < c->argc; i++) {
		buffer_append_format(out, "$%zu\r\n", c->argv[i].len);
		buffer_append(out, c->argv[i].data, c->argv[i].len);
		buffer_append(out, "\r\n", 2);
	}
	return !out->failed;
}
