#include "scep/query.h"

#include <string.h>
#include <strings.h>

#define NAME_MAX_OCTETS 64  /* longer names are none of ours */
#define CHUNK		512 /* decoded octets appended at a time */

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* The octet at *at, an escape undone; *at goes behind it.  -1: a broken escape. */
static int
next_octet(struct octets text, size_t *at)
{
	uint8_t c = text.data[(*at)++];
	int high, low;

	if (c != '%')
		return c;
	if (text.len - *at < 2 || (high = hex_digit(text.data[*at])) < 0 ||
	    (low = hex_digit(text.data[*at + 1])) < 0)
		return -1;
	*at += 2;
	return high << 4 | low;
}

/*
 * Undo the escapes of text into out, which is NUL-terminated: unprintable octets become '?', and what is over its size is cut.
 * false at a broken escape.
 */
static bool
unescape(struct octets text, char *out, size_t size)
{
	size_t n = 0, at = 0;

	while (at < text.len) {
		int c = next_octet(text, &at);

		if (c < 0)
			return false;
		if (n + 1 < size)
			out[n++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
	}
	out[n] = '\0';
	return true;
}

static enum scep_operation
operation_of(const char *name)
{
	static const struct {
		const char *name;
		enum scep_operation operation;
	} known[] = {
	    {"GetCACaps", SCEP_OP_GET_CA_CAPS},
	    {"GetCACert", SCEP_OP_GET_CA_CERT},
	    {"GetNextCACert", SCEP_OP_GET_NEXT_CA_CERT},
	    {"PKIOperation", SCEP_OP_PKI_OPERATION},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(name, known[i].name) == 0)
			return known[i].operation;
	return SCEP_OP_UNKNOWN;
}

static bool
parse_parameter(struct octets parameter, struct scep_query *out, struct errbuf *why)
{
	const uint8_t *equals =
	    parameter.len == 0 ? NULL : memchr(parameter.data, '=', parameter.len);
	size_t name_len = equals == NULL ? parameter.len : (size_t)(equals - parameter.data);
	size_t skip = equals == NULL ? name_len : name_len + 1;
	struct octets value = octets_of(parameter.data + skip, parameter.len - skip);
	char name[NAME_MAX_OCTETS];

	if (!unescape(octets_of(parameter.data, name_len), name, sizeof(name))) {
		errbuf_set(why, "query: a broken %%-escape in a parameter's name");
		return false;
	}
	if (strcasecmp(name, "operation") == 0) {
		if (out->operation != SCEP_OP_NONE) {
			errbuf_set(why, "query: operation is there twice");
			return false;
		}
		if (!unescape(value, out->operation_text, sizeof(out->operation_text))) {
			errbuf_set(why, "query: a broken %%-escape in operation");
			return false;
		}
		out->operation = operation_of(out->operation_text);
	} else if (strcasecmp(name, "message") == 0) {
		if (out->has_message) {
			errbuf_set(why, "query: message is there twice");
			return false;
		}
		out->has_message = true;
		out->message = value;
	}
	return true;
}

bool
scep_query_parse(const char *query, struct scep_query *out, struct errbuf *why)
{
	*out = (struct scep_query){0};
	while (query != NULL && *query != '\0') {
		size_t len = strcspn(query, "&");

		if (!parse_parameter(octets_of(query, len), out, why)) {
			*out = (struct scep_query){0};
			return false;
		}
		query += len;
		query += *query == '&';
	}
	return true;
}

/* What an octet of a message is, escapes undone: 0 to 63, or one of these. */
enum { SYMBOL_PADDING = 64, SYMBOL_SKIP, SYMBOL_BAD };

static int
symbol(int c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	switch (c) {
	case '+':
	case ' ': /* a '+' that somebody took for an escaped space */
	case '-':
		return 62;
	case '/':
	case '_':
		return 63;
	case '=':
		return SYMBOL_PADDING;
	case '\r':
	case '\n':
		return SYMBOL_SKIP;
	default:
		return SYMBOL_BAD;
	}
}

struct decoder {
	uint32_t bits;
	int symbols; /* of the quantum of four that bits holds */
	int padding;
	uint8_t chunk[CHUNK];
	size_t len;
};

/* Append what is in the chunk; false when that is over max octets since start. */
static bool
flush(struct decoder *d, struct buffer *out, size_t start, size_t max)
{
	if (out->len - start + d->len > max)
		return false;
	buffer_append(out, d->chunk, d->len);
	d->len = 0;
	return true;
}

static void
put_symbol(struct decoder *d, int s)
{
	d->bits = d->bits << 6 | (uint32_t)s;
	if (++d->symbols < 4)
		return;
	d->chunk[d->len++] = (uint8_t)(d->bits >> 16);
	d->chunk[d->len++] = (uint8_t)(d->bits >> 8);
	d->chunk[d->len++] = (uint8_t)d->bits;
	d->bits = 0;
	d->symbols = 0;
}

/* The last quantum, of two or three symbols; padding is all there or not at all (RFC 4648 4). */
static bool
put_rest(struct decoder *d)
{
	if (d->padding != 0 && d->symbols + d->padding != 4)
		return false;
	switch (d->symbols) {
	case 0:
		return true;
	case 2:
		d->chunk[d->len++] = (uint8_t)(d->bits >> 4);
		return true;
	case 3:
		d->chunk[d->len++] = (uint8_t)(d->bits >> 10);
		d->chunk[d->len++] = (uint8_t)(d->bits >> 2);
		return true;
	default:
		return false;
	}
}

static bool
decode(struct octets message, size_t max, struct buffer *out, bool *too_long, struct errbuf *why)
{
	struct decoder d = {0};
	size_t start = out->len, at = 0;

	while (at < message.len) {
		size_t here = at;
		int c = next_octet(message, &at);
		int s = c < 0 ? SYMBOL_BAD : symbol(c);

		if (s == SYMBOL_SKIP)
			continue;
		if (s == SYMBOL_BAD || (s < SYMBOL_PADDING && d.padding > 0)) {
			errbuf_set(why, "query: message is not base64 at octet %zu", here);
			return false;
		}
		if (s == SYMBOL_PADDING)
			d.padding += d.padding < 3;
		else
			put_symbol(&d, s);
		if (d.len > CHUNK - 3 && !flush(&d, out, start, max))
			goto too_long;
	}
	if (!put_rest(&d)) {
		errbuf_set(why, "query: message ends in the middle of base64");
		return false;
	}
	if (!flush(&d, out, start, max))
		goto too_long;
	if (out->failed || out->len == start) {
		errbuf_set(why, out->failed ? "query: out of memory" : "query: message is empty");
		return false;
	}
	return true;

too_long:
	*too_long = true;
	errbuf_set(why, "query: message is over %zu octets", max);
	return false;
}

bool
scep_query_message(
    struct octets message, size_t max, struct buffer *out, bool *too_long, struct errbuf *why)
{
	size_t start = out->len;

	*too_long = false;
	if (decode(message, max, out, too_long, why))
		return true;
	out->len = start;
	return false;
}
