/* serial.h: serial numbers of certificates as the store keeps them.  Inside the store only. */
#ifndef STORE_SERIAL_H
#define STORE_SERIAL_H

#include <stdbool.h>

#include "base/octets.h"

#define SERIAL_ISSUED 16 /* octets of those that are issued here; zeros in front count */
#define SERIAL_MAX    20 /* octets without a sign octet, RFC 5280 4.1.2.2 */

/*
 * The one form of a serial in the column: 16 octets with zeros in front, or what there is of a longer one without zeros in front.  serial may
 * have a sign octet and any number of zeros, so that the content of an INTEGER, of whoever's making, finds its row.  false: it is empty or longer than
 * SERIAL_MAX, and so no row's.
 */
struct serial {
	uint8_t octets[SERIAL_MAX];
	size_t len;
};
bool serial_of(struct octets serial, struct serial *out);
/* The same of hexadecimal digits with colons and hyphens between them or not: of a serial number as programs print it, or of a uuid. */
bool serial_of_text(const char *text, struct serial *out);
/* Borrows s. */
struct octets serial_octets(const struct serial *s);

#endif
