/* anchor.h: a certificate of another CA, a manufacturer's, that may authorise a first enrolment (RFC 8894 2.3, third case). */
#ifndef AUTHORISE_ANCHOR_H
#define AUTHORISE_ANCHOR_H

#include "authorise/authorise.h"

/*
 * Is signer, in time and no CA, signed by one of the profile's anchors, which is in time too, and does the CSR ask for nothing but what
 * the signer's subject has (a commonName may be its serialNumber), for no SAN, and for no extension of Microsoft's that is copied?  A device's
 * certificate speaks for that device, not for any name.
 */
bool anchor_trusts(const struct profile *p, const struct certificate *signer, const struct csr *csr,
    int64_t now_ms);

#endif
