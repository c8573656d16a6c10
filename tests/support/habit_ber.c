/* habit_ber.c: DER to the BER that encoders write who do not know the length of the content when they begin. */
#include <stdlib.h>

#include "base/der.h"
#include "tests/support/habit.h"

struct style {
	enum habit_ber ber;
	size_t piece;
};

/* The element that rest begins with; *header is how many octets stand before its content. */
static struct octets
first_element(struct octets rest, size_t *header)
{
	size_t len, count;

	if (rest.len < 2)
		abort();
	len = rest.data[1];
	*header = 2;
	if (len >= 0x80) {
		for (count = len & 0x7f, len = 0; count > 0; count--)
			len = len << 8 | rest.data[(*header)++];
	}
	if (*header + len > rest.len)
		abort();
	return octets_of(rest.data, *header + len);
}

static void
open_element(uint8_t tag, struct buffer *out)
{
	const uint8_t header[2] = {tag, 0x80};

	buffer_append(out, header, 2);
}

static void
close_element(struct buffer *out)
{
	buffer_append(out, "\0", 2);
}

/* An OCTET STRING, or one under [0], as a sequence of OCTET STRINGs; their lengths in the long form. */
static void
write_pieces(uint8_t tag, struct octets content, size_t piece, struct buffer *out)
{
	open_element(tag | 0x20, out);
	for (size_t at = 0; at < content.len; at += piece) {
		size_t len = content.len - at < piece ? content.len - at : piece;
		const uint8_t header[4] = {
		    DER_OCTET_STRING, 0x82, (uint8_t)(len >> 8), (uint8_t)len};

		buffer_append(out, header, 4);
		buffer_append(out, content.data + at, len);
	}
	close_element(out);
}

/*
 * Depth 0 to 2 are ContentInfo, its [0] and SignedData or EnvelopedData; the SEQUENCE at depth 3 is the one with the content, [0]
 * there are the certificates.  Digests, recipients and signers stay DER, and so do the algorithm and all that is signed.
 */
static bool
is_indefinite(const struct style *s, uint8_t tag, int depth)
{
	if (depth <= 2)
		return (tag & 0x20) != 0;
	if (depth == 3)
		return tag == DER_SEQUENCE || (tag == DER_CONTEXT(0) && s->ber == HABIT_JSCEP);
	return tag == DER_CONTEXT(0);
}

static void
write_element(const struct style *s, struct octets element, int depth, struct buffer *out)
{
	size_t header;
	uint8_t tag = element.data[0];
	struct octets content;
	bool certificates = depth == 3 && tag == DER_CONTEXT(0);

	first_element(element, &header);
	content = octets_of(element.data + header, element.len - header);
	if (depth >= 4 && (tag == DER_OCTET_STRING || tag == DER_CONTEXT_PRIM(0))) {
		write_pieces(tag, content, s->piece, out);
		return;
	}
	if (!is_indefinite(s, tag, depth)) {
		buffer_append(out, element.data, element.len);
		return;
	}
	open_element(tag, out);
	if (certificates) {
		buffer_append(out, content.data, content.len);
		content.len = 0;
	}
	while (content.len > 0) {
		struct octets inner = first_element(content, &header);

		write_element(s, inner, depth + 1, out);
		content = octets_of(content.data + inner.len, content.len - inner.len);
	}
	close_element(out);
}

void
habit_to_ber(struct octets der, enum habit_ber style, size_t piece, struct buffer *out)
{
	const struct style s = {style, piece};

	write_element(&s, der, 0, out);
}
