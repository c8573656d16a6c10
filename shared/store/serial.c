#include "store/serial.h"

#include <ctype.h>
#include <string.h>

#include "base/encoding.h"

#define TEXT_OCTETS 64 /* of digits that are looked at, most of which must be zeros */

bool
serial_of(struct octets serial, struct serial *out)
{
	size_t zeros;

	*out = (struct serial){0};
	if (serial.len == 0)
		return false;
	while (serial.len > 0 && serial.data[0] == 0) {
		serial.data++;
		serial.len--;
	}
	if (serial.len > SERIAL_MAX)
		return false;
	zeros = serial.len < SERIAL_ISSUED ? SERIAL_ISSUED - serial.len : 0;
	if (serial.len > 0)
		memcpy(out->octets + zeros, serial.data, serial.len);
	out->len = zeros + serial.len;
	return true;
}

bool
serial_of_text(const char *text, struct serial *out)
{
	char digits[2 * TEXT_OCTETS + 1], padded[2 * TEXT_OCTETS + 1];
	uint8_t octets[TEXT_OCTETS];
	size_t n = 0;

	*out = (struct serial){0};
	for (; *text != '\0'; text++) {
		if (*text == '-' || *text == ':')
			continue;
		if (n == 2 * TEXT_OCTETS || !isxdigit((unsigned char)*text))
			return false;
		digits[n++] = *text;
	}
	if (n == 0)
		return false;
	memset(padded, '0', sizeof(padded));
	memcpy(padded + 2 * TEXT_OCTETS - n, digits, n);
	padded[2 * TEXT_OCTETS] = '\0';
	return encoding_unhex(padded, octets, sizeof(octets)) &&
	       serial_of(octets_of(octets, sizeof(octets)), out);
}

struct octets
serial_octets(const struct serial *s)
{
	return octets_of(s->octets, s->len);
}
