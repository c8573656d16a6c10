#include <openssl/rand.h>

#include <string.h>
#include <time.h>

#include "base/encoding.h"

static void
hex(struct octets in, char *out, const char *digits)
{
	for (size_t i = 0; i < in.len; i++) {
		*out++ = digits[in.data[i] >> 4];
		*out++ = digits[in.data[i] & 15];
	}
	*out = '\0';
}

void
encoding_hex(struct octets in, char *out)
{
	hex(in, out, "0123456789abcdef");
}

void
encoding_hex_upper(struct octets in, char *out)
{
	hex(in, out, "0123456789ABCDEF");
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
encoding_unhex(const char *text, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(text[2 * i]);
		int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);

		if (low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return text[2 * len] == '\0';
}

void
encoding_base64(struct octets in, struct buffer *out)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char chunk[256];
	size_t n = 0;

	for (size_t i = 0; i < in.len; i += 3) {
		size_t left = in.len - i;
		uint32_t v = (uint32_t)in.data[i] << 16;

		if (left > 1)
			v |= (uint32_t)in.data[i + 1] << 8;
		if (left > 2)
			v |= in.data[i + 2];
		chunk[n++] = digits[v >> 18];
		chunk[n++] = digits[v >> 12 & 63];
		chunk[n++] = left > 1 ? digits[v >> 6 & 63] : '=';
		chunk[n++] = left > 2 ? digits[v & 63] : '=';
		if (n == sizeof(chunk)) {
			buffer_append(out, chunk, n);
			n = 0;
		}
	}
	buffer_append(out, chunk, n);
	octets_wipe(chunk, sizeof(chunk));
}

#define BASE64_SKIP 64
#define BASE64_PAD  65
#define BASE64_BAD  66

static unsigned
base64_digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26U;
	if (c >= '0' && c <= '9')
		return c - '0' + 52U;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	if (c == '=')
		return BASE64_PAD;
	if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
		return BASE64_SKIP;
	return BASE64_BAD;
}

bool
encoding_unbase64(struct octets text, struct buffer *out)
{
	size_t start = out->len, n = 0;
	size_t digits = 0, pads = 0;
	uint32_t v = 0;
	uint8_t chunk[255];

	for (size_t i = 0; i < text.len; i++) {
		unsigned d = base64_digit(text.data[i]);

		if (d == BASE64_SKIP)
			continue;
		if (d == BASE64_PAD && ++pads <= 2)
			continue;
		if (d >= BASE64_SKIP || pads > 0)
			goto bad;
		v = v << 6 | d;
		if (++digits % 4 != 0)
			continue;
		chunk[n++] = (uint8_t)(v >> 16);
		chunk[n++] = (uint8_t)(v >> 8);
		chunk[n++] = (uint8_t)v;
		if (n == sizeof(chunk)) {
			buffer_append(out, chunk, n);
			n = 0;
		}
	}
	if (digits % 4 == 1 || (pads > 0 && digits % 4 + pads != 4))
		goto bad;
	if (digits % 4 == 2)
		chunk[n++] = (uint8_t)(v >> 4);
	if (digits % 4 == 3) {
		chunk[n++] = (uint8_t)(v >> 10);
		buffer_append(out, chunk, n);
		n = 0;
		chunk[n++] = (uint8_t)(v >> 2);
	}
	buffer_append(out, chunk, n);
	octets_wipe(chunk, sizeof(chunk));
	if (out->failed)
		goto bad;
	return true;

bad:
	octets_wipe(chunk, sizeof(chunk));
	out->len = start;
	return false;
}

void
encoding_uuid_of(const uint8_t octets[16], char out[UUID_SIZE])
{
	char digits[33];
	size_t n = 0;

	encoding_hex(octets_of(octets, 16), digits);
	for (size_t i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			out[n++] = '-';
		out[n++] = digits[i];
	}
	out[n] = '\0';
}

bool
encoding_uuid(char out[UUID_SIZE])
{
	uint8_t octets[16];

	if (RAND_bytes(octets, sizeof(octets)) != 1) {
		out[0] = '\0';
		return false;
	}
	/* RFC 4122 section 4.4: version 4, variant 10. */
	octets[6] = (uint8_t)((octets[6] & 0x0f) | 0x40);
	octets[8] = (uint8_t)((octets[8] & 0x3f) | 0x80);
	encoding_uuid_of(octets, out);
	return true;
}

bool
encoding_is_uuid(const char *text)
{
	for (size_t i = 0; i < UUID_SIZE - 1; i++) {
		char c = text[i];

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (c != '-')
				return false;
		} else if (hex_digit(c) < 0 || (c >= 'A' && c <= 'F')) {
			return false;
		}
	}
	return text[UUID_SIZE - 1] == '\0';
}

size_t
encoding_utf8_sequence(struct octets text, uint32_t *character)
{
	/* The least character that a sequence of so many octets may stand for. */
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len;
	uint32_t c;

	if (text.len == 0)
		return 0;
	c = text.data[0];
	if (c < 0x80) {
		*character = c;
		return 1;
	}
	if (c >= 0xc2 && c <= 0xdf) {
		len = 2;
		c &= 0x1f;
	} else if (c >= 0xe0 && c <= 0xef) {
		len = 3;
		c &= 0x0f;
	} else if (c >= 0xf0 && c <= 0xf4) {
		len = 4;
		c &= 0x07;
	} else {
		return 0;
	}
	if (text.len < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((text.data[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text.data[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*character = c;
	return len;
}

bool
encoding_is_utf8(struct octets text)
{
	while (text.len > 0) {
		uint32_t c;
		size_t n = encoding_utf8_sequence(text, &c);

		if (n == 0 || c == 0)
			return false;
		text = octets_of(text.data + n, text.len - n);
	}
	return true;
}

void
encoding_time(int64_t seconds, char out[ENCODING_TIME_SIZE])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, ENCODING_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		memcpy(out, "-", 2);
}
