#include <string.h>
#include <time.h>

#include "base/der.h"

void
der_start(struct der *d, uint8_t *room, size_t size)
{
	d->room = room;
	d->end = room + size;
	d->at = d->end;
	d->failed = false;
}

size_t
der_mark(const struct der *d)
{
	return (size_t)(d->end - d->at);
}

void
der_raw(struct der *d, struct octets raw)
{
	if (d->failed || raw.len == 0)
		return;
	if (raw.len > (size_t)(d->at - d->room)) {
		d->failed = true;
		return;
	}
	d->at -= raw.len;
	memcpy(d->at, raw.data, raw.len);
}

void
der_wrap(struct der *d, uint8_t tag, size_t mark)
{
	uint8_t header[2 + sizeof(size_t)];
	uint8_t *at = header + sizeof(header);
	size_t len;

	if (d->failed)
		return;
	if (mark > der_mark(d)) {
		d->failed = true;
		return;
	}
	len = der_mark(d) - mark;
	if (len < 0x80) {
		*--at = (uint8_t)len;
	} else {
		uint8_t *last = at;

		for (; len > 0; len >>= 8)
			*--at = (uint8_t)len;
		at--;
		*at = (uint8_t)(0x80 | (last - at - 1));
	}
	*--at = tag;
	der_raw(d, octets_of(at, (size_t)(header + sizeof(header) - at)));
}

void
der_element(struct der *d, uint8_t tag, struct octets content)
{
	size_t mark = der_mark(d);

	der_raw(d, content);
	der_wrap(d, tag, mark);
}

void
der_unsigned(struct der *d, struct octets magnitude)
{
	static const uint8_t zero[1] = {0};
	size_t mark = der_mark(d);

	/* X.690 8.3.2: no more octets than it takes, and the sign bit is clear. */
	while (magnitude.len > 0 && magnitude.data[0] == 0)
		magnitude = octets_of(magnitude.data + 1, magnitude.len - 1);
	der_raw(d, magnitude);
	if (magnitude.len == 0 || (magnitude.data[0] & 0x80) != 0)
		der_raw(d, octets_of(zero, sizeof(zero)));
	der_wrap(d, DER_INTEGER, mark);
}

void
der_integer(struct der *d, uint32_t value)
{
	uint8_t octets[4] = {
	    (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};

	der_unsigned(d, octets_of(octets, sizeof(octets)));
}

void
der_boolean_true(struct der *d)
{
	static const uint8_t yes[1] = {0xff}; /* X.690 11.1 */

	der_element(d, DER_BOOLEAN, octets_of(yes, sizeof(yes)));
}

void
der_null(struct der *d)
{
	der_element(d, DER_NULL, octets_of(NULL, 0));
}

void
der_oid(struct der *d, struct octets encoded)
{
	der_element(d, DER_OID, encoded);
}

void
der_bit_string(struct der *d, struct octets bits)
{
	static const uint8_t unused[1] = {0};
	size_t mark = der_mark(d);

	der_raw(d, bits);
	der_raw(d, octets_of(unused, sizeof(unused)));
	der_wrap(d, DER_BIT_STRING, mark);
}

/* Two digits; by snprintf() a CRL would take twice as long. */
static char *
two_digits(char *at, int value)
{
	*at++ = (char)('0' + value / 10);
	*at++ = (char)('0' + value % 10);
	return at;
}

static void
write_time(struct der *d, int64_t seconds, bool may_be_utc)
{
	time_t t = (time_t)seconds;
	char text[16], *at = text;
	struct tm tm;
	bool utc;
	int year;

	/* 0000-01-01 to 9999-12-31: what four digits of a year can say. */
	if (seconds < -62167219200 || seconds > 253402300799 || gmtime_r(&t, &tm) == NULL) {
		d->failed = true;
		return;
	}
	year = tm.tm_year + 1900;
	utc = may_be_utc && year >= 1950 && year <= 2049;
	if (!utc)
		at = two_digits(at, year / 100);
	at = two_digits(at, year % 100);
	at = two_digits(at, tm.tm_mon + 1);
	at = two_digits(at, tm.tm_mday);
	at = two_digits(at, tm.tm_hour);
	at = two_digits(at, tm.tm_min);
	at = two_digits(at, tm.tm_sec);
	*at++ = 'Z';
	der_element(
	    d, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME, octets_of(text, (size_t)(at - text)));
}

void
der_time(struct der *d, int64_t seconds)
{
	write_time(d, seconds, true);
}

void
der_generalized_time(struct der *d, int64_t seconds)
{
	write_time(d, seconds, false);
}

struct octets
der_octets(const struct der *d)
{
	return d->failed ? octets_of(NULL, 0) : octets_of(d->at, der_mark(d));
}
