#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "store/audit_texts.h"
#include "store/text.h"

#define MEMBER(name)                                                                               \
	{                                                                                          \
#name, offsetof(struct audit_event, name)                                          \
	}

const struct audit_text audit_texts[AUDIT_TEXTS] = {
    MEMBER(event_id),
    MEMBER(actor),
    MEMBER(address),
    MEMBER(action),
    MEMBER(resource_type),
    MEMBER(resource_id),
    MEMBER(profile),
    MEMBER(outcome),
    MEMBER(transaction_id),
    MEMBER(message_type),
    MEMBER(fail_info),
    MEMBER(reason),
    MEMBER(stage),
    MEMBER(serial),
    MEMBER(subject),
    MEMBER(digest),
    MEMBER(cipher),
    MEMBER(key_type),
    MEMBER(transport),
    MEMBER(request_id),
    MEMBER(organization),
    MEMBER(department),
};

const char **
audit_text_of(struct audit_event *e, const struct audit_text *t)
{
	return (const char **)(void *)((char *)e + t->offset);
}

const char *
audit_text_get0(const struct audit_event *e, const struct audit_text *t)
{
	return *(const char *const *)(const void *)((const char *)e + t->offset);
}

/* A JSON string: what must be escaped is, and nothing else. */
static void
append_string(struct buffer *out, const char *text)
{
	const char *start;

	buffer_append(out, "\"", 1);
	for (start = text; *text != '\0'; text++) {
		if ((unsigned char)*text >= 0x20 && *text != '"' && *text != '\\')
			continue;
		buffer_append(out, start, (size_t)(text - start));
		if ((unsigned char)*text >= 0x20)
			buffer_append_format(out, "\\%c", *text);
		else
			buffer_append_format(out, "\\u%04x", (unsigned)(unsigned char)*text);
		start = text + 1;
	}
	buffer_append(out, start, (size_t)(text - start));
	buffer_append(out, "\"", 1);
}

bool
audit_event_to_json(const struct audit_event *e, struct buffer *out)
{
	char room[TEXT_MAX + 1];
	const char *text;
	size_t i;

	buffer_append_format(
	    out, "{\"time_ms\":%" PRId64 ",\"count\":%" PRId64, e->time_ms, e->count);
	for (i = 0; i < AUDIT_TEXTS; i++) {
		text = text_bounded(audit_text_get0(e, &audit_texts[i]), room);
		if (text == NULL)
			continue;
		buffer_append_format(out, ",\"%s\":", audit_texts[i].name);
		append_string(out, text);
	}
	buffer_append(out, "}", 1);
	return !out->failed;
}

/* The reader knows the lines of the writer above and no other JSON: the same keys in the same order, no spaces. */

static bool
skip(char **at, const char *want)
{
	size_t len = strlen(want);

	if (strncmp(*at, want, len) != 0)
		return false;
	*at += len;
	return true;
}

static bool
read_number(char **at, int64_t *out)
{
	char *digits = *at + (**at == '-' ? 1 : 0);
	size_t len = strspn(digits, "0123456789");
	char *end;

	if (len == 0 || (digits[0] == '0' && (len > 1 || digits != *at)))
		return false;
	errno = 0;
	*out = strtoll(*at, &end, 10);
	*at = end;
	return errno == 0;
}

/* One escape, behind its backslash; 0: none that we write. */
static char
read_escape(char **at)
{
	static const char hex[] = "0123456789abcdef";
	const char *high, *low;

	if (**at == '"' || **at == '\\')
		return *(*at)++;
	if (!skip(at, "u00") || (*at)[0] == '\0' || (*at)[1] == '\0' ||
	    (high = strchr("01", (*at)[0])) == NULL || (low = strchr(hex, (*at)[1])) == NULL)
		return 0;
	*at += 2;
	return (char)((*high - '0') * 16 + (low - hex));
}

/* Unescaped in place: a text never gets longer by it. */
static bool
read_string(char **at, const char **out)
{
	char *write;

	if (!skip(at, "\""))
		return false;
	*out = write = *at;
	while (**at != '"') {
		if ((unsigned char)**at < 0x20)
			return false;
		if (**at != '\\')
			*write++ = *(*at)++;
		else if ((*at)++, (*write = read_escape(at)) != '\0')
			write++;
		else
			return false;
	}
	(*at)++;
	*write = '\0';
	return write - *out <= TEXT_MAX && encoding_is_utf8(octets_of_string(*out));
}

static bool
read_text(char **at, struct audit_event *e, const struct audit_text *t)
{
	char *start = *at;

	/* Another key, or the end. */
	if (!skip(at, ",\"") || !skip(at, t->name) || !skip(at, "\":")) {
		*at = start;
		return true;
	}
	return read_string(at, audit_text_of(e, t));
}

static bool
known_outcome(const char *outcome)
{
	return strcmp(outcome, "success") == 0 || strcmp(outcome, "pending") == 0 ||
	       strcmp(outcome, "refused") == 0 || strcmp(outcome, "failed") == 0;
}

bool
audit_event_of_json(char *room, struct audit_event *e)
{
	char *at = room;
	size_t i;

	*e = (struct audit_event){0};
	if (!skip(&at, "{\"time_ms\":") || !read_number(&at, &e->time_ms) ||
	    !skip(&at, ",\"count\":") || !read_number(&at, &e->count))
		return false;
	for (i = 0; i < AUDIT_TEXTS; i++)
		if (!read_text(&at, e, &audit_texts[i]))
			return false;
	return strcmp(at, "}") == 0 && e->count > 0 && e->action != NULL && e->outcome != NULL &&
	       known_outcome(e->outcome);
}
