/* csv.c: reading comma-separated values. */
#include "fcgi-admin/manage/csv.h"

#include <string.h>

#include "base/encoding.h"

void
csv_open(struct csv *c, struct octets text)
{
	static const uint8_t mark[] = {0xef, 0xbb, 0xbf};

	*c = (struct csv){.text = text, .line = 1};
	if (text.len >= sizeof(mark) && memcmp(text.data, mark, sizeof(mark)) == 0)
		c->at = sizeof(mark);
}

void
csv_record_free(struct csv_record *record)
{
	buffer_free(&record->text);
	*record = (struct csv_record){.count = 0};
}

/* The octet at c, or -1 at the end. */
static int
peek(const struct csv *c)
{
	return c->at < c->text.len ? c->text.data[c->at] : -1;
}

/* Is a line's end here?  CRLF or LF. */
static size_t
line_end(const struct csv *c)
{
	if (peek(c) == '\n')
		return 1;
	return peek(c) == '\r' && c->at + 1 < c->text.len && c->text.data[c->at + 1] == '\n' ? 2
											     : 0;
}

/* Behind the next end of a line. */
static void
skip_line(struct csv *c)
{
	const uint8_t *from = c->text.data + c->at;
	const uint8_t *end = c->at < c->text.len ? memchr(from, '\n', c->text.len - c->at) : NULL;

	if (end == NULL) {
		c->at = c->text.len;
		return;
	}
	c->at += (size_t)(end - from) + 1;
	c->line++;
}

/* What stands between two quotes; a doubled quote stands for one. */
static bool
read_quoted(struct csv *c, struct buffer *out, struct errbuf *why)
{
	int64_t begin = c->line;
	int octet;

	for (c->at++; (octet = peek(c)) != -1; c->at++) {
		uint8_t one = (uint8_t)octet;

		if (octet == '"' && (c->at + 1 >= c->text.len || c->text.data[c->at + 1] != '"')) {
			c->at++;
			return true;
		}
		if (octet == '"')
			c->at++;
		if (octet == '\n')
			c->line++;
		buffer_append(out, &one, 1);
	}
	errbuf_set(why, "the quote of line %lld is not closed", (long long)begin);
	return false;
}

static bool
read_plain(struct csv *c, struct buffer *out, struct errbuf *why)
{
	int octet;

	for (; (octet = peek(c)) != -1 && octet != ',' && line_end(c) == 0; c->at++) {
		uint8_t one = (uint8_t)octet;

		if (octet == '"') {
			errbuf_set(why, "a quote inside a field that is not quoted");
			return false;
		}
		buffer_append(out, &one, 1);
	}
	return true;
}

/* One field and its NUL, appended to text. */
static bool
read_field(struct csv *c, struct buffer *text, struct errbuf *why)
{
	size_t begin = text->len;
	struct octets field;

	if (!(peek(c) == '"' ? read_quoted(c, text, why) : read_plain(c, text, why)))
		return false;
	if (peek(c) != -1 && peek(c) != ',' && line_end(c) == 0) {
		errbuf_set(why, "text behind a closing quote");
		return false;
	}
	if (text->failed) {
		errbuf_set(why, "out of memory");
		return false;
	}
	field = octets_of(text->len > begin ? text->data + begin : NULL, text->len - begin);
	if (field.len > CSV_FIELD_MAX) {
		errbuf_set(why, "a field has more than %d octets", CSV_FIELD_MAX);
		return false;
	}
	if (!encoding_is_utf8(field)) {
		errbuf_set(why, "a field is not UTF-8");
		return false;
	}
	buffer_append(text, "", 1);
	return true;
}

/* The fields follow each other in the text, each with its NUL. */
static void
point_at_fields(struct csv_record *record)
{
	const char *at = (const char *)record->text.data;

	for (int i = 0; i < record->count; i++) {
		record->fields[i] = at;
		at += strlen(at) + 1;
	}
}

enum csv_rc
csv_next(struct csv *c, struct csv_record *record, struct errbuf *why)
{
	size_t end;

	while ((end = line_end(c)) > 0) {
		c->at += end;
		c->line++;
	}
	record->line = c->line;
	record->count = 0;
	record->text.len = 0;
	if (peek(c) == -1)
		return CSV_END;
	for (;; c->at++) {
		if (record->count == CSV_FIELDS_MAX) {
			errbuf_set(why, "more than %d fields", CSV_FIELDS_MAX);
			skip_line(c);
			return CSV_FAULT;
		}
		if (!read_field(c, &record->text, why)) {
			skip_line(c);
			return CSV_FAULT;
		}
		record->count++;
		if (peek(c) != ',')
			break;
	}
	if (record->text.failed) {
		errbuf_set(why, "out of memory");
		return CSV_FAULT;
	}
	if ((end = line_end(c)) > 0) {
		c->at += end;
		c->line++;
	}
	point_at_fields(record);
	return CSV_RECORD;
}
