/*
 * der.h: a writer of DER (X.690 section 10) that works from the end to the beginning, so that a length is known when its
 * header is written.  There is no reader here: octets of strangers are parsed by OpenSSL's templates.
 *
 *	struct der d;
 *	der_start(&d, room, sizeof(room));
 *	size_t end = der_mark(&d);
 *	der_integer(&d, 1);                 the last element first
 *	der_oid(&d, oid);
 *	der_wrap(&d, DER_SEQUENCE, end);    SEQUENCE { oid, 1 }
 *	struct octets out = der_octets(&d);
 */
#ifndef BASE_DER_H
#define BASE_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/octets.h"

#define DER_BOOLEAN	     0x01
#define DER_INTEGER	     0x02
#define DER_BIT_STRING	     0x03
#define DER_OCTET_STRING     0x04
#define DER_NULL	     0x05
#define DER_OID		     0x06
#define DER_UTF8_STRING	     0x0c
#define DER_PRINTABLE_STRING 0x13
#define DER_IA5_STRING	     0x16
#define DER_UTC_TIME	     0x17
#define DER_GENERALIZED_TIME 0x18
#define DER_SEQUENCE	     0x30
#define DER_SET		     0x31
#define DER_CONTEXT(n)	     (0xa0 | (n)) /* constructed */
#define DER_CONTEXT_PRIM(n)  (0x80 | (n)) /* primitive */

/* Borrows room for its whole life.  Once something did not fit, failed is set and nothing more is written. */
struct der {
	uint8_t *room;
	uint8_t *at; /* the first octet written so far */
	uint8_t *end;
	bool failed;
};

void der_start(struct der *d, uint8_t *room, size_t size);
size_t der_mark(const struct der *d);			/* octets written so far */
void der_raw(struct der *d, struct octets raw);		/* octets as they are */
void der_wrap(struct der *d, uint8_t tag, size_t mark); /* header around all written since mark */
void der_element(struct der *d, uint8_t tag, struct octets content);
void der_unsigned(struct der *d, struct octets magnitude); /* INTEGER from a big-endian magnitude */
void der_integer(struct der *d, uint32_t value);
void der_boolean_true(struct der *d);
void der_null(struct der *d);
void der_oid(struct der *d, struct octets encoded);	/* the content octets of an OID */
void der_bit_string(struct der *d, struct octets bits); /* no unused bits */
void der_time(struct der *d, int64_t seconds); /* UTCTime to 2049, else GeneralizedTime: RFC 5280 */
void der_generalized_time(struct der *d, int64_t seconds); /* whatever the year: RFC 6960 */
struct octets der_octets(const struct der *d); /* borrowed from room; empty when failed */

#endif
