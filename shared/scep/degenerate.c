#include "scep/degenerate.h"

#include <stdlib.h>

#include "scep/oid.h"
#include "scep/reply.h"

#define FRAME_ROOM 128 /* what surrounds certificates and CRL: tags, lengths, version, OIDs */

void
scep_content_wrap(struct der *d, struct octets type, size_t mark)
{
	der_wrap(d, DER_CONTEXT(0), mark);
	der_oid(d, type);
	der_wrap(d, DER_SEQUENCE, mark);
}

size_t
scep_degenerate_room(const struct octets *certificates, int count, struct octets crl)
{
	size_t room = FRAME_ROOM + crl.len;

	for (int i = 0; i < count; i++)
		room += certificates[i].len;
	return room;
}

void
scep_degenerate_write(
    struct der *d, const struct octets *certificates, int count, struct octets crl)
{
	size_t end = der_mark(d), mark;

	der_wrap(d, DER_SET, der_mark(d)); /* signerInfos */
	if (crl.len > 0) {
		mark = der_mark(d);
		der_raw(d, crl);
		der_wrap(d, DER_CONTEXT(1), mark);
	}
	if (count > 0) {
		mark = der_mark(d);
		for (int i = count - 1; i >= 0; i--)
			der_raw(d, certificates[i]);
		der_wrap(d, DER_CONTEXT(0), mark);
	}
	mark = der_mark(d);
	der_oid(d, scep_oid_content_data);
	der_wrap(d, DER_SEQUENCE, mark);   /* encapContentInfo */
	der_wrap(d, DER_SET, der_mark(d)); /* digestAlgorithms */
	der_integer(d, 1);
	der_wrap(d, DER_SEQUENCE, end);
	scep_content_wrap(d, scep_oid_content_signed, end);
}

bool
scep_degenerate_encode(
    const struct octets *certificates, int count, struct octets crl, struct buffer *out)
{
	size_t size = scep_degenerate_room(certificates, count, crl);
	uint8_t *room = malloc(size);
	struct octets der;
	struct der d;

	if (room == NULL)
		return false;
	der_start(&d, room, size);
	scep_degenerate_write(&d, certificates, count, crl);
	der = der_octets(&d);
	buffer_append(out, der.data, der.len);
	free(room);
	return !d.failed && !out->failed;
}
