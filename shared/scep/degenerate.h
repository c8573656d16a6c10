/* degenerate.h: writing the SignedData without signers that carries certificates; for this room alone. */
#ifndef SCEP_DEGENERATE_H
#define SCEP_DEGENERATE_H

#include "base/der.h"
#include "base/octets.h"

/* Write ContentInfo { id-signedData, SignedData }: certificates in the order given, and crl if it is not empty. */
void scep_degenerate_write(
    struct der *d, const struct octets *certificates, int count, struct octets crl);

/* The octets of room that this takes at most. */
size_t scep_degenerate_room(const struct octets *certificates, int count, struct octets crl);

/* Wrap all that was written since mark: ContentInfo { type, [0] EXPLICIT it }. */
void scep_content_wrap(struct der *d, struct octets type, size_t mark);

#endif
